"""What a task must offer, so that populations and replicates are mere weights."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
"""Whole numbers that stand for classes, groups or places of samples."""


class Outcomes(Protocol):
    """What a model did on each sample, settled once.

    A metric is a function of outcomes and sample weights: a population is a vector of
    zeros and ones, a bootstrap replicate a vector of counts.
    """

    @property
    def task(self) -> str:
        """The task of :data:`~evalsets.metrics.catalog.METRICS` this is of."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics these outcomes can give."""

    def __len__(self) -> int:
        """Number of samples."""

    def take(self, samples: Codes) -> Outcomes:
        """The outcomes of some samples."""

    def higher_is_better(self, metric: str) -> bool:
        """Direction of a metric."""

    def hits(self, metric: str) -> Floats:
        """``(n,)`` 1 where a sample is right, for a metric that is a proportion."""

    def kinds(self, metric: str) -> Codes:
        """``(n,)`` equal codes mark samples that no metric value can tell apart."""

    def least_error(self, metric: str) -> float:
        """Standard error below which a bootstrap of rare classes is not believed."""

    def measure(self, metric: str, weights: Floats) -> Floats:
        """The metric under each weighting.

        Args:
            metric: one of ``metrics``
            weights: ``(r, n)`` how often each sample counts

        Returns:
            ``(r,)``; NaN where the metric is undefined
        """


def macro_error(counts: NDArray[Any]) -> float:
    """Least standard error of an average over classes, in [0, 0.5].

    A class seen once or twice looks certain to a bootstrap, which never draws what was
    not seen. Each class counts as if one of its objects could have come out the other
    way, and never as worse than a coin.

    Args:
        counts: ``(c,)`` objects of each class; classes without any are left out
    """
    seen = counts[counts > 0]
    if not len(seen):
        return 0.0
    return float(np.sqrt((np.minimum(0.5, 1 / seen) ** 2).sum()) / len(seen))
