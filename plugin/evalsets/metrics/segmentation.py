"""Outcomes of semantic segmentation: pixels by true and predicted class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from evalsets.errors import ArgumentError
from evalsets.metrics.averages import below_classes, over_classes
from evalsets.metrics.outcomes import Codes, Floats, Outcomes, Sums, ratio, share

VOID = 255
"""True pixels of this value count nowhere, as in Pascal VOC and Cityscapes."""
Mask = NDArray[Any]


@dataclass(frozen=True)
class Segmentation(Outcomes):
    """How many pixels of each class an image has, and what was predicted for them.

    Args:
        confusion: ``(n, c * (c + 1))`` pixels by true class and, within it, by predicted
            class; the last of those is anything else
        classes: ``(c,)`` names
    """

    confusion: sp.csr_array
    classes: tuple[str, ...]
    task = "segmentation"

    @classmethod
    def of(
        cls,
        masks: Iterable[tuple[Mask, Mask | None]],
        names: Mapping[int, str] | None = None,
    ) -> Segmentation:
        """Counts the pixels of pairs of masks, one pair at a time.

        Args:
            masks: ``(h, w)`` true and predicted class of each pixel; a predicted mask of
                None is wrong everywhere
            names: by pixel value; true pixels of other values count nowhere. By default
                every value but ``VOID`` is a class of its own

        Raises:
            ArgumentError: masks of one image that differ in size
        """
        return cls.joined([count_pixels(*pair) for pair in masks], names)

    @classmethod
    def joined(
        cls, counts: Sequence[NDArray[np.int64]], names: Mapping[int, str] | None = None
    ) -> Segmentation:
        """From what :func:`count_pixels` gives for each image."""
        if names is None:
            seen = {int(v) for rows in counts for v in rows[:, :2].ravel()}
            names = {value: str(value) for value in sorted(seen - {VOID, -1})}
        values = np.array(sorted(names), np.int64)
        width = len(values)
        image = np.repeat(np.arange(len(counts)), [len(rows) for rows in counts])
        every = np.concatenate([*counts, np.empty((0, 3), np.int64)])
        true = np.searchsorted(values, every[:, 0])
        known = np.isin(every[:, 0], values)
        guess = np.where(
            np.isin(every[:, 1], values), np.searchsorted(values, every[:, 1]), width
        )
        cell = (true * (width + 1) + guess)[known]
        confusion = sp.csr_array(
            (every[known, 2].astype(float), (image[known], cell)),
            shape=(len(counts), width * (width + 1)),
        )
        return cls(confusion, tuple(names[v] for v in values.tolist()))

    def __len__(self) -> int:
        return int(self.confusion.shape[0])

    def take(self, samples: Codes) -> Segmentation:
        """The outcomes of some images."""
        return replace(self, confusion=self.confusion[samples])

    @property
    def quality(self) -> Floats:
        """``(n,)`` pixel accuracy of each image; 1 where no pixel counts."""
        right, every = self.sums("pixel_accuracy").toarray().T
        return share(right, every)

    def denominators(self, metric: str) -> Sums:
        """Pixels of each class, true or guessed, or all pixels."""
        if metric == "pixel_accuracy":
            return self.sums(metric)[:, 1:]
        return below_classes(metric, self.sums(metric), self.classes)

    def sums(self, metric: str) -> sp.csr_array:
        """Right, true and guessed pixels by class, or right ones and all."""
        width = len(self.classes)
        true, guess = np.divmod(np.arange(width * (width + 1)), width + 1)
        right = true == guess
        if metric == "pixel_accuracy":
            chosen = np.column_stack([right, np.ones(len(right))]).astype(float)
            return sp.csr_array(self.confusion @ sp.csr_array(chosen))
        cell = np.arange(len(true))
        rows = np.concatenate([cell[right], cell, cell[guess < width]])
        columns = np.concatenate(
            [true[right], true + width, guess[guess < width] + 2 * width]
        )
        ones = np.ones(len(rows))
        chosen_cells = sp.csr_array(
            (ones, (rows, columns)), shape=(len(cell), 3 * width)
        )
        return sp.csr_array(self.confusion @ chosen_cells)

    def value(self, metric: str, sums: Floats) -> Floats:
        """Mean IoU over classes, IoU of one, or the share of right pixels."""
        if metric == "pixel_accuracy":
            return ratio(sums)
        return over_classes(metric, sums, self.classes)


def count_pixels(truth: Mask, predicted: Mask | None) -> NDArray[np.int64]:
    """``(k, 3)`` true value, predicted value and number of pixels, of one image.

    Args:
        truth: ``(h, w)`` whole numbers
        predicted: ``(h, w)``; None where there is no prediction, whose value is -1

    Raises:
        ArgumentError: the masks differ in size
    """
    if predicted is None:
        values, counts = np.unique(truth, return_counts=True)
        return np.column_stack([values, np.full(len(values), -1), counts]).astype(int)
    if truth.shape != predicted.shape:
        sizes = [" × ".join(map(str, m.shape[::-1])) for m in (predicted, truth)]
        raise ArgumentError(
            f"The predicted mask has {sizes[0]} pixels, the true one {sizes[1]}; resize "
            "it to the true one's size, taking the nearest pixel"
        )
    joint = (truth.astype(np.int64).ravel() << 32) | predicted.astype(np.int64).ravel()
    pairs, counts = np.unique(joint, return_counts=True)
    return np.column_stack([pairs >> 32, pairs & 0xFFFFFFFF, counts])
