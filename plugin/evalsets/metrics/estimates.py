"""A figure with what its sample lets one say about it: intervals and p-values.

Three kinds: a proportion of samples (Wilson interval, exact binomial p-value), the paired
difference of two proportions (Tango interval, exact p-value), and anything else
(bootstrap). All take an *effective* size, so that samples of one group count for what
they are worth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from scipy import optimize, special
from statsmodels.stats.proportion import proportion_confint

from evalsets.metrics.outcomes import Codes, Floats, Sums, by_unit, share

_MOST = 10_000_000
"""Sizes above this are not worth naming as "samples needed"."""


class Estimate(Protocol):
    """A figure and the evidence for it."""

    @property
    def value(self) -> float:
        """The figure; NaN where it is undefined."""

    def interval(self, level: float) -> tuple[float, float]:
        """The two-sided interval of confidence ``level``."""

    def p_above(self, bound: float) -> float:
        """One-sided p-value of the claim that the truth is at least ``bound``."""

    def p_below(self, bound: float) -> float:
        """One-sided p-value of the claim that the truth is below ``bound``."""

    def growth(self, bound: float, level: float) -> float:
        """How many times the sample must grow for a p-value of ``level``.

        It supposes that the observed value stays; infinite where it equals the bound.
        """


@dataclass(frozen=True)
class Proportion:
    """The share of samples that are right.

    Args:
        hits: how many are right
        n: of how many
        effective: how many independent samples they are worth
    """

    hits: float
    n: int
    effective: float

    @property
    def value(self) -> float:
        """The share, in [0, 1]."""
        return self.hits / self.n if self.n else math.nan

    def interval(self, level: float) -> tuple[float, float]:
        """Wilson's interval on the effective size (Dean and Pacheco 2014)."""
        if not self.n:
            return math.nan, math.nan
        hits = self.value * self.effective
        low, high = proportion_confint(hits, self.effective, 1 - level, "wilson")
        return min(float(low), self.value), max(float(high), self.value)

    def p_above(self, bound: float) -> float:
        """Exact binomial (Clopper and Pearson 1934; Korn and Graubard 1998)."""
        return _above(self.value * self.effective, self.effective, bound)

    def p_below(self, bound: float) -> float:
        """Exact binomial, as :meth:`p_above`."""
        hits = self.value * self.effective
        return _above(self.effective - hits, self.effective, 1 - bound)

    def growth(self, bound: float, level: float) -> float:
        """By search over sizes; an empty population is supposed to be all right."""
        share = self.value if self.n else 1.0
        start = self.effective if self.n else 1.0
        if share < bound:
            share, bound = 1 - share, 1 - bound

        def excess(log_size: float) -> float:
            size = math.exp(log_size)
            return _above(share * size, size, bound) - level

        first, last = math.log(start), math.log(_MOST)
        if share == bound or start >= _MOST or excess(last) > 0:
            return math.inf
        if excess(first) <= 0:
            return 1.0
        return math.exp(optimize.brentq(excess, first, last, xtol=1e-9) - first)


def _above(hits: float, n: float, bound: float) -> float:
    """P of at least ``hits`` of ``n`` when the share is ``bound``."""
    return (
        float(special.betainc(hits, n - hits + 1, min(max(bound, 0), 1)))
        if hits > 0
        else 1.0
    )


@dataclass(frozen=True)
class PairedProportion:
    """The difference of two models' shares on the same samples.

    Args:
        gained: samples that only the model has right
        lost: samples that only the baseline has right
        n: all samples
        effective: how many independent samples they are worth
    """

    gained: float
    lost: float
    n: int
    effective: float

    @property
    def value(self) -> float:
        """Model minus baseline, in [-1, 1]."""
        return (self.gained - self.lost) / self.n if self.n else math.nan

    def interval(self, level: float) -> tuple[float, float]:
        """Tango's score interval (Tango 1998); it holds for few discordant samples."""
        if not self.n:
            return math.nan, math.nan
        z = -special.ndtri((1 - level) / 2)
        tiny = 1e-9
        ends = []
        for sign, edge in ((1, -1 + tiny), (-1, 1 - tiny)):

            def gap(bound: float, sign: int = sign) -> float:
                return sign * self._score(bound) - z

            inside = self.value - sign * tiny
            beyond = gap(edge) <= 0 or gap(inside) >= 0
            at = round(edge) if gap(edge) <= 0 else self.value
            ends.append(at if beyond else optimize.brentq(gap, edge, inside))
        return float(ends[0]), float(ends[1])

    def p_above(self, bound: float) -> float:
        """McNemar exact at 0; else exact at the likeliest discordance (Lloyd 2008)."""
        return self._tail(bound, self.gained, self.lost)

    def p_below(self, bound: float) -> float:
        """As :meth:`p_above`, with the models exchanged."""
        return self._tail(-bound, self.lost, self.gained)

    def growth(self, bound: float, level: float) -> float:
        """Tango's statistic grows with the root of the size."""
        score = self._score(bound) if self.n else 0.0
        if not score or not math.isfinite(score):
            return math.inf
        return max(1.0, (float(special.ndtri(level)) / score) ** 2)

    def _score(self, bound: float) -> float:
        """Tango's statistic; positive where the difference lies above ``bound``."""
        n, gained, lost = self._effective()
        behind = _constrained(gained, lost, n, bound)
        variance = n * (2 * behind + bound * (1 - bound))
        distance = gained - lost - n * bound
        if variance <= 0:
            return math.copysign(math.inf, distance) if distance else 0.0
        return distance / math.sqrt(variance)

    def _tail(self, bound: float, gained: float, lost: float) -> float:
        """P of so large a difference, or a larger one, when the truth is ``bound``."""
        if not self.n:
            return 1.0
        if bound == 0:
            return mcnemar(gained * self._worth, lost * self._worth)
        n = max(1, int(self.effective))
        difference = math.floor((gained - lost) / self.n * n + 1e-9)
        behind = _constrained(gained / self.n * n, lost / self.n * n, n, bound)
        return _difference_tail(n, behind + bound, behind, difference)

    @property
    def _worth(self) -> float:
        return self.effective / self.n

    def _effective(self) -> tuple[float, float, float]:
        return self.effective, self.gained * self._worth, self.lost * self._worth


def mcnemar(gained: float, lost: float) -> float:
    """One-sided exact p-value that more is gained than lost (McNemar 1947)."""
    return _above(gained, gained + lost, 0.5)


def _constrained(gained: float, lost: float, n: float, bound: float) -> float:
    """Likeliest share of lost samples when the difference is ``bound`` (Tango 1998)."""
    b = -gained - lost + (2 * n - gained + lost) * bound
    c = -lost * bound * (1 - bound)
    share = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
    return min(max(share, 0.0, -bound), (1 - bound) / 2)


def _difference_tail(n: int, up: float, down: float, difference: int) -> float:
    """P(sum of ``n`` steps of +1, 0, -1 is at least ``difference``), by Fourier."""
    size = 2 * n + 1
    turn = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    step = (1 - up - down) + up * turn + down * turn.conj()
    chance = np.fft.irfft(step**n, size)
    sums = np.concatenate([chance[: n + 1], chance[n + 1 :]])
    values = np.concatenate([np.arange(n + 1), np.arange(-n, 0)])
    return float(np.clip(sums[values >= difference].sum(), 0, 1))


@dataclass(frozen=True)
class Resampled:
    """Any figure, with its bootstrap replicates.

    Intervals and p-values take the replicates' standard error and Student's distribution
    around the figure less its bias (Efron and Tibshirani 1993, ch. 10 and 12), because
    tails as thin as many populations need lie beyond what replicates can show, and
    because a calibration error of few samples is biased by more than its interval is
    wide. An interval's error is at least two thirds of ``least_error``, with which a
    share that is all right has Wilson's interval; p-values add all of it to the
    replicates' error, so that a verdict asks for more than an interval shows.

    Args:
        value: the figure; NaN where it is undefined
        replicates: ``(r,)``; NaN where undefined
        units: images or groups that were resampled
        least_error: standard error that replicates cannot show; see
            :func:`unseen_error`
        low: least possible value
        high: greatest possible value
    """

    value: float
    replicates: Floats
    units: int
    least_error: float = 0.0
    low: float = -math.inf
    high: float = math.inf

    def interval(self, level: float) -> tuple[float, float]:
        """Student's interval, widened to hold the figure itself, within the range."""
        if math.isnan(self.value) or not len(self._seen):
            return math.nan, math.nan
        if self.units < 2:
            return self.low, self.high
        reach = -special.stdtrit(self.units - 1, (1 - level) / 2) * self.error
        low = min(self._centre - reach, self.value)
        high = max(self._centre + reach, self.value)
        return float(max(low, self.low)), float(min(high, self.high))

    def p_above(self, bound: float) -> float:
        """Student's t with one less than ``units`` degrees of freedom."""
        return self._tail(self._centre - bound)

    def p_below(self, bound: float) -> float:
        """As :meth:`p_above`."""
        return self._tail(bound - self._centre)

    def growth(self, bound: float, level: float) -> float:
        """The standard error falls with the root of the size."""
        distance = abs(self._centre - bound)
        if self.units < 2 or not distance > 0 or not self._doubt > 0:
            return math.inf
        wanted = float(special.stdtrit(self.units - 1, level))
        return max(1.0, (wanted * self._doubt / distance) ** 2)

    @property
    def error(self) -> float:
        """Standard error, with the factor that a bootstrap of few units lacks."""
        return max(self._spread, self.least_error * 2 / 3) if self._known else 0.0

    @property
    def _doubt(self) -> float:
        """Standard error for p-values."""
        return math.hypot(self._spread, self.least_error) if self._known else 0.0

    @property
    def _known(self) -> bool:
        return len(self._seen) > 1 and self.units > 1

    @cached_property
    def _spread(self) -> float:
        if not self._known:
            return 0.0
        of_few = math.sqrt(self.units / (self.units - 1))
        return float(self._seen.std(ddof=1)) * of_few

    @cached_property
    def _seen(self) -> Floats:
        return self.replicates[np.isfinite(self.replicates)]

    @property
    def _centre(self) -> float:
        """The figure less its bias, which is what replicates add to it on average."""
        if not len(self._seen):
            return self.value
        return 2 * self.value - float(self._seen.mean())

    def _tail(self, distance: float) -> float:
        if not self._doubt > 0 or math.isnan(distance):
            return 1.0
        return float(special.stdtr(self.units - 1, -distance / self._doubt))


def effective_size(values: Floats, groups: Codes | None) -> float:
    """How many independent samples ``values`` are worth, in [1, n].

    The variance of their mean under cluster sampling, set against that of independent
    samples, with the degrees of freedom of the groups (Korn and Graubard 1998). Where
    all values are equal nothing is known of how groups agree, and each group counts once.

    Args:
        values: ``(n,)``
        groups: ``(n,)`` code of each sample's group; None where all are independent
    """
    n = len(values)
    if groups is None or n == 0:
        return float(n)
    _, code = np.unique(groups, return_inverse=True)
    n_groups = int(code.max()) + 1
    if n_groups < 2:
        return 1.0
    if n_groups == n:
        return float(n)
    centred = values - values.mean()
    if not centred.any():
        return float(n_groups)
    sums = np.bincount(code, centred)
    ratio = n_groups / (n_groups - 1) * (sums**2).sum() / (centred**2).sum()
    freedom = special.stdtrit(n_groups - 1, 0.025) / special.stdtrit(n - 1, 0.025)
    return float(np.clip(n / max(ratio * freedom**2, 1e-12), 1, n))


def unseen_error(counts: Floats) -> float:
    """Standard error, in [0, 0.7], that a bootstrap cannot show in an average of shares.

    A class seen once or twice looks certain to a bootstrap, which never draws what was
    not seen. Two things are lacking. A bootstrap's variance of a share of ``k`` is too
    small by up to ``(.5 / k)²``; these add up over classes. And a share that is all
    right may still be wrong in three of ``k`` (the rule of three, Hanley and
    Lippman-Hand 1983); of several classes the rarest decides.

    Args:
        counts: ``(c,)`` what the share of each class is worth; classes without any are
            left out
    """
    seen = counts[counts > 0]
    if not len(seen):
        return 0.0
    spread = float(np.sqrt(((0.5 / seen) ** 2).sum()))
    tail = min(0.5, 3 / float(seen.min()))
    return math.hypot(spread, tail) / len(seen)


def effective_counts(below: Sums, groups: Codes | None) -> Floats:
    """``(c,)`` of how many equal samples or groups each denominator is worth (Kish 1965).

    Args:
        below: ``(n, c)`` what each sample adds to the denominator of each class
        groups: ``(n,)`` code of each sample's group; None where all are independent
    """
    if groups is not None:
        _, code = np.unique(groups, return_inverse=True)
        below = by_unit(below, code, int(code.max()) + 1)
    total = np.asarray(below.sum(axis=0), float)
    if sp.issparse(below):
        spread = np.asarray(below.power(2).sum(axis=0), float)
    else:
        spread = np.einsum("ij,ij->j", below, below)
    return share(total**2, spread, 0.0)
