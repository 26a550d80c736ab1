"""The Populations panel beside other people, other datasets, and what was stated."""

import threading

import fiftyone as fo
import pytest

import evalsets as es
from panels.populations import Populations

from .tab import Tab
from .test_panels import saved, typed

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("plugin")]


@pytest.fixture
def scenes(dataset):
    """Sixty samples in twenty scenes, with one population that asks for a hold-out."""
    dataset.add_samples(
        fo.Sample(f"/nowhere/{n:02}.png", shade=n, scene=f"s{n // 3}")
        for n in range(60)
    )
    es.compose(dataset, es.Population("bright", "shade >= 30", holdout=0.3))
    return dataset


@pytest.fixture
def tab(scenes):
    return Tab(Populations(), scenes).event("on_load")


def straddling(dataset):
    """Scenes with samples in test and in another side."""
    sides = {}
    for scene, side in zip(*dataset.values(["scene", "split"]), strict=True):
        sides.setdefault(scene, set()).add(side == "test")
    return [scene for scene, both in sides.items() if len(both) > 1]


def test_a_split_goes_by_groups_that_somebody_else_chose_meanwhile(tab, scenes):
    es.split(scenes, val=0.125, groups="scene")
    es.compose(scenes, es.Population("dark", "shade < 30", holdout=0.5))
    tab.event("split")
    assert straddling(scenes) == []
    assert es.split_settings(scenes)["val"] == 0.125
    assert tab.state["sides"] == {"val": 12.5, "groups": "scene"}


def test_a_split_goes_by_what_a_suite_states(tab, scenes, tmp_path):
    (tmp_path / "suite.yml").write_text(
        "split: {groups: scene, val: 0.25}\n"
        "populations:\n  - {name: bright, query: shade >= 30, holdout: 0.3}\n"
    )
    es.load_suite(scenes, tmp_path / "suite.yml")
    tab.event("on_load")
    assert tab.state["sides"] == {"val": 25, "groups": "scene"}
    tab.event("split")
    assert straddling(scenes) == []
    assert es.split_settings(scenes)["val"] == 0.25


def test_another_dataset_is_split_as_it_was(tab, scenes):
    tab.state["sides"] = {"val": 30, "groups": ""}
    tab.event("split")
    tab.state["compare"] = {"before": "7", "after": "8"}
    other = scenes.clone(persistent=True)
    es.split(other, val=0.2, groups="scene")
    tab.dataset = other
    tab.event("on_load")
    assert tab.state["sides"] == {"val": 20, "groups": "scene"}
    es.release(other)
    tab.event("on_load").event("compare")
    assert "No release" not in tab.text
    other.delete()


def test_nothing_typed_about_one_dataset_is_there_for_another(tab, scenes):
    typed_here = {
        "release": {"note": "before the new camera"},
        "compare": {"before": "1", "after": "2"},
        "cut": {"precision": 75, "term": "text('fog')"},
    }
    tab.state |= typed_here
    tab.event("on_load")
    assert {name: tab.state[name] for name in typed_here} == typed_here
    other = scenes.clone(persistent=True)
    tab.dataset = other
    tab.event("on_load")
    assert tab.state["release"] == {"note": ""}
    assert tab.state["compare"] == {"before": "", "after": ""}
    assert tab.state["cut"] == {"precision": 90, "term": ""}
    other.delete()


def test_groups_that_are_given_up_are_told_beside_the_split(tab, scenes):
    es.split(scenes, groups="scene")
    tab.event("on_load")
    tab.state["sides"] = {"val": 10, "groups": ""}
    told = "The last split kept 'scene' together and this one does not"
    assert told in tab.event("preview_split").text
    assert told in tab.event("split").text


def test_a_cleared_share_holds_nothing_out(tab, scenes):
    tab.event("edit", row=0)
    revision = tab.state["shown"]["revision"]
    tab.state[f"save{revision}"]["holdout"] = None
    tab.event("save")
    assert es.populations(scenes)["bright"].holdout == 0


def test_what_is_edited_and_saved_without_a_change_stays_to_the_last_digit(tab, scenes):
    require = es.Requirement("accuracy", at_least=0.123456789)
    exact = es.Population("third", "shade < 9", holdout=1 / 3, require=require)
    es.compose(scenes, exact)
    tab.event("on_load").event("edit", row=1).event("save")
    assert es.populations(scenes)["third"] == exact


def test_a_class_with_a_comma_can_be_required(tab, scenes):
    require = "recall:cat, dog >= 0.5, accuracy drop <= 0.01"
    saved(tab, query="shade < 9", name="p", require=require)
    assert [r.metric for r in es.populations(scenes)["p"].require] == [
        "recall:cat, dog",
        "accuracy",
    ]


def test_of_two_who_save_one_new_name_the_later_is_told(tab, scenes, monkeypatch):
    """The other is quicker while this one's click is on its way to be done."""
    other = es.Population("new", "shade < 5", holdout=0.5)
    begin = Populations.work

    def overtaken(self, ctx, event, *args):
        if event == "save":
            es.compose(scenes, other)
        return begin(self, ctx, event, *args)

    monkeypatch.setattr(Populations, "work", overtaken)
    saved(tab, query="shade > 50", name="new")
    assert "There is a population 'new' already" in tab.text
    assert es.populations(scenes)["new"] == other


def test_what_changes_while_the_table_is_counted_is_counted_the_next_time(
    tab, scenes, monkeypatch
):
    count = es.coverage

    def and_another(*args, **options):
        found = count(*args, **options)
        scenes.add_sample(fo.Sample("/nowhere/late.png", shade=99, scene="late"))
        monkeypatch.setattr(es, "coverage", count)
        return found

    es.compose(scenes, es.Population("all", "shade >= 0"))
    monkeypatch.setattr(es, "coverage", and_another)
    tab.event("on_load")
    scenes.save()
    fresh = Tab(Populations(), scenes).event("on_load")
    counts = {line["name"]: line["n"] for line in fresh.state["counted"]["lines"]}
    assert counts["all"] == 61


def test_labels_of_a_field_that_count_as_predictions_change_the_table(tab, scenes):
    for field, label in (("first", "b"), ("second", "a")):
        scenes.set_values(field, [fo.Classification(label=label)] * 60)
    es.upload_predictions(scenes, "m", "first")
    es.compose(scenes, es.Population("said", "prediction('m') = 'b'"))
    tab.event("on_load")
    es.upload_predictions(scenes, "m", "second", overwrite=True)
    tab.event("on_load")
    counts = {line["name"]: line["n"] for line in tab.state["counted"]["lines"]}
    assert counts["said"] == es.coverage(scenes).frame.loc["said", "n"] == 0


def test_a_second_click_on_remove_says_nothing(tab, scenes):
    tab.event("ask_to_remove", row=0).event("remove").event("remove")
    assert "No population ''" not in tab.text
    assert es.populations(scenes) == {}


def test_a_name_is_typed_and_stays_where_the_panel_loads_again(tab):
    typed(tab, query="shade > 3", name="mine").event("on_load")
    revision = tab.state["shown"]["revision"]
    assert tab.state[f"save{revision}"]["name"] == "mine"


def test_a_cleared_share_for_validation_is_none(tab, scenes):
    tab.state["sides"]["val"] = None
    tab.event("split")
    assert es.split_settings(scenes)["val"] == 0
    assert tab.state["sides"]["val"] == 0


def test_an_expression_that_keeps_samples_together_can_be_chosen(tab, scenes):
    es.split(scenes, groups="LOWER(scene)")
    tab.event("on_load")
    (panel,) = tab.asked("show_panel_output")
    form = panel["output"]["type"]["properties"]["sides"]["type"]["properties"]
    groups = form["groups"]["type"]["values"]
    assert "LOWER(scene)" in groups


def test_a_bound_that_is_no_number_is_refused_whatever_follows(tab, scenes):
    saved(tab, query="shade < 9", name="p", require="recall:a >= x, f1 >= 0.5")
    assert "cannot be read" in tab.text
    assert "p" not in es.populations(scenes)


def test_of_two_who_save_one_new_name_at_once_the_later_is_told(
    tab, scenes, monkeypatch
):
    compose, other = es.compose, Tab(Populations(), scenes).event("on_load")
    second = threading.Thread(
        target=saved, args=(other,), kwargs={"query": "shade < 5", "name": "new"}
    )

    def overtaken(dataset, population):
        monkeypatch.setattr(es, "compose", compose)
        second.start()
        second.join(3)
        return compose(dataset, population)

    monkeypatch.setattr(es, "compose", overtaken)
    saved(tab, query="shade > 50", name="new")
    second.join(60)
    assert "Saved 'new'" in tab.text
    assert "There is a population 'new' already" in other.text
    assert es.populations(scenes)["new"].query == "shade > 50"


def test_a_share_that_was_typed_stays_and_drops_no_groups_of_somebody_else(tab, scenes):
    tab.state["sides"]["val"] = 30
    es.split(scenes, groups="scene")
    tab.event("on_load")
    assert tab.state["sides"] == {"val": 30, "groups": "scene"}
    es.compose(scenes, es.Population("dark", "shade < 30", holdout=0.5))
    tab.event("split")
    assert straddling(scenes) == []
    assert es.split_settings(scenes)["val"] == 0.3


def test_a_form_of_another_dataset_says_nothing_of_this_one(tab, scenes):
    other = scenes.clone(persistent=True)
    es.split(other, val=0.2, groups="scene")
    tab.dataset = other  # and the click comes before the panel has loaded
    tab.event("split")
    settings = es.split_settings(other)
    assert (settings["val"], settings["groups"]) == (0.2, "scene")
    other.delete()


def test_a_preview_counts_from_the_split_that_another_person_made(tab, scenes):
    es.split(scenes)
    tab.event("preview_split")
    assert "until now" not in tab.text
    assert "No population's test set would change" in tab.text


def test_what_another_person_changed_is_not_overwritten_unseen(tab, scenes):
    tab.event("edit", row=0)
    es.compose(scenes, es.Population("bright", "shade >= 40", holdout=0.5))
    tab.event("save")
    assert "changed 'bright' meanwhile: shade >= 40, 50 % held out" in tab.text
    assert es.populations(scenes)["bright"].query == "shade >= 40"
    assert tab.state["shown"]["editing"] == "bright"
    tab.event("save")
    assert es.populations(scenes)["bright"].query == "shade >= 30"


def test_what_another_person_removed_is_not_brought_back_unseen(tab, scenes):
    tab.event("edit", row=0)
    es.remove(scenes, "bright")
    tab.event("save")
    assert "Somebody removed 'bright' meanwhile" in tab.text
    assert "bright" not in es.populations(scenes)
    tab.event("save")
    assert "bright" in es.populations(scenes)


def test_a_name_that_another_person_took_is_in_the_table(tab, scenes):
    es.compose(scenes, es.Population("dark", "shade < 30"))
    typed(tab, query="shade < 9", name="dark")
    tab.event("save")
    assert "There is a population 'dark' already" in tab.text
    assert [line["name"] for line in tab.state["counted"]["lines"]] == [
        "bright",
        "dark",
    ]
