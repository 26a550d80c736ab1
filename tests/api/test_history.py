"""Reports tell how a model did over time, and when they hold no more."""

import fiftyone as fo
import numpy as np
import pytest

import evalsets as es
from evalsets.errors import ArgumentError, UnknownNameError

pytestmark = pytest.mark.db
N = 60
MANY = es.Requirement("accuracy", at_least=0.8)


@pytest.fixture
def judged(dataset):
    """Sixty samples, two models and a population; a third is on the left."""
    dataset.add_samples([fo.Sample(f"/images/{at}.jpg", at=at) for at in range(N)])
    truth = [fo.Classification(label="ab"[at % 2]) for at in range(N)]
    dataset.set_values("ground_truth", truth)
    es.compose(dataset, es.Population("left", "at < 20", require=[MANY]))
    right = [label.label for label in truth]
    es.upload_predictions(dataset, "good", right)
    es.upload_predictions(dataset, "bad", ["a"] * N)
    return dataset


def stale(dataset):
    return es.history(dataset)["stale"].tolist()


CHANGES = {
    "uploaded again": lambda d: es.upload_predictions(
        d, "bad", ["b"] * N, overwrite=True
    ),
    "the suite has changed": lambda d: es.compose(d, es.Population("x", "at > 5")),
    "labels in 'ground_truth'": lambda d: d.limit(1).set_values(
        "ground_truth.label", ["b"]
    ),
    "samples have come, gone": lambda d: d.delete_samples(d.limit(1)),
    "or changed their populations": lambda d: d.set_values("at", [30] * N),
}


@pytest.mark.parametrize("reason", CHANGES)
def test_a_report_is_stale_once_what_it_goes_by_has_changed(judged, reason):
    es.evaluate(judged, "bad", split=None)
    judged.set_values("unrelated", [1] * N)
    es.upload_predictions(judged, "third", ["a"] * N)
    assert stale(judged) == [""]
    CHANGES[reason](judged)
    (told,) = stale(judged)
    assert reason in told
    es.evaluate(judged, "bad", split=None)
    assert stale(judged)[-1] == ""


def test_what_is_said_of_a_population_makes_no_report_stale(judged):
    es.evaluate(judged, "bad", split=None)
    told = es.Population(
        "left", "at < 20", require=[MANY], description="the left third", owner="me"
    )
    es.compose(judged, told)
    assert stale(judged) == [""]


def test_models_may_have_any_name(judged):
    es.upload_predictions(judged, "$net.v1", ["a"] * N)
    es.evaluate(judged, "bad", baseline="$net.v1", split=None)
    assert stale(judged) == [""]
    es.upload_predictions(judged, "$net.v1", ["b"] * N, overwrite=True)
    assert stale(judged) == ["'$net.v1' was uploaded again"]


def test_predictions_in_place_are_watched_too_and_never_dropped(judged):
    judged.clone_sample_field("pred_good", "mine")
    judged.clone_sample_field("pred_good", "spare")
    es.upload_predictions(judged, "mine", "mine")
    assert judged.count("mine") == judged.count("spare") == N
    es.evaluate(judged, "mine", split=None)
    assert stale(judged) == [""]
    judged.set_values("mine.label", ["a"] * N)
    assert stale(judged) == ["the predictions of 'mine' have changed"]


def test_a_report_on_a_release_does_not_follow_the_suite(judged):
    es.release(judged)
    es.evaluate(judged, "bad", split=None, release=1)
    es.compose(judged, es.Population("x", "at > 5"))
    assert stale(judged) == [""]


def test_a_trend_shows_every_population_from_report_to_report(judged):
    for model in ("bad", "good"):
        es.evaluate(judged, model, split=None)
    es.release(judged)
    es.evaluate(judged, "bad", split=None, release=1)
    found = es.trend(judged, split=None)
    assert found.metric == "accuracy"
    left = found.frame.query("population == 'left'").set_index("report")
    assert left["value"].tolist() == [0.5, 1, 0.5]
    assert left["verdict"].tolist() == ["fail", "pass", "fail"]
    assert left["release"].fillna(0).tolist() == [0, 0, 1]
    lines = {trace.name: list(trace.y) for trace in found.plot().data}
    assert lines == {"(all)": [0.5, 1, 0.5], "left": [0.5, 1, 0.5]}
    (heat,) = found.heatmap(by_value=True).data
    assert np.array(heat.z).tolist() == [[1, 1], [0.5, 0.5]]
    assert "report 3, bad" in heat.hovertext[1][0]
    only = es.trend(judged, split=None, models=["good"], metric="f1").frame
    assert set(only["report"]) == {2}
    with pytest.raises(UnknownNameError, match="did you mean 'accuracy'"):
        es.trend(judged, split=None, metric="acuracy")
    with pytest.raises(ArgumentError, match="no report on split 'test'"):
        es.trend(judged)


def test_a_report_keeps_confusions_reliability_and_the_worst(judged):
    sure = [("a", 0.9 if at < 30 else 0.6) for at in range(N)]
    es.upload_predictions(
        judged, "sure", dict(zip(judged.values("id"), sure, strict=True))
    )
    es.evaluate(judged, "sure", split=None)
    report = es.load_report(judged, 1)
    assert report.details.confusion["left"] == [("a", "a", 10), ("b", "a", 10)]
    (low, high) = report.details.reliability["(all)"]
    assert low == pytest.approx((30, 0.6, 0.5))
    assert high == pytest.approx((30, 0.9, 0.5))
    worst = report.worst(judged, "left").values("at")
    assert worst == list(range(1, 20, 2))
    everyone = report.worst(judged).values("at")
    assert everyone[:15] == list(range(1, 30, 2))
    assert report.worst(judged.limit(4)).values("at") == [1, 3]
    with pytest.raises(UnknownNameError, match="known: '\\(all\\)', 'left'"):
        report.worst(judged, "nowhere at all")
    with pytest.raises(ArgumentError, match="load it"):
        report.worst(judged.name)
    assert not report.worst(judged.match({"at": 0})).values("at")  # it went right
    other = judged.take(0).clone()
    with pytest.raises(ArgumentError, match=f"one that was evaluated, '{judged.name}'"):
        report.worst(other)
    other.delete()


def test_discordant_samples_may_be_one_of_two_kinds(judged):
    lost = es.discordant(judged, "bad", "good", split=None, only="lost")
    gained = es.discordant(judged, "good", "bad", split=None, only="gained")
    assert len(lost)
    assert set(lost.values("id")) == set(gained.values("id"))
    assert not len(es.discordant(judged, "bad", "good", split=None, only="gained"))
    with pytest.raises(ArgumentError, match="only is 'lost' or 'gained'"):
        es.discordant(judged, "bad", "good", split=None, only="both")


def test_all_is_the_word_for_every_side_in_python_too(judged):
    sides = np.where(np.arange(N) < 40, "test", "train").tolist()
    judged.set_values("split", sides)
    report = es.evaluate(judged, "bad", split="all")
    assert report.rows[0].n == N
    assert report.provenance["split"] is None
    assert len(es.trend(judged, split="all").frame)
    assert len(es.select(judged, split="all")) == N
    assert len(es.discordant(judged, "bad", "good", split="all")) == N // 2
    es.discover(judged, "bad", split="all", min_size=N // 4)
    judged.limit(1).set_values("ground_truth", [None])
    es.label_next(judged, "bad", split="all")
    with pytest.raises(UnknownNameError, match="'all'"):
        es.evaluate(judged, "bad", split="everything")
