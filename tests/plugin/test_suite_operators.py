"""Suites, releases and the ledger by their URIs."""

import fiftyone as fo
import fiftyone.operators as foo
import pytest

import evalsets as es

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("plugin")]


@pytest.fixture
def shades(dataset):
    """Twenty samples with a shade, split, and released once."""
    dataset.add_samples([fo.Sample(f"/{n:02}.png", shade=n) for n in range(20)])
    es.compose(dataset, es.Population("bright", "shade > 9", holdout=0.5))
    es.split(dataset)
    es.release(dataset)
    return dataset


def run(verb, dataset, **params):
    """The result of one operator."""
    uri = f"@evalsets/evalsets/{verb}"
    return foo.execute_operator(uri, {"dataset": dataset}, params=params).result


def test_a_suite_is_saved_planned_and_loaded(shades, tmp_path):
    path = str(tmp_path / "suite.yml")
    assert run("save_suite", shades, path=path) == {"path": path}
    es.compose(shades, es.Population("dark", "shade < 5"))
    planned = run("load_suite", shades, path=path, plan=True)
    assert planned["removed"] == ["dark"]
    assert set(es.populations(shades)) == {"bright", "dark"}
    assert run("load_suite", shades, path=path) == planned
    assert set(es.populations(shades)) == {"bright"}


def test_releases_are_made_and_compared(shades):
    assert run("diff", shades, before=1)["same"]
    shades.add_sample(fo.Sample("/new.png", shade=30))
    assert run("release", shades, note="more")["number"] == 2
    listed = run("releases", shades)
    assert [row["release"] for row in listed["rows"]] == ["1", "2"]
    assert listed["rows"][1]["note"] == "more"
    assert int(listed["rows"][1]["test"]) == len(es.select(shades, split="test"))
    found = run("diff", shades, before=1, after=2)
    assert "'bright': 1 sample entered: it is new" in found["text"]
    shades.add_samples([fo.Sample(f"/{n}.png", shade=30) for n in range(2)])
    more = run("diff", shades, before=2)["text"]
    assert "'bright': 2 samples entered: they are new" in more
    (row,) = found["rows"]
    assert (row["n_before"], row["n_after"], row["entered"]) == ("10", "11", "1")


def test_samples_are_explained_and_retired(shades):
    gone = es.select(shades, split="test").first().id
    assert run("explain", shades, sample=gone)["side"] == "test"
    assert run("retire", shades, samples=[gone], reason="blurred") == {"retired": 1}
    assert "retired: blurred" in run("explain", shades, sample=gone)["text"]


def test_a_population_is_renamed(shades):
    assert run("rename", shades, name="bright", new="light") == {"name": "light"}
    assert set(es.populations(shades)) == {"light"}
