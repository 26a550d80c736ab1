import numpy as np
import pandas as pd
import pytest

from evalsets.errors import ArgumentError
from evalsets.splits import Facts, coverage

SIDE = ["train", "train", "val", "test", "quarantine", "test", ""]


@pytest.fixture
def found():
    membership = pd.DataFrame(
        {
            "crowded": [1, 1, 1, 1, 1, 0, 0],
            "night": [0, 0, 0, 1, 0, 1, 0],
            "rain": [0, 0, 0, 0, 0, 0, 0],
            "[new]": [1, 0, 0, 0, 0, 0, 1],
        },
        index=list("abcdefg"),
    ).astype(bool)
    return coverage(membership, SIDE, {"crowded": 0.4, "night": 0.5, "rain": 0.1})


def test_every_population_is_counted_over_the_sides(found):
    assert list(found.frame.columns) == [
        "n",
        "train",
        "val",
        "test",
        "quarantine",
        "holdout_asked",
        "holdout_got",
    ]
    assert found.frame.loc["crowded"].tolist() == [5, 2, 1, 1, 1, 0.4, 0.2]
    assert found.frame.loc["night"].tolist() == [2, 0, 0, 2, 0, 0.5, 1]
    assert np.isnan(found.frame.loc["rain", "holdout_got"])
    assert found.frame.dtypes["test"] == np.int64


def test_overlap_counts_shared_samples(found):
    assert found.overlap.loc["crowded", "night"] == 1
    assert found.overlap.loc["crowded", "[new]"] == 1
    assert np.diag(found.overlap).tolist() == found.frame["n"].tolist()


def test_gaps_are_sentences(found):
    assert found.gaps == [
        "'crowded' asked 40.0% for test, got 20.0%",
        "'night' has no training sample",
        "'rain' is empty",
        "'[new]' has 1 sample without a side; split again",
    ]


def test_the_text_shows_names_as_they_are(found):
    text = found.to_text(width=120)
    assert "[new]" in text
    assert "• 'rain' is empty" in text
    assert "40.0%" in text


@pytest.mark.parametrize("width", [40, 80, None])
def test_the_text_shows_names_and_figures_whole_however_narrow_it_is(width):
    names = [
        "windy road with no trees",
        "a_population_whose_n_name_has_no_spaces",
        "夜の道",
    ]
    members = pd.DataFrame(True, columns=names, index=range(40_000))
    sides = ["train", "val", "test", "quarantine"] * 10_000
    found = coverage(
        members,
        sides,
        dict.fromkeys(names, 0.25),
        Facts(labelled=np.ones(40_000, bool)),
    )
    text = found.to_text(width)
    assert "…" not in text
    assert text.count("10,000 (100%)") == 12
    assert text.count("25.0%") == 6
    assert "夜の道" in text
    assert ("_name_has_no_spaces" if width else names[1]) in text


def test_the_text_of_a_pipe_folds_no_sentence(found):
    assert "• '[new]' has 1 sample without a side; split again" in found.to_text(None)
    assert "• '[new]' has 1 sample \nwithout a side; split \nagain" in found.to_text(25)


def test_the_plot_has_a_bar_for_every_part_and_a_mark_for_what_was_asked(found):
    figure = found.plot()
    bars = {trace.name: trace for trace in figure.data}
    assert list(bars) == ["test", "val", "train", "quarantine", "asked"]
    shares = sum(
        np.array(bars[part].x) for part in ["quarantine", "test", "val", "train"]
    )
    assert shares == pytest.approx([0.5, 0, 1, 1])  # from the last population up
    assert list(bars["asked"].y) == ["rain", "night", "crowded"]


@pytest.fixture
def known():
    """Two populations of which more is known."""
    membership = pd.DataFrame(
        {"a": [1, 1, 1, 0], "b": [0, 0, 1, 0]}, index=list("wxyz")
    )
    side = ["train", "test", "test", "train"]
    labelled = np.array([True, True, False, False])
    fewest = {"a": {"accuracy >= 0.9": 29, "top5 >= 0.5": 5}, "b": {"f1 >= 0.5": 1}}
    facts = Facts(labelled, fewest, {"a": 1})
    return coverage(membership.astype(bool), side, {}, facts)


def test_shares_are_of_the_sides(known):
    assert known.shares.loc["a"].tolist() == [0.5, 0, 1, 0]
    assert known.shares.loc["b", "test"] == 0.5
    assert known.untested == 0.25


def test_labels_and_growth_are_told_where_known(known, found):
    assert known.labelled.tolist() == pytest.approx([2 / 3, 0])
    assert known.growth["a"] == 2
    assert np.isnan(known.growth["b"])
    assert found.labelled.isna().all()
    assert "labelled" in known.to_text()
    assert "labelled" not in found.to_text()


def test_a_population_that_no_model_could_pass_on_says_what_it_needs(known):
    small = [gap for gap in known.gaps if "too small" in gap]
    assert len(small) == 2
    assert (
        "'a' is too small for its requirement accuracy >= 0.9: needs 28 more"
        in small[0]
    )
    assert "'b' is too small for its requirement f1 >= 0.5: needs 1 more" in small[1]


def test_a_drop_that_a_better_model_passes_sooner_says_so():
    members = pd.DataFrame({"a": [True, True]}, index=list("xy"))
    even = {"a": {"accuracy drop <= 0.05": 59}}
    facts = Facts(fewest={"a": {"accuracy drop <= 0.05": 5}}, even=even)
    (said,) = coverage(members, ["test", "train"], {}, facts).gaps
    assert said == (
        "'a' is too small for its requirement accuracy drop <= 0.05: needs 58 more "
        "labelled samples in test, where it has 1 (only a model better than its baseline "
        "can pass on fewer than 59 at level 0.05; other open requirements raise that)"
    )


def test_tags_are_found_when_asked_for():
    asked = []
    found = coverage(
        pd.DataFrame({"a": [True]}, index=["x"]),
        ["test"],
        {},
        find_tags=lambda: asked.append(1) or pd.DataFrame({"tag": ["x"]}),
    )
    assert not asked
    assert found.tags["tag"].tolist() == found.tags["tag"].tolist() == ["x"]
    assert asked == [1]


def test_the_heat_map_shows_what_share_of_the_row_lies_in_the_column(found):
    (heat,) = found.plot_overlap().data
    at = list(heat.y).index("crowded"), list(heat.x).index("night")
    assert np.array(heat.z)[at] == pytest.approx(1 / 5)
    assert np.array(heat.z)[at[::-1]] == pytest.approx(1 / 2)


def test_sides_must_fit_the_samples(found):
    with pytest.raises(ArgumentError, match="1 sides for 2 samples"):
        coverage(pd.DataFrame({"a": [True, False]}), ["train"], {})


def test_samples_in_no_population_are_counted_over_the_sides_too():
    membership = pd.DataFrame({"a": [1, 0, 0, 0, 0]}, index=list("vwxyz")).astype(bool)
    side = ["test", "test", "train", "train", "val"]
    found = coverage(membership, side, {}, Facts(background=0.5))
    assert found.background[["n", "train", "val", "test"]].tolist() == [4, 2, 1, 1]
    assert "80.0% of the data is in no population: 2 train, 1 val" in str(found)
    assert "asked 50.0% for test, got 25.0%" in str(found)
    assert "asked 50.0%" not in str(coverage(membership, side, {}))


def test_before_any_split_nobody_is_told_to_split_again():
    members = pd.DataFrame({"a": [True, True]}, index=list("xy"))
    (said,) = coverage(members, ["", ""], {}).gaps
    assert said == "'a' has 2 samples without a side; split the data"
