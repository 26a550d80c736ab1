"""The demo as a stranger runs it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import evalsets as es

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.db, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, ROOT / "examples/demo/run.py", "--folder", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, done.stdout


@pytest.fixture(scope="module")
def report(demo):
    return es.load_report("evalsets-demo", 1)


def test_the_candidate_fails_at_night_and_nowhere_else(report):
    asked = report.frame.query("requirement != ''")
    failed = set(asked.query("verdict == 'fail'")["population"])
    passed = set(asked.query("verdict == 'pass'")["population"])
    assert failed == {"night"}
    assert {"sunset", "sun glare", "dimly lit factory floor"} <= passed
    assert report.exit_code == 1


def test_one_accuracy_number_would_have_hidden_it(report):
    accuracy = report.frame.query("metric == 'accuracy'").set_index("population")
    assert accuracy.at["night", "value"].min() < 0.5
    assert accuracy.at["sunset", "value"].min() > 0.8


def test_what_it_prints_is_what_it_computed(demo, report):
    _, printed = demo
    assert report.headline in printed
    night = len(es.select("evalsets-demo", population="night"))
    assert re.search(rf"^ night +{night} ", printed, re.MULTILINE)
    assert "Coverage" in printed


def test_the_report_is_one_page_that_shows_the_night(demo):
    folder, _ = demo
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "night" in page
    assert "data:image/jpeg;base64," in page


def test_every_population_means_what_its_name_says(demo):
    import pandas as pd

    from examples.demo.run import TRUTH

    folder, _ = demo
    truth = pd.read_csv(folder / "images" / "labels.csv", keep_default_na=False)
    drawn = truth.set_index("filepath")
    dataset = es.select("evalsets-demo")
    name = {
        i: Path(p).name
        for i, p in zip(*dataset.values(["id", "filepath"]), strict=True)
    }
    found = es.membership("evalsets-demo").rename(index=name)
    for population, condition in TRUTH.items():
        inside = set(found.index[found[population]])
        meant = set(drawn.query(condition).index)
        assert len(inside & meant) / len(inside) > 0.85
        assert len(inside & meant) / len(meant) > 0.75
