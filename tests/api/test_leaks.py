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


def _split(dataset, cosine):
    everything = es.Population("everything", "filepath IS NOT NULL", holdout=0.2)
    es.compose(dataset, everything)
    return es.split(dataset, near_duplicates=cosine)


@pytest.fixture
def copied(dataset, world, tmp_path):
    """Twelve photographs, each in two files."""
    for file in sorted(world.glob("*.jpg"))[:12]:
        shutil.copy(file, tmp_path / file.name)
        shutil.copy(file, tmp_path / f"copy_{file.name}")
    es.sync(tmp_path, dataset)
    es.compose(dataset, es.Population("all", "filepath IS NOT NULL", holdout=0.25))
    return dataset


def test_a_copied_file_in_train_is_told(copied):
    _at_random(copied)
    found = es.leaks(copied, split="random")
    assert found
    path = dict(_paths(copied))
    for leak in found:
        assert leak.why == "same file"
        one, other = path[leak.test_id], path[leak.other_id]
        assert one.replace("copy_", "") == other.replace("copy_", "")


def test_copies_of_a_file_stay_on_one_side(copied, tmp_path):
    report = es.split(copied)
    assert es.leaks(copied) == report.leaks == []
    held_out = es.select(copied, split="test").values("filepath")
    names = {path.rpartition("/")[2].replace("copy_", "") for path in held_out}
    for name in names:
        shutil.copy(tmp_path / name, tmp_path / f"third_{name}")
    es.sync(tmp_path, copied)
    assert es.split(copied).leaks == []
    thirds = copied.match(fo.ViewField("filepath").contains_str("third_"))
    assert thirds.values("split") == ["test"] * len(names)


def test_samples_of_one_path_stay_on_one_side(dataset):
    dataset.add_samples([fo.Sample(f"/data/{n // 2}.jpg", x=n) for n in range(80)])
    es.compose(dataset, es.Population("all", "x >= 0", holdout=0.3))
    es.split(dataset)
    sides = {}
    for path, side in zip(*dataset.values(["filepath", "split"]), strict=True):
        sides.setdefault(path, set()).add(side)
    assert all(len(found) == 1 for found in sides.values())
    assert dataset.count_values("split")["test"] == 24
    assert es.leaks(dataset) == []
    dataset.set_values("half", ["test", "train"] * 40)
    assert {leak.why for leak in es.leaks(dataset, split="half")} == {"same file"}
    assert len(es.leaks(dataset, split="half")) == 40
    one = dataset.first()
    one["file_digest"] = "known of one alone"
    one.save()
    assert len(es.leaks(dataset, split="half")) == 40


def test_copies_on_two_sides_leave_train_for_quarantine(copied):
    digests = copied.values("file_digest")
    copied.set_values("file_digest", [None] * len(copied))
    es.split(copied)
    copied.set_values("file_digest", digests)
    assert es.leaks(copied)
    assert {move.after for move in es.split(copied).moved} == {"quarantine"}
    assert not es.leaks(copied)


def test_near_duplicates_that_are_no_longer_kept_together_are_told(copied, encoder):
    es.embed(copied, encoder)
    es.split(copied, near_duplicates=0.97)
    assert es.split(copied).leaks == []
    report = es.split(copied, near_duplicates=0)
    assert es.split_settings(copied)["near_duplicates"] is None
    assert report.leaks == []
    one = es.select(copied, split="train").first()
    close = es.select(copied, split="test").first()
    file = open_vectors(copied)
    file.add([one.id], file.get([close.id]))
    assert {leak.why for leak in es.split(copied).leaks} == {"near-duplicate"}


def test_samples_without_a_vector_are_counted(copied, encoder):
    es.embed(copied, encoder)
    open_vectors(copied).remove(copied.values("id")[:5])
    report = es.split(copied, near_duplicates=0.97)
    assert "5 samples have no vector and were not compared" in str(report)


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
    ("folder", "cosine", "least"),
    [
        ("camvid/val", 0.97, 0.7),
        ("cartucho-map", 0.85, 0.2),
        ("imagededup-tests", 0.97, 0.5),
    ],
    ids=["a video", "frames of a robot", "variants of images"],
)
def test_a_random_split_leaks_and_ours_does_not(dataset, shared, folder, cosine, least):
    es.sync(shared / "data" / folder, dataset)
    es.embed(dataset, str(shared / "models/tinyclip_lit_mnv2"))
    test = _at_random(dataset)
    found = es.leaks(dataset, split="random", near_duplicates=cosine)
    near = {leak.test_id for leak in found if leak.why == "near-duplicate"}
    assert near == _close(dataset, test, cosine)
    assert len(near) >= least * len(test)
    report = _split(dataset, cosine)
    assert report.frame.at["everything", "got"] >= 0.2
    assert es.leaks(dataset, near_duplicates=cosine) == report.leaks == []
