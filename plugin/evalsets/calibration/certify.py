"""What answers prove of the precision above a cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from evalsets.calibration.design import (
    Answers,
    Bools,
    Counts,
    Design,
    Floats,
    cut_after,
)


@dataclass(frozen=True)
class Judged:
    """Candidates with what is known of them, by falling score.

    Args:
        score: ``(n,)``
        answer: ``(n,)``
        known: ``(n,)`` whether the answer was there before the design was drawn
        lot: ``(n,)`` of the design's round
    """

    score: Floats
    answer: Answers
    known: Bools
    lot: Floats


@dataclass(frozen=True)
class Bound:
    """How precise a cut is.

    Args:
        cut: samples with a greater score are above it
        size: samples above it
        value: share of them that belong, as estimated
        low: surely no less than this
        high: surely no more than this
    """

    cut: float
    size: int
    value: float
    low: float
    high: float


def exact(judged: Judged) -> list[Bound]:
    """Every cut above which all samples are answered: no bound, but a count."""
    score, answered = judged.score, judged.answer >= 0
    n = len(score) if answered.all() else int(np.argmin(answered))
    share = np.cumsum(judged.answer[:n] == 1) / np.arange(1, n + 1)
    last_of_score = np.append(score[1:] < score[:-1], True)[:n]
    return [
        Bound(cut_after(score, i + 1), i + 1, *[float(share[i])] * 3)
        for i in np.flatnonzero(last_of_score).tolist()
    ]


def tested(
    judged: Judged, design: Design, precision: float, level: float
) -> Iterator[Bound]:
    """The cuts of a design in turn, from the one that keeps least, until one fails.

    A cut is proven when ``low`` reaches the wanted precision; all of them may be tested
    at the full level, since the first that fails is the last. Cuts that no answers could
    prove are passed over.

    Args:
        judged: the candidates
        design: how the samples to judge were chosen; without an answer they are wrong
        precision: wanted, in (0, 1]
        level: chance of a wrong proof that is accepted

    Sources:
        Angelopoulos et al. 2021, *Learn then Test*, §3 (fixed-sequence testing)
    """
    free = ~judged.known
    sizes = np.searchsorted(-judged.score, -np.asarray(design.cuts))
    rows = []
    for size, rate in zip(sizes, design.rates, strict=True):
        chosen = free[:size] & (judged.lot[:size] < rate)
        right = judged.answer[:size] == 1
        rows.append(
            [chosen.sum(), right[chosen].sum(), right[judged.known[:size]].sum()]
        )
    n, right, facts = np.array(rows, dtype=np.int64).T
    rest = np.append(0, np.cumsum(free))[sizes]
    low, high = bounds(right, n, rest, level)
    best, _ = bounds(n, n, rest, level)
    value = right / np.maximum(n, 1) * rest
    for i in np.flatnonzero((n > 0) & (facts + best >= precision * sizes)):
        shares = (float((facts[i] + part[i]) / sizes[i]) for part in (value, low, high))
        bound = Bound(design.cuts[i], int(sizes[i]), *shares)
        yield bound
        if bound.low < precision:
            return


def bounds(
    right: Counts, n: Counts, total: Counts, level: float
) -> tuple[Counts, Counts]:
    """Least and greatest number of right ones among ``total``, each at ``level``.

    Args:
        right: of simple random samples without replacement
        n: sizes of these samples
        total: sizes of what they were drawn from
        level: chance that the truth lies beyond one of the bounds

    Sources:
        Wendell and Schmee 2001, *Likelihood Confidence Intervals for Proportions in
        Finite Populations* (the exact ones, by inversion of the hypergeometric test)
    """
    return _least(right, n, total, level), total - _least(n - right, n, total, level)


def _least(right: Counts, n: Counts, total: Counts, level: float) -> Counts:
    """The smallest number that does not make so many right ones improbable."""
    low, high = right, total - (n - right)
    while (low < high).any():
        middle = (low + high) // 2
        likely = hypergeom.sf(right - 1, total, middle, n) > level
        low, high = np.where(likely, low, middle + 1), np.where(likely, middle, high)
        low = np.minimum(low, high)
    return low
