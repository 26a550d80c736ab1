import shutil
from pathlib import Path

import pytest

import evalsets as es
from evalsets.api.watch import watch
from evalsets.datasets.vectors import open_vectors
from evalsets.encoders import batches
from evalsets.errors import ArgumentError, NoImagesError

pytestmark = pytest.mark.db


def test_new_data_is_embedded_tagged_routed_and_split_by_itself(
    dataset, world, tmp_path, encoder, monkeypatch
):
    photos = sorted(world.glob("*.jpg"))
    for photo in photos[:20]:
        shutil.copy(photo, tmp_path)
    es.sync(tmp_path, dataset)
    real, decoded = batches.open_image, []
    monkeypatch.setattr(batches, "open_image", lambda p: decoded.append(p) or real(p))
    es.embed(dataset, encoder)
    es.tag(dataset, [{"statistics": {}}])
    es.compose(dataset, es.Population("bright", "brightness > 0", holdout=0.5))
    es.compose(dataset, es.Population("alike", "text('a road') > -1", holdout=0.2))
    es.split(dataset, val=0.0)
    tags = tmp_path / "tags.yml"
    tags.write_text("taggers:\n  - statistics: {}\n")

    decoded.clear()

    def more(_seconds: float) -> None:
        for photo in photos[20:30]:
            shutil.copy(photo, tmp_path)

    watch(tmp_path, dataset, every=1, tags=tags, rounds=2, pause=more)
    assert len(dataset) == 30
    assert sorted(map(Path, decoded)) == sorted(
        tmp_path / p.name for p in photos[20:30]
    )
    assert es.membership(dataset).sum().tolist() == [30, 30]
    assert set(dataset.values("split")) == {"train", "test"}


def test_a_dataset_without_vectors_gets_them_only_where_an_encoder_is_named(
    dataset, world, tmp_path, encoder
):
    for photo in sorted(world.glob("*.jpg"))[:3]:
        shutil.copy(photo, tmp_path)
    watch(tmp_path, dataset, rounds=1)
    assert not dataset.list_runs(method="evalsets/vectors")
    watch(tmp_path, dataset, encoder=encoder, rounds=2, pause=lambda _: None)
    assert len(open_vectors(dataset)) == 3


def test_a_source_that_fails_for_a_while_is_tried_again_ever_later(
    dataset, world, tmp_path, caplog
):
    folder = tmp_path / "mounted"
    folder.mkdir()
    photos = sorted(world.glob("*.jpg"))
    shutil.copy(photos[0], folder)
    away, waits = tmp_path / "away", []

    def unmount(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            folder.rename(away)
        if len(waits) == 3:
            away.rename(folder)
            shutil.copy(photos[1], folder)

    watch(folder, dataset, every=2, rounds=4, pause=unmount)
    assert waits == [2, 4, 8]
    assert "There is no folder" in caplog.text
    assert len(dataset) == 2
    assert dataset.values("vanished") == [False, False]


def test_a_first_round_that_fails_is_an_error(dataset, tmp_path):
    with pytest.raises(NoImagesError):
        watch(tmp_path, dataset, rounds=1)
    with pytest.raises(ArgumentError, match="seconds"):
        watch(tmp_path, dataset, every=0)
