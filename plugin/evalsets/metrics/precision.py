"""COCO's average precision of every class and overlap, under many weightings at once.

Numba compiles the walk down the boxes of a class. Weightings lie side by side, so that the
processor adds several at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from evalsets.metrics.outcomes import Codes, Floats

_COLUMNS = 64
"""Weightings worked on at a time, so that the rows of a class stay in the cache."""
_LEAST = 0.01
"""Boxes that precision is at least a share of, so that 0 of 0 is 0."""
_RECALLS = 100
"""COCO averages over the recalls 0, .01 … 1."""
_Run = TypeVar("_Run", bound=Callable[..., Any])


def _compiled(run: _Run) -> _Run:
    """Machine code, kept on disk where there is a folder that can be written."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        found: _Run = njit(cache=True, **options)(run)
    except RuntimeError:  # numba finds no folder that can be written
        found = njit(**options)(run)
    return found


@dataclass(frozen=True)
class RankedBoxes:
    """Predicted boxes, by class and falling score.

    Args:
        label: ``(k,)`` code of the class, never falling
        unit: ``(k,)`` what is drawn with the box: its image, or a block of images
        found: ``(t, k)`` whether it found an object, for each overlap
        ignored: ``(t, k)`` whether it counts neither way
    """

    label: Codes
    unit: Codes
    found: NDArray[np.bool_]
    ignored: NDArray[np.bool_]

    def average_precision(self, weights: NDArray[Any], objects: Floats) -> Floats:
        """``(c, t, r)`` average precision; 0 where there are no objects.

        Args:
            weights: ``(u, r)`` how often each unit counts
            objects: ``(c, r)`` weighted number of objects
        """
        ends = np.searchsorted(self.label, np.arange(len(objects) + 1))
        found, ignored = map(np.ascontiguousarray, (self.found, self.ignored))
        hit = np.asarray(found.any(axis=0))
        least = np.maximum(objects, 1)

        def some(start: int) -> Floats:
            part = slice(start, start + _COLUMNS)
            drawn, most = (
                np.array(x[:, part], float, order="C") for x in (weights, least)
            )
            return _averages(ends, self.unit, found, ignored, hit, drawn, most)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = list(pool.map(some, range(0, weights.shape[1], _COLUMNS)))
        averages = np.concatenate(parts, axis=2)
        return np.where(objects[:, None] > 0, averages, 0)


@_compiled
def _fill(
    unit: Codes,
    found: NDArray[np.bool_],
    guessed: Floats,
    ignored: NDArray[np.bool_],
    hit: NDArray[np.bool_],
    weights: Floats,
    objects: Floats,
    average: Floats,
) -> None:
    """Adds up ``(r,)`` the average precision of one class at one overlap.

    Args:
        unit: ``(k,)`` of each box
        found: ``(k,)`` whether it found an object
        guessed: ``(h, r)`` boxes down to each that found an object at any overlap
        ignored: ``(k,)`` whether it counts neither way
        hit: ``(k,)`` whether it found an object at any overlap
        weights: ``(u, r)``
        objects: ``(r,)``, at least 1
        average: ``(r,)`` zeros
    """
    h, r = guessed.shape
    precision = np.empty((h, r))
    reached = np.full((h + 1, r), -1.0)  # a recall of 0 is reached by all
    right, apart, best = np.zeros(r), np.zeros(r), np.zeros(r)
    row = n = 0
    for box in range(len(unit)):
        if ignored[box]:
            apart += weights[unit[box]]
        if found[box]:
            drawn = weights[unit[box]]
            for i in range(r):
                right[i] += drawn[i]
                precision[n, i] = right[i] / max(guessed[row, i] - apart[i], _LEAST)
                recall = right[i] / objects[i]
                step = np.rint(recall * _RECALLS)
                reached[n + 1, i] = step - (step * 0.01 > recall)
            n += 1
        row += hit[box]
    for at in range(n - 1, -1, -1):
        for i in range(r):  # the best at this recall or a higher one
            best[i] = max(best[i], precision[at, i])
            average[i] += best[i] * (reached[at + 1, i] - reached[at, i])
    average /= _RECALLS + 1


@_compiled
def _averages(
    ends: Codes,
    unit: Codes,
    found: NDArray[np.bool_],
    ignored: NDArray[np.bool_],
    hit: NDArray[np.bool_],
    weights: Floats,
    objects: Floats,
) -> Floats:
    """``(c, t, r)`` average precisions; the boxes of class c begin at ``ends[c]``."""
    averages = np.zeros((len(objects), len(found), weights.shape[1]))
    total = np.empty(weights.shape[1])
    for c in range(len(objects)):
        of = slice(ends[c], ends[c + 1])
        guessed = np.empty((hit[of].sum(), len(total)))
        total[:] = 0
        row = 0
        for box in range(ends[c], ends[c + 1]):
            total += weights[unit[box]]
            if hit[box]:
                guessed[row] = total
                row += 1
        for t in range(len(found)):
            _fill(
                unit[of],
                found[t, of],
                guessed,
                ignored[t, of],
                hit[of],
                weights,
                objects[c],
                averages[c, t],
            )
    return averages
