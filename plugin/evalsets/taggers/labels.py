"""Label fields, read for taggers that compare them."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import numpy as np

from evalsets.datasets.columns import read
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.taggers.boxes import Boxes


def field_of(view: fo.DatasetView, path: str) -> Any:
    """A field of the samples.

    Raises:
        UnknownNameError: there is none of that path
    """
    field = view.get_field(path)
    if field is None:
        raise UnknownNameError("field", path, view.get_field_schema(flat=True))
    return field


def read_boxes(
    view: fo.DatasetView, name: str, confidence: float = 0.0
) -> list[Boxes | None]:
    """The boxes of each sample, in the view's order; None where it has no label.

    Args:
        view: samples to read
        name: a field of ``Detections``
        confidence: boxes below it are left out

    Raises:
        ArgumentError: the field holds something else
        UnknownNameError: there is no such field
    """
    if getattr(field_of(view, name), "document_type", None) is not fo.Detections:
        raise ArgumentError(f"Field '{name}' holds no Detections; name one that does")
    parts = ("label", "bounding_box", "confidence", "index")
    columns = read(view, [f"{name}.detections.{part}" for part in parts])
    found: list[Boxes | None] = []
    for rows in zip(*columns.values(), strict=True):
        if rows[0] is None:
            found.append(None)
            continue
        kept = [
            (label, box, index)
            for label, box, sure, index in zip(*rows, strict=True)
            if sure is None or sure >= confidence
        ]
        labels, corners, tracks = zip(*kept, strict=True) if kept else ((), (), ())
        found.append(Boxes(labels, np.array(corners, float).reshape(-1, 4), tracks))
    return found
