"""Which samples to judge: dense where the cut may come to lie, thin elsewhere.

Every candidate has a lot, uniform on [0, 1) and fixed for a round of judging; it is
chosen when its lot is below the rate of its score. Rates fall with the score, so that for
any cut the samples above it whose lot is below the rate *at* the cut are a simple random
sample of all above it: what an exact test needs. A sample that comes later has a lot
too, which says whether it would have been chosen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Counts: TypeAlias = NDArray[np.int64]
Answers: TypeAlias = NDArray[np.int8]
"""1 where a sample belongs, 0 where it does not, -1 where nobody said."""

_STEP = 1.1  # each cut keeps this many times the samples of the one before
_TAIL = 0.15  # share of the samples that are chosen below the cuts worth trying
_BAND = 10  # fewest answers to tell from how densely somebody judged
_BANDS = 5


@dataclass(frozen=True)
class Design:
    """A random choice of samples to judge, and the cuts it can decide on.

    Args:
        cuts: scores, falling; a sample is above a cut when its score is greater
        rates: of the samples between a cut and the one before it, the share that is
            chosen; never rising
    """

    cuts: tuple[float, ...]
    rates: tuple[float, ...]

    def rate(self, score: Floats) -> Floats:
        """Share of the samples of a score that is chosen, ``(n,)``; 0 below all cuts."""
        band = np.searchsorted(-np.asarray(self.cuts), -score, side="right")
        return np.append(self.rates, 0.0)[band]


def lots(keys: Sequence[str], secret: str) -> Floats:
    """A number in [0, 1) for each key: as if drawn at random, but always the same."""
    seal = hashlib.sha256(secret.encode()).digest()
    drawn = b"".join(
        hashlib.blake2b(key.encode(), digest_size=8, key=seal).digest() for key in keys
    )
    whole = np.frombuffer(drawn, "<u8") >> np.uint64(11)
    return whole.astype(np.float64) * 2.0**-53


def draw(score: Floats, lot: Floats, n: int, window: tuple[int, int]) -> Design:
    """The design that chooses ``n`` samples.

    Args:
        score: ``(m,)`` of the candidates that nobody judged yet, falling; m > 0
        lot: ``(m,)`` of the same
        n: samples to choose; all where there are fewer
        window: how many of them the smallest and the largest cut worth trying keep

    Sources:
        Ohlsson 1998, *Sequential Poisson Sampling*: lots made to choose a fixed number,
        here at rates that fall as the inverse of the rank
    """
    low, high = window
    sizes = _sizes(low, len(score))
    size = sizes[np.searchsorted(sizes, np.arange(1, len(score) + 1))]
    need = lot * size  # as many answers above its cut take the sample in
    inside = size <= high
    n_tail = max(round(_TAIL * n), n - int(inside.sum()))
    dense, thin = _nth(need[inside], n - n_tail), _nth(need[~inside], n_tail)
    if thin >= dense:  # little lies below the window
        dense = thin = _nth(need, n)
    rates = np.where(sizes <= high, dense, thin) / sizes
    return _with_cuts(score, sizes, np.minimum(rates, 1.0))


def implied(score: Floats, answer: Answers, lot: Floats) -> tuple[Design, Floats]:
    """Answers to samples of somebody's own choice, as if a design had chosen them.

    It supposes that those judged are like others of about their score. How densely they
    lie is read from bands of neighbours.

    Args:
        score: ``(m,)`` of the candidates, falling
        answer: ``(m,)`` of the same; at least one
        lot: ``(m,)`` of the same, which decide whose answers make up the sample

    Returns:
        the design, and the lots under it
    """
    judged = np.flatnonzero(answer >= 0)
    per_band = max(_BAND, -(-len(judged) // _BANDS))
    ends = judged[per_band - 1 :: per_band][: max(1, len(judged) // per_band) - 1] + 1
    edges = np.concatenate([[0], ends, [len(score)]])
    share = np.histogram(judged, edges)[0] / np.diff(edges)
    share_ = np.repeat(share, np.diff(edges))
    sizes = _sizes(1, len(score))
    rates = np.minimum.accumulate(share_)[sizes - 1]
    return _with_cuts(score, sizes, rates), np.where(answer < 0, 1.0, lot * share_)


def cut_after(score: Floats, size: int) -> float:
    """A cut with few decimals that keeps the first ``size`` of falling scores.

    Scores equal to the last one kept are kept too.
    """
    last = float(score[size - 1])
    below = score[np.searchsorted(-score, -last, side="right") :]
    return _shortest(float(below[0]) if len(below) else last - 1e-3, last)


def _with_cuts(score: Floats, sizes: Counts, rates: Floats) -> Design:
    cuts = tuple(cut_after(score, size) for size in sizes.tolist())
    return Design(cuts, tuple(rates.tolist()))


def _shortest(low: float, high: float) -> float:
    """The number with the fewest decimals strictly between two others."""
    middle = (low + high) / 2
    rounded = (round(middle, digits) for digits in range(1, 17))
    return next((r for r in rounded if low < r < high), middle)


def _sizes(low: int, n: int) -> Counts:
    """How many samples each cut keeps: from ``low``, by ``_STEP``, to ``n``."""
    steps = max(0, int(np.ceil(np.log(n / low) / np.log(_STEP))))
    sizes = np.unique(np.rint(low * _STEP ** np.arange(steps)).astype(np.int64))
    return np.append(sizes[sizes < n], n)


def _nth(values: Floats, n: int) -> float:
    """What exactly ``n`` values are below; infinite where there are no more."""
    if n >= len(values):
        return np.inf
    nearest = np.partition(values, [max(n - 1, 0), n])
    return float((nearest[n - 1] if n else 0.0) + nearest[n]) / 2
