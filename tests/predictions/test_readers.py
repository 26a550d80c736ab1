"""Every form of predictions becomes the same table, or one clear error."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.errors import PredictionsError
from evalsets.predictions import (
    ClassificationTable,
    DetectionTable,
    UploadReport,
    read_tables,
)

ROWS = [
    {"file": "a.jpg", "label": "cat", "confidence": 0.75},
    {"file": "b.jpg", "label": "dog", "confidence": 0.5},
]
NAMES = {1: "cat", 7: "dog"}
COCO = [
    {"image_id": 4, "category_id": 7, "bbox": [10, 20, 30, 40], "score": 0.5},
    {"image_id": 4, "category_id": 1, "bbox": [0, 0, 300, 400], "score": 0.25},
    {"image_id": 2, "category_id": 1, "bbox": [5, 5, 20, 20], "score": 1.0},
]


def read_predictions(source, **options):
    (table,) = read_tables(source, **options)
    return table


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def sources(folder):
    frame = pd.DataFrame(ROWS)
    frame.to_csv(folder / "p.csv", index=False)
    write(folder / "p.json", json.dumps(ROWS))
    write(folder / "keyed.json", json.dumps({r["file"]: r for r in ROWS}))
    write(folder / "p.jsonl", "\n".join(map(json.dumps, ROWS)) + "\n")
    np.savez(
        folder / "p.npz",
        filepath=np.array(["a.jpg", "b.jpg"]),
        label=np.array(["cat", "dog"]),
        confidence=np.array([0.75, 0.5]),
    )
    files = [folder / n for n in ("p.csv", "p.json", "keyed.json", "p.jsonl", "p.npz")]
    return [
        ROWS,
        frame,
        frame.set_index("file"),
        {"a.jpg": ("cat", 0.75), "b.jpg": ("dog", 0.5)},
        {r["file"]: {k: v for k, v in r.items() if k != "file"} for r in ROWS},
        *files,
        str(files[0]),
    ]


def test_all_forms_of_the_same_predictions_read_the_same(tmp_path):
    for source in sources(tmp_path):
        table = read_predictions(source)
        assert isinstance(table, ClassificationTable)
        assert table.keys == ["a.jpg", "b.jpg"], source
        assert table.labels == ["cat", "dog"]
        assert table.confidences.tolist() == [0.75, 0.5]
        assert table.probabilities is None


def test_labels_alone_have_no_confidence():
    table = read_predictions({"a": "cat", "b": 3})
    assert table.labels == ["cat", "3"]
    assert table.confidences is None


def test_empty_cells_are_no_confidences(tmp_path):
    none = pd.DataFrame({"id": ["a"], "label": ["cat"], "confidence": [None]})
    none.astype({"confidence": "Float64"}).to_parquet(tmp_path / "p.parquet")
    for source in (
        none,
        none.astype({"confidence": "Float64"}),
        {"a": {"label": "cat", "confidence": None}},
        write(tmp_path / "p.csv", "id,label,confidence\na,cat,\n"),
        write(tmp_path / "p.json", '[{"id": "a", "label": "cat", "confidence": null}]'),
        tmp_path / "p.parquet",
    ):
        assert read_predictions(source).confidences is None, source
    assert read_predictions(none).blank == "confidence"
    assert read_predictions({"a": ("cat", None)}).blank == ""  # not given either


def test_arrays_of_columns_are_read_like_those_of_rows(tmp_path):
    shares = np.random.default_rng(0).dirichlet(np.ones(3), 70_000)
    keys = np.arange(len(shares)).astype(str)
    for name, array in (("rows", shares), ("columns", np.asfortranarray(shares))):
        given = {"id": keys, "probabilities": array, "classes": list("abc")}
        np.savez(tmp_path / f"{name}.npz", **given)
    rows, columns = (
        [t.probabilities for t in read_tables(tmp_path / f"{name}.npz")]
        for name in ("rows", "columns")
    )
    assert len(rows) > 1
    np.testing.assert_array_equal(np.vstack(columns), shares)
    np.testing.assert_array_equal(np.vstack(rows), shares)


def test_bytes_are_the_text_they_hold(tmp_path):
    np.savez(tmp_path / "p.npz", id=np.array([b"a"]), label=np.array([b"cat"]))
    frame = pd.DataFrame({"id": [b"a"], "label": [b"cat"]})
    frame.to_parquet(tmp_path / "p.parquet")
    for source in (tmp_path / "p.npz", tmp_path / "p.parquet", frame):
        table = read_predictions(source)
        assert (table.keys, table.labels) == (["a"], ["cat"])


def test_columns_of_classes_give_label_and_confidence():
    frame = pd.DataFrame({"id": ["x", "y"], "cat": [0.9, 0.25], "dog": [0.1, 0.75]})
    table = read_predictions(frame)
    assert table.labels == ["cat", "dog"]
    assert table.confidences.tolist() == [0.9, 0.75]
    assert table.classes == ("cat", "dog")
    assert read_predictions(frame.set_index("id").T.to_dict()).labels == table.labels


def test_an_uploaded_label_wins_over_the_likeliest_class():
    rows = [{"id": "x", "prediction": "dog", "cat": 0.6, "dog": 0.4}]
    table = read_predictions(rows, key="id")
    assert table.labels == ["dog"]
    assert table.confidences.tolist() == [0.4]


def test_columns_that_are_no_class_are_left_alone():
    rows = [{"id": "x", "label": "cat", "latency_ms": 31.5, "note": "fine"}]
    assert read_predictions(rows).probabilities is None
    rows = [{"id": "x", "cat": 0.5, "dog": 0.5, "latency_ms": 31.5}]
    table = read_predictions(rows, classes=["cat", "dog"])
    assert table.classes == ("cat", "dog")


def test_classes_called_none_or_na_survive_a_csv(tmp_path):
    path = write(tmp_path / "p.csv", "id,label\n007,None\n08,NA\n")
    table = read_predictions(path)
    assert table.keys == ["007", "08"]
    assert table.labels == ["None", "NA"]


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
        st.tuples(st.sampled_from(["cat", "", "NA", 'a,"b"']), st.floats(0, 1)),
        min_size=1,
    )
)
def test_a_table_survives_csv_or_is_refused_whole(tmp_path_factory, predictions):
    path = tmp_path_factory.mktemp("csv") / "p.csv"
    rows = [(k, label, c) for k, (label, c) in predictions.items()]
    pd.DataFrame(rows, columns=["key", "label", "confidence"]).to_csv(path, index=False)
    if any(label == "" for _, label, _ in rows):
        with pytest.raises(PredictionsError, match="'label' is empty"):
            read_predictions(path)
        return
    table = read_predictions(path)
    assert table.keys == list(predictions)
    assert list(zip(table.labels, table.confidences, strict=True)) == [
        (label, c) for _, label, c in rows
    ]


def frame(**columns):
    return pd.DataFrame({"key": ["a", "b"], **columns})


CAT = ["cat", "cat"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({}, "empty"),
        ([], "empty"),
        (pd.DataFrame(columns=["key", "label"]), "empty"),
        (
            pd.DataFrame({"key": ["a", "a"], "label": CAT}),
            "more than once, such as 'a'",
        ),
        (frame(label=["cat", None]), "first at key 'b'"),
        (frame(label=CAT, confidence=[0.5, np.nan]), "'confidence' is not a number"),
        (frame(label=CAT, confidence=[np.nan, np.nan]), "'confidence' is not a number"),
        (frame(label=CAT, confidence=["high", "low"]), "'confidence' is not a number"),
        (frame(label=CAT, confidence=[0.5, 93.0]), "divide percents by 100"),
        (frame(label=CAT, confidence=[0.5, -3.0]), "softmax or sigmoid"),
        (frame(cat=[2.5, 0.1], dog=[-1.5, 0.9]), "look like logits"),
        (frame(cat=[90.0, 10.0], dog=[10.0, 90.0]), "divide percents by 100"),
        (frame(cat=[0.9, 0.1], dog=[0.9, 0.9]), "sum to 1.8, not 1"),
        (frame(cat=[0.9, np.nan], dog=[0.1, 0.9]), "not a number"),
        (frame(), "neither a column 'label'"),
        (frame(lable=CAT, confidence=[0.5, 0.4]), "rename 'lable' if it is meant"),
        (frame(lable=CAT, confidence=[0.5, 0.4], rank=[1, 2]), "rename 'lable'"),
        (frame(thing=CAT, confidence=[0.5, 0.4]), "rename the column of labels"),
        (pd.DataFrame({"thing": ["a"], "label": ["cat"]}), "no column of keys"),
        ({"a": ("cat", 0.5, 3)}, "3 parts"),
        ({"a": None}, "empty"),
        (7, "cannot be a int"),
        (np.array(7), "cannot be a ndarray"),
        ([{"key": "a", "label": "cat"}, 5], "A row is 5; give each as an object"),
        ("nowhere.csv", "no file"),
        (str(Path(__file__).parent), "is a folder; give the path of a file"),
        (pd.DataFrame({"id;label": ["a;cat"]}), "separated by ';', write commas"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_the_reason(source, said):
    with pytest.raises(PredictionsError, match=said):
        read_predictions(source)


def test_labels_outside_the_classes_are_refused():
    with pytest.raises(PredictionsError, match="'cow'"):
        read_predictions({"a": "cat", "b": "cow"}, classes=["cat", "dog"])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.json", '[{"key": "a", "label": "ca', "cut off"),
        ("p.json", "[1, 2]", "A row is 1; give each as an object"),
        ("p.json", '{"a": "cat", "a": "dog"}', "more than once, such as 'a'"),
        ("p.jsonl", '{"key": "a", "label": "cat"}\n{"key": "b", "la', "Line 2"),
        ("p.csv", 'key,label\na,cat\nb,"do', "cut off"),
        ("p.csv", "key,label,confidence\na,cat,0.5\nb,dog", "'confidence'"),
        ("p.csv", "key,label,confidence\na,cat,nan\n", "'confidence' is not a number"),
        ("p.csv", "key,label\na,cat,0.5\n", "more values than its header"),
        ("p.csv", "", "^'p.csv' is empty; there is nothing to upload$"),
        ("p.csv", "\n\n", "'p.csv' is empty"),
        ("p.json", "[" * 100_000, "cut off"),
        ("p.npz", "not a zip", "cannot be read"),
        ("p.parquet", "PAR1 and no more", "cannot be read"),
        ("p.xlsx", "x", "convert it"),
    ],
)
def test_a_broken_file_is_refused(tmp_path, name, text, said):
    with pytest.raises(PredictionsError, match=said):
        read_predictions(write(tmp_path / name, text))


def test_coco_results_become_boxes_by_image(tmp_path):
    for source in (COCO, write(tmp_path / "r.json", json.dumps(COCO))):
        table = read_predictions(source, classes=NAMES)
        assert isinstance(table, DetectionTable)
        assert table.keys == ["4", "2"]
        assert table.image.tolist() == [0, 0, 1]
        assert table.labels == ["dog", "cat", "cat"]
        assert table.boxes[0].tolist() == [10, 20, 30, 40]
        assert not table.relative


def test_coco_annotations_name_categories_and_files(tmp_path):
    truth = {
        "images": [
            {"id": 4, "file_name": "four.jpg"},
            {"id": 2, "file_name": "two.jpg"},
        ],
        "categories": [{"id": k, "name": v} for k, v in NAMES.items()],
    }
    path = write(tmp_path / "truth.json", json.dumps(truth))
    table = read_predictions(COCO, classes=path)
    assert table.keys == ["four.jpg", "two.jpg"]
    with pytest.raises(PredictionsError, match="holds COCO annotations"):
        read_predictions({**truth, "annotations": []})


def test_results_without_a_box_are_an_answer_where_they_are_said_to_be(tmp_path):
    empty = write(tmp_path / "r.json", " []\n")
    categories = [{"id": k, "name": v} for k, v in NAMES.items()]
    truth = {"images": [], "categories": categories, "annotations": []}
    path = write(tmp_path / "truth.json", json.dumps(truth))
    for source in ([], empty):
        for options in ({"task": "detection"}, {"classes": path}):
            table = read_predictions(source, **options)
            assert isinstance(table, DetectionTable)
            assert (table.keys, table.partial) == ([], True)
        with pytest.raises(PredictionsError, match="empty"):
            read_predictions(source)
    for nothing in ({}, write(tmp_path / "none.json", "{}")):
        with pytest.raises(PredictionsError, match="empty"):
            read_predictions(nothing, task="detection")


def test_pixels_become_shares_of_the_image():
    table = read_predictions(COCO, classes=NAMES)
    relative = table.relative_to([[600, 800], [50, 100]])
    assert relative.relative
    assert relative.boxes[1].tolist() == [0, 0, 0.5, 0.5]
    assert relative.boxes[2].tolist() == [0.1, 0.05, 0.4, 0.2]
    with pytest.raises(
        PredictionsError, match="1 box lies outside the image, the first in '2'"
    ):
        table.relative_to([[600, 800], [5, 5]])


def test_lists_of_boxes_keep_images_without_any():
    box = {"label": "cat", "bounding_box": [0.1, 0.1, 0.5, 0.5], "confidence": 0.5}
    table = read_predictions({"a": [box], "b": []})
    assert table.keys == ["a", "b"]
    assert table.image.tolist() == [0]
    assert table.relative


def box(**changes):
    made = {"label": "cat", "bbox": [10, 10, 50, 50], "score": 0.5} | changes
    return {"a": [{k: v for k, v in made.items() if v is not None}]}


@pytest.mark.parametrize(
    ("source", "classes", "said"),
    [
        (box(bbox=[10, 10, -5, 50]), None, "negative width"),
        (box(bbox=[10, 10, 50]), None, "give 4 numbers"),
        (box(bbox=[0.1, 0.1, 0.5, 0.5]), None, "relative boxes under"),
        (box(bbox=None, bounding_box=[10, 10, 50, 50]), None, "pixels go under 'bbox'"),
        (
            box(bbox=None, bounding_box=[1.5, 1.5, 0.2, 0.2]),
            None,
            "wholly outside.*'a'",
        ),
        (box(bbox=None, bounding_box=[-0.5, 0, 0.2, 0.2]), None, "wholly outside"),
        ({"a": [{**box()["a"][0], "label": None}]}, None, "A label of 'a' is empty"),
        (box(bbox=[np.nan, 1, 50, 50]), None, "not a number"),
        (box(score=1.5), None, "outside"),
        (box(score=None), None, "no 'score'"),
        (box(label=None), None, "no 'label'"),
        (box(), ["dog"], "'cat'"),
        ({"a": box()["a"], "b": "cat"}, None, "give a list of boxes"),
        (COCO, None, "names of their categories"),
        (COCO, {1: "cat"}, "no name: '7'"),
        (COCO, "gone.json", "^There is no file 'gone.json'; check the path$"),
        ([{"image_id": 1, "bbox": [1, 1, 9, 9]}], NAMES, "no 'category_id'"),
        ([COCO[0], 5], NAMES, "A row is 5"),
        ([COCO[0] | {"image_id": [4]}], NAMES, r"image id \[4\] is neither a number"),
        ([COCO[0] | {"category_id": 7.5}], NAMES, "7.5 is no whole number"),
        (COCO, {"cat": 1}, "'cat' is no whole number"),
    ],
)
def test_boxes_that_cannot_be_taken_are_refused(source, classes, said):
    with pytest.raises(PredictionsError, match=said):
        read_predictions(source, classes=classes)


def test_an_upload_report_says_what_is_missing():
    report = UploadReport("net", "predictions_net", "classification", 8, 2, ("a", "b"))
    assert str(report) == "net: 8 samples have a prediction, 2 have none ('a', 'b')"


def test_an_upload_report_names_classes_that_are_not_in_the_truth():
    report = UploadReport(
        *("net", "pred_net", "classification", 1, 1, ("a",)),
        truth="ground_truth",
        strange_labels=("cow",),
    )
    assert str(report) == (
        "net: 1 sample has a prediction, 1 has none ('a'); 1 of its classes is nowhere "
        "in 'ground_truth': 'cow'"
    )


@pytest.mark.shared
def test_real_predictions_read_as_their_files_say(shared):
    folder = shared / "data" / "cifar10-test"
    table = read_predictions(folder / "predictions_resnet20.csv")
    labels = pd.read_csv(folder / "labels.csv")
    assert table.keys == list(labels["file"])
    assert len(table.classes) == 10
    assert (np.array(table.labels) == labels["label"]).mean() == pytest.approx(0.8096)


@pytest.mark.shared
def test_real_detections_read_with_their_file_names(shared):
    folder = shared / "data" / "coco128-train2017"
    table = read_predictions(
        folder / "detections_yolox.json", classes=folder / "annotations_coco.json"
    )
    assert len(table.boxes) == 2093
    assert len(table) == 126
    assert table.keys[0] == "000000000009.jpg"
