"""What a random split leaks on real photographs, and ours does not."""

import random
import shutil

import fiftyone as fo
import numpy as np
import pytest

import evalsets as es
from evalsets.datasets.vectors import open_vectors

pytestmark = pytest.mark.db


def _at_random(dataset, seed=51):
    """The split that a script would make: every fifth sample, by chance."""
    ids = sorted(dataset.values("id"), key=dict(_paths(dataset)).get)
    test = set(random.Random(seed).sample(ids, len(ids) // 5))
    dataset.add_sample_field("random", fo.StringField)
    sides = ["test" if i in test else "train" for i in dataset.values("id")]
    dataset.set_values("random", sides)
    return test


def _paths(dataset):
    return zip(*dataset.values(["id", "filepath"]), strict=True)


def _split(dataset):
    everything = es.Population("everything", "filepath IS NOT NULL", holdout=0.2)
    es.compose(dataset, everything)
    return es.split(dataset, near_duplicates=0.97)


def test_a_copied_file_in_train_is_told(dataset, world, tmp_path):
    for file in sorted(world.glob("*.jpg"))[:12]:
        shutil.copy(file, tmp_path / file.name)
        shutil.copy(file, tmp_path / f"copy_{file.name}")
    es.sync(tmp_path, dataset)
    es.compose(dataset, es.Population("all", "filepath IS NOT NULL", holdout=0.25))
    report = es.split(dataset)
    assert report.leaks
    path = dict(_paths(dataset))
    for leak in report.leaks:
        assert leak.why == "same file"
        one, other = path[leak.test_id], path[leak.other_id]
        assert one.replace("copy_", "") == other.replace("copy_", "")
    assert es.leaks(dataset) == report.leaks
    assert "into train or val" in str(report)


def test_groups_of_another_split_are_checked(drawn):
    test = _at_random(drawn)
    found = es.leaks(drawn, split="random", groups="scene_id")
    scene = dict(zip(*drawn.values(["id", "scene_id"]), strict=True))
    learned = {scene[i] for i in scene if i not in test}
    assert {leak.test_id for leak in found} == {i for i in test if scene[i] in learned}
    assert all(scene[leak.test_id] == scene[leak.other_id] for leak in found)


def _close(dataset, test, cosine):
    """Test samples that come close to one in train, by one product of all vectors."""
    file = open_vectors(dataset)
    wide = file.matrix.astype(np.float64)
    inside = np.isin(file.ids, list(test))
    best = (wide[inside] @ wide[~inside].T).max(axis=1)
    return set(file.ids[inside][best >= cosine - 1e-6].tolist())


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "least"),
    [("camvid/val", 0.7), ("imagededup-tests", 0.5)],
    ids=["a video", "variants of images"],
)
def test_a_random_split_leaks_and_ours_does_not(dataset, shared, folder, least):
    es.sync(shared / "data" / folder, dataset)
    es.embed(dataset, str(shared / "models/tinyclip_lit_mnv2"))
    test = _at_random(dataset)
    found = es.leaks(dataset, split="random", near_duplicates=0.97)
    near = {leak.test_id for leak in found if leak.why == "near-duplicate"}
    assert near == _close(dataset, test, 0.97)
    assert len(near) >= least * len(test)
    report = _split(dataset)
    assert report.frame.at["everything", "got"] >= 0.2
    assert es.leaks(dataset, near_duplicates=0.97) == report.leaks == []
