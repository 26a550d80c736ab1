import fiftyone as fo
import pytest

import evalsets as es
from evalsets.api.releases import train_ids
from evalsets.datasets.connect import open_dataset
from evalsets.datasets.releases import load_release
from evalsets.errors import ArgumentError, EvalsetsError, UnknownNameError

pytestmark = pytest.mark.db
NIGHT = es.Population("at night", "time = 'night'", holdout=0.3)
BUSY = es.Population("v1.2 $busy", "num_people > 2", holdout=0.2)


@pytest.fixture
def released(drawn):
    es.compose(drawn, [NIGHT, BUSY])
    es.split(drawn)
    es.release(drawn, note="first")
    return drawn


def test_a_release_says_what_it_froze(released):
    (release,) = es.releases(released).values()
    assert (release.number, release.note) == (1, "first")
    assert release.populations == (NIGHT, BUSY)
    assert sum(release.sizes.values()) == len(released)
    assert release.n["at night"] == len(es.search(released, NIGHT.query))
    assert release.settings["val"] == 0.1


def test_a_release_holds_after_the_data_doubled_and_samples_were_deleted(released):
    before = es.membership(released).sort_index()
    sides = dict(zip(*released.values(["id", "split"]), strict=True))
    paths = [f"/more/{n}.jpg" for n in range(len(released))]
    released.add_samples([fo.Sample(p, time="night", num_people=9) for p in paths])
    released.delete_samples(list(before.index[:7]))
    es.compose(released, es.Population("at night", "time = 'day'", holdout=0.5))
    es.remove(released, BUSY.name)
    es.split(released)
    _, frozen = load_release(open_dataset(released), 1)
    assert frozen.membership.equals(before)
    assert frozen.side.to_dict() == sides


def test_ids_of_a_release_are_told_by_side_and_population(released):
    frame = es.membership(released)
    in_test = set(es.select(released, split="test").values("id"))
    night = set(frame.index[frame["at night"]])
    _, frozen = load_release(released, 1)
    chosen = (frozen.side == "test") & frozen.membership["at night"]
    assert set(chosen.index[chosen]) == night & in_test
    held_back = set(es.select(released, split="quarantine").values("id"))
    assert set(train_ids(released, 1)) == set(frame.index) - in_test - held_back


def test_nothing_changed_between_two_releases_of_the_same(released):
    es.release(released)
    found = es.diff(released, 1, 2)
    assert found.same
    assert str(found) == "From release 1 to release 2: nothing changed"
    assert es.diff(released, 1).same


def test_diff_says_who_entered_and_left_and_why(released):
    night = set(es.search(released, NIGHT.query).values("id"))
    gone, changed = sorted(night)[:2]
    released.delete_samples([gone])
    sample = released[changed]
    sample["time"] = "day"
    sample.save()
    fresh = released.add_sample(fo.Sample("/new.jpg", time="night", num_people=0))
    es.compose(released, es.Population(BUSY.name, "num_people > 4", holdout=0.4))
    es.compose(released, es.Population("few", "num_people < 2"))
    found = es.diff(released, 1)
    assert (found.before, found.after) == (1, 0)
    assert found.added == ("few",)
    assert found.redefined == {BUSY.name: ("num_people > 2", "num_people > 4")}
    assert "20% → 40%" in found.changed[BUSY.name]
    at_night = found.samples[found.samples["population"] == "at night"]
    assert set(at_night.itertuples(index=False, name=None)) == {
        ("at night", gone, "left", "it was deleted"),
        ("at night", changed, "left", "its fields, vector or ranks changed"),
        ("at night", fresh, "entered", "it is new"),
    }
    busy = found.samples[found.samples["population"] == BUSY.name]
    others = busy[busy["sample_id"] != gone]
    assert set(others["reason"]) == {"its definition changed"}
    row = found.frame.loc["at night"]
    assert (row["n_before"], row["n_after"]) == (len(night), len(night) - 1)
    assert (row["entered"], row["left"]) == (1, 2)
    assert "+ 'few'" in str(found)


def test_diff_tells_moves_with_the_ledgers_reason(released):
    es.compose(released, es.Population("at night", NIGHT.query, holdout=0.9))
    es.split(released)
    moves = es.diff(released, 1).moves
    called = moves[moves["before"].isin(["train", "val"])]
    assert len(called)
    assert set(called["after"]) == {"test"}
    assert set(called["reason"]) == {"called into test for 'at night'"}


def test_a_redefined_population_redefines_those_that_refer_to_it(released):
    es.compose(released, es.Population("calm", f"NOT population('{BUSY.name}')"))
    es.release(released)
    es.compose(released, es.Population(BUSY.name, "num_people > 6", holdout=0.2))
    assert set(es.diff(released, 2).redefined) == {BUSY.name, "calm"}


def test_a_release_that_was_tampered_with_is_refused(released):
    opened = open_dataset(released)
    (key,) = opened.list_runs(method="evalsets/release")
    info = opened.get_run_info(key)
    info.config.content["text"] = info.config.content["text"].replace("first", "worst")
    opened.update_run_config(key, info.config)
    with pytest.raises(EvalsetsError, match="Release 1 is not what was released"):
        es.diff(released, 1)


def test_an_interrupted_release_is_none(released, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("fiftyone.Dataset.save_run_results", _stop)
        with pytest.raises(KeyboardInterrupt):
            es.release(released, note="half")
    assert list(es.releases(released)) == [1]
    assert es.release(released, note="whole").number == 2
    assert es.diff(released, 1, 2).same


def _stop(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda d: es.diff(d, 1, 9), UnknownNameError, "No release '9'; known: '1'"),
        (lambda d: es.diff(d, "1"), ArgumentError, "release is '1'; give its number"),
        (lambda d: es.release(d, note=3), ArgumentError, "give a text"),
    ],
    ids=["no release", "text", "note"],
)
def test_what_cannot_be_done_is_said(released, call, error, said):
    with pytest.raises(error, match=said):
        call(released)
    assert list(es.releases(released)) == [1]


def test_a_stale_population_is_not_released(released):
    released.rename_sample_field("num_people", "people")
    with pytest.raises(EvalsetsError, match="busy' is stale"):
        es.release(released)


def test_a_dataset_without_populations_has_nothing_to_release(drawn):
    with pytest.raises(ArgumentError, match="compose some first"):
        es.release(drawn)
    assert es.releases(drawn) == {}


def test_a_release_is_evaluated_as_it_was(released, labels):
    es.upload_predictions(released, "right", labels)
    before = es.evaluate(released, "right").frame
    ids = es.select(released, split="test").values("id")
    es.compose(released, es.Population("at night", "time = 'day'", holdout=0.9))
    es.remove(released, BUSY.name)
    es.split(released)
    report = es.evaluate(released, "right", release=1)
    assert report.frame.equals(before)
    assert not es.evaluate(released, "right").frame.equals(before)
    assert (report.provenance["release"], report.provenance["deleted"]) == (1, 0)
    released.delete_samples(ids[:2])
    report = es.evaluate(released, "right", release=1)
    assert report.provenance["samples"] == len(ids) - 2
    assert report.provenance["deleted"] == 2
    with pytest.raises(UnknownNameError, match="No release '5'"):
        es.evaluate(released, "right", release=5)


def test_a_model_is_not_judged_on_what_it_was_trained_on(released, labels):
    trained = train_ids(released, 1)
    es.compose(released, es.Population("at night", NIGHT.query, holdout=0.9))
    es.split(released)
    in_test = set(es.select(released, split="test").values("id"))
    es.upload_predictions(released, "m", labels, trained_on=1)
    report = es.evaluate(released, "m")
    assert report.provenance["samples"] == len(in_test - set(trained))
    assert in_test & set(trained)
