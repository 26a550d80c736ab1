"""Scores from a shell, and predictions of a task that the file does not tell."""

import fiftyone as fo
import pytest
from typer.testing import CliRunner

import evalsets as es
from evalsets.cli import app

pytestmark = pytest.mark.db


@pytest.fixture
def shell(dataset, tmp_path):
    dataset.add_samples([fo.Sample(f"/images/{at}.jpg") for at in range(4)])

    def run(table, *options):
        path = tmp_path / "table.csv"
        path.write_text(table)
        command = ["upload", dataset.name, "net", str(path), *options]
        return CliRunner().invoke(app, command, catch_exceptions=False)

    return run


def test_scores_are_uploaded_with_their_direction(dataset, shell):
    table = "file,loss\n0.jpg,1\n1.jpg,2\n2.jpg,3\n3.jpg,4\n"
    found = shell(table, "--score", "loss", "--lower-is-better")
    assert found.stdout == "net: 4 samples have a score\n"
    (score,) = es.models(dataset)["net"].scores
    assert (score.metric, score.higher_is_better) == ("loss", False)


def test_columns_may_be_labels_that_go_together(dataset, shell):
    table = "file,cat,dog\n0.jpg,0.9,0.8\nelse.jpg,0.1,0.7\n"
    found = shell(table, "--task", "multilabel", "--skip-unknown")
    assert "1 key belongs to no sample and was left out" in found.stdout
    field = es.models(dataset)["net"].field
    assert dataset.first()[field].classifications[1].label == "dog"
