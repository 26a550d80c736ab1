import numpy as np
import pandas as pd
import pytest

from evalsets.errors import ArgumentError
from evalsets.splits import coverage

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


def test_the_plot_has_a_bar_for_every_part_and_a_mark_for_what_was_asked(found):
    figure = found.plot()
    bars = {trace.name: trace for trace in figure.data}
    assert list(bars) == ["test", "val", "train", "quarantine", "asked"]
    shares = sum(
        np.array(bars[part].x) for part in ["quarantine", "test", "val", "train"]
    )
    assert shares == pytest.approx([0.5, 0, 1, 1])  # from the last population up
    assert list(bars["asked"].y) == ["rain", "night", "crowded"]


def test_sides_must_fit_the_samples(found):
    with pytest.raises(ArgumentError, match="1 sides for 2 samples"):
        coverage(pd.DataFrame({"a": [True, False]}), ["train"], {})
