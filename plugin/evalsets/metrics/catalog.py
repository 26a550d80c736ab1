"""What a metric's name stands for."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric and what its values mean.

    Args:
        name: as users write it
        tasks: the tasks it is defined for
        higher_is_better: direction; for ``mean`` the outcomes say
        low: least possible value
        high: greatest possible value
        proportion: whether it is the share of samples that are right
        needs: what predictions must carry for it: "", "confidences", "probabilities"
    """

    name: str
    tasks: frozenset[str]
    higher_is_better: bool = True
    low: float = 0.0
    high: float = 1.0
    proportion: bool = False
    needs: str = ""

    @property
    def span(self) -> float:
        """Width of the range of values; infinite where there is no bound."""
        return self.high - self.low


_CLASSES = frozenset({"classification"})
_BOXES = frozenset({"detection"})

METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", _CLASSES, proportion=True),
        Metric("balanced_accuracy", _CLASSES),
        Metric("map", _BOXES),
        Metric("map50", _BOXES),
        Metric("precision", _CLASSES | _BOXES),
        Metric("recall", _CLASSES | _BOXES),
        Metric("f1", _CLASSES | _BOXES),
        Metric("top5", _CLASSES, proportion=True, needs="probabilities"),
        Metric("log_loss", _CLASSES, False, high=math.inf, needs="probabilities"),
        Metric("ece", _CLASSES, False, needs="confidences"),
        Metric("mean", frozenset({"scores"}), low=-math.inf, high=math.inf),
    )
}
"""Every metric by name, in the order in which reports list them."""
