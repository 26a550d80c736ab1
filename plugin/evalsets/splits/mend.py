"""Small changes to a cover that bring it nearer to its quotas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MOST_STEPS = 400
_PAIRED = 100


def mend(counts: csr_array, size: Ints, target: Ints, take: Ints) -> Ints:
    """Takes single groups more or less, or two at once, as long as that helps.

    Args:
        counts: ``(t, p)`` members that one group of a kind has in each population;
            no kind without any
        size: ``(t,)`` groups there are of a kind
        target: ``(p,)`` members wanted
        take: ``(t,)`` groups taken so far

    Returns:
        ``(t,)`` groups to take; quotas may still be missed
    """
    take, kinds = take.copy(), len(size)
    over = take @ counts - target
    for _ in range(_MOST_STEPS):
        pain = _changed(counts, size, take, over)
        change = [int(pain.argmin())]
        if pain[change[0]] >= 0:
            change = _pair(counts, over, pain)
        if not change:
            break
        for one in change:
            kind, sign = one % kinds, 1 if one < kinds else -1
            row = np.s_[counts.indptr[kind] : counts.indptr[kind + 1]]
            over[counts.indices[row]] += sign * counts.data[row]
            take[kind] += sign
    return take


def _pain(over: Ints) -> Floats:
    """What missing a quota by so many costs: short most, by one above least."""
    short, above = np.minimum(over, 0), np.maximum(over, 0)
    pain: Floats = np.maximum(above - 1, 0) + 0.3 * np.minimum(above, 1) - 4.0 * short
    return pain


def _changed(counts: csr_array, size: Ints, take: Ints, over: Ints) -> Floats:
    """``(2t,)`` pain that one group more, or one less, of each kind would add."""
    at, each = over[counts.indices], counts.data
    now, starts = _pain(over)[counts.indices], counts.indptr[:-1]
    more = np.add.reduceat(_pain(at + each) - now, starts)
    less = np.add.reduceat(_pain(at - each) - now, starts)
    more[take >= size] = np.inf
    less[take <= 0] = np.inf
    return np.concatenate([more, less])


def _pair(counts: csr_array, over: Ints, pain: Floats) -> list[int]:
    """Two of the least painful changes that together help most; empty if none do."""
    kinds = counts.shape[0]
    order = np.argsort(pain, kind="stable")[:_PAIRED]
    order = order[np.isfinite(pain[order])]
    change = counts[order % kinds].toarray() * np.where(order < kinds, 1, -1)[:, None]
    best, found = -1e-9, []
    before = _pain(over).sum()
    for at in range(len(order) - 1):
        after = _pain(over + change[at] + change[at + 1 :]).sum(axis=1) - before
        after[order[at + 1 :] % kinds == order[at] % kinds] = np.inf
        with_ = int(after.argmin())
        if after[with_] < best:
            best, found = float(after[with_]), [order[at], order[at + 1 + with_]]
    return [int(one) for one in found]
