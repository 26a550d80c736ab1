import os
import subprocess
import sys
import time

import fiftyone as fo
import pytest

import evalsets as es
from evalsets.errors import ArgumentError, UnknownNameError

pytestmark = pytest.mark.db


def test_a_database_that_does_not_answer_is_said_within_seconds():
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "evalsets", "populations", "road"],
        env={**os.environ, "FIFTYONE_DATABASE_URI": "mongodb://127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "MongoDB cannot be reached" in done.stderr
    assert "FIFTYONE_DATABASE_URI" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - started < 60


def test_a_dataset_is_taken_by_name_as_itself_or_through_a_view(dataset):
    dataset.add_samples([fo.Sample(f"/{n}.jpg", n=n) for n in range(4)])
    es.compose(dataset, es.Population("low", "n < 2"))
    for source in (dataset, dataset.name, dataset.limit(2)):
        assert list(es.populations(source)) == ["low"]
    assert len(es.membership(dataset.limit(3))) == 3


@pytest.mark.parametrize("source", [3, None, ["road"]])
def test_what_is_no_dataset_is_refused(source):
    with pytest.raises(ArgumentError, match="dataset is wanted"):
        es.populations(source)


def test_an_unknown_dataset_says_how_to_make_one():
    with pytest.raises(UnknownNameError, match="sync a folder"):
        es.populations("no such dataset at all, not even nearly")
