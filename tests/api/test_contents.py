"""Files that a split knows by their content, or by their path where that is not known."""

import shutil

import fiftyone as fo
import pytest

import evalsets as es

pytestmark = pytest.mark.db


@pytest.fixture
def folder(world, tmp_path):
    """Twenty photographs."""
    for file in sorted(world.glob("*.jpg"))[:20]:
        shutil.copy(file, tmp_path / file.name)
    return tmp_path


@pytest.fixture
def synced(dataset, folder):
    """Split once, with eight in test."""
    es.sync(folder, dataset)
    _split(dataset)
    return dataset


def _split(dataset):
    es.compose(dataset, es.Population("all", "filepath IS NOT NULL", holdout=0.4))
    es.split(dataset)


def _add_others(dataset, world, folder):
    """Samples that are drawn in the place of those that are not known."""
    (folder / "more").mkdir()
    for file in sorted(world.glob("*.jpg"))[20:60]:
        shutil.copy(file, folder / "more" / file.name)
    dataset.add_samples([fo.Sample(str(p)) for p in (folder / "more").iterdir()])


def _delete_test(dataset):
    held_out = es.select(dataset, split="test")
    paths = held_out.values("filepath")
    dataset.delete_samples(held_out)
    return paths


def _sides(dataset):
    return dict(zip(*dataset.values(["filepath", "split"]), strict=True))


def test_moved_files_are_known(synced, folder):
    (folder / "elsewhere").mkdir()
    moved = []
    for path in _delete_test(synced):
        moved.append(str(folder / "elsewhere" / f"other {path.rpartition('/')[2]}"))
        shutil.move(path, moved[-1])
    es.sync(folder, synced)
    es.split(synced)
    assert {_sides(synced)[path] for path in moved} == {"test"}


def test_files_that_come_back_without_their_digest_are_known(synced, world, folder):
    gone = _delete_test(synced)
    synced.add_samples([fo.Sample(path) for path in gone])
    _add_others(synced, world, folder)
    es.split(synced, seed=7)
    assert {_sides(synced)[path] for path in gone} == {"test"}


def test_content_that_is_known_since_a_split_is_entered_with_the_next(
    dataset, world, folder
):
    dataset.add_samples([fo.Sample(str(path)) for path in sorted(folder.iterdir())])
    _split(dataset)
    es.sync(folder, dataset)
    es.split(dataset)
    renamed = []
    for path in _delete_test(dataset):
        renamed.append(f"{path}.renamed.jpg")
        shutil.move(path, renamed[-1])
    _add_others(dataset, world, folder)
    es.sync(folder, dataset)
    es.split(dataset, seed=4)
    assert {_sides(dataset)[path] for path in renamed} == {"test"}


def test_a_train_sample_that_gets_the_content_of_one_of_test_goes_to_quarantine(
    synced, folder
):
    train = es.select(synced, split="train").values("filepath")[0]
    gone = _delete_test(synced)
    shutil.move(gone[0], train)
    es.sync(folder, synced)
    (note,) = es.split(synced).notes
    assert "1 sample has now a file that had been in test" in note
    assert synced[train].id in note
    assert _sides(synced)[train] == "quarantine"
    assert {_sides(synced)[path] for path in gone[1:]} == {"test"}
    assert "its file now is one that was in test" in str(es.explain(synced, train))


def test_a_train_sample_that_gets_the_path_of_one_of_test_goes_to_quarantine(dataset):
    dataset.add_samples([fo.Sample(f"/data/{i}.jpg") for i in range(20)])
    _split(dataset)
    sample = es.select(dataset, split="train").first()
    gone = _delete_test(dataset)
    sample.filepath = gone[0]
    sample.save()
    es.split(dataset)
    assert _sides(dataset)[gone[0]] == "quarantine"
    note, *_ = es.split(dataset).notes
    assert "7 files are in test by the ledger" in note


def test_a_file_that_is_gone_is_told_by_its_path(synced):
    gone = _delete_test(synced)
    (note,) = es.split(synced).notes
    assert f"'{min(gone)}' for one" in note
