"""The Evaluation panel beside other people, releases, and what was uploaded since."""

import time

import fiftyone as fo
import pytest

import evalsets as es
from panels.evaluation import Evaluation

from .tab import Tab

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("plugin")]

N = 400
FOG = "weather = 'fog'"


@pytest.fixture
def foggy(dataset):
    """Samples of which a model has those in fog wrong, with two populations."""
    weather = ["fog" if n % 4 == 0 else "sun" for n in range(N)]
    dataset.add_samples(
        fo.Sample(
            f"/nowhere/{n:03}.png",
            shade=n,
            weather=weather[n],
            ground_truth=fo.Classification(label="cat"),
        )
        for n in range(N)
    )
    es.upload_predictions(dataset, "m", _labels(dataset, FOG))
    es.compose(
        dataset,
        [
            es.Population("dim", "shade < 100", require=_right()),
            es.Population("all", "shade >= 0", require=_right()),
        ],
    )
    return dataset


def _right():
    return [es.Requirement("accuracy", at_least=0.9)]


def _labels(dataset, wrong):
    """Predictions that are wrong where a query is true."""
    bad = set(es.search(dataset, wrong).values("filepath"))
    return {p: "dog" if p in bad else "cat" for p in dataset.values("filepath")}


def evaluation(dataset):
    return Tab(Evaluation(), dataset).event("on_load")


def row_of(dataset, population):
    """The place of a population's row in the table of the newest report, and its n."""
    tab = evaluation(dataset)
    report = es.load_report(dataset, tab.state["shown"]["number"])
    from panels._evaluation_state import table_rows

    rows = table_rows(report.rows)
    (at,) = [at for at, row in enumerate(rows) if row.population == population]
    return tab, at, rows[at]


def test_a_click_opens_the_samples_of_the_release_that_was_judged(foggy):
    es.split(foggy)
    es.release(foggy)
    es.compose(foggy, es.Population("dim", "shade >= 300", require=_right()))
    es.evaluate(foggy, "m", split=None, release=1)
    tab, at, row = row_of(foggy, "dim")
    tab.event("show_samples", row=at)
    assert len(tab.view()) == row.n == 100
    assert max(tab.view().values("shade")) == 99
    tab.event("show_mistakes", row=at)
    assert len(tab.view()) == round((1 - row.value) * row.n) == 25


def test_a_click_leaves_out_what_the_model_was_trained_on(foggy):
    seen = foggy.limit(50).values("filepath")
    labels = _labels(foggy, FOG)
    es.upload_predictions(foggy, "m", labels, trained_on=seen, overwrite=True)
    es.evaluate(foggy, "m", split=None)
    tab, at, row = row_of(foggy, "dim")
    tab.event("show_samples", row=at)
    assert len(tab.view()) == row.n == 50
    tab.event("show_mistakes", row=at)
    assert len(tab.view()) == round((1 - row.value) * row.n)


def test_the_samples_of_a_view_that_nobody_kept_are_not_guessed(foggy):
    es.evaluate(foggy.limit(200), "m", split=None)
    tab, at, _ = row_of(foggy, "all")
    tab.event("show_samples", row=at)
    assert tab.asked("set_view") == []
    assert "made of a view" in tab.text


def test_samples_that_two_models_differ_on_are_those_of_the_release(foggy):
    es.upload_predictions(foggy, "before", dict.fromkeys(_labels(foggy, FOG), "cat"))
    es.split(foggy)
    es.release(foggy)
    es.compose(foggy, es.Population("dim", "shade >= 300", require=_right()))
    es.evaluate(foggy, "m", baseline="before", split=None, release=1)
    tab, _, _ = row_of(foggy, "dim")
    tab.state.setdefault("mistakes", {})["about"] = "dim"
    tab.event("show_lost")
    assert max(tab.view().values("shade")) < 100
    assert len(tab.view()) == 25


def proposed(dataset):
    tab = evaluation(dataset)
    tab.state["asked"] |= {"model": "m", "split": "all"}
    tab.event("turn", part="weak").event("discover")
    assert FOG in tab.text
    return tab


def test_a_weak_spot_takes_nobodys_name(foggy):
    tab = proposed(foggy)
    (found,) = [c for c in es.discover(foggy, "m") if c.query == FOG]
    theirs = es.Population(
        found.population().name, "shade > 7", 0.5, _right(), owner="them"
    )
    es.compose(foggy, theirs)
    tab.event("name_weak", query=FOG)
    known = es.populations(foggy)
    assert known[theirs.name] == theirs
    assert [n for n, p in known.items() if p.query == FOG] == [f"{theirs.name} 2"]


def test_a_weak_spot_that_was_proposed_anew_elsewhere_is_not_mistaken(foggy):
    tab = proposed(foggy)
    labels = _labels(foggy, "shade < 100")
    es.upload_predictions(foggy, "m", labels, overwrite=True)
    other = evaluation(foggy)
    other.state["asked"] |= {"model": "m", "split": "all"}
    other.event("turn", part="weak").event("discover")
    tab.event("name_weak", query=FOG)
    assert "proposed anew elsewhere" in tab.text
    assert set(es.populations(foggy)) == {"dim", "all"}


def test_weak_spots_go_with_the_predictions_they_are_of(foggy):
    tab = proposed(foggy)
    time.sleep(1.1)  # times are told to the second
    good = dict.fromkeys(_labels(foggy, FOG), "cat")
    es.upload_predictions(foggy, "m", good, overwrite=True)
    assert FOG not in tab.event("choose_metric").text
    fresh = evaluation(foggy).event("turn", part="weak")
    assert FOG not in fresh.text
    assert "Propose weak spots" in fresh.text


def test_each_is_shown_the_report_that_he_asked_for(foggy, monkeypatch):
    es.split(foggy, val=0.3)
    tab = evaluation(foggy)
    tab.state["asked"] |= {"model": "m", "split": "train"}
    judge = es.evaluate

    def and_another(dataset, model, **asked):
        found = judge(dataset, model, **asked)
        judge(dataset, model, split="val")
        return found

    monkeypatch.setattr(es, "evaluate", and_another)
    tab.event("evaluate")
    shown = es.load_report(foggy, tab.state["shown"]["number"])
    assert shown.provenance["split"] == "train"


def test_a_population_that_a_report_keeps_nothing_of_gives_way_to_all(foggy):
    es.upload_predictions(foggy, "good", dict.fromkeys(_labels(foggy, FOG), "cat"))
    es.remove(foggy, "dim")
    es.evaluate(foggy, "good", split=None)
    tab = evaluation(foggy)
    tab.state.setdefault("mistakes", {})["about"] = "dim"
    tab.event("turn", part="mistakes").event("click_confusion", x=0, y=0)
    assert len(tab.view()) == N
    tab.event("show_worst")
    assert "Nothing went wrong, in (all)" in tab.text
