"""Which groups are drawn, so that every quota is met: of like groups, by lot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from evalsets.splits.cover import Ints, cover
from evalsets.splits.priorities import Lots, redrawn


def draw(counts: csr_array, target: Ints, lot: Lots) -> tuple[NDArray[np.bool_], int]:
    """Draws groups until every population has its members.

    Args:
        counts: ``(groups, p)`` members that each group has in each population; no group
            without any
        target: ``(p,)`` members wanted, at most those there are
        lot: ``(groups,)`` the smallest of each kind go first

    Returns:
        ``(groups,)`` which are drawn, and how far the total excess may be above the
        least
    """
    order = np.argsort(lot, kind="stable")
    kind, first = _kinds(counts, order)
    heads = order[first]
    size = np.bincount(kind)
    chance = redrawn(lot[heads]).astype(np.float64) / 2.0**64
    answer = cover(counts[heads], size, target, chance)
    nth = np.empty(len(order), dtype=np.int64)
    by_kind = np.argsort(kind, kind="stable")
    nth[by_kind] = np.arange(len(order)) - np.repeat(np.cumsum(size) - size, size)
    drawn = np.zeros(len(order), dtype=bool)
    drawn[order] = nth < answer.take[kind]
    return drawn, answer.gap


def _kinds(counts: csr_array, order: Ints) -> tuple[Ints, Ints]:
    """Kind of every group in order, and the place of the first of each kind.

    Kinds are numbered as they first appear, so that rows may come in any order.
    """
    weigh = np.random.default_rng(0).integers(
        2**63, size=(counts.shape[1], 2), dtype=np.uint64
    )
    alike = (counts.astype(np.uint64) @ weigh).view("V16").ravel()
    _, first, kind = np.unique(alike[order], return_index=True, return_inverse=True)
    place = np.argsort(np.argsort(first))
    return place[kind], np.sort(first)
