"""How far two label fields differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import fiftyone as fo
import numpy as np

from evalsets.datasets.columns import read
from evalsets.errors import ArgumentError
from evalsets.taggers.boxes import pairs
from evalsets.taggers.labels import field_of, read_boxes
from evalsets.taggers.tagger import SampleTagger, Tags

_OVERLAP = 0.5


class Disagreement(SampleTagger):
    """How far two label fields differ, such as a model's and its teacher's.

    Nothing where a sample lacks one of the two; else

    - ``Classification``: 0 for the same label, 1 for another
    - ``Classifications``: share of all labels that only one side has
    - ``Detections``: share of all boxes without a counterpart: a box of the same class
      that overlaps by half (intersection over union), one a box
    - ``Segmentation``: share of pixels of another class
    - ``Regression``: absolute difference

    Args:
        field: sample field to fill
        between: the two label fields
        confidence: boxes below it do not count
    """

    kind = "disagreement"

    def __init__(
        self, field: str, between: Sequence[str], confidence: float = 0.0
    ) -> None:
        if isinstance(between, str) or len(between) != 2 or len(set(between)) != 2:
            raise ArgumentError(
                f"Disagreement '{field}' is between two fields, not {between!r}"
            )
        self.fields = {field: float}
        self.optional = frozenset(self.fields)
        self.parameters = {"between": list(between), "confidence": confidence}
        self._field = field
        self._between = tuple(between)
        self._confidence = confidence

    def tag_samples(self, view: fo.DatasetView) -> Tags:
        """How far the two differ in each sample."""
        kinds = {field_of(view, name).document_type for name in self._between}
        kind = kinds.pop()
        if kinds or kind not in _OF:
            raise ArgumentError(
                f"'{self._between[0]}' and '{self._between[1]}' cannot be compared; "
                f"give two fields of one type, of {', '.join(k.__name__ for k in _OF)}"
            )
        return {self._field: _OF[kind](self, view)}

    def _labels(self, view: fo.DatasetView) -> list[float | None]:
        return self._apart(view, "label", lambda a, b: float(a != b))

    def _regressions(self, view: fo.DatasetView) -> list[float | None]:
        return self._apart(view, "value", lambda a, b: abs(a - b))

    def _sets(self, view: fo.DatasetView) -> list[float | None]:
        def apart(one: list[str], other: list[str]) -> float:
            every = {*one, *other}
            return len({*one} ^ {*other}) / len(every) if every else 0.0

        return self._apart(view, "classifications.label", apart)

    def _apart(
        self, view: fo.DatasetView, part: str, apart: Callable[[Any, Any], float]
    ) -> list[float | None]:
        columns = read(view, [f"{name}.{part}" for name in self._between])
        return [
            None if None in (one, other) else apart(one, other)
            for one, other in zip(*columns.values(), strict=True)
        ]

    def _boxes(self, view: fo.DatasetView) -> list[float | None]:
        ours, theirs = (
            read_boxes(view, name, self._confidence) for name in self._between
        )
        found: list[float | None] = []
        for one, other in zip(ours, theirs, strict=True):
            if one is None or other is None:
                found.append(None)
                continue
            n = len(one.labels) + len(other.labels)
            matched = 2 * len(pairs(one, other, _OVERLAP))
            found.append(1 - matched / n if n else 0.0)
        return found

    def _masks(self, view: fo.DatasetView) -> list[float | None]:
        found: list[float | None] = []
        for sample in view.select_fields(self._between).iter_samples():
            labels = [sample[name] for name in self._between]
            masks = [label and label.has_mask and label.get_mask() for label in labels]
            if not all(isinstance(mask, np.ndarray) for mask in masks):
                found.append(None)
                continue
            one, other = masks
            if one.shape != other.shape:
                raise ArgumentError(
                    f"The masks of '{sample.filepath}' have {one.shape} and "
                    f"{other.shape} pixels; compare masks of one size"
                )
            found.append(float((one != other).mean()))
        return found


_OF: dict[type, Callable[[Disagreement, fo.DatasetView], list[float | None]]] = {
    fo.Classification: Disagreement._labels,
    fo.Classifications: Disagreement._sets,
    fo.Detections: Disagreement._boxes,
    fo.Segmentation: Disagreement._masks,
    fo.Regression: Disagreement._regressions,
}
