"""A small drawn world, its encoder, and datasets of it."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import evalsets as es
from evalsets.cli import main

ENCODER = Path(__file__).parents[2] / "examples" / "demo" / "models" / "clip"


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """A folder of drawn photographs with ``labels.csv``."""
    from examples.demo.scenes import write_world

    folder = tmp_path_factory.mktemp("world")
    write_world(folder, n_scenes=30, seed=5)
    return folder


@pytest.fixture(scope="session")
def labels(world):
    """Some of the truth: the scene, what it shows, and how many people."""
    import pandas as pd

    table = pd.read_csv(world / "labels.csv").rename(columns={"kind": "label"})
    return table[["filepath", "scene_id", "label", "time", "num_people"]]


@pytest.fixture(scope="session")
def synced(world, labels):
    """A dataset of the drawn world, to be copied rather than changed."""
    dataset = es.sync(world, "the drawn world", labels=labels)
    yield dataset
    dataset.delete()


@pytest.fixture
def drawn(synced):
    """A dataset of the drawn world with its labels; nothing is embedded."""
    copy = synced.clone(persistent=True)
    yield copy
    if not copy.deleted:
        copy.delete()


@pytest.fixture(scope="session")
def encoder():
    """Path of the demo's small CLIP."""
    return str(ENCODER)


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs the command line: ``run("search", …)`` gives code and outputs."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["evalsets", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return SimpleNamespace(
            returncode=ended.value.code, stdout=said.out, stderr=said.err
        )

    return call
