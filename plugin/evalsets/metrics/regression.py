"""Outcomes of regression: a true and a predicted number a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalsets.errors import ArgumentError
from evalsets.metrics.outcomes import Codes, Floats, Outcomes, mean_of, ratio


@dataclass(frozen=True)
class Regression(Outcomes):
    """True and predicted number of each sample, in the same unit.

    Args:
        truth: ``(n,)`` finite
        predicted: ``(n,)`` finite
    """

    truth: Floats
    predicted: Floats
    task = "regression"

    def __post_init__(self) -> None:
        if len(self.truth) != len(self.predicted):
            raise ArgumentError(
                f"There are {len(self.truth)} true and {len(self.predicted)} predicted "
                "numbers; give one of each a sample"
            )
        if not np.isfinite([self.truth, self.predicted]).all():
            raise ArgumentError("A number is not finite; leave its sample out")

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, samples: Codes) -> Regression:
        """The outcomes of some samples."""
        return Regression(self.truth[samples], self.predicted[samples])

    @property
    def quality(self) -> Floats:
        """``(n,)`` the error, negated."""
        return -np.abs(self.predicted - self.truth)

    def sums(self, metric: str) -> Floats:
        """Absolute or squared errors, and moments of the truth."""
        self.metric(metric)
        if metric == "mae":
            return mean_of(-self.quality)
        squares = mean_of(self.quality**2)
        if metric == "rmse":
            return squares
        centred = self.truth - self.truth.mean() if len(self) else self.truth
        return np.column_stack([squares, centred, centred**2])

    def value(self, metric: str, sums: Floats) -> Floats:
        """MAE, RMSE or R² (the share of the truth's variance that is explained)."""
        if metric == "r2":
            errors, n, total, squares = sums.T
            spread = squares - total**2 / n
            return np.where(spread > 1e-12 * squares, 1 - errors / spread, np.nan)
        return np.sqrt(ratio(sums)) if metric == "rmse" else ratio(sums)
