"""Replicates of a figure: images or groups drawn anew, thousands of times at once."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from evalsets.metrics.outcomes import Codes, Floats, Outcomes, Sums, by_unit, weighted

Singles: TypeAlias = NDArray[np.float32]
_MOST_UNITS = 1000
"""More images or groups than this are drawn in blocks made by chance."""

_WHOLE = 2**24
"""Whole numbers up to this are exact in single precision."""


@dataclass(frozen=True)
class Resampling:
    """How often each unit is drawn in each replicate.

    Args:
        weights: ``(1 + r, u)`` whole numbers; the first row is the data itself
        unit: ``(n,)`` unit of each sample: itself, its group, or a block of those
        independent: images or groups
    """

    weights: Singles
    unit: Codes
    independent: int
    _totals: dict[int, tuple[Sums, Floats]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        n: int,
        groups: Codes | None,
        seed: int,
        words: Sequence[int],
        replicates: int,
    ) -> Resampling:
        """Draws as many units, with replacement, as there are (Efron 1979).

        Where there are more than 1,000, they are put into that many blocks by chance, and
        blocks are drawn: a block's sum varies as its members' do, and the standard error
        so found is within 2.2 % of what drawing them singly gives. Populations of as many
        units share the draws.

        Args:
            n: samples, at least one
            groups: ``(n,)`` code of each sample's group; None where all are independent
            seed: of the draws
            words: further seeds, of the blocks
            replicates: ``r``
        """
        unit = np.arange(n)
        if groups is not None:
            _, unit = np.unique(groups, return_inverse=True)
        independent = int(unit.max()) + 1
        u = min(independent, _MOST_UNITS)
        if independent > u:
            chance = np.random.default_rng([seed, *words])
            unit = (chance.permutation(independent) % u)[unit]
        return cls(_drawn(u, replicates, seed), unit, independent)

    def figures(self, outcomes: Outcomes, metric: str) -> Floats:
        """``(1 + r,)`` the metric of the data, then of each replicate."""
        sums = outcomes.sums(metric)
        if sums is None:
            return outcomes.measure_units(metric, self.weights, self.unit)
        if id(sums) not in self._totals:  # the same counts serve several metrics
            self._totals[id(sums)] = sums, self._weighted(sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            return outcomes.value(metric, self._totals[id(sums)][1])

    def _weighted(self, sums: Sums) -> Floats:
        """``(1 + r, f)`` the sums; whole numbers in single precision, which is exact."""
        held = by_unit(sums, self.unit, self.weights.shape[1])
        values = held.data if sp.issparse(held) else held
        largest = float(np.abs(values).max(initial=0)) * self.weights.shape[1]
        exact = largest < _WHOLE and (values == np.rint(values)).all()
        kind = np.float32 if exact else np.float64
        return weighted(self.weights.astype(kind, copy=False), held.astype(kind))


@functools.lru_cache(maxsize=8)
def _drawn(u: int, replicates: int, seed: int) -> Singles:
    """``(1 + r, u)`` ones, then how often each unit is drawn in each replicate."""
    chance = np.random.default_rng([seed, u])
    drawn = chance.integers(0, u, (replicates, u)) + u * np.arange(replicates)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=replicates * u)
    weights = np.ones((1 + replicates, u), np.float32)
    weights[1:] = counts.reshape(replicates, u)
    weights.flags.writeable = False
    return weights
