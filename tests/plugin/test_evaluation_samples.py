"""A number that is clicked opens the samples it was made of."""

import fiftyone as fo
import pytest

import evalsets as es
from evalsets.api.behind import behind
from evalsets.errors import UnknownNameError
from panels.evaluation import Evaluation

from .tab import Tab

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("plugin")]

MET = (es.Requirement("accuracy", at_least=0.9),)


@pytest.fixture
def nights(dataset):
    """Sixty samples; the model says "day" of all, which is wrong of the first thirty."""
    dataset.add_samples(
        fo.Sample(
            f"/nowhere/{number:02}.png",
            hour=number,
            ground_truth=fo.Classification(label="night" if number < 30 else "day"),
        )
        for number in range(60)
    )
    upload(dataset)
    es.compose(dataset, es.Population("night", "hour < 20", require=MET))
    return dataset


def upload(dataset, model="m", **options):
    rows = [{"id": i, "label": "day"} for i in dataset.values("id")]
    es.upload_predictions(dataset, model, rows, key="id", **options)


def shown(dataset):
    return Tab(Evaluation(), dataset).event("on_load")


def cell(report, population, true, predicted):
    """Where a cell of the confusions is."""
    from evalsets.reports.detail_figures import confusion_labels

    rows, columns = confusion_labels(report.details.confusion[population])
    return {"y": rows.index(true), "x": columns.index(predicted)}


def test_a_cell_of_a_report_on_a_release_opens_the_samples_of_the_release(nights):
    es.release(nights)
    es.compose(nights, es.Population("night", "hour >= 20", require=MET))
    report = es.evaluate(nights, "m", split=None, release=1)
    tab = shown(nights).event("click_plot", y="night")
    assert tab.view().values("hour") == list(range(20))
    tab.state["mistakes"] = {"about": "night"}
    tab.event("click_confusion", **cell(report, "night", "night", "day"))
    assert tab.view().values("hour") == list(range(20))


def test_samples_that_came_after_a_release_are_not_opened(nights):
    es.release(nights)
    later = fo.Sample("/later.png", hour=5, ground_truth=fo.Classification(label="day"))
    nights.add_sample(later)
    es.evaluate(nights, "m", split=None, release=1)
    assert len(shown(nights).event("click_plot", y="(all)").view()) == 60


def test_a_cell_leaves_out_what_the_model_was_trained_on(nights):
    upload(nights, overwrite=True, trained_on=nights.values("id")[10:40])
    report = es.evaluate(nights, "m", split=None)
    tab = shown(nights).event("show_samples", row=0)
    assert tab.view().values("hour") == [*range(10), *range(40, 60)]
    tab.event("click_confusion", **cell(report, "(all)", "night", "day"))
    assert tab.view().values("hour") == list(range(10))


def test_what_the_baseline_was_trained_on_is_not_opened(nights):
    upload(nights, "base", trained_on=nights.values("id")[10:40])
    report = es.evaluate(nights, "m", baseline="base", split=None)
    n = report.provenance["samples"]
    assert len(shown(nights).event("show_samples", row=0).view()) == n == 30


def test_what_two_models_differ_on_is_not_guessed_of_a_view(nights):
    truth = [{"id": s.id, "label": s.ground_truth.label} for s in nights]
    es.upload_predictions(nights, "oracle", truth, key="id")
    es.evaluate(nights.limit(10), "m", baseline="oracle", split=None)
    tab = shown(nights).event("show_lost")
    assert tab.asked("set_view") == []
    assert "made of a view" in tab.text


def test_a_figure_of_a_score_opens_the_samples_that_have_one(nights):
    scores = [{"id": i, "loss": 1.0} for i in nights.values("id")]
    options = {"metric": "loss", "higher_is_better": False, "key": "id"}
    es.upload_scores(nights, "s", scores[:15], **options)
    nights.delete_sample_field("ground_truth")
    es.evaluate(nights, "s", split=None)
    tab = shown(nights).event("click_plot", y="night")
    assert tab.view().values("hour") == list(range(15))


def test_a_sample_whose_label_is_empty_is_not_opened(nights):
    first = nights.first()
    first.ground_truth.label = None
    first.save()
    n = es.evaluate(nights, "m", split=None).provenance["samples"]
    assert len(shown(nights).event("show_samples", row=0).view()) == n == 59


def test_a_population_that_a_release_lacks_is_refused_by_name(nights):
    es.release(nights)
    report = es.evaluate(nights, "m", split=None, release=1)
    with pytest.raises(UnknownNameError, match=r"No population 'nigth'.*'night'"):
        behind(nights, report, "nigth")
