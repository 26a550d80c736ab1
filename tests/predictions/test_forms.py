"""Sets of labels, ranked labels, numbers and masks become checked tables."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evalsets.errors import PredictionsError, UnknownNameError
from evalsets.predictions import (
    ClassificationTable,
    Keys,
    LabelsTable,
    MaskTable,
    NumberTable,
    Placing,
    read_tables,
)

BOX = {"label": "car", "bbox": [1, 1, 9, 9], "score": 0.5}


def read(source, **options):
    (table,) = read_tables(source, **options)
    return table


def test_sets_of_labels_come_in_many_forms(tmp_path):
    (tmp_path / "p.csv").write_text("id,labels\na,cat|dog\nb,\n")
    for source in (
        {"a": ["cat", "dog"], "b": []},
        [{"id": "a", "labels": ["cat", "dog"]}, {"id": "b", "labels": []}],
        tmp_path / "p.csv",
    ):
        table = read(source)
        assert isinstance(table, LabelsTable)
        assert table.labels == [{"cat": None, "dog": None}, {}]
    scored = [
        {
            "a": [
                {"label": "cat", "confidence": 0.9},
                {"label": "dog", "confidence": 0.2},
            ]
        },
        {"a": [("cat", 0.9), ("dog", 0.2)]},
        {"a": {"cat": 0.9, "dog": 0.2}},
        pd.DataFrame({"id": ["a"], "cat": [0.9], "dog": [0.2]}),
    ]
    for source in scored:
        table = read(source, task="multilabel")
        assert table.labels == [{"cat": 0.9, "dog": 0.2}], source
    assert table.classes == ("cat", "dog")


def test_ranked_labels_are_a_classification(tmp_path):
    (tmp_path / "p.csv").write_text('id,prediction,top5\na,cat,"cat|dog, big"\n')
    table = read(tmp_path / "p.csv")
    assert isinstance(table, ClassificationTable)
    assert (table.labels, table.ranked) == (["cat"], [["cat", "dog, big"]])
    table = read({"a": [("cat", 0.9), ("dog", 0.1)]})
    assert (table.labels, table.ranked) == (["cat"], [["cat", "dog"]])
    assert table.confidences.tolist() == [0.9]
    with pytest.raises(PredictionsError, match="likeliest first"):
        read({"a": [("cat", 0.1), ("dog", 0.9)]})


def test_numbers_are_a_regression():
    for source in (
        {"a": 1.5, "b": 2.0},
        {"a": np.float64(1.5), "b": 2.0},
        [{"id": "a", "value": 1.5}, {"id": "b", "value": 2}],
    ):
        table = read(source)
        assert isinstance(table, NumberTable)
        assert table.values.tolist() == [1.5, 2.0]
    table = read(
        pd.DataFrame({"id": ["a"], "Loss": [3], "other": [4]}),
        score="loss",
    )
    assert table.values.tolist() == [3]
    assert table.task == "scores"


def test_masks_are_arrays_or_files(tmp_path):
    mask = np.array([[0, 300, 2]])
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(tmp_path / "m.png")
    table = read({"a": mask})
    assert isinstance(table, MaskTable)
    assert table.masks[0].tolist() == mask.tolist()
    (tmp_path / "p.csv").write_text("id,mask_path\na,m.png\n")
    for source in (tmp_path / "p.csv", {"a": str(tmp_path / "m.png")}):
        table = read(source, task="segmentation")
        assert table.masks == [str(tmp_path / "m.png")]
        assert table.sizes.tolist() == [[6, 4]]
    placing = Placing(Keys(["a"]), np.array([[6.0, 5.0]]))
    with pytest.raises(PredictionsError, match="6 × 4 pixels, its image 6 × 5; resize"):
        placing.place(table)


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        ({"a": {"cat": 1.5}}, {"task": "multilabel"}, "softmax or sigmoid"),
        ({"a": ["cat", ("dog", 0.5)]}, {}, "give all or none"),
        ({"a": [("cat", "high")]}, {"task": "multilabel"}, "is no number"),
        ({"a": [7.5]}, {}, "give a text, "),
        ({"a": [None]}, {"task": "multilabel"}, "A label of 'a' is empty|is None"),
        ({"a": ["cat", ""]}, {}, "A label of 'a' is empty"),
        ({"a": [(None, 0.5)]}, {"task": "multilabel"}, "A label of 'a' is empty"),
        ({"a": [{"label": None}]}, {"task": "multilabel"}, "A label of 'a' is empty"),
        (
            {"a": [("cat", 0.9), (None, 0.1)]},
            {},
            "A label of 'a' is empty|lists a None",
        ),
        ({"a": "cat", "b": [BOX]}, {}, "'b' lists a dict, and others are labels"),
        ({"a": ["cat"], "b": [BOX]}, {}, "A label of 'b' is {'label'"),
        ({"a": "cat", "b": BOX}, {}, "'b' is a box; give every key a list"),
        ({"a": ""}, {}, "'label' is empty"),
        ({"a": ["cat"]}, {"classes": ["dog"]}, "not among the classes: 'cat'"),
        ({"a": 1.5, "b": np.nan}, {}, "not a finite number.*first at key 'b'"),
        ({"a": 1.5, "b": "x"}, {}, "not a finite number"),
        ({"a": np.zeros((2, 2, 3))}, {}, "give .height, width., for scores"),
        ({"a": np.full((2, 2), 0.5)}, {}, "whole numbers"),
        ({"a": [[1, 2], [3]]}, {}, "rows of the mask of 'a' differ in length"),
        ({"a": None}, {"task": "segmentation"}, "mask of 'a' is None; give an array"),
        ({"a": np.full((2, 2), -1)}, {}, "from 0 to"),
        ({"a": "gone.png"}, {"task": "segmentation"}, "check the path"),
        (
            pd.DataFrame({"id": ["a"], "x": [1], "y": [2]}),
            {"task": "regression"},
            "call it 'value'",
        ),
        ([{"id": "a", "label": "cat"}], {"task": "segmentation"}, "no column 'mask'"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_the_reason(source, options, said):
    with pytest.raises(PredictionsError, match=said):
        read(source, **options)


def test_masks_with_colours_are_refused(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "m.png")
    with pytest.raises(PredictionsError, match="one channel"):
        read({"a": str(tmp_path / "m.png")}, task="segmentation")


def test_a_mask_in_postscript_is_refused(postscript):
    with pytest.raises(PredictionsError, match="PostScript"):
        read({"a": str(postscript)}, task="segmentation")


def test_an_unknown_task_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'detection'"):
        read({"a": "cat"}, task="detections")
