"""Outcomes that are numbers already: one score a sample."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evalsets.errors import ArgumentError
from evalsets.metrics.catalog import QUANTILES, Metric
from evalsets.metrics.outcomes import Codes, Floats, Outcomes, mean_of, ratio


@dataclass(frozen=True)
class Scores(Outcomes):
    """Any value per sample, such as a loss: its mean and quantiles.

    Args:
        values: ``(n,)`` finite
        higher_better: whether a greater value is a better one
        name: of the score, which stands for its mean; ``mean:loss`` and ``q95:loss``
            are then metrics too
    """

    values: Floats
    higher_better: bool = True
    name: str = ""
    task = "scores"

    def __post_init__(self) -> None:
        if not np.isfinite(self.values).all():
            raise ArgumentError("A score is not a finite number; leave its sample out")

    def __len__(self) -> int:
        return len(self.values)

    def take(self, samples: Codes) -> Scores:
        """The scores of some samples."""
        return replace(self, values=self.values[samples])

    @property
    def quality(self) -> Floats:
        """``(n,)`` the score, negated where less is better."""
        return self.values if self.higher_better else -self.values

    def metric(self, name: str) -> Metric:
        """The entry of the mean, of a quantile, or of the score's own name."""
        base, _, part = name.partition(":")
        plain = "mean" if name == self.name else base if part == self.name else name
        found = super().metric(plain)
        return replace(found, name=name, higher_is_better=self.higher_better)

    def sums(self, metric: str) -> Floats | None:
        """The values, for the mean; quantiles are no function of sums."""
        return None if self._quantile(metric) is not None else mean_of(self.values)

    def value(self, metric: str, sums: Floats) -> Floats:  # noqa: ARG002
        """The mean."""
        return ratio(sums)

    def measure(self, metric: str, weights: Floats) -> Floats:
        """The mean, or the quantile (the least value that reaches its share)."""
        share = self._quantile(metric)
        if share is None:
            return super().measure(metric, weights)
        if not len(self):
            return np.full(len(weights), np.nan)
        order = np.argsort(self.values, kind="stable")
        reached = np.cumsum(weights[:, order], axis=1)
        wanted = share * reached[:, -1:] * (1 - 1e-12)  # 0.95 × 20 must not miss 19
        return np.where(
            reached[:, -1] > 0,
            self.values[order[(reached >= wanted).argmax(axis=1)]],
            np.nan,
        )

    def _quantile(self, metric: str) -> float | None:
        self.metric(metric)
        return None if metric == self.name else QUANTILES.get(metric.partition(":")[0])
