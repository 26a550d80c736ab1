"""COCO's average precision of every class and overlap, under many weightings at once.

A class at an overlap is one *run*: its true positives by falling score. Precision changes
for the better only there, so that nothing else needs a row. Rows are kept rank by rank
(the first true positive of every run, then every second one …), so that a running sum or
maximum of all runs together is one numpy call a rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from evalsets.metrics.outcomes import Codes

_STEP = 0.01
"""COCO averages over the recalls 0, .01 … 1."""
_COLUMNS, _ROWS = 256, 8000
"""Weightings and rows worked on at a time, so that they stay in the processor's cache."""
Numbers = NDArray[np.floating[Any]]


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

    def average_precision(self, weights: Numbers, objects: Numbers) -> Numbers:
        """``(c, t, r)`` average precision; 0 where there are no objects.

        Args:
            weights: ``(u, r)`` how often each unit counts; results have its precision
            objects: ``(c, r)`` weighted number of objects
        """
        n_classes, n_overlaps = len(objects), len(self.found)
        r = weights.shape[1]
        flat: Numbers = np.zeros((n_classes * n_overlaps, r), weights.dtype)
        for start in range(0, r, _COLUMNS):
            columns = slice(start, start + _COLUMNS)
            drawn = np.ascontiguousarray(weights[:, columns])
            least = np.maximum(objects[:, columns], 1)
            guessed = self._guessed(drawn)
            for runs in self._runs:
                flat[runs.key, columns] = runs.average(drawn, guessed, least)
        found = flat.reshape(n_classes, n_overlaps, r)
        return np.where(objects[:, None] > 0, found, 0)

    @cached_property
    def _hit(self) -> Codes:
        """``(m,)`` the boxes that found an object at any overlap."""
        return np.flatnonzero(self.found.any(axis=0))

    @cached_property
    def _hits(self) -> tuple[sp.csr_array, _Ranks]:
        """The boxes between one of them and the next, and their order."""
        of = self.label[self._hit]
        upto = np.searchsorted(self._hit, np.arange(len(self.label)))
        counts = np.append(of, -1)[upto] == self.label  # some object is found after it
        ranks = _Ranks.of(of)
        rows = ranks.place[upto[counts]]
        shape = (len(of), int(self.unit.max(initial=-1)) + 1)
        return _ones(rows, self.unit[counts], shape), ranks

    def _guessed(self, weights: Numbers) -> Numbers:
        """``(m, r)`` boxes of the class down to each that found an object."""
        between, ranks = self._hits
        boxes = _times(between, weights)
        ranks.run(np.add, boxes)
        return np.maximum(boxes[ranks.place], _STEP)  # 0 of 0 right is a precision of 0

    @cached_property
    def _runs(self) -> list[_Runs]:
        """All runs, the longest first, some at a time."""
        overlap, hit = np.nonzero(self.found[:, self._hit])
        box = self._hit[hit]
        key = self.label[box] * len(self.found) + overlap
        order = np.argsort(key, kind="stable")
        key, hit, box = key[order], hit[order], box[order]
        n_runs = (self.label.max(initial=-1) + 1) * len(self.found)
        lengths = np.bincount(key, minlength=n_runs)
        longest_first = np.lexsort((key, -lengths[key]))
        key, hit, box = (x[longest_first] for x in (key, hit, box))
        parts = _parts(key)
        left_out = self._left_out(lengths)
        return [
            _Runs.of(key[p], hit[p], self.unit[box[p]], len(self.found), left_out)
            for p in parts
        ]

    def _left_out(self, lengths: Codes) -> tuple[Codes, Codes, Codes]:
        """Run, rank and unit of each ignored box that comes before the run's end."""
        overlap, box = np.nonzero(self.ignored)
        key = self.label[box] * len(self.found) + overlap
        before: Codes = np.cumsum(self.found, axis=1) - self.found
        first = np.searchsorted(self.label, self.label[box])
        rank: Codes = before[overlap, box] - before[overlap, first]
        inside = rank < lengths[key]
        return key[inside], rank[inside], self.unit[box[inside]]


@dataclass(frozen=True)
class _Ranks:
    """Where the rows of several runs lie, rank by rank.

    Args:
        place: ``(k,)`` of each row
        steps: start of each rank but the last, of the next one, and rows of the next
        key: ``(g,)`` the runs' numbers, as the rows of the first rank lie
    """

    place: Codes
    steps: tuple[tuple[int, int, int], ...]
    key: Codes

    @classmethod
    def of(cls, key: Codes) -> _Ranks:
        """Orders rows.

        Args:
            key: ``(k,)`` number of each row's run; the rows of a run follow each other
        """
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        lengths = np.diff(np.append(starts, len(key)))
        longest_first = np.argsort(-lengths, kind="stable")
        within = np.empty_like(longest_first)
        within[longest_first] = np.arange(len(starts))
        rank = np.arange(len(key)) - np.repeat(starts, lengths)
        counts = np.bincount(rank)
        offsets = np.cumsum(counts) - counts
        place = offsets[rank] + np.repeat(within, lengths)
        ends = (offsets[:-1], offsets[1:], counts[1:])
        steps = tuple(zip(*(each.tolist() for each in ends), strict=True))
        return cls(place, steps, key[starts[longest_first]])

    def run(self, combine: Any, rows: Numbers) -> None:
        """Combines each row with the one before it in its run, the first rank first."""
        for before, at, n in self.steps:
            part = rows[at : at + n]
            combine(part, rows[before : before + n], out=part)

    def back(self, combine: Any, rows: Numbers) -> None:
        """Combines each row with the one after it in its run, the last rank first."""
        for at, after, n in reversed(self.steps):
            part = rows[at : at + n]
            combine(part, rows[after : after + n], out=part)

    def steps_between(self, rows: Numbers) -> None:
        """Takes from each row the one before it in its run."""
        for before, at, n in reversed(self.steps):
            rows[at : at + n] -= rows[before : before + n]


@dataclass(frozen=True)
class _Runs:
    """Some classes at some overlaps, ready to be weighed.

    Args:
        ranks: of the rows
        label: ``(k,)`` class of each row
        unit: ``(k,)`` unit of each row
        hit: ``(k,)`` row among the boxes that found an object at any overlap
        ignored: ``(k, u)`` ignored boxes between a row and the one before it; None where
            there are none
    """

    ranks: _Ranks
    label: Codes
    unit: Codes
    hit: Codes
    ignored: sp.csr_array | None

    @classmethod
    def of(
        cls,
        key: Codes,
        hit: Codes,
        unit: Codes,
        n_overlaps: int,
        left_out: tuple[Codes, Codes, Codes],
    ) -> _Runs:
        ranks = _Ranks.of(key)
        order = np.argsort(ranks.place)
        here = np.isin(left_out[0], ranks.key)
        ignored = None
        if here.any():
            runs, rank, units = (x[here] for x in left_out)
            starts = dict(zip(*np.unique(key, return_index=True), strict=True))
            rows = ranks.place[np.array([starts[r] for r in runs]) + rank]
            ignored = _ones(rows, units, (len(key), int(units.max()) + 1))
        label = key[order] // n_overlaps
        return cls(ranks, label, unit[order], hit[order], ignored)

    @property
    def key(self) -> Codes:
        """``(g,)`` number of each run."""
        return self.ranks.key

    def average(self, weights: Numbers, guessed: Numbers, objects: Numbers) -> Numbers:
        """``(g, r)`` the average precision of each run.

        Args:
            weights: ``(u, r)``
            guessed: ``(m, r)`` boxes down to each that found an object at any overlap
            objects: ``(c, r)``
        """
        right = weights[self.unit]
        self.ranks.run(np.add, right)
        below = guessed[self.hit]
        if self.ignored is not None:
            ignored = _times(self.ignored, weights)
            self.ranks.run(np.add, ignored)
            np.maximum(below - ignored, _STEP, out=below)
        precision = np.divide(right, below, out=below)
        self.ranks.back(
            np.maximum, precision
        )  # the best at this recall or a higher one
        reached = _recalls_reached(right, objects[self.label])
        self.ranks.steps_between(reached)
        reached[: len(self.key)] += 1  # a recall of 0 is reached by all
        precision *= reached
        self.ranks.back(np.add, precision)
        average: Numbers = precision[: len(self.key)] / round(1 / _STEP + 1)
        return average


def _recalls_reached(right: Numbers, objects: Numbers) -> Numbers:
    """How many of the recalls .01, .02 … 1 each reaches; overwrites ``right``.

    In double precision it is COCO's own comparison to the last bit.
    """
    recall = np.divide(right, objects, out=right)
    if recall.dtype != np.float64:
        recall *= 100
        recall += 1e-4  # equal shares must not differ by their rounding
        np.floor(recall, out=recall)
        return recall
    reached: Numbers = np.rint(recall * 100)
    reached -= reached * _STEP > recall
    return reached


def _parts(key: Codes) -> Iterator[slice]:
    """Parts of at most so many rows, or of one run."""
    ends = np.flatnonzero(np.diff(key, append=-1)) + 1
    start = 0
    while start < len(key):
        fit = ends[(ends > start) & (ends <= start + _ROWS)]
        end = int(fit[-1]) if len(fit) else int(ends[ends > start][0])
        yield slice(start, end)
        start = end


def _ones(rows: Codes, columns: Codes, shape: tuple[int, int]) -> sp.csr_array:
    return sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def _times(counts: sp.csr_array, weights: Numbers) -> Numbers:
    product: Numbers = counts.astype(weights.dtype) @ weights[: counts.shape[1]]
    return product
