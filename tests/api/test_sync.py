import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import fiftyone as fo
import pandas as pd
import pytest
from fiftyone.operators.store import ExecutionStore
from PIL import Image

import evalsets as es
from evalsets.api import sync
from evalsets.api.sync import last_sync
from evalsets.datasets import locks
from evalsets.datasets.locks import STORE, SYNCING
from evalsets.datasets.runs import load_results
from evalsets.errors import ArgumentError, LockedError, NameTakenError, NoImagesError

pytestmark = pytest.mark.db


def test_every_image_becomes_a_sample_with_its_size(drawn, world):
    paths = sorted(str(path) for path in world.glob("*.jpg"))
    assert sorted(drawn.values("filepath")) == paths
    assert set(drawn.values("metadata.width")) == {288}
    assert drawn.persistent


def test_a_label_column_becomes_the_ground_truth_and_others_fields(drawn, labels):
    row = labels.iloc[3]
    sample = drawn.match(fo.ViewField("filepath").ends_with(row.filepath)).first()
    assert sample.ground_truth.label == row.label
    assert sample.num_people == row.num_people
    assert sample.time == row.time
    assert isinstance(drawn.get_field("num_people"), fo.IntField)


def test_a_sync_says_which_fields_the_labels_fill(dataset, world, labels, caplog):
    caplog.set_level("INFO", "evalsets")
    table = labels[["filepath", "label", "time"]].astype(object)
    table.loc[:99, "time"] = None
    es.sync(world, dataset, labels=table)
    assert "Labels fill ground_truth (117), time (17 of 117)" in caplog.text


def test_labels_of_what_cannot_be_read_fill_nothing(dataset, tmp_path, caplog):
    caplog.set_level("INFO", "evalsets")
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"broken")
    table = pd.DataFrame({"filepath": ["a.png", "b.png"], "label": ["x", "y"]})
    es.sync(tmp_path, dataset, labels=table)
    assert "Labels fill ground_truth (1)" in caplog.text


@pytest.mark.parametrize("name", ["", " ", "!!"])
def test_what_can_name_no_dataset_is_told_before_anything(tmp_path, name):
    with pytest.raises(ArgumentError, match=rf"'{name}' cannot name a dataset; give 1"):
        es.sync(tmp_path / "nowhere", name)


def test_a_misspelt_column_of_labels_is_named(dataset, world, labels, caplog):
    es.sync(world, dataset, labels=labels.rename(columns={"label": "lable"}))
    assert "no column is called 'label'; did you mean 'lable'?" in caplog.text


def test_facts_that_follow_the_labels_are_not_said_to_lack_them(
    drawn, world, labels, caplog
):
    caplog.set_level("INFO", "evalsets")
    es.sync(world, drawn.name, labels=labels[["filepath", "time"]])
    assert "Labels fill time (117)" in caplog.text
    assert "but not ground_truth" not in caplog.text


def test_a_table_of_paths_alone_fills_no_field(dataset, world, labels, caplog):
    es.sync(world, dataset, labels=labels[["filepath"]])
    assert "Labels fill no field: no column is called 'label'" in caplog.text


def test_syncing_again_adds_only_what_is_new(drawn, world, tmp_path):
    before = drawn.values("id")
    es.sync(world, drawn.name)
    assert drawn.values("id") == before
    shutil.copy(next(world.glob("*.jpg")), tmp_path / "new.jpg")
    es.sync(tmp_path, drawn.name)
    assert len(drawn) == len(before) + 1


def test_syncs_at_the_same_time_add_each_image_once(dataset, world):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: es.sync(world, dataset.name), range(2)))
    paths = dataset.values("filepath")
    assert len(paths) == len(set(paths)) == len(list(world.glob("*.jpg")))


def test_while_images_are_added_others_compose_and_upload(dataset, world):
    seen = []

    def others(bar):
        if len(dataset) and not seen:
            seen.append(len(dataset))
            es.compose(dataset, es.Population("wide", "metadata.width > 100"))
            key = dataset.first().filepath
            es.upload_predictions(dataset, "net", {key: "left"})

    def look(bar):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(others, bar).result()

    es.sync(world, dataset.name, progress=look)
    n = len(list(world.glob("*.jpg")))
    assert len(dataset) == n
    assert seen
    dataset.reload()
    assert len(dataset.load_saved_view("wide")) == n
    assert dataset.count("pred_net") == 1


def test_a_sync_that_slept_while_another_took_over_adds_nothing_more(
    dataset, world, tmp_path, monkeypatch
):
    """The other adds the same images, which must not be there twice."""
    for image in sorted(world.glob("*.jpg"))[:2]:
        shutil.copy(image, tmp_path)
    store, described = ExecutionStore.create(STORE, dataset._doc.id), sync._metadata

    def describe_and_sleep(*args):
        store.set(SYNCING, {"host": "elsewhere", "pid": 1, "token": "x"})
        slept = time.time() + 700
        monkeypatch.setattr(locks.time, "time", lambda: slept)
        return described(*args)

    monkeypatch.setattr(sync, "_metadata", describe_and_sleep)
    with pytest.raises(LockedError, match="another writer"):
        es.sync(tmp_path, dataset)
    assert len(dataset) < 2  # the one in hand may be there


def test_unreadable_files_that_another_sync_met_meanwhile_stay_on_record(
    dataset, world, tmp_path, monkeypatch
):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        shutil.copy(next(world.glob("*.jpg")), folder / "good.jpg")
        (folder / "empty.jpg").touch()
    examined = sync._examined

    def late(*args):
        monkeypatch.setattr(sync, "_examined", examined)
        es.sync(second, dataset.name)
        return examined(*args)

    monkeypatch.setattr(sync, "_examined", late)
    es.sync(first, dataset.name)
    held = load_results(dataset, "sync", "sync", "quarantine")
    names = {str(folder / "empty.jpg") for folder in (first, second)}
    assert {name for name, _, _ in held} == names


def test_unreadable_images_are_left_out_named_and_kept_on_record(
    dataset, world, tmp_path, caplog
):
    shutil.copy(next(world.glob("*.jpg")), tmp_path / "good.jpg")
    (tmp_path / "empty.jpg").touch()
    whole = (tmp_path / "good.jpg").read_bytes()
    (tmp_path / "cut off.jpg").write_bytes(whole[: len(whole) // 2])
    es.sync(tmp_path, dataset)
    assert dataset.values("filepath") == [str(tmp_path / "good.jpg")]
    assert "empty.jpg: the file is empty" in caplog.text
    assert "cut off.jpg" in caplog.text
    skipped = last_sync(dataset).skipped
    assert set(skipped) == {str(tmp_path / "empty.jpg"), str(tmp_path / "cut off.jpg")}


def test_a_folder_of_broken_images_makes_no_dataset(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(NoImagesError, match=r"a\.jpg: the file is empty"):
        es.sync(tmp_path, "never made")
    assert not fo.dataset_exists("never made")


def test_labels_that_fit_no_image_make_no_dataset(world):
    with pytest.raises(ArgumentError, match="None of the 1 paths"):
        es.sync(world, "never made", labels=pd.DataFrame({"file": ["x.jpg"]}))
    assert not fo.dataset_exists("never made")


@pytest.mark.parametrize(
    "column",
    [
        *("split", "pred_a", "similar_a", "rank_a", "id", "tags", "_a", "a.b", "$"),
        *("dataset_id", "media_reference", "field_names"),
    ],
)
def test_a_column_of_a_reserved_name_is_refused_before_anything(world, labels, column):
    with pytest.raises(ArgumentError, match=r"rename it, for example to 'original_"):
        es.sync(world, "never made", labels=labels.rename(columns={"time": column}))
    assert not fo.dataset_exists("never made")


def test_two_columns_of_the_truth_are_refused_before_anything(world, labels):
    with pytest.raises(ArgumentError, match="'label' and 'ground_truth' would both"):
        es.sync(world, "never made", labels=labels.assign(ground_truth="x"))
    assert not fo.dataset_exists("never made")


def test_whole_numbers_that_the_database_cannot_hold_are_kept_as_text(
    dataset, world, labels
):
    es.sync(world, dataset, labels=labels.assign(code=2**64 - 1))
    assert set(dataset.values("code")) == {str(2**64 - 1)}


def test_a_table_cannot_move_samples_between_sides(drawn, world, labels):
    es.compose(drawn, es.Population("night", "time = 'night'", holdout=0.5))
    es.split(drawn)
    before = drawn.values("split")
    with pytest.raises(ArgumentError, match="original_split"):
        es.sync(world, drawn, labels=labels.assign(split="train"))
    assert drawn.values("split") == before


def test_a_field_that_someone_else_filled_is_kept(dataset, world, labels):
    es.sync(world, dataset)
    dataset.add_sample_field("time", fo.StringField)
    dataset.set_values("time", ["mine"] * len(dataset))
    with pytest.raises(NameTakenError, match="'time'"):
        es.sync(world, dataset, labels=labels)
    assert set(dataset.values("time")) == {"mine"}
    assert not dataset.has_field("ground_truth")


def test_a_column_synced_before_is_written_again(drawn, world, labels):
    es.sync(world, drawn, labels=labels.assign(time="noon", label="new"))
    assert set(drawn.values("time")) == {"noon"}
    assert set(drawn.values("ground_truth.label")) == {"new"}


@pytest.mark.parametrize(("kind", "first"), [(fo.IntField, 1), (fo.FloatField, 0.5)])
def test_whole_numbers_with_gaps_fit_a_field_of_numbers(
    dataset, world, labels, kind, first
):
    table = labels[["filepath"]]
    es.sync(world, dataset, labels=table.assign(n=first))
    some = table.assign(n=[2.0, None, *[4.0] * (len(table) - 2)])
    es.sync(world, dataset, labels=some)
    assert isinstance(dataset.get_field("n"), kind)
    assert sorted(set(dataset.values("n"))) == [first, 2, 4]


def test_a_column_of_another_kind_adds_nothing(dataset, world, labels):
    some = sorted(str(path) for path in world.glob("*.jpg"))[:3]
    es.sync(some, dataset, labels=labels)
    with pytest.raises(NameTakenError, match="'num_people'"):
        es.sync(world, dataset, labels=labels.assign(num_people="many"))
    assert len(dataset) == 3


def test_syncing_the_same_labels_again_changes_no_sample(drawn, world, labels):
    before = drawn.values(["ground_truth.id", "last_modified_at"])
    es.sync(world, drawn, labels=labels)
    assert drawn.values(["ground_truth.id", "last_modified_at"]) == before
