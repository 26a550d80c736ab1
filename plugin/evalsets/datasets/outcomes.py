"""What a model did on each sample, read in one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import fiftyone as fo
import numpy as np

from evalsets.datasets.predictions import PredictionSet
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.metrics import Boxes, Classification, Detection, Outcomes

GROUND_TRUTH = "ground_truth"
"""The field of the true labels, where none is named."""


@dataclass(frozen=True)
class Read:
    """The outcomes of some samples.

    Args:
        ids: ``(n,)`` of the samples that have a true label, in the view's order
        outcomes: of the same samples
        unlabelled: samples left out, since they have no true label
        unpredicted: samples without a prediction, counted as predicting nothing
        strange: predicted labels that are true of none of the samples
        mistakes: confidence and description of what went wrong, by id
    """

    ids: list[str]
    outcomes: Outcomes
    unlabelled: int
    unpredicted: int
    strange: frozenset[str]
    mistakes: Mapping[str, tuple[float, str]]


def read_outcomes(view: fo.DatasetView, truth: str, stored: PredictionSet) -> Read:
    """Compares a prediction set with the true labels.

    Args:
        view: samples to evaluate
        truth: label field, or field of plain strings, that holds the true labels
        stored: the prediction set

    Raises:
        UnknownNameError: no field of that name
        ArgumentError: the truth is of another task than the predictions
    """
    schema = view.get_field_schema()
    if truth not in schema:
        labels = [n for n, f in schema.items() if isinstance(f, _LABELLED)]
        raise UnknownNameError(
            "field", truth, labels, "name the field that holds the true labels"
        )
    path = _label_path(schema[truth], truth, stored.task)
    if path is None:
        wanted = "boxes" if stored.task == "detection" else "one label an image"
        raise ArgumentError(
            f"Model '{stored.model}' predicts {wanted}, but field '{truth}' does not "
            "hold that; name the field that holds the true labels"
        )
    if stored.task == "detection":
        return _detection(view, truth, stored.field)
    return _classification(view, path, stored)


def true_labels(dataset: fo.Dataset, truth: str, task: str) -> set[str]:
    """Every label in a field; empty where it is not there or of another task."""
    field = dataset.get_field(truth)
    path = None if field is None else _label_path(field, truth, task)
    return set() if path is None else set(dataset.distinct(path))


_LABELLED = (fo.StringField, fo.EmbeddedDocumentField)


def _label_path(field: fo.Field, name: str, task: str) -> str | None:
    """Where a field keeps the labels of a task; None where it keeps none."""
    kind = getattr(field, "document_type", None)
    if task == "detection":
        return f"{name}.detections.label" if kind is fo.Detections else None
    if kind is fo.Classification:
        return f"{name}.label"
    return name if isinstance(field, fo.StringField) else None


def _classification(view: fo.DatasetView, truth: str, stored: PredictionSet) -> Read:
    field = stored.field
    paths = ["id", truth, f"{field}.label", f"{field}.confidence"]
    paths += [f"{field}.logits"] if stored.columns else []
    columns = view.values(paths)
    labelled = [at for at, label in enumerate(columns[1]) if label is not None]
    ids, true, predicted, confidence, *logits = (
        [column[at] for at in labelled] for column in columns
    )
    probability = None
    if stored.columns:
        width = len(stored.columns)
        probability = np.exp(
            [np.full(width, -np.inf) if row is None else row for row in logits[0]]
        ).reshape(-1, width)
    missing = predicted.count(None)
    known = None if confidence.count(None) > missing else confidence
    outcomes = Classification.of(true, predicted, known, probability, stored.columns)
    rows = zip(ids, true, predicted, confidence, strict=True)
    mistakes = {
        i: (c or 0.0, f"{t}, predicted {p or 'nothing'}")
        for i, t, p, c in rows
        if t != p
    }
    strange = frozenset(predicted) - frozenset(true) - {None}
    unlabelled = len(columns[0]) - len(ids)
    return Read(ids, outcomes, unlabelled, missing, strange, mistakes)


def _detection(view: fo.DatasetView, truth: str, field: str) -> Read:
    names = ("label", "bounding_box", "iscrowd", "confidence")
    paths = [f"{truth}.detections.{name}" for name in names[:3]]
    paths += [f"{field}.detections.{name}" for name in (*names[:2], names[3])]
    all_ids, *columns = view.values(["id", *paths])
    labelled = [at for at, labels in enumerate(columns[0]) if labels is not None]
    ids = [all_ids[at] for at in labelled]
    true_label, true_box, crowd, label, box, score = (
        [column[at] or [] for at in labelled] for column in columns
    )
    missing = sum(columns[3][at] is None for at in labelled)
    classes = sorted(_names(true_label) | _names(label))
    truth_boxes = _boxes(true_label, true_box, classes)
    flags = [
        c
        for row, have in zip(crowd, true_label, strict=True)
        for c in (row or [None] * len(have))
    ]
    outcomes = Detection.of(
        replace(truth_boxes, crowd=np.array([bool(flag) for flag in flags], bool)),
        replace(
            _boxes(label, box, classes),
            score=np.array([s for row in score for s in row], float),
        ),
        len(ids),
        classes,
    )
    strange = _names(label) - _names(true_label)
    return Read(ids, outcomes, len(all_ids) - len(ids), missing, strange, {})


def _names(labels: list[Any]) -> frozenset[str]:
    return frozenset(name for row in labels for name in row)


def _boxes(labels: list[Any], boxes: list[Any], classes: list[str]) -> Boxes:
    code = {name: at for at, name in enumerate(classes)}
    counts = [len(row) for row in labels]
    return Boxes(
        image=np.repeat(np.arange(len(labels)), counts),
        label=np.array([code[name] for row in labels for name in row], np.intp),
        box=np.array([b for row in boxes for b in row], float).reshape(-1, 4),
    )
