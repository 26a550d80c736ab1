"""One population's figures, each with its evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsets.metrics.bootstrap import Resampling
from evalsets.metrics.catalog import Metric
from evalsets.metrics.estimates import (
    Estimate,
    PairedProportion,
    Proportion,
    Resampled,
    effective_counts,
    effective_size,
    unseen_error,
)
from evalsets.metrics.outcomes import Codes, Floats, Outcomes


@dataclass(frozen=True)
class Sampled:
    """The outcomes of one population, and how they are resampled.

    Args:
        outcomes: of ``n`` samples
        groups: ``(n,)`` code of each sample's group, if any
        resampling: None where nothing needs it
    """

    outcomes: Outcomes
    groups: Codes | None
    resampling: Resampling | None

    @classmethod
    def of(
        cls,
        outcomes: Outcomes,
        members: Codes,
        groups: Codes | None,
        names: Sequence[str],
        seed: int,
        words: Sequence[int],
        replicates: int,
    ) -> Sampled:
        """Draws replicates where a metric needs them.

        Args:
            outcomes: of all samples
            members: those of the population
            groups: of all samples
            names: metrics to measure
            seed: of the draws
            words: further seeds, of the blocks
            replicates: how many to draw
        """
        groups = None if groups is None else groups[members]
        resampling = None
        shares = all(outcomes.metric(name).proportion for name in names)
        if len(members) and not shares:
            resampling = Resampling.of(len(members), groups, seed, words, replicates)
        return cls(outcomes.take(members), groups, resampling)

    def estimate(self, metric: str) -> Estimate:
        """The figure with its evidence."""
        entry, trials = self.outcomes.metric(metric), self.outcomes.trials(metric)
        if trials is not None:
            hits = self.outcomes.hits(metric)[trials]
            size = effective_size(hits, self._groups_of(trials))
            return Proportion(hits.sum(), len(hits), size)
        if self.resampling is None:
            return NOTHING
        figures = self.resampling.figures(self.outcomes, metric)
        units = self.resampling.independent
        least = _least(entry, units, self.outcomes, self.groups)
        return _estimate(figures, units, least, entry.low, entry.high)

    def _groups_of(self, samples: NDArray[np.bool_]) -> Codes | None:
        return None if self.groups is None else self.groups[samples]


NOTHING = Resampled(math.nan, np.array([]), 0)
"""What no sample says."""


def _least(
    entry: Metric, units: int, outcomes: Outcomes, groups: Codes | None
) -> float:
    """What samples that were not met could do to a figure that has bounds."""
    unseen = 3 * entry.span / units if math.isfinite(entry.span) else 0.0
    below = outcomes.denominators(entry.name)
    if below is None:
        return unseen
    return max(unseen, unseen_error(effective_counts(below, groups)))


def difference(model: Sampled, other: Outcomes, metric: str) -> dict[str, Any]:
    """The baseline's figure, and by how much the model's differs."""
    entry, trials = model.outcomes.metric(metric), model.outcomes.trials(metric)
    theirs_of = other.trials(metric)
    if trials is not None and theirs_of is not None and (trials == theirs_of).all():
        theirs_right = other.hits(metric)[trials]
        change = model.outcomes.hits(metric)[trials] - theirs_right
        gained, lost = float((change > 0).sum()), float((change < 0).sum())
        n, size = len(change), effective_size(change, model._groups_of(trials))
        theirs = float(theirs_right.sum() / n) if n else math.nan
        paired = PairedProportion(gained, lost, n, size)
        return {"baseline": theirs, "difference": paired}
    if model.resampling is None:
        return {"baseline": math.nan, "difference": NOTHING}
    figures = model.resampling.figures(other, metric)
    change = model.resampling.figures(model.outcomes, metric) - figures
    units = model.resampling.independent
    sides = (model.outcomes, other)
    least = max(_least(entry, units, side, model.groups) for side in sides)
    estimate = _estimate(change, units, least, -entry.span, entry.span)
    return {"baseline": float(figures[0]), "difference": estimate}


def _estimate(
    figures: Floats, units: int, least: float, low: float, high: float
) -> Resampled:
    return Resampled(float(figures[0]), figures[1:], units, least, low, high)
