"""Each event of the panels does its work on a real dataset."""

import base64
import json
import time
from pathlib import Path

import fiftyone as fo
import pandas as pd
import pytest

import evalsets as es
from panels.evaluation import Evaluation
from panels.populations import Populations

from .tab import Tab

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("plugin")]

HOSTILE = "<script>alert(1)</script> *a* | `b`"


@pytest.fixture
def shades(dataset):
    """Forty samples of known shade, labelled, not split."""
    dataset.add_samples(
        fo.Sample(
            f"/nowhere/{number:02}.png",
            shade=number,
            weather="fog" if number % 2 else "sun",
            ground_truth=fo.Classification(label="dark" if number < 20 else "bright"),
        )
        for number in range(40)
    )
    return dataset


@pytest.fixture
def composer(shades):
    return Tab(Populations(), shades).event("on_load")


def typed(tab, query="", name="", holdout=20, require=""):
    """Fills the inputs as a user would."""
    revision = tab.state["shown"]["revision"]
    tab.state[f"find{revision}"] = {"query": query}
    tab.state[f"save{revision}"] = {
        "name": name,
        "holdout": holdout,
        "require": require,
    }
    return tab


def saved(tab, **inputs):
    return typed(tab, **inputs).event("save")


def test_an_empty_dataset_says_how_samples_come_in(dataset):
    assert "no samples" in Tab(Populations(), dataset).event("on_load").text


def test_without_populations_queries_of_its_own_fields_are_proposed(composer, shades):
    assert "No populations yet" in composer.text
    composer.event("try_example", query="weather = 'sun'")
    assert len(composer.view()) == composer.state["shown"]["found"] == 20


def test_a_search_shows_count_and_samples(composer):
    typed(composer, "shade >= 30").event("search")
    assert len(composer.view()) == 10
    assert "of 40 samples, 25.0 %" in composer.text


def test_a_broken_query_marks_the_place_and_the_panel_stays_usable(composer):
    typed(composer, "shadee > 3").event("search")
    assert "did you mean 'shade'" in composer.text
    assert "^^^^^^" in composer.text
    assert len(composer.notices) == 1
    typed(composer, "shade > 3").event("search")
    assert composer.notices == []
    assert "^^^^^^" not in composer.text


def test_a_prompt_with_a_negation_is_answered_with_a_better_query(dataset, tmp_path):
    from examples.demo.scenes import write_world

    write_world(tmp_path, n_scenes=3, seed=1)
    models = Path(__file__).parents[2] / "examples" / "demo" / "models"
    es.embed(es.sync(tmp_path, dataset), str(models / "clip"))
    composer = Tab(Populations(), dataset).event("on_load")
    query = "text('a road with no trees') > -1"
    with pytest.warns(es.PromptWarning):
        typed(composer, query).event("search")
    assert len(composer.view()) == composer.state["shown"]["found"] == len(dataset)
    assert "does not understand negation" in composer.text
    assert "text('a road') > -1 AND NOT text('trees') > -1" in composer.text
    assert "100.0 %" in composer.text
    with pytest.warns(es.PromptWarning):
        saved(composer, query=query, name="bare")
    assert "Saved 'bare'" in composer.text
    assert "NOT text('trees')" in composer.text
    typed(composer, "text('a road') > -1").event("search")
    assert "negation" not in composer.text


def test_an_empty_query_shows_everything_again(composer):
    typed(composer, " ").event("search")
    assert composer.asked("clear_view")


def test_a_population_is_saved_edited_and_removed(composer, shades):
    saved(composer, query="shade < 10", name="dim", require="accuracy >= 0.5")
    assert es.populations(shades)["dim"].require[0].at_least == 0.5
    composer.event("edit", row=0)
    assert composer.state["save2"]["name"] == "dim"
    assert len(composer.view()) == 10
    saved(composer, query="shade < 12", name="dim", holdout=50)
    assert es.populations(shades)["dim"] == es.Population("dim", "shade < 12", 0.5)
    composer.event("ask_to_remove", row=0)
    assert "Remove 'dim'" in composer.text
    composer.event("remove")
    assert es.populations(shades) == {}
    assert "No populations yet" in composer.text


def test_a_taken_name_is_refused_unless_that_one_is_edited(composer, shades):
    saved(composer, query="shade < 10", name="dim")
    saved(composer, query="shade < 20", name="dim")
    assert "There is a population 'dim' already" in composer.text
    assert es.populations(shades)["dim"].query == "shade < 10"


def test_hostile_names_are_text(composer, shades):
    saved(composer, query="shade < 10", name=HOSTILE)
    assert list(es.populations(shades)) == [HOSTILE]
    (shown,) = composer.asked("show_panel_output")
    assert "MarkdownView" not in json.dumps(shown)
    assert "HeaderView" not in json.dumps(shown)


def test_a_split_tells_sizes_and_fills_the_table(composer, shades):
    saved(composer, query="shade < 10", name="dim", holdout=30)
    assert "Not split yet" in composer.text
    composer.event("split")
    (line,) = composer.state["counted"]["lines"]
    assert (line["n"], line["test"]) == (10, 3)
    assert "33 train, 4 val, 3 test" in composer.text


def test_what_happened_elsewhere_is_counted_when_the_panel_opens_again(
    composer, shades
):
    saved(composer, query="shade < 10", name="dim")
    for sample in shades.match(fo.ViewField("shade") == 3):
        sample["shade"] = 30
        sample.save()
    composer.event("on_load")
    assert composer.state["counted"]["lines"][0]["n"] == 9
    es.split(shades)
    shades.delete_samples(shades.match(fo.ViewField("shade") == 4))
    composer.event("on_load")
    (line,) = composer.state["counted"]["lines"]
    assert line["n"] == line["test"] + line["val"] + line["train"] == 8


def test_a_population_removed_by_someone_else_is_told(composer, shades):
    saved(composer, query="shade < 10", name="dim")
    es.remove(shades, "dim")
    composer.event("open", row=0)
    assert "No population 'dim'" in composer.text


def test_another_dataset_brings_its_own_populations(composer, shades):
    saved(composer, query="shade < 10", name="dim")
    other = fo.Dataset()
    composer.dataset = other
    composer.event("on_load")
    assert "no samples" in composer.text
    assert not composer.state["counted"]["lines"]
    other.delete()


@pytest.fixture
def judged(shades):
    """Two models; the second is wrong on every dark sample."""
    rows = [{"id": i, "label": "bright"} for i in shades.values("id")]
    es.upload_predictions(shades, "second", rows, key="id")
    truth = shades.values("ground_truth.label")
    right = [{**r, "label": label} for r, label in zip(rows, truth, strict=True)]
    es.upload_predictions(shades, "first", right, key="id")
    require = (es.Requirement("accuracy", at_least=0.9),)
    es.compose(
        shades,
        [
            es.Population("dim", "shade < 15", require=require),
            es.Population("light", "shade >= 20", require=require),
        ],
    )
    return shades


@pytest.fixture
def judge(judged):
    return Tab(Evaluation(), judged).event("on_load")


def test_without_predictions_the_panel_says_how_they_come_in(shades):
    tab = Tab(Evaluation(), shades).event("on_load")
    assert "No predictions yet" in tab.text
    tab.event("upload")
    (prompt,) = tab.asked("prompt_user_for_operation")
    assert prompt["operator_uri"] == "@evalsets/evalsets/upload_predictions"


def test_a_dataset_without_split_is_evaluated_as_a_whole(judge):
    assert judge.state["asked"] == {
        "model": "first",
        "baseline": "",
        "split": "all",
        "truth": "ground_truth",
    }
    assert "Not evaluated yet" in judge.text


def test_a_weak_model_fails_and_a_click_opens_its_samples(judge):
    judge.state["asked"] |= {"model": "second", "baseline": "first"}
    judge.event("evaluate")
    assert "FAIL" in judge.text
    judge.event("show_samples", row=1)
    assert len(judge.view()) == 15
    assert judge.state["shown"]["opened"] == "dim"
    judge.event("show_mistakes", row=0)
    assert len(judge.view()) == 20
    judge.event("click_plot", y="light")
    assert len(judge.view()) == 20
    assert set(judge.view().values("ground_truth.label")) == {"bright"}


def test_the_last_report_is_shown_without_evaluating_again(judged):
    es.evaluate(judged, "second", baseline="first", split=None)
    es.evaluate(judged, "first", split=None)
    tab = Tab(Evaluation(), judged).event("on_load")
    assert tab.state["asked"]["model"] == "first"
    tab.state["asked"]["model"] = "second"
    tab.event("choose_model")
    assert tab.state["asked"]["baseline"] == "first"
    assert tab.state["shown"]["number"] == 1
    assert len(es.history(judged)) == 2


def test_a_report_older_than_its_predictions_says_so(judged):
    es.evaluate(judged, "first", split=None)
    assert "evaluate again" not in Tab(Evaluation(), judged).event("on_load").text
    rows = [{"id": i, "label": "dark"} for i in judged.values("id")]
    time.sleep(1.1)  # times are told to the second
    es.upload_predictions(judged, "first", rows, key="id", overwrite=True)
    assert "evaluate again" in Tab(Evaluation(), judged).event("on_load").text


def test_an_evaluation_that_cannot_be_is_told(judge):
    judge.state["asked"] |= {"split": "test"}
    judge.event("evaluate")
    assert "has not been split yet" in judge.text
    assert len(judge.notices) == 1
    judge.state["asked"] |= {"split": "all", "truth": "weather"}
    judge.event("evaluate")
    assert judge.notices == []


def test_a_report_that_is_gone_is_told(judge):
    judge.state["shown"] |= {"number": 99}
    judge.event("choose_metric")
    assert "No report '99'" in judge.text


WINDY = "text('a windy road') > 0.1"


@pytest.fixture
def roads(dataset, tmp_path):
    """Scenes with vectors, and a population whose cut nobody chose with care."""
    from examples.demo.scenes import write_world

    rows = write_world(tmp_path, n_scenes=60, seed=3)
    models = Path(__file__).parents[2] / "examples" / "demo" / "models"
    labels = pd.DataFrame(rows)[["filepath", "kind"]].rename(columns={"kind": "label"})
    es.embed(es.sync(tmp_path, dataset, labels=labels), str(models / "clip"))
    es.compose(dataset, es.Population("windy", WINDY, holdout=0.2))
    return dataset


def mark(tab):
    """Says of every sample in the grid whether it belongs, as somebody who knows."""
    shown = tab.view()
    windy = shown.match(fo.ViewField("ground_truth.label") == "windy road")
    tab.selected = windy.values("id")
    if tab.selected:
        tab.event("belong")
    tab.selected = []
    if tab.state["shown"]["judged"]["to_judge"]:
        tab.event("rest")


def test_samples_marked_in_the_grid_set_the_cut(roads):
    tab = Tab(Populations(), roads).event("on_load")
    tab.event("calibrate", row=0)
    judged = tab.state["shown"]["judged"]
    assert tab.view().values("id") == list(judged["to_judge"]) != []
    mark(tab)
    judged = tab.state["shown"]["judged"]
    assert not judged["to_judge"]
    truth = dict(zip(*roads.values(["id", "ground_truth.label"]), strict=True))
    known = es.judging(roads, "windy").frame["belongs"].dropna()
    assert judged["belong"] == known.sum()
    assert judged["others"] == (~known.astype(bool)).sum()
    assert all(said == (truth[i] == "windy road") for i, said in known.items())
    assert judged["proven"]
    found = es.calibrations(roads)["windy"]
    assert f"precision {found.words()}" in judged["said"]
    (line,) = tab.state["counted"]["lines"]
    assert line["state"] == "calibrated"
    tab.event("end")
    assert tab.state["shown"]["judged"] is None
    assert len(tab.view()) == found.n


def test_marking_without_a_selection_says_what_to_do(roads):
    tab = Tab(Populations(), roads).event("on_load").event("calibrate", row=0)
    tab.event("belong")
    assert "select some in the grid first" in tab.text
    assert tab.state["shown"]["judged"]["to_judge"]


def test_of_two_similarities_the_one_to_cut_is_chosen(roads):
    query = f"{WINDY} AND NOT text('trees') > 0.3"
    es.compose(roads, es.Population("windy", query))
    tab = Tab(Populations(), roads).event("on_load").event("calibrate", row=0)
    judged = tab.state["shown"]["judged"]
    assert list(judged["terms"]) == ["text('a windy road')", "text('trees')"]
    tab.state["cut"]["term"] = "text('trees')"
    tab.event("choose_term")
    assert tab.state["shown"]["judged"]["term"] == "text('trees')"


def test_a_population_without_similarity_has_nothing_to_calibrate(composer, shades):
    saved(composer, query="shade < 10", name="dim")
    composer.event("calibrate", row=0)
    assert "no similarity" in composer.text
    assert composer.state["shown"]["judged"] is None


def test_a_duplicate_needs_a_name_of_its_own(composer, shades):
    saved(composer, query="shade < 10", name="dim", holdout=30)
    composer.event("duplicate", row=0)
    revision = composer.state["shown"]["revision"]
    assert composer.state[f"find{revision}"]["query"] == "shade < 10"
    assert composer.state[f"save{revision}"]["name"] == ""
    composer.state[f"save{revision}"]["name"] = "dim too"
    composer.event("save")
    assert list(es.populations(shades)) == ["dim", "dim too"]


@pytest.fixture
def reported(judged):
    """A panel that shows the report of the weak model beside the other."""
    es.evaluate(judged, "first", split=None)
    es.evaluate(judged, "second", baseline="first", split=None)
    return Tab(Evaluation(), judged).event("on_load")


def test_what_went_wrong_is_a_view_of_its_own(reported):
    reported.event("turn", part="mistakes")
    assert "first right, second wrong" in reported.text
    reported.event("show_lost")
    assert set(reported.view().values("ground_truth.label")) == {"dark"}
    assert len(reported.view()) == 20
    reported.event("show_gained")
    assert "There are none" in reported.text
    assert reported.asked("set_view") == []
    reported.event("show_worst")
    assert len(reported.view()) == 20
    reported.event("click_confusion", x=0, y=1)  # dark taken for bright
    assert reported.view().values("shade") == list(range(20))
    reported.state["mistakes"] = {"about": "dim"}
    reported.event("show_lost")
    assert len(reported.view()) == 15


def test_discordant_samples_need_a_baseline(judged):
    es.evaluate(judged, "second", split=None)
    tab = Tab(Evaluation(), judged).event("on_load").event("show_lost")
    assert "has no baseline" in tab.text


def test_a_cell_of_the_map_opens_its_population_and_report(reported):
    reported.event("turn", part="models")
    assert "accuracy of each model's newest report" in reported.text
    reported.event("click_map", x=0, y=1)
    assert reported.state["asked"]["model"] == "first"
    assert len(reported.view()) == 15  # dim is the worst
    assert reported.state["shown"]["part"] == "models"


@pytest.mark.parametrize("kind", ["html", "md", "json"])
def test_the_report_is_handed_to_the_browser(reported, kind):
    reported.event("export", kind=kind)
    (file,) = reported.asked("browser_download")
    assert file["filename"] == f"second-report-2.{kind}"
    text = base64.b64decode(file["url"].partition(",")[2]).decode()
    assert "second" in text
    if kind == "json":
        assert es.Report.from_json(text) == es.load_report(reported.dataset, 2)


def test_weak_spots_of_too_few_samples_are_refused_with_a_remedy(reported):
    reported.event("turn", part="weak").event("discover")
    assert "at least 80 are needed" in reported.text
    assert "Propose weak spots" in reported.text
    reported.event("open_weak", query="none")
    assert "look at them again" in reported.text


def test_nothing_to_label_is_told(reported):
    reported.event("label_next")
    assert "Every sample has a label" in reported.text


def test_a_split_is_previewed_without_doing_it(composer, shades):
    saved(composer, query="shade < 20", name="dark", holdout=25)
    composer.event("preview_split")
    assert "'dark': 5 of 20 in test, 0 until now" in composer.text
    assert not shades.has_sample_field("split") or not shades.count("split")
    assert es.split_settings(shades) == {}
    composer.event("split")
    assert es.coverage(shades).frame.loc["dark", "test"] == 5
    composer.event("preview_split")
    assert "No population's test set would change" in composer.text


def test_releases_are_made_and_compared(composer, shades):
    saved(composer, query="shade < 20", name="dark")
    composer.state["release"] = {"note": HOSTILE}
    composer.event("release")
    assert es.releases(shades)[1].note == HOSTILE
    assert json.dumps(HOSTILE, ensure_ascii=False)[1:-1] in composer.text
    shades.add_sample(fo.Sample("/nowhere/new.png", shade=1))
    composer.event("compare")
    assert "1 sample entered" in composer.text
    composer.state["compare"] = {"before": "1", "after": "1"}
    composer.event("compare")
    assert "two different releases" in composer.text


def test_the_overlap_of_populations_is_drawn_and_hidden(composer):
    saved(composer, query="shade < 20", name="dark")
    saved(composer, query="shade < 10", name="darker")
    composer.event("show_overlap")
    (trace,) = composer.state["shown"]["overlap"]["data"]
    assert set(trace["x"]) == {"dark", "darker"}
    composer.event("show_overlap")
    assert composer.state["shown"]["overlap"] == {}


def test_a_population_that_another_removed_is_missed_in_words(composer, shades):
    saved(composer, query="shade > 20", name="kept")
    saved(composer, query="shade < 20", name="dark")
    before = dict(composer.state)
    es.remove(shades, "dark")
    for event in ("open", "edit", "duplicate", "calibrate"):
        composer.state = dict(before)
        composer.event(event, row=1)
        assert "No population 'dark'" in composer.text
        assert [line["name"] for line in composer.state["counted"]["lines"]] == ["kept"]
    composer.state = dict(before)
    composer.event("ask_to_remove", row=1).event("remove")
    assert "No population 'dark'" in composer.text


def test_an_event_that_overtakes_one_that_counts_leaves_what_was_counted(composer):
    saved(composer, name="dark", query="shade < 20")
    counted = composer.state["counted"]
    composer.state["counted"] = {**counted, "lines": [], "samples": 40}
    before = {k: v for k, v in composer.state.items() if k != "counted"}
    typed(composer, "shade >= 30").event("search")
    written = [p["state"] for p in composer.asked("patch_panel_state")]
    assert before["shown"] != composer.state["shown"]
    assert not any("counted" in patch for patch in written)
