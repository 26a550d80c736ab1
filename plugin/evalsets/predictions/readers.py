"""One door for every form that predictions come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from evalsets.errors import PredictionsError, UnknownNameError
from evalsets.predictions.classification import (
    classification_table,
    find_column,
    keyed,
)
from evalsets.predictions.detection import (
    coco_table,
    detection_table,
    nothing_found,
    read_categories,
)
from evalsets.predictions.masks import mask_table
from evalsets.predictions.multilabel import SETS, label_sets, labels_table
from evalsets.predictions.numbers import number_table, numbers_by_key
from evalsets.predictions.sources import (
    CONFIDENCES,
    LABELS,
    Chunk,
    Pairs,
    is_nothing,
    peeked,
    read_chunks,
)
from evalsets.predictions.tables import (
    ClassificationTable,
    Table,
    is_box,
    label_text,
)

Classes: TypeAlias = "Sequence[str] | Mapping[int, str] | str | Path"
TASKS = (
    "classification",
    "multilabel",
    "detection",
    "segmentation",
    "regression",
)
_MASKS = ("mask", "mask_path")
_BOXES = ("detections", "boxes")
_LABELLED = {
    "Classification": "classification",
    "Classifications": "multilabel",
    "Detections": "detection",
    "Segmentation": "segmentation",
    "Regression": "regression",
}
"""FiftyOne's labels by the name of their class."""


def read_tables(
    source: Any,
    *,
    key: str | None = None,
    classes: Classes | None = None,
    task: str = "",
    score: str = "",
) -> Iterator[Table]:
    """Reads and checks predictions piece by piece; nothing is written anywhere.

    Sources: ``{key: label}``, ``{key: (label, confidence)}``, ``{key: {"label": …,
    "confidence": …}}``, ``{key: {class: probability, …}}``, ``{key: [(label,
    confidence), …]}`` best first, ``{key: [label, …]}`` for several labels, ``{key:
    [{"label": …, "bbox" | "bounding_box": […], "score": …}, …]}``, ``{key: number}``,
    ``{key: mask}``, FiftyOne labels by key, a list of dicts, a DataFrame, COCO results,
    or the path of a CSV, JSON, JSONL, parquet or npz file of such content. A table has a
    column of keys and ``label`` (or ``prediction``) with optional ``confidence``, or one
    column a class; or ``labels``; or ``value``; or ``mask_path``.

    Args:
        source: the predictions
        key: name of the column of keys; by default, or where there is no such
            column, the first with a usual name (``filepath``, ``file``, ``id`` …)
        classes: every label there is, so that others are refused; for COCO results
            the names by category id, or the path of the COCO annotations, whose
            file names then become the keys. With that path, or the task
            "detection", an empty list of results means that nothing was found
        task: one of ``TASKS``, where the form fits several
        score: name of the score that the numbers are, such as "loss"

    Raises:
        PredictionsError: what is wrong, where, and the remedy
        UnknownNameError: no such task
    """
    if task and task not in TASKS:
        raise UnknownNameError("task", task, TASKS)
    if is_nothing(source) and (task == "detection" or _are_categories(classes)):
        yield nothing_found()
        return
    first, chunks = peeked(read_chunks(source, key))
    reader = _Reader(first, key, classes, task, score, _folder(source))
    for chunk in chunks:
        yield reader.table(chunk)


def _are_categories(classes: Classes | None) -> bool:
    """Whether these classes are a file of COCO annotations."""
    if not isinstance(classes, str | Path):
        return False
    read_categories(classes)
    return True


def _folder(source: Any) -> Path | None:
    return Path(source).parent if isinstance(source, str | Path) else None


class _Reader:
    """Turns chunks into tables, all in the form that the first one has."""

    def __init__(
        self,
        first: Chunk,
        key: str | None,
        classes: Classes | None,
        task: str,
        score: str,
        folder: Path | None,
    ) -> None:
        self._key, self._score, self._folder = key, score, folder
        self._columns: tuple[str, ...] | None = None
        self._sure: bool | None = None
        self._task = "regression" if score else task
        coco = _is_coco(first)
        self._categories = read_categories(classes) if coco else None
        self._classes = None if coco else _names(classes)

    def table(self, chunk: Chunk) -> Table:
        """One chunk, checked."""
        if isinstance(chunk, list) and not isinstance(chunk[0], tuple):
            strange = [row for row in chunk if not isinstance(row, Mapping)]
            if strange:
                raise PredictionsError(
                    f"A row is {strange[0]!r}; give each as an object, such as "
                    '{"filepath": "a.jpg", "label": "cat"}'
                )
            if self._categories is not None:
                return coco_table(chunk, self._categories)
            chunk = pd.DataFrame.from_records(chunk)
        if isinstance(chunk, pd.DataFrame):
            return self._of_frame(chunk)
        return self._of_pairs(chunk)

    def _of_frame(self, frame: pd.DataFrame) -> Table:
        for names, task in ((_BOXES, "detection"), (_MASKS, "segmentation")):
            column = find_column(frame, names)
            if column is not None and self._task in ("", task):
                frame, _, keys = keyed(frame, self._key)
                pairs = list(zip(keys, map(_unpacked, frame[column]), strict=True))
                return self._as(task)(pairs)
        task = self._task or _task_of(frame)
        if task == "regression":
            return number_table(frame, self._key, self._score)
        if task in ("detection", "segmentation"):
            wanted = _BOXES if task == "detection" else _MASKS
            raise PredictionsError(
                f"The predictions have no column '{wanted[0]}' for {task}; add it"
            )
        if task != "multilabel":
            one = self._of_labels(frame, self._key)
            blank = None
            if one.confidences is None:
                blank = find_column(frame, CONFIDENCES)
            return replace(one, blank=blank or "")
        table = labels_table(frame, self._key, self._classes, self._columns)
        self._columns = table.classes
        return table

    def _of_labels(self, frame: pd.DataFrame, key: str | None) -> ClassificationTable:
        table = classification_table(frame, key, self._classes, self._columns)
        self._columns = table.classes
        sure = table.confidences is not None
        if self._sure not in (None, sure):
            raise PredictionsError(
                "Some predictions have a confidence and some have none; give all or none"
            )
        self._sure = sure
        return table

    def _of_pairs(self, pairs: Pairs) -> Table:
        telling: Any = next(
            (v for _, v in pairs if v is not None and not _is_empty(v)), []
        )
        return self._as("regression" if self._score else _kind_of(telling, self._task))(
            pairs
        )

    def _as(self, task: str) -> Callable[[Pairs], Table]:
        def table(pairs: Pairs) -> Table:
            keys, values = [key for key, _ in pairs], [value for _, value in pairs]
            if task == "detection":
                return detection_table(keys, values, self._classes)
            if task == "segmentation":
                return mask_table(keys, values, self._folder)
            if task == "regression":
                return numbers_by_key(keys, values, self._score)
            if task == "multilabel":
                return label_sets(keys, values, self._classes)
            frame = pd.DataFrame.from_records([_row(key, v) for key, v in pairs])
            frame.insert(0, "key", keys, allow_duplicates=True)
            return self._of_labels(frame, "key")

        return table


def _is_coco(chunk: Chunk) -> bool:
    """Whether rows are COCO detection results."""
    if isinstance(chunk, pd.DataFrame):
        return False
    return isinstance(chunk[0], Mapping) and "bbox" in chunk[0]


def _names(classes: Classes | None) -> list[str] | None:
    if classes is None:
        return None
    if isinstance(classes, str | Path):
        raise PredictionsError(
            "A file of classes is for COCO results only; leave it out, or give the "
            "names of the classes"
        )
    return [
        str(c) for c in (classes.values() if isinstance(classes, Mapping) else classes)
    ]


def _task_of(frame: pd.DataFrame) -> str:
    """The task that a table's columns tell."""
    if find_column(frame, LABELS) is not None:
        return "classification"
    if find_column(frame, SETS) is not None:
        return "multilabel"
    if find_column(frame, ("value",)) is not None:
        return "regression"
    return "classification"


def _kind_of(value: Any, task: str) -> str:
    """The task that one value tells, where ``task`` does not."""
    labelled = _LABELLED.get(type(value).__name__)
    if labelled is not None:
        return labelled
    if isinstance(value, np.ndarray) and value.ndim > 1:
        return "segmentation"
    if isinstance(value, list):
        return _kind_of_list(value, task)
    if isinstance(value, float | np.floating):
        return "regression"
    return task or "classification"


def _kind_of_list(value: list[Any], task: str) -> str:
    first = value[0] if value else None
    if is_box(first):
        return "detection"
    if isinstance(first, tuple):  # ranked, unless several labels are said to be true
        return task or "classification"
    if first is None:
        return task or "detection"
    if isinstance(first, list):
        return "segmentation"
    return task or "multilabel"


def _is_empty(value: Any) -> bool:
    return isinstance(value, list) and not value


def _unpacked(value: Any) -> Any:
    return list(value) if isinstance(value, np.ndarray) and value.ndim == 1 else value


def _row(key: Any, value: Any) -> dict[str, Any]:
    if is_box(value):
        raise PredictionsError(
            f"The prediction of '{key}' is a box; give every key a list of boxes"
        )
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "label"):  # a FiftyOne Classification
        return {"label": value.label, "confidence": value.confidence}
    if isinstance(value, list) and value:
        return _ranked(key, value)
    if isinstance(value, tuple):
        if len(value) == 2:
            return dict(zip(("label", "confidence"), value, strict=True))
        raise PredictionsError(
            f"The prediction of '{key}' has {len(value)} parts; give (label, confidence)"
        )
    if value is None or isinstance(value, str | int | np.integer | np.bool_):
        return {"label": value}
    raise PredictionsError(
        f"The prediction of '{key}' is a {type(value).__name__}; give a label, "
        "(label, confidence) or a list of boxes"
    )


def _ranked(key: Any, value: list[Any]) -> dict[str, Any]:
    """Several labels of which one is true, best first."""
    pairs = [v if isinstance(v, tuple) and len(v) == 2 else (v, None) for v in value]
    for label, _ in pairs:
        if not isinstance(label, str | int | np.integer):
            raise PredictionsError(
                f"The prediction of '{key}' lists a {type(label).__name__}, and others "
                "are labels; give every key a prediction of one form"
            )
    scores = [score for _, score in pairs if score is not None]
    if scores != sorted(scores, reverse=True):
        raise PredictionsError(
            f"The labels of '{key}' are not in the order of their confidence; give the "
            "likeliest first"
        )
    ranked = [label_text(label, key) for label, _ in pairs]
    row: dict[str, Any] = {"label": ranked[0], "ranked": ranked}
    return row | ({"confidence": scores[0]} if scores else {})
