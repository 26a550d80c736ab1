"""From claims to verdicts that hold over a whole suite."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evalsets.metrics.estimates import Estimate
from evalsets.metrics.outcomes import Floats

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
_MOST_NEEDED = 10_000_000
"""More samples than this are not worth naming."""


@dataclass(frozen=True)
class Row:
    """One figure of one population, and what a requirement makes of it.

    Args:
        population: its name
        metric: its name
        n: samples evaluated; of a metric of one class, those with that class
        value: the figure; None where it is undefined
        low: lower end of its two-sided 95 % interval
        high: upper end
        requirement: in words; empty where nothing is required
        verdict: pass, fail or inconclusive; empty where nothing is required
        needed: further samples that would settle an inconclusive one, should the observed
            value stay; None where no number of samples up to ten million would
        baseline: the figure of the baseline
        delta: value minus baseline
        delta_low: lower end of its two-sided 95 % interval
        delta_high: upper end
        p_adjusted: Holm-adjusted p-value of the claim on the observed side of the bound
    """

    population: str
    metric: str
    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    requirement: str = ""
    verdict: str = ""
    needed: int | None = None
    baseline: float | None = None
    delta: float | None = None
    delta_low: float | None = None
    delta_high: float | None = None
    p_adjusted: float | None = None


@dataclass(frozen=True)
class Claim:
    """A row that waits for its verdict, if anything is required of it.

    Args:
        row: without verdict
        estimate: what is compared with the bound
        n: samples that it rests on; a drop rests on those that the baseline answered
        bound: on that scale; NaN where nothing is required
        above: whether the truth must be at least the bound, else at most
        min_size: with fewer samples it may fail but not pass
        fit: whether a verdict other than inconclusive is allowed at all
    """

    row: Row
    estimate: Estimate
    n: int
    bound: float = math.nan
    above: bool = True
    min_size: int = 1
    fit: bool = True

    @property
    def p_pass(self) -> float:
        """Of the claim that the requirement is met; NaN where it may not be made."""
        may = self.fit and self.n >= self.min_size
        return self._p(self.above) if may else math.nan

    @property
    def p_fail(self) -> float:
        """Of the claim that it is missed; NaN where it may not be made."""
        return self._p(not self.above) if self.fit and self.n else math.nan

    def _p(self, above: bool) -> float:
        estimate = self.estimate
        if math.isnan(self.bound):
            return math.nan
        return estimate.p_above(self.bound) if above else estimate.p_below(self.bound)

    def needed(self, level: float) -> int | None:
        """Further samples for a verdict at ``level``, should the value stay."""
        growth = self.estimate.growth(self.bound, level)
        lacking = self.min_size - self.n
        if growth * max(self.n, 1) > _MOST_NEEDED:
            return lacking if lacking > 0 and not (self.n or self.row.n) else None
        more = math.ceil(max(self.n, 1) * growth - 1e-6) - self.n
        return max(more, lacking, 1)


def judge(claims: Sequence[Claim], alpha: float) -> list[Row]:
    """Verdicts over all claims of a suite.

    The claims "met" and the claims "missed" are two families, each held at ``alpha`` by
    Holm's method: with probability at least 1 - alpha no requirement that is missed
    passes, and likewise none that is met fails.
    """
    met = np.array([claim.p_pass for claim in claims])
    missed = np.array([claim.p_fail for claim in claims])
    met_adjusted, missed_adjusted = holm(met), holm(missed)
    met_level = _next_level(met_adjusted, alpha)
    missed_level = _next_level(missed_adjusted, alpha)
    rows = []
    for at, claim in enumerate(claims):
        p_met, p_missed = np.nan_to_num([met[at], missed[at]], nan=2)
        towards_met = p_met <= p_missed
        verdict, needed = INCONCLUSIVE, None
        if not claim.row.requirement:
            verdict = ""
        elif met_adjusted[at] <= alpha:
            verdict = PASS
        elif missed_adjusted[at] <= alpha:
            verdict = FAIL
        elif claim.fit:
            needed = claim.needed(met_level if towards_met else missed_level)
        adjusted = float((met_adjusted if towards_met else missed_adjusted)[at])
        p_adjusted = None if math.isnan(adjusted) else adjusted
        rows.append(
            replace(claim.row, verdict=verdict, needed=needed, p_adjusted=p_adjusted)
        )
    return rows


def holm(p: Floats) -> Floats:
    """Adjusted p-values that hold the family-wise error (Holm 1979); NaN stays out."""
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]  # NaN sorts last
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps))
    return adjusted


def _next_level(adjusted: Floats, alpha: float) -> float:
    """The level at which Holm's method would test the next claim."""
    return alpha / max(1, int((adjusted > alpha).sum()))


def gate(rows: Iterable[Row]) -> str:
    """The suite's verdict: the worst of its rows.

    A suite that requires nothing has shown nothing: it is inconclusive.
    """
    verdicts = {row.verdict for row in rows} - {""}
    if FAIL in verdicts:
        return FAIL
    return PASS if verdicts == {PASS} else INCONCLUSIVE
