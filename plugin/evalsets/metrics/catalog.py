"""What a metric's name stands for."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass, replace

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.suites.population import Requirement

OVERLAPS = (50, 55, 60, 65, 70, 75, 80, 85, 90, 95)
"""The overlaps (IoU, in percent) over which COCO averages."""
QUANTILES = {"q05": 0.05, "median": 0.5, "q95": 0.95}
"""Metrics of per-sample scores that are quantiles."""


@dataclass(frozen=True)
class Metric:
    """A metric and what its values mean.

    Args:
        name: as users write it
        tasks: the tasks it is defined for
        higher_is_better: direction; for metrics of scores their upload says it
        low: least possible value
        high: greatest possible value
        proportion: whether it is the share of samples that are right
        needs: what predictions must carry for it: "", "confidences", "probabilities",
            "candidates" (probabilities, or five ranked labels)
        averaged: whether it is a mean over classes, so that ``recall:cat`` is that of one
        shown: whether reports give it unasked
        spared: whether an answer that is left out may be better for it than a wrong one
    """

    name: str
    tasks: frozenset[str]
    higher_is_better: bool = True
    low: float = 0.0
    high: float = 1.0
    proportion: bool = False
    needs: str = ""
    averaged: bool = False
    shown: bool = True
    spared: bool = False

    @property
    def span(self) -> float:
        """Width of the range of values; infinite where there is no bound."""
        return self.high - self.low


_ONE = frozenset({"classification"})
_MANY = frozenset({"multilabel"})
_BOXES = frozenset({"detection"})
_PIXELS = frozenset({"segmentation"})
_NUMBERS = frozenset({"regression"})
_SCORES = frozenset({"scores"})
_INF = math.inf

METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", _ONE | _MANY, proportion=True),
        Metric("balanced_accuracy", _ONE),
        Metric("map", _BOXES | _MANY, needs="confidences", averaged=True, spared=True),
        *(
            Metric(
                f"map{t}", _BOXES, averaged=True, shown=t == OVERLAPS[0], spared=True
            )
            for t in OVERLAPS
        ),
        Metric("precision", _ONE | _MANY | _BOXES, averaged=True, spared=True),
        Metric("recall", _ONE | _MANY | _BOXES, averaged=True),
        Metric("f1", _ONE | _MANY | _BOXES, averaged=True, spared=True),
        Metric("top5", _ONE, proportion=True, needs="candidates"),
        Metric("log_loss", _ONE, False, high=_INF, needs="probabilities", spared=True),
        Metric("ece", _ONE, False, needs="confidences"),
        Metric("miou", _PIXELS, averaged=True, spared=True),
        Metric("pixel_accuracy", _PIXELS),
        Metric("mae", _NUMBERS, False, high=_INF),
        Metric("rmse", _NUMBERS, False, high=_INF),
        Metric("r2", _NUMBERS, low=-_INF),
        Metric("mean", _SCORES, low=-_INF, high=_INF),
        *(Metric(q, _SCORES, low=-_INF, high=_INF) for q in QUANTILES),
    )
}
"""Every metric by name, in the order in which reports list them."""


def find_metric(name: str, scores: Container[str] = ()) -> Metric:
    """The entry of a metric, also of one class (``recall:cat``) or one score.

    Args:
        name: as users write it
        scores: names of uploaded scores; such a name stands for their mean

    Raises:
        UnknownNameError: there is none
    """
    if name in METRICS:
        return METRICS[name]
    if name in scores:
        return replace(METRICS["mean"], name=name)
    base, _, part = name.partition(":")
    found = METRICS.get(base)
    if found is None or not part or not (found.averaged or found.tasks == _SCORES):
        raise UnknownNameError("metric", name, METRICS)
    return replace(found, name=name)


def check_bound(requirement: Requirement, population: str, metric: Metric) -> None:
    """Refuses a requirement that no model could meet, or none could miss.

    Args:
        requirement: on the metric
        population: whose it is
        metric: what is known of its values

    Raises:
        ArgumentError: with the range of the metric
    """
    drop, bound = requirement.max_drop, requirement.at_least
    bound = requirement.at_most if bound is None else bound
    if drop is not None and drop >= metric.span:
        never, remedy = "missed", "allow less"
    elif bound is not None and not metric.low <= bound <= metric.high:
        never, remedy = "met or missed", "give a bound in it"
    else:
        return
    if metric.high == 1 < (bound or drop or 0) <= 100:  # somebody thinks in percent
        given = requirement.to_dict()
        share = {key: given[key] / 100 for key in given if key != "metric"}
        remedy = f"write '{replace(requirement, **share)}'"
    raise ArgumentError(
        f"'{requirement}' of population '{population}' can never be {never}; "
        f"{metric.name} lies in [{metric.low:g}, {metric.high:g}], {remedy}"
    )


def turned(requirement: Requirement, metric: Metric) -> Requirement | None:
    """What was probably meant where a bound is met by what is worse; else None.

    Which values of a score are better, its upload says.
    """
    least, most = requirement.at_least, requirement.at_most
    wrong = most if metric.higher_is_better else least
    if wrong is None or metric.tasks == _SCORES:
        return None
    return replace(requirement, at_least=most, at_most=least)


def order(name: str) -> tuple[int, str]:
    """Where a metric stands in reports."""
    base = name.partition(":")[0]
    known = list(METRICS)
    return (known.index(base) if base in known else len(known)), name
