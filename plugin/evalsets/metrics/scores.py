"""Outcomes that are numbers already: one score a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalsets.errors import ArgumentError
from evalsets.metrics.outcomes import Codes, Floats


@dataclass(frozen=True)
class Scores:
    """Any value per sample, such as a loss; its metric is ``mean``.

    Args:
        values: ``(n,)`` finite
        higher_better: whether a greater value is a better one
    """

    values: Floats
    higher_better: bool = True
    task = "scores"
    metrics = ("mean",)

    def __post_init__(self) -> None:
        if not np.isfinite(self.values).all():
            raise ArgumentError("A score is not a finite number; leave its sample out")

    def __len__(self) -> int:
        return len(self.values)

    def take(self, samples: Codes) -> Scores:
        """The scores of some samples."""
        return Scores(self.values[samples], self.higher_better)

    def higher_is_better(self, metric: str) -> bool:  # noqa: ARG002
        """Whether a greater value is a better one."""
        return self.higher_better

    def hits(self, metric: str) -> Floats:
        """Scores are no proportions."""
        raise ArgumentError(f"'{metric}' of scores is not a proportion")

    def kinds(self, metric: str) -> Codes:  # noqa: ARG002
        """Every sample is its own kind."""
        return np.arange(len(self))

    def least_error(self, metric: str) -> float:  # noqa: ARG002
        """Scores have no bounds, so nothing is known of what was not seen."""
        return 0.0

    def measure(self, metric: str, weights: Floats) -> Floats:  # noqa: ARG002
        """The weighted mean under each weighting."""
        total = weights.sum(axis=1)
        with np.errstate(invalid="ignore"):
            mean: Floats = weights @ self.values / total
        return mean
