"""What a task must offer, so that populations and replicates are mere weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from typing_extensions import Self

from evalsets.errors import ArgumentError, EvalsetsError, UnknownNameError
from evalsets.metrics.catalog import METRICS, Metric, find_metric

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]
"""Whole numbers that stand for classes, groups or places of samples."""
Sums: TypeAlias = "Floats | sp.csr_array"
"""``(n, f)`` what each sample adds to the sums that a metric is a function of."""
_NARROW = 200
_CHUNK = 4_000_000
"""Weights of single samples held at a time."""


class Outcomes(ABC):
    """What a model did on each sample, settled once.

    A metric is a function of outcomes and sample weights: a population is a vector of
    zeros and ones, a bootstrap replicate a vector of counts. Most metrics are functions of
    weighted sums (``sums`` and ``value``); others override ``measure``.
    """

    task: ClassVar[str]
    classes: tuple[str, ...] = ()

    @abstractmethod
    def __len__(self) -> int:
        """Number of samples."""

    @abstractmethod
    def take(self, samples: Codes) -> Self:
        """The outcomes of some samples."""

    @property
    @abstractmethod
    def quality(self) -> Floats:
        """``(n,)`` one figure a sample; where two models differ in it, they disagree."""

    @property
    def holds(self) -> frozenset[str]:
        """What was uploaded: of the ``needs`` of metrics."""
        return frozenset({""})

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that reports give unasked."""
        return tuple(
            m.name
            for m in METRICS.values()
            if self.task in m.tasks and m.shown and m.needs in self.holds
        )

    def metric(self, name: str) -> Metric:
        """The entry of a metric that these outcomes can give.

        Raises:
            UnknownNameError: no such metric, or no such class
            ArgumentError: it needs what was not uploaded
        """
        base, _, part = name.partition(":")
        if base not in METRICS or self.task not in METRICS[base].tasks:
            known = [m.name for m in METRICS.values() if self.task in m.tasks]
            raise UnknownNameError(f"metric for {self.task}", name, known)
        found = find_metric(name)
        if found.needs not in self.holds:
            needs = "probabilities, or five ranked labels a sample"
            needs = needs if found.needs == "candidates" else found.needs
            raise ArgumentError(f"'{name}' needs {needs}; upload predictions with them")
        if part and part not in self.classes:
            raise UnknownNameError("class", part, self.classes)
        return found

    def gives(self, metric: str) -> bool:
        """Whether they can give a metric."""
        try:
            self.metric(metric)
        except EvalsetsError:
            return False
        return True

    def hits(self, metric: str) -> Floats:
        """``(n,)`` 1 where a sample is right, for a metric that is a proportion."""
        raise ArgumentError(
            f"'{metric}' of {self.task} is not a proportion of samples; take another "
            "metric"
        )

    def trials(self, metric: str) -> NDArray[np.bool_] | None:
        """``(n,)`` the samples of which a metric is the share that is right.

        None where it is no such share.
        """
        return np.ones(len(self), bool) if self.metric(metric).proportion else None

    def counts(self, metric: str) -> NDArray[np.bool_]:  # noqa: ARG002
        """``(n,)`` the samples that a metric counts; of the others it shows nothing."""
        return np.ones(len(self), bool)

    def own(self, metric: str) -> int:
        """How many samples a figure is of: a metric of one class, those with that class.

        Of recall they have it in truth, of precision in what is predicted, else in either.
        """
        below = self.denominators(metric) if ":" in metric else None
        if below is None:
            return int(np.count_nonzero(self.counts(metric)))
        return int(np.count_nonzero(below.sum(axis=1)))

    def denominators(self, metric: str) -> Sums | None:  # noqa: ARG002
        """``(n, c)`` what each class's figure is a share of; None if it is no share."""
        return None

    def sums(self, metric: str) -> Sums | None:
        """``(n, f)`` addends of the sums the metric is a function of; None if of none."""
        raise NotImplementedError(metric)

    def value(self, metric: str, sums: Floats) -> Floats:
        """``(r,)`` the metric from ``(r, f)`` weighted sums; NaN where undefined."""
        raise NotImplementedError(metric)

    def measure(self, metric: str, weights: Floats) -> Floats:
        """The metric under each weighting.

        Args:
            metric: one that these outcomes can give
            weights: ``(r, n)`` how often each sample counts

        Returns:
            ``(r,)``; NaN where the metric is undefined
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.value(metric, weighted(weights, self.sums(metric)))

    def measure_units(self, metric: str, weights: NDArray[Any], unit: Codes) -> Floats:
        """The metric under weightings of groups or blocks of samples.

        Args:
            metric: one that these outcomes can give, and no function of sums
            weights: ``(r, u)`` how often each unit counts
            unit: ``(n,)`` that each sample is part of
        """
        at_once = max(1, _CHUNK // max(1, len(unit)))
        starts = range(0, len(weights), at_once)
        chunks = [
            self.measure(metric, weights[start : start + at_once, unit].astype(float))
            for start in starts
        ]
        return np.concatenate(chunks)


def by_unit(sums: Sums, unit: Codes, u: int) -> Sums:
    """``(u, f)`` the sums of each group or block of samples."""
    n = len(unit)
    of_unit = sp.csr_array((np.ones(n), (unit, np.arange(n))), shape=(u, n))
    total: Any = of_unit @ sums
    held: Sums = total
    return held


def weighted(weights: NDArray[Any], sums: Sums | None) -> Floats:
    """``(r, f)`` the sums under each weighting ``(r, n)``."""
    if sums is None:
        raise ValueError("the metric is no function of sums")
    if sp.issparse(sums) and sums.shape[1] <= _NARROW:
        sums = sums.toarray()  # which BLAS multiplies many times faster
    total: Floats = np.asarray(weights @ sums, float)
    return total


def mean_of(values: Floats) -> Floats:
    """The sums that a mean of ``values`` is a function of."""
    return np.column_stack([values, np.ones(len(values))])


def ratio(sums: Floats) -> Floats:
    """``(r,)`` the mean, from what :func:`mean_of` gives."""
    mean: Floats = sums[:, 0] / sums[:, 1]
    return mean


def share(part: Floats, whole: Floats, otherwise: Floats | float = 1.0) -> Floats:
    """``part / whole``, and ``otherwise`` where the whole is nothing."""
    filled = np.broadcast_to(otherwise, np.shape(whole)).astype(float)
    shares: Floats = np.divide(part, whole, out=filled, where=whole > 0)
    return shares
