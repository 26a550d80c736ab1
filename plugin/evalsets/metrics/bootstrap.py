"""Replicates of a figure: images or groups drawn anew, thousands of times at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from evalsets.metrics.outcomes import Codes, Floats, Outcomes, weighted

_MOST_UNITS = 2000
"""More images or groups than this are drawn in blocks made by chance."""
_CHUNK = 4_000_000
"""Weights of single samples held at a time."""


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

    @classmethod
    def of(
        cls,
        n: int,
        groups: Codes | None,
        rng: np.random.Generator,
        replicates: int,
    ) -> Resampling:
        """Draws as many units, with replacement, as there are (Efron 1979).

        Where there are more than 2,000, they are put into that many blocks by chance, and
        blocks are drawn: a block's sum varies as its members' do, and the standard error
        so found is within 1.6 % of what drawing them singly gives.

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
            chunks = [outcomes.measure(metric, w) for w in self._by_sample()]
            return np.concatenate(chunks)
        n, u = len(self.unit), self.weights.shape[1]
        if n > u:
            ones = np.ones(n)
            by_unit = sp.csr_array((ones, (self.unit, np.arange(n))), shape=(u, n))
            sums = sp.csr_array(by_unit @ sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            return outcomes.value(metric, weighted(self.weights, sums))

    def _by_sample(self) -> Iterator[Floats]:
        """The weights of single samples, some replicates at a time."""
        at_once = max(1, _CHUNK // len(self.unit))
        for start in range(0, len(self.weights), at_once):
            yield self.weights[start : start + at_once][:, self.unit]
