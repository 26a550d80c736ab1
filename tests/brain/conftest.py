"""Vectors whose neighbours are known, and the drawn world with the demo's CLIP."""

from pathlib import Path

import numpy as np
import pytest

import evalsets as es

ENCODER = str(Path(__file__).parents[2] / "examples" / "demo" / "models" / "clip")


@pytest.fixture
def points(dataset):
    """Forty samples and their vectors, of which some are copies of others."""
    import fiftyone as fo

    dataset.add_samples([fo.Sample(f"{n:02}.png", number=n) for n in range(40)])
    vectors = np.random.default_rng(7).normal(size=(40, 16))
    vectors[[11, 12, 25]] = vectors[[3, 3, 8]]
    return dataset, vectors


@pytest.fixture(scope="session")
def photographs(tmp_path_factory):
    """A folder of drawn photographs with ``labels.csv``."""
    from examples.demo.scenes import write_world

    folder = tmp_path_factory.mktemp("photographs")
    write_world(folder, n_scenes=12, seed=5)
    return folder


@pytest.fixture
def embedded(photographs, dataset):
    """A dataset with vectors of the demo's CLIP."""
    es.sync(photographs, dataset)
    es.embed(dataset, ENCODER)
    return dataset
