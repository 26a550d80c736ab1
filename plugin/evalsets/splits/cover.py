"""The fewest surplus memberships that meet every quota at once.

Groups with the same membership counts are interchangeable: they are one *kind*, and
the question is how many of each kind go to test. That is a covering integer programme

    minimise Σ weight·take   subject to   countsᵀ·take ≥ target,   0 ≤ take ≤ size

with weight = memberships of a kind: what a quota does not need is excess. Many answers
have the least excess; wanted is the one nearest to an even draw, or else the test set
of a population would hold some of its overlaps and none of others.

An even draw, rounded by lot, meets every quota but for the luck of rounding. A linear
programme over the kinds that are nearest to being rounded the other way takes out the
luck; its answer is whole but for about one kind a population. What is left is mended by
an integer programme where that can finish, and by local search. The bounds of the
programmes tell how far from the least the answer can be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from evalsets.splits.balance import balance
from evalsets.splits.mend import mend
from evalsets.splits.programme import Programme

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LARGEST = 400_000
"""Memberships of the kinds that the linear programme is over."""
_SEARCHED = 1_000_000
_FEW = 50
_LUCK = 30  # members above a quota that need not be


@dataclass(frozen=True)
class Cover:
    """How many groups of every kind to take.

    Args:
        take: ``(t,)``
        gap: memberships by which the total excess may be above the least, of covers
            that exceed no quota by more than a group where there are any; 0 is proof
    """

    take: Ints
    gap: int


def cover(counts: csr_array, size: Ints, target: Ints, lot: Floats) -> Cover:
    """Meets all quotas with the least total excess, as even as can be.

    Args:
        counts: ``(t, p)`` members that one group of a kind has in each population;
            no kind without any
        size: ``(t,)`` groups there are of a kind
        target: ``(p,)`` members wanted, at most ``size @ counts``
        lot: ``(t,)`` in [0, 1), decides how a rate is rounded
    """
    weight = np.asarray(counts.sum(axis=1)).ravel()
    even = balance(counts, size, target)
    drawn = size * np.clip(even.rate, 0, 1)
    exact = drawn + lot
    take = np.minimum(np.floor(exact), size).astype(np.int64)
    least = even.least
    if (take @ counts != target).any():
        beyond = np.maximum(np.maximum(-even.rate, even.rate - 1), 0)
        near = _nearest(counts, np.abs(exact - np.rint(exact)) + beyond)
        take, bound = _programmed(counts, size, target, take, near[0])
        least = max(least, bound)
        if weight @ take > least or (take @ counts < target).any():
            due = np.rint(drawn @ counts - target).astype(np.int64)
            due[due <= _LUCK] = 0
            take = _searched(counts, size, target, take, near[1], due)
    return Cover(take, max(0, int(weight @ take) - least))


def _nearest(counts: csr_array, distance: Floats) -> tuple[Ints, Ints]:
    """Kinds that rounding could most easily have treated otherwise: some, and more."""
    order = np.argsort(distance, kind="stable")
    memberships = np.cumsum(np.diff(counts.indptr)[order])
    some, more = (order[memberships <= most] for most in (LARGEST, _SEARCHED))
    return np.sort(some), np.sort(more)


def _programmed(
    counts: csr_array, size: Ints, target: Ints, take: Ints, near: Ints
) -> tuple[Ints, int]:
    """The cover by programmes over near kinds, and what no cover is below if all are."""
    part, fixed = counts[near], take.copy()
    fixed[near] = 0
    programme = Programme(part, size[near], target - fixed @ counts, take[near])
    linear = programme.linear()
    if linear is None:
        return take, 0
    divided, order, least = linear
    take, best = fixed.copy(), None
    if len(target) <= _FEW:
        best, proven = programme.integer(divided, order)
        if proven and best is not None:
            least = int(programme.weight @ best)
    take[near] = np.rint(divided).astype(np.int64) if best is None else best
    return take, least if len(near) == len(take) else 0


def _searched(
    counts: csr_array, size: Ints, target: Ints, take: Ints, near: Ints, due: Ints
) -> Ints:
    """A cover at least as good, by changes to near kinds; greedily where they fail."""
    met = (take @ counts >= target).all()
    weight = np.asarray(counts.sum(axis=1)).ravel()
    fixed = take.copy()
    fixed[near] = 0
    found = fixed.copy()
    left = target - fixed @ counts
    found[near] = mend(counts[near], size[near], left, take[near], due)
    if (found @ counts < target).any():
        found = greedy(counts, size, target, found)
    return take if met and weight @ take <= weight @ found else found


def greedy(counts: csr_array, size: Ints, target: Ints, wanted: Ints) -> Ints:
    """Starts from a draw, fills the rarest population first, drops what none needs."""
    take = wanted.copy()
    got = take @ counts
    columns = counts.tocsc()
    weight = np.asarray(counts.sum(axis=1)).ravel()
    for population in np.lexsort((np.arange(len(target)), size @ counts)):
        if got[population] >= target[population]:
            continue
        span = np.s_[columns.indptr[population] : columns.indptr[population + 1]]
        kinds, each = columns.indices[span], columns.data[span]
        surplus = counts[kinds] @ (got >= target).astype(np.int64)
        for at in np.lexsort((kinds, surplus / each)):
            lacking = target[population] - got[population]
            if lacking <= 0:
                break
            kind = kinds[at]
            more = min(size[kind] - take[kind], -(-lacking // each[at]))
            take[kind] += more
            row = np.s_[counts.indptr[kind] : counts.indptr[kind + 1]]
            got[counts.indices[row]] += more * counts.data[row]
    for kind in np.lexsort((-np.arange(len(take)), -weight)):
        if not take[kind]:
            continue
        span = np.s_[counts.indptr[kind] : counts.indptr[kind + 1]]
        inside, each = counts.indices[span], counts.data[span]
        spare = min(take[kind], ((got[inside] - target[inside]) // each).min())
        if spare > 0:
            take[kind] -= spare
            got[inside] -= spare * each
    return take
