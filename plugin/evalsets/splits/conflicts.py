"""Which populations did not get what they asked for, and which others force that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_LARGEST = 100_000
_MOST = 20
_NAMED = 5


@dataclass(frozen=True)
class Conflict:
    """A population that did not get what it asked for, and why.

    Args:
        population: its name
        by: the populations that force it, no more than that takes; empty when data does
        text: one sentence
        giant: whether one group is most of it, and more than twice what was asked
    """

    population: str
    by: tuple[str, ...]
    text: str
    giant: bool = False

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Drawing:
    """What was drawn for test, from what.

    Args:
        names: ``(p,)`` populations that ask for something
        counts: ``(g, p)`` members that each group that is or could be in test has there
        fixed: ``(g,)`` whether it was in test before
        taken: ``(g,)`` whether it is now
        n: ``(p,)`` members in all
        share: ``(p,)`` asked
        asked: ``(p,)`` members wanted
    """

    names: Sequence[str]
    counts: csr_array
    fixed: NDArray[np.bool_]
    taken: NDArray[np.bool_]
    n: Ints
    share: Floats
    asked: Ints


def conflicts(
    drawing: Drawing, elsewhere: Mapping[str, Mapping[str, int]]
) -> list[Conflict]:
    """Populations that are short, above their share by more than a group, or one group.

    Where other quotas were not found to force an excess, nothing is said of it.

    Args:
        drawing: what was drawn
        elsewhere: by population its samples outside test, by side
    """
    counts = drawing.counts[np.flatnonzero(drawing.taken)]
    spare = counts.sum(axis=0) - drawing.asked
    columns = counts.tocsc()
    found = []
    forced = 0
    for at in np.lexsort((np.arange(len(spare)), -np.abs(spare))):
        span = np.s_[columns.indptr[at] : columns.indptr[at + 1]]
        size = columns.data[span]
        surplus = columns.indices[span][size < spare[at]]
        if spare[at] < 0:
            found.append((at, _short(drawing, at, spare[at], elsewhere)))
        elif size.max(initial=0) > max(
            spare[at], 2 * drawing.asked[at], drawing.n[at] / 2
        ):
            found.append((at, _giant(drawing, at, spare[at], size.max())))
        elif len(surplus):
            exactly = forced < _MOST and drawing.counts.nnz <= _LARGEST
            forced += exactly
            by = _smallest(drawing, at) if exactly else _holding(counts[surplus], spare)
            if by or (by is not None and drawing.fixed[drawing.taken][surplus].any()):
                found.append((at, _above(drawing, at, spare[at], by)))
    return [conflict for _, conflict in sorted(found, key=lambda pair: pair[0])]


def _holding(surplus: csr_array, spare: Ints) -> list[int]:
    """Populations that cannot spare one of these groups."""
    rows = surplus.tocoo()
    return sorted(set(rows.col[rows.data > spare[rows.col]].tolist()))


def _smallest(drawing: Drawing, at: int) -> list[int] | None:
    """The fewest quotas found that cannot be met without more members of one than asked.

    The prices of a linear programme name a few that do, and each that can be left out is
    left out. None if no such set exists: the excess could as well be elsewhere.
    """
    everyone = np.flatnonzero(np.arange(len(drawing.names)) != at)
    least, prices = _least(drawing, at, everyone)
    if least <= drawing.asked[at] + 1e-6:
        return None
    named: list[int] = everyone[prices > 1e-9].tolist()
    for one in list(named):
        fewer = [other for other in named if other != one]
        if _least(drawing, at, np.array(fewer, dtype=np.int64))[0] > (
            drawing.asked[at] + 1e-6
        ):
            named = fewer
    return named


def _least(drawing: Drawing, at: int, others: Ints) -> tuple[float, Floats]:
    """The fewest members of one in test that meet the quotas of others, and its prices."""
    own = drawing.counts[:, [at]].toarray().ravel()
    if not len(others):
        return float(own[drawing.fixed].sum()), np.empty(0)
    columns = drawing.counts[:, others]
    got = columns.T @ drawing.taken.astype(np.int64)
    solved = linprog(  # type: ignore[call-overload]  # the stubs know no sparse array
        own,
        A_ub=-columns.T.tocsr(),
        b_ub=-np.minimum(drawing.asked[others], got),
        bounds=np.stack([drawing.fixed.astype(float), np.ones(len(own))], axis=1),
        method="highs",
    )
    return float(solved.fun), -solved.ineqlin.marginals


def _short(
    drawing: Drawing,
    at: int,
    spare: int,
    elsewhere: Mapping[str, Mapping[str, int]],
) -> Conflict:
    name, sides = drawing.names[at], elsewhere[drawing.names[at]]
    others = ", ".join(f"{k:,} in {side}" for side, k in sides.items())
    can_raise = drawing.share[at] < 1 and sides.keys() - {"quarantine"}
    return Conflict(
        name,
        (),
        f"'{name}' asked for {drawing.asked[at]:,} of its {drawing.n[at]:,} samples in "
        f"test and got {drawing.asked[at] + spare:,}: its other samples had their side "
        f"before ({others}); "
        + ("raise its share to call them, or add data" if can_raise else "add data"),
    )


def _giant(drawing: Drawing, at: int, spare: int, largest: int) -> Conflict:
    return Conflict(
        drawing.names[at],
        (),
        f"{_got(drawing, at, spare)}: its largest group has {largest:,} of "
        f"{drawing.n[at]:,} samples; name a finer group field, or a higher cosine of near-duplicates",
        giant=True,
    )


def _above(drawing: Drawing, at: int, spare: int, by: list[int]) -> Conflict:
    others = tuple(drawing.names[other] for other in by)
    cause = "samples once in test stay there"
    if others:
        named = ", ".join(map(repr, others[:_NAMED]))
        more = len(others) - _NAMED
        more_named = f" and {more:,} more" if more > 0 else ""
        cause = f"samples of it are needed for {named}{more_named}"
    return Conflict(
        drawing.names[at], others, f"{_got(drawing, at, spare)}, because {cause}"
    )


def _got(drawing: Drawing, at: int, spare: int) -> str:
    got, asked = drawing.asked[at] + spare, drawing.asked[at]
    return (
        f"'{drawing.names[at]}' got {got:,} of its {drawing.n[at]:,} samples in test "
        f"instead of {asked:,}"
    )
