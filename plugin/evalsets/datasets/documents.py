"""Predictions as MongoDB keeps them, made in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou
import numpy as np
from bson import Binary, ObjectId
from scipy.special import logit

from evalsets.predictions import (
    ClassificationTable,
    DetectionTable,
    LabelsTable,
    MaskTable,
    NumberTable,
    Table,
)

LABEL_OF = {
    "classification": fo.Classification,
    "multilabel": fo.Classifications,
    "detection": fo.Detections,
    "segmentation": fo.Segmentation,
    "regression": fo.Regression,
}
"""FiftyOne's label by task."""
TASK_OF = {label: task for task, label in LABEL_OF.items()}
MIN_SCORE = 0.5
"""Confidence from which a label of a column counts as predicted."""
_TINY = np.finfo(float).eps


def documents(table: Table) -> Iterator[Any]:
    """One document a row, or one number where the table holds scores.

    FiftyOne's own labels cost 50 µs each to turn into documents, so that theirs serve as
    patterns.

    Args:
        table: boxes relative
    """
    if isinstance(table, ClassificationTable):
        return _classifications(table)
    if isinstance(table, LabelsTable):
        return _label_sets(table)
    if isinstance(table, DetectionTable):
        return _detections(table)
    if isinstance(table, MaskTable):
        return _masks(table)
    return _numbers(table)


def _pattern(label: fo.Label) -> dict[str, Any]:
    """What FiftyOne stores of a label, without its id."""
    return {k: v for k, v in label.to_dict().items() if k != "_id"}


def _vector(values: Any) -> Binary:
    return Binary(fou.serialize_numpy_array(np.asarray(values)))


def _classifications(table: ClassificationTable) -> Iterator[dict[str, Any]]:
    pattern = _pattern(fo.Classification())
    confidence = None if table.confidences is None else table.confidences.tolist()
    logits = None
    if table.probabilities is not None:
        logits = np.log(np.clip(table.probabilities, _TINY, None))
    for at, label in enumerate(table.labels):
        document = {"_id": ObjectId(), **pattern, "tags": [], "label": label}
        if confidence is not None:
            document["confidence"] = confidence[at]
        if logits is not None:
            document["logits"] = _vector(logits[at])
        if table.ranked is not None:
            document["ranked"] = table.ranked[at]
        yield document


def _label_sets(table: LabelsTable) -> Iterator[dict[str, Any]]:
    pattern, inner = _pattern(fo.Classifications()), _pattern(fo.Classification())
    for row in table.labels:
        held = {
            label: score
            for label, score in row.items()
            if not table.classes or (score or 0) >= MIN_SCORE
        }
        labels = [
            {"_id": ObjectId(), **inner, "tags": [], "label": label}
            | ({} if score is None else {"confidence": score})
            for label, score in held.items()
        ]
        document = {**pattern, "classifications": labels}
        if table.classes:
            scores = np.array([row[name] for name in table.classes], float)
            document["logits"] = _vector(logit(scores.clip(_TINY, 1 - _TINY)))
        yield document


def _detections(table: DetectionTable) -> Iterator[dict[str, Any]]:
    pattern, inner = _pattern(fo.Detections()), _pattern(fo.Detection())
    found: list[list[dict[str, Any]]] = [[] for _ in table.keys]
    rows = zip(
        table.image.tolist(),
        table.boxes.tolist(),
        table.labels,
        table.scores.tolist(),
        strict=True,
    )
    for image, box, label, score in rows:
        found[image].append(
            {
                "_id": ObjectId(),
                **inner,
                "attributes": {},
                "tags": [],
                "label": label,
                "bounding_box": box,
                "confidence": score,
            }
        )
    for boxes in found:
        yield {**pattern, "detections": boxes}


def _masks(table: MaskTable) -> Iterator[dict[str, Any]]:
    for mask in table.masks:
        held = {"mask_path": mask} if isinstance(mask, str) else {"mask": mask}
        yield fo.Segmentation(**held).to_dict()


def _numbers(table: NumberTable) -> Iterator[Any]:
    if table.is_score:
        yield from table.values.tolist()
        return
    pattern = _pattern(fo.Regression())
    for value in table.values.tolist():
        yield {"_id": ObjectId(), **pattern, "tags": [], "value": value}
