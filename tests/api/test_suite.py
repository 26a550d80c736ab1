from dataclasses import replace

import fiftyone as fo
import pytest

import evalsets as es
from evalsets.errors import (
    ArgumentError,
    NameTakenError,
    NoVectorsError,
    QueryError,
    UnknownNameError,
)

pytestmark = pytest.mark.db
NIGHT = es.Population("at night", "time = 'night'", holdout=0.3)
BUSY = es.Population(
    "busy", "num_people > 2", require=[es.Requirement("accuracy", at_least=0.9)]
)
QUIET = es.Population("quiet", "NOT population('busy') AND NOT population('at night')")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "suite.yml"


@pytest.fixture
def composed(drawn):
    es.compose(drawn, [NIGHT, BUSY, QUIET])
    return drawn


def test_a_suite_goes_through_a_file_to_another_dataset(composed, world, labels, file):
    es.split(composed, val=0.2, groups="scene_id")
    es.save_suite(composed, file)
    other = es.sync(world, "copy of a suite", labels=labels)
    try:
        done = es.load_suite(other, file)
        assert [p.name for p in done.added] == ["at night", "busy", "quiet"]
        assert es.populations(other) == es.populations(composed)
        assert set(other.list_saved_views()) == {"at night", "busy", "quiet"}
        assert es.load_suite(other, file).same
        sides = es.split(other).sizes
        assert sides == es.split(composed, val=0.2, groups="scene_id").sizes
        assert es.split_settings(other)["groups"] == "scene_id"
    finally:
        other.delete()


def test_loading_twice_changes_nothing(composed, file):
    es.save_suite(composed, file)
    before = file.read_text()
    assert es.load_suite(composed, file).same
    es.save_suite(composed, file)
    assert file.read_text() == before
    assert es.versions(composed, "busy").index.tolist() == [1]


def test_a_plan_says_what_would_change_and_changes_nothing(composed, file):
    es.split(composed)
    es.save_suite(composed, file)
    text = file.read_text().replace("num_people > 2", "num_people > 4")
    text = text.replace("NOT population('busy') AND ", "").replace("0.3", "0.6")
    file.write_text(text.replace("val: 0.1", "val: 0.3"))
    found = es.load_suite(composed, file, plan=True)
    assert set(found.changed) == {"busy", "quiet", "at night"}
    assert found.split == {"val": (0.1, 0.3)}
    night = es.select(composed, population="at night")
    row = found.frame.loc["at night"]
    assert row["n"] == len(night)
    assert row["in_test"] == len(es.select(night, split="test"))
    assert f"{row['asked'] - row['in_test']} more wanted there" in str(found)
    assert es.populations(composed) == {p.name: p for p in (NIGHT, BUSY, QUIET)}
    done = es.load_suite(composed, file)
    assert str(done) == str(found)
    assert es.populations(composed)["busy"].query == "num_people > 4"
    es.split(composed)
    assert es.split_settings(composed)["val"] == 0.3


def test_what_a_file_leaves_out_is_removed(composed, file):
    es.save_suite(composed, file)
    es.compose(composed, es.Population("rest", "num_people < 9"))
    assert es.load_suite(composed, file).removed == ("rest",)
    assert "rest" not in composed.list_saved_views()
    assert set(es.populations(composed)) == {"at night", "busy", "quiet"}


def test_a_name_in_other_letters_can_be_loaded(composed, file):
    es.save_suite(composed, file)
    text = file.read_text().replace("at night", "At Night")
    file.write_text(text)
    done = es.load_suite(composed, file)
    assert (done.removed, [p.name for p in done.added]) == (("at night",), ["At Night"])
    assert set(composed.list_saved_views()) == {"At Night", "busy", "quiet"}


def test_without_a_suite_file_split_goes_by_the_last_one(composed):
    es.split(composed)
    assert es.split_settings(composed)["val"] == 0.1
    es.split(composed, val=0.4)
    es.split(composed)
    assert es.split_settings(composed)["val"] == 0.4


P = "populations:\n- name: a\n  query: num_people > 1\n- name: b\n  query: {}\n"


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (P.format("wether = 'x'"), QueryError, r"yml:5: population 'b': No field"),
        (P.format("time = "), QueryError, r"yml:5: population 'b': .*position 5"),
        (P.format("population('c')"), QueryError, r"yml:5: .*No population 'c'"),
        (P.format("population('b')"), QueryError, r"yml:5: .*in a circle: b → b"),
        (P.format("x\n  require: acuracy >= 1"), ArgumentError, r"yml:4: No metric"),
        (P.format("num_people > 1 LIMIT 3"), ArgumentError, r"yml:4: .*RANK"),
        (P.format("text('a road') > 0.2"), NoVectorsError, "embed"),
        (
            P.format("num_people > 2").replace("name: b", "name: mine"),
            NameTakenError,
            "saved view",
        ),
        (P.format("num_people > 2\n  holdut: 1"), ArgumentError, r"yml:6: unknown key"),
    ],
)
@pytest.mark.parametrize("plan", [True, False])
def test_a_file_with_a_mistake_changes_nothing(composed, file, text, error, said, plan):
    composed.save_view("mine", composed.limit(3))
    file.write_text(text)
    with pytest.raises(error, match=said):
        es.load_suite(composed, file, plan=plan)
    assert es.populations(composed) == {p.name: p for p in (NIGHT, BUSY, QUIET)}
    assert set(composed.list_saved_views()) == {"at night", "busy", "mine", "quiet"}


def test_nothing_is_saved_over_what_is_no_suite(composed, file):
    file.write_text("name: ci\n")
    with pytest.raises(ArgumentError, match="unknown key 'name'"):
        es.save_suite(composed, file)
    assert file.read_text() == "name: ci\n"


def test_nothing_is_saved_that_could_not_be_loaded(composed, file):
    es.compose(composed, replace(NIGHT, name="dark", holdout=0.5))
    with pytest.raises(ArgumentError, match=r"'dark' has the query of 'at night' and"):
        es.save_suite(composed, file)
    assert not file.exists()
    es.compose(composed, replace(NIGHT, name="dark"))
    es.save_suite(composed, file)
    assert es.load_suite(composed, file).same


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"at_least": 3}, {"at_most": 2}, "no value"),
        ({"at_most": 3}, {"at_most": 2}, ""),
    ],
)
def test_requirements_that_no_value_meets_are_not_composed(
    composed, first, second, said
):
    require = [es.Requirement("mae", **bound) for bound in (first, second)]
    with pytest.raises(ArgumentError, match=f"'busy' requires 'mae .*: {said}"):
        es.compose(composed, replace(BUSY, require=require))
    assert es.populations(composed)["busy"] == BUSY


def test_a_dataset_without_populations_has_no_suite(drawn, file):
    with pytest.raises(ArgumentError, match="compose some first"):
        es.save_suite(drawn, file)
    assert not file.exists()


def test_a_file_that_is_not_there_is_said(composed, file):
    with pytest.raises(ArgumentError, match="no file"):
        es.load_suite(composed, file)


def test_renaming_changes_what_refers_to_it_and_nothing_else(composed):
    es.split(composed)
    before = es.membership(composed).sort_index()
    sides = dict(zip(*composed.values(["id", "split"]), strict=True))
    es.rename(composed, "at night", "After dark's 1st")
    assert list(es.populations(composed)) != []
    found = es.populations(composed)
    assert found["After dark's 1st"] == replace(NIGHT, name="After dark's 1st")
    assert "population('After dark''s 1st')" in found["quiet"].query
    after = es.membership(composed).sort_index()
    assert after["After dark's 1st"].equals(
        before["at night"].rename("After dark's 1st")
    )
    assert after["quiet"].equals(before["quiet"])
    assert set(composed.list_saved_views()) == {"After dark's 1st", "busy", "quiet"}
    es.split(composed)
    assert dict(zip(*composed.values(["id", "split"]), strict=True)) == sides


def test_a_renamed_population_is_not_called_new_by_the_split(composed):
    es.split(composed)
    more = [fo.Sample(f"/n{n}.jpg", time="night", num_people=9) for n in range(3)]
    composed.add_samples(more)
    es.rename(composed, "at night", "dark")
    assert not es.split(composed).moved


def test_renaming_keeps_letters_apart(composed):
    es.rename(composed, "at night", "At night")
    assert set(es.populations(composed)) == {"At night", "busy", "quiet"}


@pytest.mark.parametrize(
    ("name", "new", "error", "said"),
    [
        ("at nigth", "x", UnknownNameError, "did you mean 'at night'"),
        ("at night", "busy", NameTakenError, "a population 'busy' already"),
        ("at night", "Busy", NameTakenError, "'busy' is a saved view"),
        ("at night", " ", ArgumentError, "needs a name"),
    ],
)
def test_what_cannot_be_renamed_is_said(composed, name, new, error, said):
    with pytest.raises(error, match=said):
        es.rename(composed, name, new)
    assert es.populations(composed) == {p.name: p for p in (NIGHT, BUSY, QUIET)}


def test_every_version_of_a_population_is_kept(composed):
    es.compose(composed, replace(BUSY, query="num_people > 3"))
    es.compose(composed, replace(BUSY, query="num_people > 3", holdout=0.1))
    es.compose(composed, replace(BUSY, query="num_people > 4"))
    es.rename(composed, "busy", "crowded")
    frame = es.versions(composed, "crowded")
    assert frame["query"].to_dict() == {
        1: "num_people > 2",
        2: "num_people > 3",
        3: "num_people > 4",
    }
    assert frame["since"].is_monotonic_increasing
    with pytest.raises(UnknownNameError, match="did you mean 'crowded'"):
        es.versions(composed, "crowd")
