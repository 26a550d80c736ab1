"""Boxes: COCO results, and lists of boxes by key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from evalsets.errors import PredictionsError, counted
from evalsets.predictions.tables import (
    DetectionTable,
    Floats,
    are_outside,
    check_keys,
    check_labels,
    check_shares,
    examples,
    label_text,
    refuse,
)

_COCO = ("image_id", "category_id", "bbox", "score")
Categories: TypeAlias = "tuple[dict[int, str], dict[Any, str]]"


def coco_table(
    rows: Sequence[Mapping[str, Any]], categories: Categories
) -> DetectionTable:
    """Checks COCO results: ``image_id, category_id, bbox, score``, boxes in pixels.

    Args:
        rows: one dict a box
        categories: what :func:`read_categories` gives

    Raises:
        PredictionsError: a row that cannot be taken
    """
    for number, row in enumerate(rows, 1):
        absent = [name for name in _COCO if name not in row]
        if absent:
            raise PredictionsError(f"Result {number} has no '{absent[0]}'; add it")
    names, keys = categories
    category = [_category(row["category_id"]) for row in rows]
    unknown = sorted(set(category) - set(names))
    if unknown:
        raise PredictionsError(
            f"{counted(len(unknown), 'category id has', 'category ids have')} no name: "
            f"{examples(unknown)}; name every one among the classes"
        )
    image_ids = [row["image_id"] for row in rows]
    strange = [i for i in image_ids if not isinstance(i, str | Real)]
    if strange:
        raise PredictionsError(
            f"The image id {strange[0]!r} is neither a number nor a text; give that of "
            "the annotations"
        )
    if keys:
        absent = sorted({i for i in image_ids if i not in keys}, key=str)
        if absent:
            raise PredictionsError(
                f"{counted(len(absent), 'image id is', 'image ids are')} not in the "
                f"annotations: {examples(absent)}"
            )
    of_row = [str(keys[i]) if keys else str(i) for i in image_ids]
    return _table(
        list(dict.fromkeys(of_row)),
        of_row,
        [row["bbox"] for row in rows],
        [names[c] for c in category],
        [row["score"] for row in rows],
        relative=False,
        partial=True,
    )


def _category(value: Any) -> int:
    try:
        number = int(value)
        if number != float(value):
            raise ValueError(value)
    except (TypeError, ValueError, OverflowError):
        raise PredictionsError(
            f"The category id {value!r} is no whole number; give that of the annotations"
        ) from None
    return number


def nothing_found() -> DetectionTable:
    """The table of results without a single box."""
    return _table([], [], [], [], [], relative=True, partial=True)


def detection_table(
    keys: list[str], values: Sequence[Any], classes: Sequence[str] | None
) -> DetectionTable:
    """Checks lists of boxes by key.

    Args:
        keys: one an image
        values: for each a list of dicts with ``label``, ``score`` or ``confidence``,
            and ``bbox`` in pixels or ``bounding_box`` relative to the image; or
            FiftyOne ``Detections``
        classes: every label there is

    Raises:
        PredictionsError: a box that cannot be taken
    """
    boxes = [
        (key, _box(key, box))
        for key, value in zip(keys, values, strict=True)
        for box in _boxes(key, value)
    ]
    relative = {"bounding_box" in box for _, box in boxes}
    if len(relative) > 1:
        raise PredictionsError(
            "Some boxes are 'bbox' (pixels) and some 'bounding_box' (relative); "
            "give all in one form"
        )
    labels = [label_text(box["label"], key) for key, box in boxes]
    check_labels(labels, classes)
    return _table(
        keys,
        [key for key, _ in boxes],
        [box.get("bounding_box", box.get("bbox")) for _, box in boxes],
        labels,
        [box.get("score", box.get("confidence")) for _, box in boxes],
        relative=True in relative,
    )


def read_categories(classes: Any) -> Categories:
    """Names by category id, and file names by image id where they are known.

    Args:
        classes: names by category id, or the path of the COCO annotations, whose
            file names then become the keys

    Raises:
        PredictionsError: neither, or a file that cannot be read
    """
    if isinstance(classes, Mapping):
        return {_category(k): str(name) for k, name in classes.items()}, {}
    if not isinstance(classes, str | Path):
        raise PredictionsError(
            "COCO results need the names of their categories; give as classes the "
            "path of the COCO annotations, or the names by id"
        )
    if not Path(classes).is_file():
        raise PredictionsError(f"There is no file '{classes}'; check the path")
    try:
        truth = json.loads(Path(classes).read_text(encoding="utf-8"))
        names = {int(c["id"]): str(c["name"]) for c in truth["categories"]}
        return names, {i["id"]: str(i["file_name"]) for i in truth["images"]}
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise PredictionsError(
            f"'{classes}' cannot be read as COCO annotations: {problem}"
        ) from problem


def _boxes(key: str, value: Any) -> Sequence[Any]:
    boxes = getattr(value, "detections", value)
    if not isinstance(boxes, list):
        raise PredictionsError(
            f"The prediction of '{key}' is a {type(value).__name__}; give a list of "
            "boxes, empty where the model found nothing"
        )
    return boxes


def _box(key: str, box: Any) -> dict[str, Any]:
    if not isinstance(box, Mapping):  # a FiftyOne Detection
        names = ("label", "bounding_box", "confidence")
        box = {n: getattr(box, n) for n in names if getattr(box, n, None) is not None}
    parts = {
        "'label'": "label" in box,
        "'score'": "score" in box or "confidence" in box,
        "'bbox' (pixels) or 'bounding_box' (relative)": "bbox" in box
        or "bounding_box" in box,
    }
    absent = [part for part, given in parts.items() if not given]
    if absent:
        raise PredictionsError(f"A box of '{key}' has no {absent[0]}; add it")
    return dict(box)


def _table(
    keys: list[str],
    of_row: list[str],
    boxes: Sequence[Any],
    labels: list[str],
    scores: Sequence[Any],
    *,
    relative: bool,
    partial: bool = False,
) -> DetectionTable:
    check_keys(keys)
    at = {key: place for place, key in enumerate(keys)}
    image = np.array([at[key] for key in of_row], np.intp)
    score = _numbers(scores, of_row, (), "a score")
    box = _numbers(boxes, of_row, (4,), "a box")
    check_shares(score, of_row, "score")
    _check_boxes(box, of_row, relative)
    return DetectionTable(keys, image, box, labels, score, relative, partial)


def _numbers(
    values: Sequence[Any], of_row: list[str], shape: tuple[int, ...], what: str
) -> Floats:
    try:
        numbers = np.array(values, float).reshape(len(values), *shape)
    except (ValueError, TypeError) as problem:
        size = "4 numbers" if shape else "a number"
        for value, key in zip(values, of_row, strict=True):
            if np.shape(value) != shape or value is None:
                raise PredictionsError(
                    f"{what.capitalize()} of '{key}' is {value!r}; give {size}"
                ) from problem
        raise PredictionsError(
            f"{what.capitalize()} is not {size}: {problem}"
        ) from None
    return numbers


def _check_boxes(boxes: Floats, of_row: list[str], relative: bool) -> None:
    refuse(~np.isfinite(boxes).all(1), of_row, "A box has a side that is not a number")
    refuse(
        (boxes[:, 2:] < 0).any(1),
        of_row,
        "A box has a negative width or height; give left, top, width, height, not two "
        "corners",
    )
    if relative:
        refuse(
            (np.abs(boxes) > 2).any(1),
            of_row,
            "A 'bounding_box' lies far outside [0, 1]; boxes in pixels go under 'bbox'",
        )
        refuse(
            are_outside(boxes),
            of_row,
            "A 'bounding_box' lies wholly outside its image; give left, top, width, "
            "height as shares of the image's sides",
        )
    elif len(boxes) and np.abs(boxes).max() <= 1.5:
        raise PredictionsError(
            "Every 'bbox' lies within [0, 1]; give pixels, or relative boxes under "
            "'bounding_box'"
        )
