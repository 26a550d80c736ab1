"""Which unlabelled samples to label: those that settle a verdict, or mend a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evalsets.discovery.evidence import Bools, Counts
from evalsets.discovery.regions import Vectors

Picks = list[tuple[int, int]]
"""Places of chosen samples, each with the place of what it was chosen for."""

_ALIKE = 0.98
"""Cosine from which a second sample teaches little that the first did not."""
_MOST_MISTAKES = 1000
_AT_ONCE = 4_000_000  # similarities held in memory


def settle(
    members: Bools, needed: Sequence[int], lots: NDArray[np.uint64], n: int
) -> Picks:
    """Samples that open requirements wait for, the cheapest requirement first.

    Within a population the samples with the smallest lots are chosen, which are a
    simple random sample of it; those that an earlier requirement took count as well.
    A requirement that lacks more samples than there are comes last.

    Args:
        members: ``(k, m)`` which samples are in the population of each requirement
        needed: ``(k,)`` labels that each lacks
        lots: ``(m,)`` a fixed random number of each sample
        n: samples, at most

    Returns:
        the samples in the order chosen, each with the requirement it was chosen for
    """
    order = np.argsort(lots, kind="stable")
    chosen = np.zeros(members.shape[1], dtype=bool)
    picks: Picks = []
    size = members.sum(axis=1)
    for at in sorted(
        range(len(needed)), key=lambda k: (needed[k] > size[k], needed[k])
    ):
        lacking = needed[at] - int((members[at] & chosen).sum())
        free = order[(members[at] & ~chosen)[order]]
        for row in free[: max(0, min(lacking, n - len(picks)))].tolist():
            chosen[row] = True
            picks.append((row, at))
    return picks


def mend(mistakes: Vectors, pool: Vectors, n: int) -> Picks:
    """Samples that look like mistakes, spread over all of these.

    The mistakes take turns; each picks the most similar sample that is left, unless it
    is nearly the same as one that was picked already.

    Args:
        mistakes: ``(k, d)`` unit vectors; the first 1,000 take part
        pool: ``(m, d)`` unit vectors of the samples to choose from
        n: samples, at most

    Returns:
        the samples in the order chosen, each with the mistake it is like
    """
    mistakes = mistakes[:_MOST_MISTAKES]
    if not len(mistakes) or not len(pool):
        return []
    nearest = _nearest(mistakes, pool, min(len(pool), n + 1))
    free = np.ones(len(pool), dtype=bool)
    turn = np.zeros(len(mistakes), dtype=np.intp)
    picks: Picks = []
    waiting = list(range(len(mistakes)))
    while waiting and len(picks) < n:
        for at in list(waiting):
            while turn[at] < nearest.shape[1] and not free[nearest[at, turn[at]]]:
                turn[at] += 1
            if turn[at] == nearest.shape[1]:
                waiting.remove(at)
                continue
            row = int(nearest[at, turn[at]])
            free &= pool @ pool[row] < _ALIKE
            free[row] = False
            picks.append((row, at))
            if len(picks) == n:
                break
    return picks


def _nearest(mistakes: Vectors, pool: Vectors, n: int) -> Counts:
    """``(k, n)`` the most similar of the pool, by falling similarity."""
    step = max(1, _AT_ONCE // len(pool))
    found = [
        np.argsort(-(mistakes[at : at + step] @ pool.T), axis=1, kind="stable")[:, :n]
        for at in range(0, len(mistakes), step)
    ]
    return np.concatenate(found)
