import fiftyone as fo
import pytest

import evalsets as es
from evalsets.datasets.connect import open_dataset
from evalsets.datasets.ledger import read_ledger
from evalsets.datasets.runs import delete_run, load_runs
from evalsets.errors import (
    ArgumentError,
    NameTakenError,
    NoVectorsError,
    UnknownNameError,
)
from evalsets.splits import replay

pytestmark = pytest.mark.db
SUITE = [
    es.Population("at night", "time = 'night'", holdout=0.3),
    es.Population("crowded", "num_people > 2", holdout=0.2),
    es.Population("anything", "num_people >= 0"),
]


@pytest.fixture
def composed(drawn):
    es.compose(drawn, SUITE)
    return drawn


def _sides(dataset):
    return dict(zip(*dataset.values(["filepath", "split"]), strict=True))


def test_each_population_has_its_share_in_test(composed):
    report = es.split(composed)
    for population in SUITE:
        in_test = len(es.select(composed, split="test", population=population.name))
        inside = len(es.select(composed, population=population.name))
        assert in_test >= population.holdout * inside
        assert report.frame.at[population.name, "got"] == pytest.approx(
            in_test / inside
        )


def test_the_last_settings_are_known_and_dropping_groups_is_warned_of(composed, caplog):
    assert es.split_settings(composed) == {}
    es.split(composed, val=0.2, groups="scene_id")
    settings = es.split_settings(composed)
    assert (settings["val"], settings["groups"]) == (0.2, "scene_id")
    assert "group by" not in caplog.text
    es.split(composed)
    assert "group by 'scene_id' again" in caplog.text


def test_no_scene_lies_on_both_sides_of_test(composed):
    es.split(composed, groups="scene_id")
    test = set(es.select(composed, split="test").values("scene_id"))
    learned = set(composed.match(fo.ViewField("split") != "test").values("scene_id"))
    assert test
    assert not test & learned


def test_groups_may_be_those_of_a_label(composed):
    es.split(composed, groups="ground_truth")
    sides = composed.values("split")
    kinds = composed.values("ground_truth.label")
    in_test = {kind for kind, side in zip(kinds, sides, strict=True) if side == "test"}
    assert in_test
    assert {s for k, s in zip(kinds, sides, strict=True) if k in in_test} == {"test"}
    es.upload_predictions(
        composed, "m", dict.fromkeys(composed.values("id"), "x"), key="id"
    )
    es.evaluate(composed, "m", split=None)


def test_the_same_files_in_another_order_are_split_alike(composed, world, labels):
    es.split(composed, groups="scene_id")
    paths = sorted(world.glob("*.jpg"), reverse=True)
    other = es.sync(paths[:40], "backwards", labels=labels)
    try:
        es.sync(paths, other, labels=labels)
        es.compose(other, SUITE[::-1])
        es.split(other, groups="scene_id")
        assert _sides(other) == _sides(composed)
    finally:
        other.delete()


def test_what_is_in_test_stays_there_whatever_changes(composed):
    es.split(composed)
    held_out = set(es.select(composed, split="test").values("id"))
    es.remove(composed, "crowded")
    es.compose(composed, es.Population("at night", "time = 'day'", holdout=0.5))
    es.split(composed, val=0.3, seed=99)
    assert held_out <= set(es.select(composed, split="test").values("id"))


def test_the_ledger_tells_every_side(composed):
    es.split(composed)
    es.compose(composed, es.Population("at night", "time = 'night'", holdout=0.6))
    es.split(composed)
    sides = dict(zip(*composed.values(["id", "split"]), strict=True))
    assert replay(read_ledger(open_dataset(composed))) == sides


@pytest.mark.parametrize(
    "place", ["evalsets.api.split._write", "fiftyone.Dataset.save_run_results"]
)
def test_an_interrupted_split_is_finished_by_the_next(composed, monkeypatch, place):
    monkeypatch.setattr(place, _stop)
    with pytest.raises(KeyboardInterrupt):
        es.split(composed)
    monkeypatch.undo()
    opened = open_dataset(composed)
    told = replay(read_ledger(opened))
    es.compose(composed, es.Population("at night", "time = 'night'", holdout=0.1))
    es.split(composed)
    sides = dict(zip(*composed.values(["id", "split"]), strict=True))
    held_out = {i for i, side in told.items() if side == "test"}
    assert held_out <= {i for i, side in sides.items() if side == "test"}
    assert replay(read_ledger(opened)) == sides


def _stop(*_, **__):
    raise KeyboardInterrupt


def test_a_deleted_entry_does_not_let_the_next_replace_the_last(composed):
    for number in range(3):
        es.split(composed, seed=number)
    opened = open_dataset(composed)
    delete_run(opened, "split", "000001")
    es.split(composed, seed=3)
    assert [s["seed"] for s in load_runs(opened, "split").values()] == [1, 2, 3]


def test_coverage_counts_what_select_selects(composed):
    es.split(composed)
    frame = es.coverage(composed).frame
    for name in frame.index:
        for side in ("train", "val", "test"):
            selected = es.select(composed, split=side, population=name)
            assert frame.at[name, side] == len(selected)
    assert frame["holdout_asked"].tolist() == [p.holdout for p in SUITE]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda d: es.select(d, split="test"), ArgumentError, "not been split"),
        (lambda d: es.select(d, split="tset"), UnknownNameError, "'test'"),
        (lambda d: es.select(d, population="x"), UnknownNameError, "population"),
        (lambda d: es.split(d, val=2), ArgumentError, "val"),
        (lambda d: es.split(d, val="0.1"), ArgumentError, "val is '0.1'"),
        (lambda d: es.split(d, near_duplicates="1"), ArgumentError, "near_duplicates"),
        (lambda d: es.split(d, groups="scene"), UnknownNameError, "scene"),
        (lambda d: es.split(d, groups="tags"), ArgumentError, "single value"),
        (lambda d: es.split(d, near_duplicates=0.9), NoVectorsError, "embed"),
    ],
    ids=[
        *("unsplit", "no side", "no population", "val", "text", "text of a cosine"),
        *("groups", "a list", "no vectors"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_written(composed, call, error, said):
    with pytest.raises(error, match=said):
        call(composed)
    assert not composed.has_sample_field("split")


def test_a_split_field_of_the_users_own_is_not_taken_over(composed):
    composed.add_sample_field("split", fo.StringField)
    own = ["test", "mine", *[None] * (len(composed) - 2)]
    composed.set_values("split", own)
    with pytest.raises(NameTakenError, match=r"'split'.*rename it"):
        es.split(composed)
    assert composed.values("split") == own
    assert es.split_settings(composed) == {}
    composed.rename_sample_field("split", "original_split")
    es.split(composed)
    es.split(composed)
    assert composed.values("original_split") == own


def test_an_empty_split_field_is_filled(composed):
    composed.add_sample_field("split", fo.StringField)
    assert sum(es.split(composed).sizes.values()) == len(composed)


def test_coverage_without_populations_says_what_to_do(drawn):
    with pytest.raises(ArgumentError, match="compose"):
        es.coverage(drawn)
