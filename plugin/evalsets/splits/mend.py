"""Small changes to a cover that bring it nearer to its quotas.

Groups are taken more or less one at a time as long as that helps, then swapped two at a
time. What helps is judged in stages: first by the square of the distance from a little
above each quota, which brings all populations near at once, then by what it costs to
miss one, and last so that no quota is missed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Pain = Callable[[Ints], Floats]

_MOST_STEPS = 2000
_MOST_ROUNDS = 12
_PAIRED = 2000
_TRIED = 4096


class _Stage(NamedTuple):
    """How a cover is judged.

    Args:
        pain: what being so far above each quota costs
        curve: how much worse it gets where two changes add up, by which swaps are picked
    """

    pain: Pain
    curve: float


def _missed(short: float) -> Pain:
    """Pain of missing quotas: of a member too few, and of each above one too many."""

    def pain(over: Ints) -> Floats:
        below, above = np.minimum(over, 0), np.maximum(over, 0)
        cost: Floats = np.maximum(above - 1, 0) + 0.3 * np.minimum(above, 1)
        return cost - short * below

    return pain


def _squared(centre: float, below: float) -> Pain:
    """Squared distance from a little above the quotas, which weighs more below."""

    def pain(over: Ints) -> Floats:
        away = over - centre
        cost: Floats = away * away * np.where(away < 0, below, 1.0)
        return cost

    return pain


_FIRST = (
    _Stage(_squared(1.0, 1.0), 1.0),  # where groups have few members
    _Stage(_squared(1.5, 2.0), 1.3),  # and where they have many
)
_LAST = (_Stage(_missed(4.0), 0.3), _Stage(_missed(100.0), 0.3))


def mend(
    counts: csr_array, size: Ints, target: Ints, take: Ints, due: Ints | int = 0
) -> Ints:
    """Takes single groups more or less, or swaps two, as long as that helps.

    Args:
        counts: ``(t, p)`` members that one group of a kind has in each population;
            no kind without any
        size: ``(t,)`` groups there are of a kind
        target: ``(p,)`` members wanted
        take: ``(t,)`` groups taken so far
        due: ``(p,)`` members above its quota that a population has to have

    Returns:
        ``(t,)`` groups to take; quotas may still be missed
    """
    found = []
    for first in _FIRST:
        search = _Search(counts, size, target + due, take)
        search.descend(first)
        search.over += due
        for stage in _LAST:
            search.descend(stage)
        found.append(search)
    judged = [_missed(100.0)(search.over).sum() for search in found]
    return found[int(np.argmin(judged))].take


class _Search:
    """A cover while it is changed."""

    def __init__(self, counts: csr_array, size: Ints, target: Ints, take: Ints) -> None:
        self.counts, self.size, self.take = counts, size, take.copy()
        self.over: Ints = take @ counts - target

    def descend(self, stage: _Stage) -> None:
        """Changes single groups until none helps, then swaps; over again."""
        rounds = 0
        for _ in range(_MOST_STEPS):
            more, less = self._changes(stage.pain)
            if min(more.min(), less.min()) < -1e-9:
                kind = int(np.argmin(np.concatenate([more, less])))
                self._change(kind % len(more), 1 if kind < len(more) else -1)
                continue
            rounds += 1
            if rounds > _MOST_ROUNDS or not self._swap(stage, more, less):
                break

    def _changes(self, pain: Pain) -> tuple[Floats, Floats]:
        """``(t,)`` pain that one group more, and one less, of each kind would add."""
        at, each = self.over[self.counts.indices], self.counts.data
        now, starts = pain(at), self.counts.indptr[:-1]
        more = np.add.reduceat(pain(at + each) - now, starts)
        less = np.add.reduceat(pain(at - each) - now, starts)
        more[self.take >= self.size] = np.inf
        less[self.take <= 0] = np.inf
        return more, less

    def _swap(self, stage: _Stage, more: Floats, less: Floats) -> bool:
        """Makes the swaps that help, of those that seem best; whether any did.

        The pain of two changes is the sum of both and of what they do to one population,
        which the product of their members tells for all pairs at once.
        """
        come, go = (_least(pain) for pain in (more, less))
        if not len(come) or not len(go):
            return False
        coming, going = (
            self.counts[kinds].toarray().astype(np.float32) for kinds in (come, go)
        )
        seems = coming @ going.T  # whole numbers, exact in float32 in any order
        seems *= -2 * stage.curve
        seems += more[come].astype(np.float32)[:, None]
        seems += less[go].astype(np.float32)
        seems[come[:, None] == go] = np.inf
        best = np.argpartition(seems.ravel(), min(_TRIED, seems.size) - 1)[:_TRIED]
        one, other = np.divmod(np.sort(best), len(go))
        change = (coming[one] - going[other]).astype(np.int64)
        come, go = come[one], go[other]
        swapped = False
        while True:
            after = stage.pain(self.over + change).sum(axis=1)
            able = (self.take[come] < self.size[come]) & (self.take[go] > 0)
            after[~able | (come == go)] = np.inf
            at = int(after.argmin())
            if after[at] >= stage.pain(self.over).sum() - 1e-9:
                return swapped
            self._change(come[at], 1)
            self._change(go[at], -1)
            swapped = True

    def _change(self, kind: int, sign: int) -> None:
        row = np.s_[self.counts.indptr[kind] : self.counts.indptr[kind + 1]]
        self.over[self.counts.indices[row]] += sign * self.counts.data[row]
        self.take[kind] += sign


def _least(pain: Floats) -> Ints:
    """The kinds whose change hurts least, of those that can be changed."""
    order = np.argsort(pain, kind="stable")[:_PAIRED]
    return order[np.isfinite(pain[order])]
