"""Digests of what an evaluation goes by, to tell whether it has changed since."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import fiftyone as fo
import numpy as np
import pandas as pd

from evalsets.datasets.columns import gather_fields
from evalsets.datasets.predictions import PredictionSet, prediction_sets
from evalsets.errors import LockedError

_TOLD = {
    "classification": ("label", "confidence"),
    "multilabel": ("classifications.label", "classifications.confidence"),
    "detection": (
        "detections.label",
        "detections.bounding_box",
        "detections.iscrowd",
        "detections.confidence",
    ),
    "segmentation": ("id", "mask_path"),
    "regression": ("value",),
}
"""What tells labels of a task from others; of a mask its id, which is new with it."""


def data_mark(dataset: fo.Dataset) -> list[Any]:
    """Changes with every write to a sample; equal marks spare reading anything else."""
    latest = dataset._max("last_modified_at")  # by its index; bounds() reads everything
    return [len(dataset), str(latest)]


def members_digest(frame: pd.DataFrame) -> str:
    """Of samples and their populations: bool, sample id × population."""
    names = sorted(map(str, frame.columns))
    ordered = frame[names].sort_index()
    bits = np.packbits(ordered.to_numpy(bool)).tobytes()
    return _digest([*names, "", *ordered.index], bits)


def labels_digest(view: fo.DatasetView, field: str, task: str, *, scored: bool) -> str:
    """Of the labels in a field; empty where nothing is there to go by.

    Args:
        view: samples to read
        field: of the labels
        task: of the labels
        scored: with their confidences
    """
    held = view.get_field(field)
    if held is None or task not in _TOLD:
        return ""
    paths = [field]
    if isinstance(held, fo.EmbeddedDocumentField):
        parts = [p for p in _TOLD[task] if scored or "confidence" not in p]
        paths = [f"{field}.{part}" for part in parts]
    there = [path for path in paths if view.get_field(path) is not None]
    ids, columns = gather_fields(view, there)
    return _digest(map(repr, [ids, *columns]))


def uploads(stored: PredictionSet) -> dict[str, str]:
    """When each field of a prediction set was uploaded."""
    marks = {score.field: score.uploaded for score in stored.scores}
    return (
        marks if stored.task == "scores" else {**marks, stored.field: stored.uploaded}
    )


@contextmanager
def unreplaced(dataset: fo.Dataset, *models: PredictionSet) -> Iterator[None]:
    """Refuses what was read inside if an upload replaced it meanwhile.

    The replaced field empties under who reads it, as if nothing had been predicted.

    Raises:
        LockedError: it did
    """
    try:
        yield
    finally:
        check_unreplaced(dataset, *models)


def check_unreplaced(dataset: fo.Dataset, *models: PredictionSet) -> None:
    """Refuses prediction sets that an upload has replaced.

    Raises:
        LockedError: it has
    """
    known = prediction_sets(dataset)
    for stored in models:
        now = known.get(stored.model)
        if now is None or not uploads(stored).items() <= uploads(now).items():
            raise LockedError(
                f"Model '{stored.model}' was uploaded again while its predictions "
                "were read; do this again"
            )


def _digest(texts: Iterable[str], more: bytes = b"") -> str:
    found = hashlib.sha256(more)
    for text in texts:
        found.update(f"{len(text)} {text}".encode("utf-8", "backslashreplace"))
    return found.hexdigest()[:16]
