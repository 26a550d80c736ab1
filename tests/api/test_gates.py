"""Gates: a suite file on the command line, and ``*.evalsets.yml`` under pytest."""

import os
import subprocess
import sys

import fiftyone as fo
import pytest

import evalsets as es

pytestmark = pytest.mark.db

PLUGIN = ("-p", "no:cacheprovider")


@pytest.fixture
def gated(dataset):
    """200 samples, a model that is right by day and wrong at night."""
    dataset.add_samples(
        [
            fo.Sample(
                f"/images/{i}.jpg",
                ground_truth=fo.Classification(label="a"),
                time="night" if i % 4 == 0 else "day",
            )
            for i in range(200)
        ]
    )
    said = {sample.id: "b" if sample.time == "night" else "a" for sample in dataset}
    es.upload_predictions(dataset, "candidate", said)
    good = es.Requirement("accuracy", at_least=0.8)
    es.compose(
        dataset,
        [
            es.Population("day", "time = 'day'", require=[good]),
            es.Population("night", "time = 'night'", require=[good]),
            es.Population("few", "filepath LIKE '%/1.jpg'", require=[good]),
        ],
    )
    return dataset


def run(*command, cwd):
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )


def test_each_requirement_is_a_test_with_its_numbers(gated, tmp_path):
    (tmp_path / "road.evalsets.yml").write_text(
        f"dataset: {gated.name}\nmodel: candidate\nsplit: all\n"
    )
    done = run("pytest", *PLUGIN, "-v", "road.evalsets.yml", cwd=tmp_path)
    assert "road.evalsets.yml::day[accuracy >= 0.8] PASSED" in done.stdout
    assert "road.evalsets.yml::night[accuracy >= 0.8] FAILED" in done.stdout
    assert "road.evalsets.yml::few[accuracy >= 0.8] FAILED" in done.stdout
    assert "1 passed" in done.stdout
    assert "2 failed" in done.stdout
    assert "0.000" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dataset: nowhere-at-all\nmodel: m\n", "No dataset 'nowhere-at-all'"),
        ("model: m\n", "must name a dataset and a model"),
        ("dataset: {}\nmodel: candidate\nbasline: x\n", "unknown key 'basline'"),
        ("dataset: [\n", "cannot be read"),
    ],
)
def test_a_gate_that_cannot_be_read_is_an_error(gated, tmp_path, text, says):
    (tmp_path / "road.evalsets.yml").write_text(text.replace("{}", gated.name))
    done = run("pytest", *PLUGIN, "road.evalsets.yml", cwd=tmp_path)
    assert done.returncode != 0
    assert says in done.stdout


def test_an_unknown_model_fails_with_what_to_do(gated, tmp_path):
    (tmp_path / "road.evalsets.yml").write_text(
        f"dataset: {gated.name}\nmodel: candidat\n"
    )
    done = run("pytest", *PLUGIN, "road.evalsets.yml", cwd=tmp_path)
    assert "did you mean 'candidate'" in done.stdout
    assert "3 failed" in done.stdout


def test_a_suite_file_gates_the_dataset_that_has_it(gated, tmp_path):
    suite = es.save_suite(gated, tmp_path / "suite.yml")
    command = ("evalsets", "check", suite, "--dataset", gated.name)
    asked = ("--model", "candidate", "--split", "all")
    assert run(*command, *asked, cwd=tmp_path).returncode == 1
    es.remove(gated, "night")
    es.remove(gated, "few")
    done = run(*command, *asked, "--markdown", "gate.md", cwd=tmp_path)
    assert done.returncode == 2
    assert "does not have the suite" in done.stderr
    assert "load it first" in (tmp_path / "gate.md").read_text()
    assert "+ 'night'" in done.stderr
    es.save_suite(gated, suite)
    assert run(*command, *asked, cwd=tmp_path).returncode == 0
    assert run(*command, cwd=tmp_path).returncode == 2
    assert run("evalsets", "check", suite, *asked, cwd=tmp_path).returncode == 2


def test_a_gate_may_state_its_suite(gated, tmp_path):
    es.save_suite(gated, tmp_path / "suite.yml")
    (tmp_path / "road.evalsets.yml").write_text(
        f"dataset: {gated.name}\nmodel: candidate\nsplit: all\nsuite: suite.yml\n"
    )
    assert "1 passed" in run("pytest", *PLUGIN, ".", cwd=tmp_path).stdout
    es.remove(gated, "night")
    assert "does not have the suite" in run("pytest", *PLUGIN, ".", cwd=tmp_path).stdout


def test_a_gate_judges_a_release_with_its_own_requirements(gated, tmp_path):
    es.save_suite(gated, tmp_path / "suite.yml")
    es.release(gated)
    es.remove(gated, "night")
    (tmp_path / "road.evalsets.yml").write_text(
        f"dataset: {gated.name}\nmodel: candidate\nsplit: all\nsuite: suite.yml\n"
        "release: 1\ngroups: time\nmetrics: [f1]\nalpha: 0.2\n"
    )
    done = run("pytest", *PLUGIN, "-v", ".", cwd=tmp_path)
    assert "night[accuracy >= 0.8] FAILED" in done.stdout
    told = es.load_report(gated, 1).provenance
    assert (told["release"], told["groups"], told["alpha"]) == (1, "time", 0.2)
    check = ("evalsets", "check", "suite.yml", "--dataset", gated.name)
    asked = ("--model", "candidate", "--split", "all", "--release", 1)
    assert run(*check, *asked, cwd=tmp_path).returncode == 1
    es.save_suite(gated, tmp_path / "suite.yml")
    done = run(*check, *asked, cwd=tmp_path)
    assert done.returncode == 2
    assert "Release 1 of dataset" in done.stderr
    assert "- 'night'" in done.stderr
