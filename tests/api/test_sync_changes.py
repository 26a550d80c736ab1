"""What ``sync`` does about files that change, move, vanish, come back, or are copies."""

import json
import shutil
import time
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

import evalsets as es
from evalsets.api.sync import last_sync
from evalsets.datasets.vectors import open_vectors
from evalsets.errors import ArgumentError, NameTakenError, NoImagesError

pytestmark = pytest.mark.db


def draw(path: Path, seed: int, size: tuple[int, int] = (32, 24)) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 255, (*size[::-1], 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=95)
    return path


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    for number in range(4):
        draw(folder / f"{number}.jpg", number)
    return folder


def ids(dataset) -> dict[str, str]:
    names = [Path(p).name for p in dataset.values("filepath")]
    return dict(zip(names, dataset.values("id"), strict=True))


def state(dataset, name: str):
    return dataset[ids(dataset)[name]]


def test_a_changed_file_keeps_its_sample_and_is_measured_again(dataset, folder):
    es.sync(folder, dataset)
    before = ids(dataset)
    draw(folder / "1.jpg", 100, (64, 48))
    es.sync(folder, dataset)
    assert ids(dataset) == before
    assert state(dataset, "1.jpg").metadata.width == 64
    assert state(dataset, "0.jpg").metadata.width == 32


def test_a_changed_file_loses_vector_tags_and_scores_until_they_are_made_again(
    dataset, folder, encoder
):
    es.sync(folder, dataset)
    es.embed(dataset, encoder)
    es.tag(dataset, [{"statistics": {}}])
    es.compose(dataset, es.Population("alike", "text('a road') > -1"))
    bright = dict(zip(dataset.values("id"), dataset.values("brightness"), strict=True))
    changed = ids(dataset)["2.jpg"]
    Image.new("RGB", (32, 24), "white").save(folder / "2.jpg")
    es.sync(folder, dataset)
    assert changed not in open_vectors(dataset)
    assert len(open_vectors(dataset)) == 3
    now = dict(zip(dataset.values("id"), dataset.values("brightness"), strict=True))
    assert now == {**bright, changed: None}
    assert changed not in es.search(dataset, "population('alike')").values("id")
    es.embed(dataset, encoder)
    es.tag(dataset, [{"statistics": {}}])
    assert dataset[changed].brightness == pytest.approx(1)
    assert changed in es.search(dataset, "population('alike')").values("id")


def test_a_prediction_of_a_photograph_that_changed_since_is_told(dataset, folder):
    es.sync(folder, dataset)
    truth = [fo.Classification(label="a") for _ in dataset]
    dataset.set_values("ground_truth", truth)
    for model in ("new", "old"):
        es.upload_predictions(dataset, model, ["a"] * 4)
    told = es.evaluate(dataset, "new", baseline="old", split=None)
    assert "changed after" not in str(told)
    time.sleep(1)  # an upload is dated to the second
    draw(folder / "1.jpg", 100)
    es.sync(folder, dataset)
    said = str(es.evaluate(dataset, "new", baseline="old", split=None))
    assert "1 sample has a photograph that was found changed after its pred" in said
    assert "found changed after the baseline's prediction" in said
    es.upload_predictions(dataset, "new", ["a"] * 4, overwrite=True)
    assert "changed after" not in str(es.evaluate(dataset, "new", split=None))


def test_a_file_that_was_only_touched_keeps_everything(dataset, folder, encoder):
    es.sync(folder, dataset)
    es.embed(dataset, encoder)
    (folder / "1.jpg").touch()
    es.sync(folder, dataset)
    assert len(open_vectors(dataset)) == 4


def test_a_moved_file_keeps_its_sample_its_side_and_its_vector(
    dataset, folder, encoder
):
    es.sync(folder, dataset)
    es.embed(dataset, encoder)
    es.compose(dataset, es.Population("wide", "metadata.width > 1", holdout=0.5))
    es.split(dataset)
    before, sides = ids(dataset), dataset.values("split")
    (folder / "deep").mkdir()
    (folder / "3.jpg").rename(folder / "deep" / "moved.jpg")
    es.sync(folder, dataset)
    assert ids(dataset)["moved.jpg"] == before["3.jpg"]
    assert dataset.values("split") == sides
    assert len(dataset) == len(open_vectors(dataset)) == 4
    assert dataset.values("vanished") == [False] * 4


def test_a_vanished_file_is_marked_not_deleted_and_comes_back(dataset, folder):
    es.sync(folder, dataset)
    content = (folder / "0.jpg").read_bytes()
    (folder / "0.jpg").unlink()
    es.sync(folder, dataset)
    assert len(dataset) == 4
    assert len(es.search(dataset, "vanished")) == 1
    assert state(dataset, "0.jpg").vanished
    (folder / "0.jpg").write_bytes(content)
    es.sync(folder, dataset)
    assert len(es.search(dataset, "vanished")) == 0
    assert len(dataset) == 4


def test_the_copy_of_a_file_that_has_vanished_is_no_copy(dataset, folder):
    (folder / "copy.jpg").write_bytes((folder / "0.jpg").read_bytes())
    es.sync(folder, dataset)
    content, first = (folder / "0.jpg").read_bytes(), ids(dataset)["0.jpg"]
    seen = [first, None, first]
    for change in (
        lambda: None,
        (folder / "0.jpg").unlink,
        lambda: (folder / "0.jpg").write_bytes(content),
    ):
        change()
        es.sync(folder, dataset)
        once = es.search(dataset, "duplicate_of IS NULL AND NOT vanished")
        assert len(once) == 4
        assert state(dataset, "copy.jpg").duplicate_of == seen.pop(0)
        assert state(dataset, "0.jpg").duplicate_of is None
    (folder / "copy.jpg").unlink()
    es.sync(folder, dataset)
    assert dataset.values("duplicate_of") == [None] * 5
    assert last_sync(dataset).duplicates == 0


def test_files_that_are_no_image_by_name_are_counted(dataset, folder, caplog):
    caplog.set_level("INFO", "evalsets")
    (folder / "0.jpg").rename(folder / "0.jfif")
    (folder / ".hidden").touch()
    (folder / "labels.csv").write_text("filepath\n")
    es.sync(folder, dataset)
    assert last_sync(dataset).others == 2
    assert "2 files are no image by name" in caplog.text


def test_annotations_of_an_image_without_pixels_are_refused(dataset, folder, tmp_path):
    image = {"id": 1, "file_name": "0.jpg", "width": 0, "height": 5}
    box = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}
    coco = {"images": [image], "categories": [{"id": 1, "name": "x"}]}
    (tmp_path / "coco.json").write_text(json.dumps({**coco, "annotations": [box]}))
    with pytest.raises(ArgumentError, match=r"image '0.jpg' is 0 × 5 pixels"):
        es.sync(folder, dataset, labels=tmp_path / "coco.json")
    assert len(dataset) == 0


def test_a_folder_says_nothing_of_files_beside_it(dataset, folder, tmp_path):
    draw(tmp_path / "photos too" / "9.jpg", 9)
    es.sync(folder, dataset)
    es.sync(tmp_path / "photos too", dataset)
    es.sync([folder / "1.jpg"], dataset)
    assert dataset.values("vanished") == [False] * 5


def test_a_folder_that_is_gone_or_empty_marks_nothing(dataset, folder):
    es.sync(folder, dataset)
    away = folder.rename(folder.with_name("away"))
    with pytest.raises(NoImagesError):
        es.sync(folder, dataset)
    folder.mkdir()
    with pytest.raises(NoImagesError):
        es.sync(folder, dataset)
    assert dataset.values("vanished") == [False] * 4
    assert away.is_dir()


def test_a_copy_names_the_sample_that_was_there_first(dataset, folder):
    es.sync(folder, dataset)
    shutil.copy(folder / "2.jpg", folder / "a copy.jpg")
    es.sync(folder, dataset)
    assert len(dataset) == 5
    assert state(dataset, "a copy.jpg").duplicate_of == ids(dataset)["2.jpg"]
    draw(folder / "a copy.jpg", 55)
    es.sync(folder, dataset)
    assert dataset.values("duplicate_of") == [None] * 5


def test_an_unreadable_file_waits_until_it_changes(dataset, folder, caplog):
    (folder / "late.jpg").write_bytes(b"")
    es.sync(folder, dataset)
    assert "late.jpg: the file is empty" in caplog.text
    caplog.clear()
    es.sync(folder, dataset)
    assert "WARNING" not in caplog.text
    draw(folder / "late.jpg", 77)
    es.sync(folder, dataset)
    assert "late.jpg" in ids(dataset)
    assert last_sync(dataset).skipped == {}


def test_a_file_that_breaks_keeps_its_sample_and_is_named(dataset, folder, caplog):
    es.sync(folder, dataset)
    (folder / "1.jpg").write_bytes(b"")
    es.sync(folder, dataset)
    assert "1.jpg: the file is empty" in caplog.text
    assert state(dataset, "1.jpg").metadata.width == 32


def test_folders_may_be_the_labels(dataset, tmp_path):
    for label in ("cat", "dog"):
        draw(tmp_path / label / f"{label}.jpg", len(label) + ord(label[0]))
    es.sync(tmp_path, dataset, labels="folders")
    labels = [sample.ground_truth.label for sample in dataset]
    assert sorted(labels) == ["cat", "dog"]


def test_coco_annotations_become_boxes(dataset, folder):
    annotations = {
        "images": [{"id": 7, "file_name": "1.jpg", "width": 32, "height": 24}],
        "categories": [{"id": 3, "name": "person"}],
        "annotations": [
            {"image_id": 7, "category_id": 3, "bbox": [8, 6, 16, 12], "area": 100}
        ],
    }
    (folder / "truth.json").write_text(json.dumps(annotations))
    es.sync(folder, dataset, labels=folder / "truth.json")
    (box,) = state(dataset, "1.jpg").ground_truth.detections
    assert box.label == "person"
    assert box.bounding_box == [0.25, 0.25, 0.5, 0.5]
    assert state(dataset, "0.jpg").ground_truth is None


IMAGE = {"id": 7, "file_name": "1.jpg", "width": 32, "height": 24}
BOX = {"image_id": 7, "category_id": 3, "bbox": [8, 6, 16, 12]}


def annotated(folder, images, annotations):
    content = {"categories": [{"id": 3, "name": "person"}]}
    content |= {"images": images, "annotations": annotations}
    (folder / "truth.json").write_text(json.dumps(content), encoding="utf-8-sig")
    return folder / "truth.json"


@pytest.mark.parametrize(
    ("images", "annotations", "said"),
    [
        ([IMAGE, IMAGE | {"file_name": "0.jpg"}], [BOX], "has the id '7'"),
        (
            [IMAGE, IMAGE | {"id": 8}],
            [BOX, BOX | {"image_id": 8}],
            "more than one image has the file '.*1.jpg'",
        ),
        ([IMAGE], [BOX | {"bbox": [float("nan"), 6, 16, 12]}], "has a box .nan"),
        ([IMAGE], [BOX | {"bbox": [8, 6, -16, 12]}], "'1.jpg' has a box .8, 6, -16"),
    ],
)
def test_annotations_that_would_double_or_spoil_boxes_are_refused(
    dataset, folder, images, annotations, said
):
    with pytest.raises(ArgumentError, match=said):
        es.sync(folder, dataset, labels=annotated(folder, images, annotations))
    assert not len(dataset)


def test_annotated_images_that_the_source_lacks_are_counted(dataset, folder, caplog):
    images = [IMAGE, {**IMAGE, "id": 8, "file_name": "elsewhere.jpg"}]
    es.sync(folder, dataset, labels=annotated(folder, images, [BOX]))
    assert len(state(dataset, "1.jpg").ground_truth.detections) == 1
    assert "1 of 2 images" in caplog.text
    assert "'elsewhere.jpg'" in caplog.text


def test_a_parquet_table_is_as_good_as_csv(dataset, folder):
    import pandas as pd

    table = pd.DataFrame({"filepath": ["0.jpg"], "label": ["x"], "lux": [4.5]})
    table.to_parquet(folder / "labels.parquet")
    es.sync(folder, dataset, labels=folder / "labels.parquet")
    assert state(dataset, "0.jpg").lux == 4.5


def test_a_user_field_of_our_name_is_refused_before_anything(dataset, folder):
    import fiftyone as fo

    dataset.add_sample_field("vanished", fo.BooleanField)
    with pytest.raises(NameTakenError, match="vanished"):
        es.sync(folder, dataset)
    assert len(dataset) == 0
