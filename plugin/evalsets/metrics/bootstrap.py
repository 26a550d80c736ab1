"""Replicates of a figure: images or groups drawn anew, thousands of times at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from evalsets.metrics.outcomes import Codes, Floats, Outcomes, Sums, by_unit, weighted

_MOST_UNITS = 1000
"""More images or groups than this are drawn in blocks made by chance."""


@dataclass(frozen=True)
class Resampling:
    """How often each unit is drawn in each replicate.

    Args:
        weights: ``(1 + r, u)``; the first row is the data itself
        unit: ``(n,)`` unit of each sample: itself, its group, or a block of those
        independent: images or groups
    """

    weights: Floats
    unit: Codes
    independent: int
    _totals: dict[int, tuple[Sums, Floats]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        n: int,
        groups: Codes | None,
        rng: np.random.Generator,
        replicates: int,
    ) -> Resampling:
        """Draws as many units, with replacement, as there are (Efron 1979).

        Where there are more than 1,000, they are put into that many blocks by chance, and
        blocks are drawn: a block's sum varies as its members' do, and the standard error
        so found is within 2.2 % of what drawing them singly gives.

        Args:
            n: samples, at least one
            groups: ``(n,)`` code of each sample's group; None where all are independent
            rng: the source of chance
            replicates: ``r``
        """
        unit = np.arange(n)
        if groups is not None:
            _, unit = np.unique(groups, return_inverse=True)
        independent = int(unit.max()) + 1
        u = min(independent, _MOST_UNITS)
        if independent > u:
            unit = (rng.permutation(independent) % u)[unit]
        drawn = rng.integers(0, u, (replicates, u)) + u * np.arange(replicates)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=replicates * u)
        weights = np.ones((1 + replicates, u))
        weights[1:] = counts.reshape(replicates, u)
        return cls(weights, unit, independent)

    def figures(self, outcomes: Outcomes, metric: str) -> Floats:
        """``(1 + r,)`` the metric of the data, then of each replicate."""
        sums = outcomes.sums(metric)
        if sums is None:
            return outcomes.measure_units(metric, self.weights, self.unit)
        if id(sums) not in self._totals:  # the same counts serve several metrics
            self._totals[id(sums)] = sums, weighted(self.weights, self._by_unit(sums))
        with np.errstate(invalid="ignore", divide="ignore"):
            return outcomes.value(metric, self._totals[id(sums)][1])

    def _by_unit(self, sums: Sums) -> Sums:
        n, u = len(self.unit), self.weights.shape[1]
        return sums if n == u else by_unit(sums, self.unit, u)
