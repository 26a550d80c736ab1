"""The fewest surplus memberships that meet every quota at once.

Groups with the same membership counts are interchangeable: they are one *kind*, and
the question is how many of each kind go to test. That is a covering integer programme

    minimise Σ weight·take   subject to   countsᵀ·take ≥ target,   0 ≤ take ≤ size

with weight = memberships of a kind: what a quota does not need is excess. Many answers
have the least excess; wanted is the one nearest to a proportional draw, or else the
test set of a population would hold some of its overlaps and none of others.

The linear programme over all kinds is fast, and its answer is whole but for about one
kind a population; an integer programme over those and the kinds that cost least to
change mends the rest. The linear bound tells how far from the least that can be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, hstack

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LARGEST = 400_000
"""Memberships of kinds up to which programmes are solved."""
_SWING = 500
_NODES = 200


@dataclass(frozen=True)
class Cover:
    """How many groups of every kind to take.

    Args:
        take: ``(t,)``
        gap: memberships by which the total excess may be above the least; 0 is proof
    """

    take: Ints
    gap: int


def cover(counts: csr_array, size: Ints, target: Ints, lot: Floats) -> Cover:
    """Meets all quotas with the least total excess, as near as can be to proportion.

    Args:
        counts: ``(t, p)`` members that one group of a kind has in each population;
            no kind without any
        size: ``(t,)`` groups there are of a kind
        target: ``(p,)`` members wanted, at most ``size @ counts``
        lot: ``(t,)`` in [0, 1), decides how a proportion is rounded

    Returns:
        by programme up to :data:`LARGEST` memberships, else greedily
    """
    weight = np.asarray(counts.sum(axis=1)).ravel()
    wanted = _proportional(counts, size, target, lot)
    take = greedy(counts, size, target, wanted)
    least = int(target.sum())
    exact = weight @ take == least and (take == wanted).all()
    if counts.nnz <= LARGEST and not exact:
        better, least = _programmed(counts, size, target, wanted)
        if weight @ better <= weight @ take:
            take = better
    return Cover(take, max(0, int(weight @ take) - least))


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
            got = got + more * counts[[kind]].toarray()[0]
    for kind in np.lexsort((-np.arange(len(take)), -weight)):
        span = np.s_[counts.indptr[kind] : counts.indptr[kind + 1]]
        inside, each = counts.indices[span], counts.data[span]
        spare = min(take[kind], ((got[inside] - target[inside]) // each).min())
        if spare > 0:
            take[kind] -= spare
            got[inside] -= spare * each
    return take


def _proportional(counts: csr_array, size: Ints, target: Ints, lot: Floats) -> Ints:
    """Every kind at the mean rate its populations still need, rounded by lot."""
    there = np.maximum(size @ counts, 1)
    rate = (counts @ (target / there)) / np.maximum(counts.sum(axis=1), 1)
    drawn: Ints = np.minimum(np.floor(rate * size + lot), size).astype(np.int64)
    return drawn


def _programmed(
    counts: csr_array, size: Ints, target: Ints, wanted: Ints
) -> tuple[Ints, int]:
    """The cover by programme, and a number of memberships that no cover is below.

    Variables are what is taken more and what less than wanted. Each costs its
    memberships and a little more: all of it together stays below a quarter.
    """
    weight = np.asarray(counts.sum(axis=1)).ravel().astype(np.float64)
    little = 0.25 / size.sum()
    cost = np.concatenate([weight + little, little - weight])
    most = np.concatenate([size - wanted, wanted])
    change = csr_array(hstack([counts.T, -counts.T]))
    lacking = target - wanted @ counts
    bounds = np.stack([np.zeros(len(most)), most], axis=1)
    linear = linprog(  # type: ignore[call-overload]  # the stubs know no sparse array
        cost, A_ub=-change, b_ub=-lacking, bounds=bounds, method="highs-ipm"
    )
    least = math.ceil(linear.fun + weight @ wanted - 0.25 - 1e-6)

    n = len(size)
    more = np.rint(linear.x).astype(np.int64)
    price = np.abs(linear.lower.marginals + linear.upper.marginals)
    price = np.minimum(price[:n], price[n:])
    broken = (np.abs(linear.x - more) > 1e-7).reshape(2, n).any(axis=0)
    swing = np.lexsort((price, ~broken))[:_SWING]
    both = np.concatenate([swing, swing + n])
    more[both] = 0
    # nodes end the search, not seconds: the answer must not depend on the machine
    mended = milp(
        cost[both],
        constraints=LinearConstraint(change[:, both], lb=lacking - change @ more),
        bounds=Bounds(0, most[both]),
        integrality=np.ones(len(both), dtype=np.int8),
        options={"node_limit": _NODES, "mip_rel_gap": 0},
    )
    if mended.x is None:
        rounded = np.ceil(wanted + linear.x[:n] - linear.x[n:] - 1e-7)
        return greedy(counts, size, target, rounded.astype(np.int64)), least
    more[both] = np.rint(mended.x)
    take = wanted + more[:n] - more[n:]
    if len(swing) == n and mended.status == 0:
        least = int(weight @ take)
    return take, least
