"""Suites, releases and the ledger from the command line."""

import json

import fiftyone as fo
import pytest

import evalsets as es

pytestmark = pytest.mark.db


@pytest.fixture
def run(run):
    """What it says, once it has ended as it should."""

    def call(*arguments, code=0):
        done = run(*arguments)
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout

    return call


@pytest.fixture
def shades(dataset):
    """Twenty samples with a shade, split."""
    dataset.add_samples([fo.Sample(f"/{n:02}.png", shade=n) for n in range(20)])
    es.compose(dataset, es.Population("bright", "shade > 9", holdout=0.5))
    es.split(dataset)
    return dataset


def test_a_suite_goes_to_a_file_and_back(run, shades, tmp_path):
    file = tmp_path / "suite.yml"
    run("suite", "save", shades.name, file)
    assert run("suite", "load", shades.name, file) == "Nothing changes.\n"
    file.write_text(file.read_text().replace("0.5", "0.8"))
    planned = run("suite", "load", shades.name, file, "--plan")
    assert "holdout: 0.5 → 0.8" in planned
    assert "(10 samples, 5 in test, 3 more wanted there)" in planned
    assert es.populations(shades)["bright"].holdout == 0.5
    assert run("suite", "load", shades.name, file) == planned
    assert es.populations(shades)["bright"].holdout == 0.8
    file.write_text(file.read_text().replace("shade > 9", "shde > 9"))
    said = run("suite", "load", shades.name, file, code=2)
    assert "suite.yml:" in said
    assert "did you mean 'shade'" in said


def test_the_schema_is_printed(run):
    assert json.loads(run("suite", "schema"))["required"] == ["populations"]


def test_releases_are_made_listed_and_compared(run, shades):
    assert "Release 1 of " in run("release", shades.name, "--note", "first [one]")
    assert "first [one]" in run("releases", shades.name)
    assert "nothing changed" in run("diff", shades.name, 1)
    run("rename", shades.name, "bright", "light")
    run("release", shades.name)
    assert "'bright' is called 'light'" in run("diff", shades.name, 1, 2)
    assert "No release '7'" in run("diff", shades.name, 7, code=2)


def test_a_sample_is_explained_and_retired(run, shades, tmp_path):
    name = es.select(shades, split="test").first().filepath
    assert "drawn for test" in run("split", shades.name, "--explain", name)
    run("ledger", "save", shades.name, tmp_path / "ledger.jsonl")
    said = run("retire", shades.name, name, "--reason", "a person objected")
    assert said == "Retired 1 sample from test\n"
    told = run("split", shades.name, "--explain", name)
    assert "quarantine: retired: a person objected" in told
    older = run("ledger", "load", shades.name, tmp_path / "ledger.jsonl", code=2)
    assert "is older than the ledger" in older
    run("ledger", "save", shades.name, tmp_path / "ledger.jsonl")
    loaded = run("ledger", "load", shades.name, tmp_path / "ledger.jsonl")
    assert "1 quarantine" in loaded
