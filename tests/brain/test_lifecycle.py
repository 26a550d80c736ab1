"""Where an index's own vectors are, from the first to the last."""

import os
import subprocess
import sys
from pathlib import Path

import fiftyone as fo
import fiftyone.brain as fob
import numpy as np
import pytest

from evalsets.datasets.vectors import home

pytestmark = pytest.mark.db


def compute(dataset, vectors, **options):
    return fob.compute_similarity(
        dataset, embeddings=vectors, backend="faiss", **options
    )


def folders(dataset):
    return sorted((home() / "brain" / str(dataset._doc.id)).glob("*"))


def test_deleting_a_run_deletes_its_files_and_no_others(points):
    dataset, vectors = points
    compute(dataset, vectors, brain_key="one")
    (one,) = folders(dataset)
    compute(dataset, vectors, brain_key="two")
    dataset.rename_brain_run("two", "second")
    dataset.delete_brain_run("one")
    assert not one.exists()
    dataset.clear_cache()
    assert dataset.load_brain_results("second").total_index_size == 40
    dataset.delete_brain_run("second")
    assert folders(dataset) == []


def test_an_index_without_a_key_leaves_nothing(points):
    dataset, vectors = points
    index = compute(dataset, vectors)
    folder = Path(index.config.folder)
    assert index.sort_by_similarity(vectors[0], k=3).values("number")[0] == 0
    assert folder.exists()
    assert folders(dataset) == []
    assert not dataset.has_brain_runs
    index.cleanup()
    assert not folder.exists()
    del index
    assert not folder.parent.parent.exists()


def test_files_that_a_deleted_run_left_behind_go_with_the_next_one(points):
    dataset, vectors = points
    compute(dataset, vectors, brain_key="kept")
    compute(dataset, vectors, brain_key="gone")
    fo.core.brain.BrainMethod.delete_run(dataset, "gone", cleanup=False)
    assert len(folders(dataset)) == 2
    compute(dataset, vectors, brain_key="new")
    assert len(folders(dataset)) == 2
    dataset.clear_cache()
    assert dataset.load_brain_results("kept").total_index_size == 40


def test_a_clone_reads_the_original_and_writes_to_its_own(points):
    dataset, vectors = points
    original = compute(dataset, vectors, brain_key="own")
    clone = dataset.clone()
    index = clone.load_brain_results("own")
    query = clone.sort_by_similarity(vectors[4], k=5).values("number")
    assert query == dataset.sort_by_similarity(vectors[4], k=5).values("number")
    index.remove_from_index(sample_ids=clone.values("id")[:10])
    assert index.total_index_size == 30
    original.reload()
    assert original.total_index_size == 40
    clone.delete_brain_run("own")
    assert folders(clone) == []
    assert len(folders(dataset)) == 1
    clone.delete()


def test_an_index_shows_what_another_process_adds(points):
    dataset, vectors = points
    index = compute(dataset, vectors, brain_key="own")
    dataset.add_sample(fo.Sample("new.png"))
    script = f"""
import fiftyone as fo, numpy as np
dataset = fo.load_dataset({dataset.name!r})
index = dataset.load_brain_results("own")
index.add_to_index(np.full((1, 16), .5), [dataset.last().id])
"""
    subprocess.run([sys.executable, "-c", script], check=True, env=os.environ)
    found = index.sort_by_similarity(np.ones(16), k=1)
    assert found.values("filepath") == dataset.limit(50).values("filepath")[-1:]


def test_a_field_keeps_its_vectors_when_the_index_goes(points):
    dataset, vectors = points
    dataset.set_values("emb", vectors.tolist())
    compute(dataset, "emb", brain_key="own")
    assert dataset.get_brain_info("own").config.embeddings_field == "emb"
    dataset.delete_brain_run("own")
    assert np.allclose(dataset.first().emb, vectors[0])
