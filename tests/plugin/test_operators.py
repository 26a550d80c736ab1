"""Every verb does its work when it is called by its URI."""

import base64
import csv
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import pandas as pd
import pytest
import yaml
from fiftyone.operators.executor import ExecutionContext, ExecutionError, Executor
from PIL import Image

import evalsets as es

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("plugin")]

ROOT = Path(__file__).parents[2]
BRIGHT = 100  # the population of the tests: shade above this


def run(verb, dataset, **params):
    """The result of one operator."""
    done = foo.execute_operator(
        f"@evalsets/evalsets/{verb}", {"dataset": dataset}, params=params
    )
    return done.result


@pytest.fixture
def folder(tmp_path):
    """Twenty grey images, half of them labelled ``dark``, and their labels."""
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["filepath", "label", "shade"])
        for number in range(20):
            shade = number * 10
            path = tmp_path / f"{number:02}.png"
            Image.new("RGB", (32, 32), (shade,) * 3).save(path)
            rows.writerow([path.name, "dark" if number < 10 else "bright", shade])
    return tmp_path


@pytest.fixture
def grey(dataset, folder):
    """The dataset of these images, put in by the operator."""
    run("sync", dataset, source=str(folder), labels=str(folder / "labels.csv"))
    dataset.reload()
    return dataset


def test_sync_adds_the_images_of_a_folder(dataset, folder):
    found = run("sync", dataset, source=str(folder))
    assert (found["n_samples"], found["added"], found["skipped"]) == (20, 20, {})
    assert len(dataset) == 20


def test_the_form_of_sync_offers_what_was_synced_last(dataset, folder, monkeypatch):
    labels = folder / "labels.csv"
    monkeypatch.chdir(folder)
    run("sync", dataset, source=".", labels=labels.name)
    sync = foo.get_operator("@evalsets/evalsets/sync")
    form = sync.resolve_input(context(dataset, {})).type.properties
    assert form["source"].default == str(folder)
    assert form["labels"].default == str(labels)


def test_sync_names_the_images_that_it_skips(dataset, folder):
    (folder / "empty.png").touch()
    found = run("sync", dataset, source=str(folder))
    assert found["skipped"] == {str(folder / "empty.png"): "the file is empty"}


def test_every_operator_can_be_called_and_delegated():
    from fiftyone.operators.registry import OperatorRegistry

    ours = [
        operator
        for operator in OperatorRegistry().list_operators(type="operator")
        if operator.plugin_name == "@evalsets/evalsets"
    ]
    listed = yaml.safe_load((ROOT / "fiftyone.yml").read_text())["operators"]
    assert {operator.name for operator in ours} == set(listed)
    assert all(callable(operator) for operator in ours)
    assert all(operator.config.allow_delegated_execution for operator in ours)


def test_a_called_operator_returns_its_result_for_a_dataset_a_name_or_a_view(grey):
    search = foo.get_operator("@evalsets/evalsets/search")
    for given, n in ((grey, 9), (grey.name, 9), (grey.limit(13), 2)):
        assert search(given, query=f"shade > {BRIGHT}") == {"n_samples": n}


def test_populations_and_their_members_are_listed(grey):
    es.compose(grey, es.Population("bright", f"shade > {BRIGHT}", holdout=0.5))
    listed = run("populations", grey)
    assert listed["populations"] == [es.populations(grey)["bright"].to_dict()]
    assert listed["rows"][0]["holdout"] == "50%"
    expected = set(es.search(grey, f"shade > {BRIGHT}").values("id"))
    found = run("membership", grey)
    assert set(found["members"]["bright"]) == expected
    assert found["rows"] == [{"population": "bright", "n": "9"}]


def test_search_counts_what_a_query_finds(grey):
    assert run("search", grey, query=f"shade > {BRIGHT}") == {"n_samples": 9}


def test_a_wrong_query_says_what_was_probably_meant(grey):
    with pytest.raises(ExecutionError, match="shade"):
        run("search", grey, query="shadee > 100")


def test_compose_saves_everything_the_form_asks(grey):
    composed = run(
        "compose",
        grey,
        name="bright ones",
        query=f"shade > {BRIGHT}",
        holdout=0.5,
        min_size=2,
        require=[{"metric": "accuracy", "at_least": 0.9, "max_drop": None}],
        description="",
        owner=None,
    )
    population = es.populations(grey)["bright ones"]
    assert population.to_dict() == composed
    assert population.require == (es.Requirement("accuracy", at_least=0.9),)
    assert population.holdout == 0.5


def test_calibrate_shows_what_to_judge_and_takes_what_was_tagged(grey):
    es.embed(grey, str(ROOT / "examples" / "demo" / "models" / "clip"))
    es.compose(grey, es.Population("bright", "text('bright') > -1"))
    shown = run("calibrate", grey, name="bright", n=12)["to_judge"]
    assert len(shown) == 12
    view = grey.select(shown)
    view.match(fo.ViewField("shade") > BRIGHT).tag_samples("yes")
    asked = {"name": "bright", "answers": "'yes' IN tags", "precision": 0.2}
    calibrate = foo.get_operator("@evalsets/evalsets/calibrate")
    measured = calibrate(view, **asked)
    assert measured["answers"] == 12
    assert measured["n"] == len(es.select(grey, population="bright"))
    (row,) = run("populations", grey)["rows"]
    assert row["precision"].startswith(f"{measured['precision']:.2f} [")


def test_a_holdout_above_one_is_refused_by_the_form(grey):
    with pytest.raises(ExecutionError, match="holdout"):
        run("compose", grey, name="x", query="shade > 1", holdout=1.5)
    assert es.populations(grey) == {}


def test_remove_takes_a_population_away(grey):
    es.compose(grey, es.Population("bright", f"shade > {BRIGHT}"))
    assert run("remove", grey, name="bright") == {"removed": "bright"}
    assert es.populations(grey) == {}


def test_refresh_names_what_is_stale(grey):
    assert run("refresh", grey) == {"stale": {}}


def test_split_coverage_and_select_agree(grey):
    es.compose(grey, es.Population("bright", f"shade > {BRIGHT}", holdout=0.5))
    assert sum(run("split", grey, val=0.1)["sizes"].values()) == 20
    (row,) = run("coverage", grey)["rows"]
    assert row["population"] == "bright"
    assert int(row["n"]) == 9
    shown = run("select", grey, split="test", population="bright")
    assert shown == {"n_samples": int(row["test"])}


def test_the_form_of_split_shows_what_a_suite_states(grey, tmp_path):
    suite = tmp_path / "suite.yml"
    suite.write_text(
        "split: {val: 0.25}\npopulations:\n  - {name: p, query: shade > 3}\n"
    )
    es.load_suite(grey, suite)
    split = foo.get_operator("@evalsets/evalsets/split")
    form = split.resolve_input(context(grey, {})).type
    assert form.properties["val"].default == 0.25


def test_predictions_come_in_and_get_a_verdict(grey, tmp_path):
    require = [es.Requirement("accuracy", at_least=0.5)]
    es.compose(grey, es.Population("bright", f"shade > {BRIGHT}", require=require))
    table = tmp_path / "predictions.csv"
    lines = [f"{number:02}.png,bright" for number in range(20)]
    table.write_text("\n".join(["filepath,label", *lines]))
    uploaded = run("upload_predictions", grey, model="m", predictions=str(table))
    assert "20" in uploaded["report"]
    found = run("evaluate", grey, model="m", split="all")
    wanted = ("bright", "accuracy")
    (row,) = [r for r in found["rows"] if (r["population"], r["metric"]) == wanted]
    assert (row["n"], float(row["value"])) == ("9", 1.0)
    assert row["verdict"] == found["verdict"] == "pass"
    es.release(grey)
    es.remove(grey, "bright")
    more = {"release": 1, "groups": "shade", "eval_key": "seen"}
    assert run("evaluate", grey, model="m", split="all", **more) == found
    assert grey.list_evaluations() == ["seen"]


def test_predictions_come_in_through_the_browser(grey):
    lines = [f"{number:02}.png,bright" for number in range(19)] + ["no.png,dark"]
    text = "\n".join(["filepath,label", *lines])
    content = base64.b64encode(text.encode()).decode()
    asked = {"model": "m", "file": {"name": "../p.csv", "content": content}}
    with pytest.raises(ExecutionError, match=r"no\.png"):
        run("upload_predictions", grey, **asked)
    found = run("upload_predictions", grey, **asked, skip_unknown=True)
    assert found["matched"] == 19
    assert found["missing"].startswith("1: ")
    assert found["missing"].endswith("19.png")
    assert found["unknown"] == "1: no.png"
    with pytest.raises(ExecutionError, match="Choose a file"):
        run("upload_predictions", grey, model="other")


def test_scores_name_the_release_that_their_model_was_trained_on(grey, tmp_path):
    es.split(grey)
    es.compose(grey, es.Population("dark", "shade < 3"))
    es.release(grey)
    scores = pd.DataFrame({"id": grey.values("id"), "value": 0.5})
    scores.to_csv(tmp_path / "loss.csv", index=False)
    asked = {"scores": str(tmp_path / "loss.csv"), "key": "id", "metric": "loss"}
    run("upload_scores", grey, model="net", **asked, trained_on=1)
    with pytest.raises(ExecutionError, match="No release '7'"):
        run("upload_scores", grey, model="other", **asked, trained_on=7)


WRONG = {
    "search": ("query", "shadee > 3", "did you mean 'shade'"),
    "compose": ("query", "shade >", "cannot end with"),
    "evaluate": ("model", "frist", "did you mean 'first'"),
    "discover": ("model", "frist", "did you mean 'first'"),
    "label_next": ("baseline", "frist", "did you mean 'first'"),
    "upload_predictions": ("predictions", "/no/such.csv", "no file '/no/such.csv'"),
    "upload_scores": ("scores", "/no/such.csv", "no file '/no/such.csv'"),
    "load_suite": ("path", "/no/such.yml", "no file '/no/such.yml'"),
    "calibrate": ("name", "brigth", "No population with a similarity 'brigth'"),
    "sync": ("source", "/no/such", "no file '/no/such'"),
    "embed": ("taggers", "/no/such.yml", "no file '/no/such.yml'"),
    "tag": ("taggers", "/no/such.yml", "no file '/no/such.yml'"),
    "split": ("groups", "shadee", "did you mean 'shade'"),
    "explain": ("sample", "/no/such.png", "No sample '/no/such.png'"),
    "retire": ("samples", ["such.png"], "No sample 'such.png'"),
    "rename": ("new", "dark", "a population 'dark' already"),
}


@pytest.mark.parametrize("verb", WRONG)
def test_a_form_tells_the_remedy_while_one_types(grey, verb):
    rows = [{"id": i, "label": "dark"} for i in grey.values("id")]
    es.upload_predictions(grey, "first", rows, key="id")
    es.compose(grey, es.Population("dark", "shade < 3"))
    field, typed, remedy = WRONG[verb]
    operator = foo.get_operator(f"@evalsets/evalsets/{verb}")
    assert operator.config.dynamic
    form = operator.resolve_input(context(grey, {field: typed}))
    wrong = form.type.properties[field]
    assert wrong.invalid
    assert remedy in wrong.error_message
    fine = operator.resolve_input(context(grey, {})).type.properties[field]
    assert not fine.invalid


def context(dataset, params):
    """A form's context, as the App makes it."""
    asked = {"dataset_name": dataset.name, "params": params}
    return ExecutionContext(asked, executor=Executor())


def test_a_long_verb_can_be_delegated(dataset, folder):
    from fiftyone.operators.delegated import DelegatedOperationService

    queued = foo.execute_operator(
        "@evalsets/evalsets/sync",
        {"dataset": dataset, "request_delegation": True},
        params={"source": str(folder)},
    )
    assert queued.delegated
    service = DelegatedOperationService()
    service.execute_queued_operations(log=False)
    assert service.get(queued.result["id"]).run_state == "completed"
    dataset.reload()
    assert len(dataset) == 20


def test_without_a_dataset_the_form_of_sync_asks_for_one():
    sync = foo.get_operator("@evalsets/evalsets/sync")
    form = sync.resolve_input(foo.ExecutionContext({"params": {}})).type
    assert form.properties["dataset"].required
