"""What every source of predictions becomes, piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalsets.errors import PredictionsError, counted

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class ClassificationTable:
    """One predicted label a key; every value has been checked.

    Args:
        keys: ``(n,)`` without doubles
        labels: ``(n,)``
        confidences: ``(n,)`` in [0, 1], that of the label; None where unknown
        probabilities: ``(n, c)``, rows sum to 1; None where unknown
        classes: ``(c,)`` names of the columns of ``probabilities``
        ranked: ``(n,)`` the likeliest labels, best first; None where unknown
        blank: name of a column of confidences without any
    """

    keys: list[str]
    labels: list[str]
    confidences: Floats | None = None
    probabilities: Floats | None = None
    classes: tuple[str, ...] = ()
    ranked: list[list[str]] | None = None
    blank: str = ""
    task: ClassVar[str] = "classification"

    def __len__(self) -> int:
        return len(self.keys)

    def names(self) -> set[str]:
        """Every predicted label."""
        return set(self.labels)


@dataclass(frozen=True)
class LabelsTable:
    """Any number of predicted labels a key.

    Args:
        keys: ``(n,)`` without doubles
        labels: ``(n,)`` confidence in [0, 1] by label, None where unknown
        classes: ``(c,)`` names of the columns, where there is one a label; labels of
            confidence 0.5 or more count as predicted
    """

    keys: list[str]
    labels: list[Mapping[str, float | None]]
    classes: tuple[str, ...] = ()
    task: ClassVar[str] = "multilabel"

    def __len__(self) -> int:
        return len(self.keys)

    def names(self) -> set[str]:
        """Every predicted label."""
        return {label for row in self.labels for label in row}


@dataclass(frozen=True)
class DetectionTable:
    """Predicted boxes, flat; an image without boxes may still have its key.

    Args:
        keys: ``(n,)`` one an image, without doubles
        image: ``(k,)`` position of each box's image in ``keys``
        boxes: ``(k, 4)`` left, top, width, height
        labels: ``(k,)``
        scores: ``(k,)`` in [0, 1]
        relative: whether boxes are shares of the image's sides, else pixels
        partial: whether an image's boxes may go on in the next table, and one without
            boxes has no row, as in COCO results
    """

    keys: list[str]
    image: NDArray[np.intp]
    boxes: Floats
    labels: list[str]
    scores: Floats
    relative: bool
    partial: bool = False
    task: ClassVar[str] = "detection"

    def __len__(self) -> int:
        return len(self.keys)

    def names(self) -> set[str]:
        """Every predicted label."""
        return set(self.labels)

    def relative_to(self, sizes: Floats) -> DetectionTable:
        """The same boxes as shares of their images' sides.

        Args:
            sizes: ``(n, 2)`` width and height of the images, in pixels

        Raises:
            PredictionsError: a box lies wholly outside its image
        """
        if self.relative:
            return self
        sides = np.asarray(sizes, float)[self.image]
        boxes = self.boxes / np.hstack([sides, sides])
        outside = are_outside(boxes)
        if outside.any():
            at = int(np.flatnonzero(outside)[0])
            raise PredictionsError(
                f"{counted(outside.sum(), 'box lies', 'boxes lie')} outside the image, "
                "the first in "
                f"'{self.keys[self.image[at]]}': {self.boxes[at].tolist()} in "
                f"{sides[at].astype(int).tolist()} pixels; give left, top, width, "
                "height in pixels of the stored image"
            )
        return replace(self, boxes=boxes, relative=True)


@dataclass(frozen=True)
class MaskTable:
    """One predicted mask a key.

    Args:
        keys: ``(n,)`` without doubles
        masks: ``(n,)`` each ``(h, w)`` of whole numbers, or the path of such an image
        sizes: ``(n, 2)`` width and height of the masks, in pixels
    """

    keys: list[str]
    masks: list[NDArray[Any] | str]
    sizes: NDArray[np.intp]
    task: ClassVar[str] = "segmentation"

    def __len__(self) -> int:
        return len(self.keys)

    def names(self) -> set[str]:
        """Nothing: masks hold numbers."""
        return set()


@dataclass(frozen=True)
class NumberTable:
    """One number a key.

    Args:
        keys: ``(n,)`` without doubles
        values: ``(n,)`` finite
        is_score: whether each says how good the sample went, else it is predicted
    """

    keys: list[str]
    values: Floats
    is_score: bool = False

    @property
    def task(self) -> str:
        """Regression, or scores."""
        return "scores" if self.is_score else "regression"

    def __len__(self) -> int:
        return len(self.keys)

    def names(self) -> set[str]:
        """Nothing: these are numbers."""
        return set()


Table: TypeAlias = (
    "ClassificationTable | LabelsTable | DetectionTable | MaskTable | NumberTable"
)


def examples(values: Iterable[object], most: int = 3) -> str:
    """The first few of ``values``, quoted, for the end of a sentence."""
    values = list(values)
    shown = ", ".join(f"'{value}'" for value in values[:most])
    return f"{shown} …" if len(values) > most else shown


def refuse(bad: ArrayLike, keys: Sequence[str], problem: str) -> None:
    """Raises for the rows where ``bad``, naming the first of them by its key."""
    at = np.flatnonzero(bad)
    if len(at):
        raise PredictionsError(f"{problem} (first at key '{keys[int(at[0])]}')")


def check_keys(keys: Sequence[str]) -> None:
    """Refuses empty and doubled keys."""
    if "" in keys:
        raise PredictionsError("A row has no key; give it one, or drop it")
    seen: set[str] = set()
    doubled = [key for key in keys if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
    if doubled:
        raise PredictionsError(
            f"{counted(len(doubled), 'key occurs', 'keys occur')} more than once, such "
            f"as {examples(doubled)}; keep one prediction a key"
        )


def check_shares(values: Floats, keys: Sequence[str], name: str) -> None:
    """Refuses NaN and what lies outside [0, 1], recognising percents and logits."""
    refuse(np.isnan(values), keys, f"'{name}' is not a number; drop or mend the rows")
    high, low = values.max(initial=0), values.min(initial=0)
    remedy = "apply softmax or sigmoid to logits"
    if low >= 0 and high <= 100:
        either = f", or {remedy}" if high < 20 else ""
        remedy = f"divide percents by 100{either}"
    outside = (values < 0) | (values > 1 + 1e-6)
    refuse(outside, keys, f"'{name}' lies outside [0, 1]; {remedy}")


def is_box(value: Any) -> bool:
    """Whether a value is a box in the form of a dict."""
    return isinstance(value, Mapping) and ("bbox" in value or "bounding_box" in value)


def are_outside(boxes: Floats) -> NDArray[np.bool_]:
    """``(k,)`` which relative boxes ``(k, 4)`` lie wholly outside their image."""
    start, end = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    return np.asarray(((start >= 1) | (end < 0)).any(axis=1))


def label_text(label: Any, key: str = "") -> str:
    """A label as text.

    Raises:
        PredictionsError: it is empty
    """
    if label is None or label != label or label == "":
        of = f" of '{key}'" if key else ""
        raise PredictionsError(f"A label{of} is empty; name it, or leave it out")
    return plain_text(label)


def plain_text(value: Any) -> str:
    """A value as text; bytes, as numpy and parquet may hold them, are text already."""
    is_bytes = isinstance(value, bytes)
    return value.decode(errors="replace") if is_bytes else str(value)


def check_labels(labels: Iterable[str], classes: Iterable[str] | None) -> None:
    """Refuses labels outside the known classes, where those are given."""
    unknown = sorted(set(labels) - set(classes)) if classes is not None else []
    if unknown:
        raise PredictionsError(
            f"{counted(len(unknown), 'label is', 'labels are')} not among the classes: "
            f"{examples(unknown)}; known are {examples(classes or (), 10)}"
        )
