"""Images that are nearly the same: pairs of vectors whose cosine reaches a threshold.

Every pair is looked at, in blocks, so that memory stays small. Most pairs are dismissed
by a bound on few numbers: of each vector its parts along the main directions of all, and
the length of what is left. By Cauchy and Schwarz the dot product of these is never below
the cosine. What passes is decided in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from evalsets.errors import ArgumentError

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

BAND = 0.02
"""How far below the threshold pairs are still looked at, to show them."""
_BLOCK = 2048
_DIRECTIONS = 63
_SAMPLE = 20_000
_PAIRS = 65_536
_FLOAT32 = 1e-6
_SHOWN = 5


@dataclass(frozen=True)
class NearDuplicates:
    """Rows that belong together.

    Args:
        pairs: ``(m, 2)`` with the smaller row first; they connect whatever all close
            pairs connect, and are not all of them
        examples: pairs around the threshold with their cosines, most alike first; a few
            on each side
    """

    pairs: Rows
    examples: list[tuple[int, int, float]]


def near_duplicates(vectors: Floats, threshold: float) -> NearDuplicates:
    """Connects rows whose cosine reaches a threshold, to float32 precision.

    Args:
        vectors: ``(n, d)`` of unit length; may be mapped from a file
        threshold: in (0, 1]
    """
    check_threshold(threshold)
    first, copies = _copies(vectors)
    found = _Found(len(vectors), threshold, copies)
    short = _shortened(vectors)
    for start in range(0, len(first), _BLOCK):
        rows = first[start : start + _BLOCK]
        for other in range(start, len(first), _BLOCK):
            against = first[other : other + _BLOCK]
            left, right = _may_reach(short, rows, against, threshold - BAND)
            new = left < right if start == other else slice(None)
            found.add(vectors, rows[left[new]], against[right[new]])
        found.join()
    return found.result()


def closest(
    vectors: Floats, among: Rows, others: Rows, threshold: float
) -> Iterator[tuple[int, int, float]]:
    """Of every row the most similar other row and its cosine, if that is close.

    Args:
        vectors: ``(n, d)`` of unit length
        among: rows to look at
        others: rows to compare them with
        threshold: in (0, 1]; pairs below it are left out
    """
    check_threshold(threshold)
    short = _shortened(vectors)
    for start in range(0, len(among), _BLOCK):
        rows = among[start : start + _BLOCK]
        best = np.full(len(rows), threshold - _FLOAT32)
        twin = np.full(len(rows), -1, dtype=np.int64)
        for other in range(0, len(others), _BLOCK):
            against = others[other : other + _BLOCK]
            left, right = _may_reach(short, rows, against, threshold)
            cosine = _cosines(vectors, rows[left], against[right])
            order = np.lexsort((against[right], -cosine))
            at, where = np.unique(left[order], return_index=True)
            better = cosine[order][where] > best[at] + 1e-12
            best[at[better]] = cosine[order][where][better]
            twin[at[better]] = against[right][order][where][better]
        for row, found, cosine_of in zip(rows, twin, best, strict=True):
            if found >= 0:
                yield int(row), int(found), float(min(cosine_of, 1))


def check_threshold(threshold: Any) -> None:
    """Refuses what is no closeness of images.

    Raises:
        ArgumentError: the threshold is not in (0, 1]
    """
    if not isinstance(threshold, Real) or not 0 < float(threshold) <= 1:
        raise ArgumentError(
            f"near_duplicates is {threshold}; give a cosine above 0 and up to 1"
        )


class _Found:
    """Close pairs so far, and what they connect."""

    def __init__(self, n: int, threshold: float, copies: Rows) -> None:
        self.threshold = threshold
        self.pairs = [copies]
        self.group = np.arange(n)
        self.waiting = [copies]
        self.above: list[tuple[float, int, int]] = []
        self.below: list[tuple[float, int, int]] = []
        self.join()

    def add(self, vectors: Floats, left: Rows, right: Rows) -> None:
        """Looks at pairs that are not connected yet."""
        apart = self.group[left] != self.group[right]
        left, right = left[apart], right[apart]
        cosine = _cosines(vectors, left, right)
        reach = cosine >= self.threshold - _FLOAT32
        self.waiting.append(np.stack([left[reach], right[reach]], axis=1))
        nearest = np.argsort(np.abs(cosine - self.threshold), kind="stable")
        for shown, on_side in ((self.above, reach), (self.below, ~reach)):
            for at in nearest[on_side[nearest]][:_SHOWN]:
                shown.append((float(cosine[at]), int(left[at]), int(right[at])))
            shown.sort(key=lambda pair: (abs(pair[0] - self.threshold), *pair[1:]))
            del shown[_SHOWN:]

    def join(self) -> None:
        """Connects what was added, and forgets pairs that others connect already."""
        new = np.concatenate(self.waiting)
        self.waiting = []
        if len(new):
            self.pairs.append(new)
            n = len(self.group)
            left, right = self.group[new].T
            links = coo_array((np.ones(len(new), np.int8), (left, right)), shape=(n, n))
            joined = connected_components(links, directed=False)[1]
            self.group = joined[self.group].astype(np.int64)

    def result(self) -> NearDuplicates:
        pairs = np.concatenate(self.pairs[1:] or self.pairs)
        shown = sorted(self.above + self.below, key=lambda pair: (-pair[0], *pair[1:]))
        return NearDuplicates(
            pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))],
            [(left, right, min(cosine, 1.0)) for cosine, left, right in shown],
        )


def _copies(vectors: Floats) -> tuple[Rows, Rows]:
    """The first of all equal rows, and pairs of a first row and its equal."""
    weigh = np.random.default_rng(0).integers(
        2**63, size=(2, vectors.shape[1]), dtype=np.uint64
    )
    alike = np.empty((len(vectors), 2), dtype=np.uint64)
    for start in range(0, len(vectors), _BLOCK):
        block = np.ascontiguousarray(vectors[start : start + _BLOCK], dtype="<f4")
        bits = (block + np.float32(0)).view("<u4").astype(np.uint64)  # -0.0 is 0.0
        alike[start : start + _BLOCK] = bits @ weigh.T
    _, first, copy_of = np.unique(
        alike.view("V16").ravel(), return_index=True, return_inverse=True
    )
    pairs = np.stack([first[copy_of], np.arange(len(vectors))], axis=1)
    return np.sort(first), pairs[pairs[:, 0] < pairs[:, 1]]


def _shortened(vectors: Floats) -> Floats:
    """Vectors of few numbers whose dot products are never below the cosines."""
    n, d = vectors.shape
    if d <= _DIRECTIONS + 1:
        return np.asarray(vectors, dtype=np.float32)
    some = np.asarray(vectors[:: max(1, n // _SAMPLE)], dtype=np.float64)
    main = np.linalg.eigh(some.T @ some)[1][:, -_DIRECTIONS:].astype(np.float32)
    main = np.linalg.qr(main)[0]
    short = np.empty((n, _DIRECTIONS + 1), dtype=np.float32)
    for start in range(0, n, _BLOCK):
        block = np.s_[start : start + _BLOCK]
        short[block, :-1] = parts = vectors[block] @ main
        left = 1 - np.square(parts, dtype=np.float64).sum(axis=1)
        short[block, -1] = np.sqrt(np.maximum(left, 0) + 4 * _FLOAT32)
    return short


def _may_reach(
    short: Floats, rows: Rows, against: Rows, threshold: float
) -> tuple[Rows, Rows]:
    """Places of pairs that the bound does not dismiss."""
    bound = short[rows] @ short[against].T
    # numpy finds what is true in one dimension ten times as fast as in two
    close = np.flatnonzero(bound.ravel() >= threshold - 4 * _FLOAT32)
    return np.divmod(close, len(against))


def _cosines(vectors: Floats, left: Rows, right: Rows) -> NDArray[np.float64]:
    found = np.empty(len(left), dtype=np.float64)
    for start in range(0, len(left), _PAIRS):
        block = np.s_[start : start + _PAIRS]
        one = np.asarray(vectors[left[block]], dtype=np.float64)
        found[block] = np.einsum("ij,ij->i", one, vectors[right[block]])
    return found
