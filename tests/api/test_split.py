import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import fiftyone as fo
import numpy as np
import pytest

import evalsets as es
from evalsets.datasets import locks
from evalsets.datasets.connect import open_dataset
from evalsets.datasets.ledger import read_ledger
from evalsets.datasets.runs import delete_run, load_runs
from evalsets.errors import (
    ArgumentError,
    EvalsetsError,
    NameTakenError,
    NoVectorsError,
    QueryError,
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
    assert es.split_settings(composed)["groups"] == "scene_id"
    assert "group by" not in caplog.text
    es.split(composed, groups="time")
    assert "keeps 'time' together" in caplog.text
    es.split(composed, groups="scene_id")
    caplog.clear()
    es.split(composed, groups="")
    assert "group by 'scene_id' again" in caplog.text
    assert es.split_settings(composed)["groups"] is None


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


def test_groups_may_be_an_expression(composed):
    composed.add_sample_field("camera", fo.StringField)
    names = ["North", "NORTH", "south", "South", None]
    composed.set_values("camera", [names[i % 5] for i in range(len(composed))])
    es.split(composed, groups="LOWER(camera)")
    sides = composed.values("split")
    cameras = composed.values("camera")
    for north in ("north", "south"):
        here = [
            s for s, c in zip(sides, cameras, strict=True) if c and c.lower() == north
        ]
        assert len(set(here)) == 1
    # a sample without a value is in no one's group
    alone = {s for s, c in zip(sides, cameras, strict=True) if c is None}
    assert len(alone) > 1
    assert es.split_settings(composed)["groups"] == "LOWER(camera)"


def test_a_share_of_what_is_in_no_population_can_be_held_out(drawn):
    es.compose(drawn, es.Population("at night", "time = 'night'", holdout=0.3))
    outside = drawn.match(fo.ViewField("time") != "night")
    report = es.split(drawn, background=0.25)
    in_test = outside.match(fo.ViewField("split") == "test")
    assert len(in_test) == -(-len(outside) // 4)
    assert list(report.frame.index) == ["at night", "(background)"]
    assert report.frame.at["(background)", "asked"] == 0.25
    assert not es.split(drawn).moved
    assert es.split_settings(drawn)["background"] == 0.25
    assert "(background)" not in es.split(drawn, background=0).frame.index
    assert not es.split(drawn, background=0.25).moved


def test_near_duplicates_are_shown_and_stay_on_one_side(composed, encoder):
    es.embed(composed, encoder)
    report = es.split(composed, near_duplicates=0.97)
    assert list(report.near) == ["sample_id", "other_id", "cosine", "together"]
    assert (report.near["together"] == (report.near["cosine"] >= 0.97 - 1e-6)).all()
    assert set(report.near["sample_id"]) <= set(composed.values("id"))
    assert es.leaks(composed, near_duplicates=0.97) == []
    assert "Pairs around the threshold" in str(report)
    assert "come near a cosine" not in str(report)


def test_where_no_pair_is_near_the_threshold_that_is_said(drawn, encoder):
    es.embed(drawn[:1], encoder)
    assert "differ come near a cosine of 1" in str(es.split(drawn, near_duplicates=1))
    assert "come near a cosine" not in str(es.split(drawn, near_duplicates=0))


def test_a_copy_that_joins_two_sides_sends_train_to_quarantine(
    composed, encoder, tmp_path
):
    es.embed(composed, encoder)
    first = es.split(composed)  # near-duplicates may lie on both sides
    assert first.near.empty
    leaking = es.leaks(composed, near_duplicates=0.97)
    assert leaking
    report = es.split(composed, near_duplicates=0.97)
    quarantined = {m.sample_id for m in report.moved if m.after == "quarantine"}
    assert {leak.other_id for leak in leaking} <= quarantined
    assert {m.why for m in report.moved} == {"touches test", "touches val"}
    train = set(es.select(composed, split="train").values("id"))
    assert not train & quarantined
    assert es.leaks(composed, near_duplicates=0.97) == []
    assert not report.leaks


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
    with pytest.raises(EvalsetsError, match=r"Split 1 in the ledger .* edited"):
        es.split(composed, seed=3)
    assert [s["seed"] for s in load_runs(opened, "split").values()] == [1, 2]


def test_coverage_counts_what_select_selects(composed):
    es.split(composed)
    frame = es.coverage(composed).frame
    for name in frame.index:
        for side in ("train", "val", "test"):
            selected = es.select(composed, split=side, population=name)
            assert frame.at[name, side] == len(selected)
    assert frame["holdout_asked"].tolist() == [p.holdout for p in SUITE]


def test_coverage_says_what_is_labelled_too_small_and_untested(drawn):
    accurate = es.Requirement("accuracy", at_least=0.95)
    close = es.Requirement("accuracy", max_drop=0.05)
    es.compose(
        drawn,
        [
            es.Population(
                "at night", "time = 'night'", holdout=0.2, require=[accurate]
            ),
            es.Population("crowded", "num_people > 2", require=[close]),
        ],
    )
    drawn.limit(10).set_values("ground_truth", [None] * 10)
    es.split(drawn)
    found = es.coverage(drawn)
    night = drawn.match(fo.ViewField("time") == "night")
    labelled = len(night.exists("ground_truth")) / len(night)
    assert found.labelled["at night"] == pytest.approx(labelled)
    small = [gap for gap in found.gaps if "too small" in gap]
    assert "requirement accuracy >= 0.95: needs" in small[0]
    assert "fewer than 59" in small[0]  # 0.95 ** 59 < 0.05 <= 0.95 ** 58
    assert "requirement accuracy drop <= 0.05" in small[1]
    inside = es.membership(drawn).any(axis=1)
    assert found.untested == pytest.approx((~inside).mean())
    best = found.tags.iloc[0]
    outside = drawn.select(inside.index[~inside].tolist())
    assert best["n"] == len(es.search(outside, best["tag"]))
    assert best["share"] == pytest.approx(best["n"] / len(outside))


def test_coverage_tells_growth_since_the_last_release(composed, world, labels):
    assert es.coverage(composed).growth.isna().all()
    es.release(composed)
    fewer = composed.match(fo.ViewField("num_people") > 2).limit(3)
    composed.delete_samples(fewer.values("id"))
    assert es.coverage(composed).growth["crowded"] == -3
    es.rename(composed, "crowded", "full")
    assert es.coverage(composed).growth["full"] == -3
    es.compose(composed, es.Population("full", "num_people > 3"))
    assert es.coverage(composed).growth.isna()["full"]


def test_names_of_single_samples_are_no_tags_of_untested_territory(drawn):
    es.compose(drawn, es.Population("crowded", "num_people > 2"))
    drawn.add_sample_field("serial", fo.StringField)
    drawn.set_values("serial", [f"no {i}" for i in range(len(drawn))])
    drawn.set_values("time", [None] * len(drawn))
    drawn.set_values("scene_id", [None] * len(drawn))
    drawn.set_values("ground_truth", [None] * len(drawn))
    tags = es.coverage(drawn).tags
    assert not tags["tag"].str.contains("serial").any()


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
        (lambda d: es.split(d, near_duplicates=-1), NoVectorsError, "embed"),
        (lambda d: es.split(d, background=1.5), ArgumentError, "background.* is 1.5"),
        (lambda d: es.split(d, groups="LOWER(tiem)"), QueryError, "'time'"),
        (lambda d: es.split(d, groups="LOWER("), QueryError, "LOWER"),
        (lambda d: es.split(d, groups="time, scene_id"), ArgumentError, "one field"),
        (lambda d: es.leaks(d), UnknownNameError, "split"),
        (lambda d: es.leaks(d, split="time"), ArgumentError, "as test"),
    ],
    ids=[
        *("unsplit", "no side", "no population", "val", "text", "text of a cosine"),
        *(
            "groups",
            "a list",
            "no vectors",
            "negative",
            "background",
            "in an expression",
        ),
        *("half an expression", "two groups", "no sides", "no test"),
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


def test_one_group_that_leaves_nothing_to_train_on_is_refused(composed):
    composed.add_sample_field("camera", fo.StringField)
    composed.set_values("camera", ["one"] * len(composed))
    with pytest.raises(ArgumentError, match=r"its largest group has .* finer group"):
        es.split(composed, groups="camera")
    assert not composed.has_sample_field("split")
    assert es.split_settings(composed) == {}
    es.split(composed)
    assert not es.split(composed, groups="").conflicts


def test_one_group_that_would_send_all_of_train_to_quarantine_is_refused(composed):
    es.split(composed)
    before = _sides(composed)
    composed.add_sample_field("camera", fo.StringField)
    composed.set_values("camera", ["one"] * len(composed))
    n = sum(side in ("train", "val") for side in before.values())
    with pytest.raises(ArgumentError, match=f"{n} samples would go to quarantine"):
        es.split(composed, groups="camera")
    assert _sides(composed) == before
    assert es.split_settings(composed)["groups"] is None


def test_a_dataset_without_samples_or_hold_outs_is_told(drawn):
    empty = fo.Dataset(persistent=True)
    try:
        with pytest.raises(ArgumentError, match="no samples to split"):
            es.split(empty)
        assert not empty.has_sample_field("split")
    finally:
        empty.delete()
    said = str(es.split(drawn))
    assert "No population asks for a hold-out" in said
    assert "DataFrame" not in said


@pytest.mark.parametrize(
    "options",
    [
        {"val": True},
        {"seed": True},
        {"seed": "x"},
        {"seed": 2**70},
        {"groups": ["scene_id"]},
    ],
    ids=str,
)
def test_an_option_of_another_kind_is_refused_and_nothing_is_split(drawn, options):
    with pytest.raises(ArgumentError, match=f"^{next(iter(options))} is "):
        es.split(drawn, **options)
    assert not drawn.has_sample_field("split")


@pytest.mark.parametrize(
    "options",
    [{"val": np.float32(0.25)}, {"val": Fraction(1, 4)}, {"seed": np.int64(4)}],
    ids=str,
)
def test_a_number_of_any_kind_leaves_a_ledger_that_can_be_read(composed, options):
    es.split(composed, **options)
    ((name, value),) = options.items()
    assert es.split_settings(composed)[name] == value
    before = _sides(composed)
    es.split(composed)
    assert _sides(composed) == before


def test_a_split_that_waited_for_another_goes_by_what_that_one_grouped(composed):
    with ThreadPoolExecutor(1) as pool:
        with locks.writing(composed):
            waiting = pool.submit(es.split, composed)
            while len(locks._alive) < 2:
                time.sleep(0.01)
            es.split(composed, groups="scene_id")
        waiting.result()
    assert es.split_settings(composed)["groups"] == "scene_id"
