"""Conjunctions of conditions on tags in which a model is worse than elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from evalsets.discovery.evidence import (
    Bools,
    Codes,
    Floats,
    excess_p,
    excess_z,
    is_spot,
)

LIMIT = 0.5
"""Conjunctions as good as the last one proposed, that chance alone may bring forth."""

_DEPTH = 3
_BEAM = 100
_MOST = 600
_NARROWER = 0.95  # of what a condition is added to
_PROMISING = 2.0  # standard errors from which a p-value is worked out


@dataclass(frozen=True)
class Condition:
    """A condition on one field, and whom it holds for.

    Args:
        field: what it asks for
        text: in the query language
        words: for a name
        members: ``(n,)``
        bound: "low" or "high" where it bounds a number; two conditions on one field are
            combined only if they make an interval
        absent: whether it says what is not there, as ``<>`` and ``IS NULL`` do
    """

    field: str
    text: str
    words: str
    members: Bools
    bound: str = ""
    absent: bool = False


Parts: TypeAlias = "tuple[int, ...]"
_Shorts: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class _Level:
    """The conjunctions of one depth that have enough samples.

    Args:
        parts: ``(k, depth)`` places of their conditions, rising
        n: ``(k,)`` samples
        p: ``(k,)`` 1 where they are not clearly worse than the rest
    """

    parts: Codes
    n: Floats
    p: Floats

    def first(self, most: int) -> Codes:
        """The surest; ties go to the larger, then to the earlier conditions."""
        keys = (*self.parts.T[::-1], -self.n, self.p)
        return np.lexsort(keys)[:most]


def propose_conjunctions(
    conditions: Sequence[Condition], loss: Floats, least: int, most: int
) -> list[Parts]:
    """Conjunctions of up to three conditions, the surest first.

    The samples of each one found are taken out before the next is looked for, so that
    neither parts of it nor what contains it come up again by themselves. The search
    ends where chance alone would bring forth the next one.

    Args:
        conditions: to combine; each with ``(n,)`` members
        loss: ``(n,)`` greater is worse
        least: samples that a conjunction must have
        most: conjunctions to find

    Returns:
        places of the conditions of each
    """
    found: list[Parts] = []
    inside = np.array([c.members for c in conditions], dtype=np.float32)
    inside = inside.reshape(len(conditions), len(loss))
    combine = _combinable(conditions)
    left = np.ones(len(loss), dtype=bool)
    while len(found) < most:
        best = _surest(inside[:, left], combine, loss[left], least)
        if best is None:
            break
        found.append(best)
        left &= ~inside[list(best)].all(axis=0)
    return found


def _combinable(conditions: Sequence[Condition]) -> Bools:
    """``(m, m)`` which two conditions can stand in one conjunction."""
    field = np.array([c.field for c in conditions])
    bound = np.array([c.bound for c in conditions])
    interval = (bound[:, None] != bound) & (bound != "") & (bound[:, None] != "")
    pair: Bools = (field[:, None] != field) | interval
    return pair


def _surest(inside: _Shorts, combine: Bools, loss: Floats, least: int) -> Parts | None:
    """The conjunction that chance is least likely to bring forth, if it is unlikely.

    Each depth is a family of its own: chance is expected to bring forth p times the
    conjunctions tried at that depth, so that a condition more must pay for itself.
    """
    if not len(inside) or len(loss) < 2 * least or not loss.std():
        return None
    weight = loss.astype(np.float32)
    alone = np.arange(len(inside))[:, None]
    level = _level(alone, inside.sum(axis=1), inside @ weight, loss, least)
    best = LIMIT, ()
    for depth in range(1, _DEPTH + 1):
        if not len(level.p):
            break
        top = int(level.first(1)[0])
        expected = float(level.p[top]) * len(level.p) * _DEPTH
        best = min(best, (expected, tuple(level.parts[top].tolist())))
        if depth < _DEPTH:
            parents = level.first(_MOST if depth == 1 else _BEAM)
            level = _deeper(level.parts[parents], inside, combine, weight, loss, least)
    return best[1] or None


def _deeper(
    parents: Codes,
    inside: _Shorts,
    combine: Bools,
    weight: _Shorts,
    loss: Floats,
    least: int,
) -> _Level:
    """Every conjunction of a parent and one more condition that narrows it."""
    members = inside[parents].prod(axis=1)
    n, total = members @ inside.T, (members * weight) @ inside.T
    narrower = (n >= least) & (n <= _NARROWER * members.sum(axis=1)[:, None])
    narrower &= n <= _NARROWER * inside.sum(axis=1)
    narrower &= combine[parents].all(axis=1)
    row, added = np.nonzero(narrower)
    parts = np.sort(np.column_stack([parents[row], added]), axis=1)
    parts, first = np.unique(parts, axis=0, return_index=True)
    return _level(parts, n[row, added][first], total[row, added][first], loss, least)


def _level(
    parts: Codes, n: _Shorts, total: _Shorts, loss: Floats, least: int
) -> _Level:
    enough = n >= least
    parts, size = parts[enough], n[enough].astype(float)
    sums = total[enough].astype(float)
    z = excess_z(size, sums, loss)
    worth = (z > _PROMISING) & is_spot(size, sums, loss)
    p = np.ones(len(size))
    p[worth] = excess_p(size[worth].astype(np.int64), sums[worth], loss)
    return _Level(parts, size, p)
