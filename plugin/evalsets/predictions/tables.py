"""What every source of predictions becomes, and what came of an upload."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalsets.errors import PredictionsError, counted

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ClassificationTable:
    """One predicted label a key; every value has been checked.

    Args:
        keys: ``(n,)`` without doubles
        labels: ``(n,)``
        confidences: ``(n,)`` in [0, 1], that of the label; None where unknown
        probabilities: ``(n, c)``, rows sum to 1; None where unknown
        classes: ``(c,)`` names of the columns of ``probabilities``
    """

    keys: list[str]
    labels: list[str]
    confidences: Floats | None = None
    probabilities: Floats | None = None
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.keys)


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
    """

    keys: list[str]
    image: NDArray[np.intp]
    boxes: Floats
    labels: list[str]
    scores: Floats
    relative: bool

    def __len__(self) -> int:
        return len(self.keys)

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
        outside = (boxes[:, :2] >= 1).any(1) | (boxes[:, :2] + boxes[:, 2:] < 0).any(1)
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
class UploadReport:
    """What came of an upload.

    Args:
        model: name of the prediction set
        field: the label field that holds it
        task: "classification" or "detection"
        matched: samples that now have a prediction
        missing: samples of the dataset without one
        missing_examples: keys of some of them
        truth: the field of true labels that the predicted ones were compared with;
            empty where there was none
        strange_labels: predicted labels that this field does not have
    """

    model: str
    field: str
    task: str
    matched: int
    missing: int = 0
    missing_examples: tuple[str, ...] = ()
    truth: str = ""
    strange_labels: tuple[str, ...] = ()

    def __str__(self) -> str:
        have = counted(self.matched, "sample has", "samples have")
        said = f"{self.model}: {have} a prediction"
        if self.missing:
            lack = counted(self.missing, "has", "have")
            said += f", {lack} none ({examples(self.missing_examples)})"
        if self.strange_labels:
            are = counted(
                len(self.strange_labels), "of its classes is", "of its classes are"
            )
            said += (
                f"; {are} nowhere in '{self.truth}': {examples(self.strange_labels)}"
            )
        return said


def examples(values: Iterable[object], most: int = 3) -> str:
    """The first few of ``values``, quoted, for the end of a sentence."""
    values = list(values)
    shown = ", ".join(f"'{value}'" for value in values[:most])
    return f"{shown} …" if len(values) > most else shown


def refuse(bad: ArrayLike, keys: Sequence[str], problem: str) -> None:
    """Raises for the rows where ``bad``, naming the first of them."""
    at = np.flatnonzero(bad)
    if not len(at):
        return
    first = int(at[0])
    where = f"{counted(len(at), 'row')}, first row {first + 1} with key '{keys[first]}'"
    raise PredictionsError(f"{problem} ({where})")


def check_keys(keys: Sequence[str]) -> None:
    """Refuses an empty table, empty keys and doubled keys."""
    if not keys:
        raise PredictionsError("The predictions are empty; there is nothing to upload")
    refuse(np.array([key == "" for key in keys]), keys, "A row has no key; drop it")
    seen: set[str] = set()
    doubled = [key for key in keys if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
    if doubled:
        raise PredictionsError(
            f"{counted(len(doubled), 'key occurs', 'keys occur')} more than once, such as {examples(doubled)}; "
            "keep one prediction a key"
        )


def check_shares(values: Floats, keys: Sequence[str], name: str) -> None:
    """Refuses NaN and what lies outside [0, 1], recognising percents and logits."""
    refuse(np.isnan(values), keys, f"'{name}' is not a number; drop or mend the rows")
    high = values.max(initial=0)
    remedy = (
        "divide percents by 100" if high <= 100 and values.min(initial=0) >= 0 else ""
    )
    remedy = remedy or "apply softmax or sigmoid to logits"
    outside = (values < 0) | (values > 1 + 1e-6)
    refuse(outside, keys, f"'{name}' lies outside [0, 1]; {remedy}")


def check_labels(labels: Iterable[str], classes: Iterable[str] | None) -> None:
    """Refuses labels outside the known classes, where those are given."""
    unknown = sorted(set(labels) - set(classes)) if classes is not None else []
    if unknown:
        raise PredictionsError(
            f"{counted(len(unknown), 'label is', 'labels are')} not among the classes: {examples(unknown)}; "
            f"known are {examples(classes or (), 10)}"
        )
