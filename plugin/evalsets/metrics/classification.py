"""Outcomes of classification, and metrics that are counts over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.metrics.catalog import METRICS
from evalsets.metrics.outcomes import Codes, Floats, macro_error

_BINS = 15


@dataclass(frozen=True)
class Classification:
    """True and predicted class of each sample.

    Macro averages run over the classes that occur in truth or prediction, as in
    scikit-learn; a class that is never predicted has precision 0.

    Args:
        truth: ``(n,)`` codes of ``classes``
        predicted: ``(n,)`` codes of ``classes``; -1 where there is no prediction, which
            counts as wrong
        confidence: ``(n,)`` in [0, 1], that of the predicted class
        probability: ``(n, c)`` rows sum to 1; zeros where there is no prediction
        classes: ``(c,)`` names
    """

    truth: Codes
    predicted: Codes
    confidence: Floats | None = None
    probability: Floats | None = None
    classes: tuple[str, ...] = ()
    task = "classification"

    @classmethod
    def of(
        cls,
        truth: Sequence[str],
        predicted: Sequence[str | None],
        confidence: Sequence[float | None] | Floats | None = None,
        probability: Floats | None = None,
        columns: Sequence[str] = (),
    ) -> Classification:
        """Outcomes from labels.

        Args:
            truth: ``(n,)``
            predicted: ``(n,)``; None where there is no prediction
            confidence: ``(n,)``; None counts as 0
            probability: ``(n, k)``; NaN or zero rows where there is no prediction
            columns: ``(k,)`` class of each column of ``probability``

        Raises:
            ArgumentError: a sample without truth, or lengths that differ
        """
        if any(label is None for label in truth):
            raise ArgumentError("A sample has no true label; leave it out")
        if len(truth) != len(predicted):
            raise ArgumentError(
                f"There are {len(truth)} true and {len(predicted)} predicted labels"
            )
        names = {*truth, *columns, *(p for p in predicted if p is not None)}
        classes = tuple(sorted(names))
        code: dict[str | None, int] = {name: at for at, name in enumerate(classes)}
        full = None
        if probability is not None:
            full = np.zeros((len(truth), len(classes)))
            full[:, [code[c] for c in columns]] = np.nan_to_num(probability)
        certain: Floats | None = None
        if confidence is not None:
            certain = np.nan_to_num(np.array(confidence, float))
        return cls(
            np.array([code[t] for t in truth], np.intp),
            np.array([code.get(p, -1) for p in predicted], np.intp),
            certain,
            full,
            classes,
        )

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that what is known allows."""
        held = {"", "confidences" if self.confidence is not None else ""}
        held.add("probabilities" if self.probability is not None else "")
        return tuple(
            m.name for m in METRICS.values() if self.task in m.tasks and m.needs in held
        )

    def take(self, samples: Codes) -> Classification:
        """The outcomes of some samples."""
        return Classification(
            self.truth[samples],
            self.predicted[samples],
            None if self.confidence is None else self.confidence[samples],
            None if self.probability is None else self.probability[samples],
            self.classes,
        )

    def higher_is_better(self, metric: str) -> bool:
        """Direction of a metric."""
        return METRICS[metric].higher_is_better

    @cached_property
    def correct(self) -> Floats:
        """``(n,)`` 1 where the prediction is right."""
        correct: Floats = (self.truth == self.predicted).astype(float)
        return correct

    def hits(self, metric: str) -> Floats:
        """``(n,)`` 1 where the prediction is right, or among the five likeliest."""
        if metric == "accuracy":
            return self.correct
        if metric == "top5" and self.probability is not None:
            own = self._probability_of_truth[:, None]
            among = (self.probability >= own).sum(axis=1) <= 5
            hits: Floats = (among & (self.predicted >= 0)).astype(float)
            return hits
        raise UnknownNameError("proportion", metric, ("accuracy", "top5"))

    def kinds(self, metric: str) -> Codes:
        """Samples with the same truth and prediction are alike to counts."""
        if METRICS[metric].needs:
            return np.arange(len(self))
        return self.truth * (len(self.classes) + 1) + self.predicted + 1

    def least_error(self, metric: str) -> float:
        """That of an average over classes of which some are rare."""
        if METRICS[metric].proportion or METRICS[metric].needs:
            return 0.0
        return macro_error(np.bincount(self.truth))

    def measure(self, metric: str, weights: Floats) -> Floats:
        """The metric under each weighting; see :class:`Outcomes`."""
        with np.errstate(invalid="ignore", divide="ignore"):
            if METRICS[metric].proportion:
                return _mean(weights, self.hits(metric))
            if metric == "log_loss":
                return _mean(weights, self._surprise)
            if metric == "ece":
                return self._calibration_error(weights)
            return self._macro(metric, weights)

    @property
    def _probability_of_truth(self) -> Floats:
        if self.probability is None:
            raise ArgumentError("There are no probabilities; upload one column a class")
        own: Floats = self.probability[np.arange(len(self)), self.truth]
        return own

    @cached_property
    def _surprise(self) -> Floats:
        """Negative log of the true class; no prediction counts as uniform."""
        least = np.finfo(float).eps
        own = np.clip(self._probability_of_truth, least, 1 - least)
        own[self.predicted < 0] = 1 / len(self.classes)
        surprise: Floats = -np.log(own)
        return surprise

    def _macro(self, metric: str, weights: Floats) -> Floats:
        """Averages over classes (Sokolova and Lapalme 2009)."""
        right = weights @ _one_hot(self.truth, len(self.classes), self.correct)
        true = weights @ _one_hot(self.truth, len(self.classes))
        if metric == "balanced_accuracy":
            return (
                np.nanmean(right / true, axis=1) if len(self) else _undefined(weights)
            )
        guessed = weights @ _one_hot(self.predicted, len(self.classes))
        occurs = true + guessed > 0
        below = {"precision": guessed, "recall": true, "f1": (true + guessed) / 2}[
            metric
        ]
        share = np.divide(right, below, out=np.zeros_like(right), where=below > 0)
        macro: Floats = share.sum(axis=1) / occurs.sum(axis=1)
        return macro

    def _calibration_error(self, weights: Floats) -> Floats:
        """Expected gap of confidence and accuracy over 15 bins (Guo et al. 2017)."""
        if self.confidence is None:
            raise ArgumentError("There are no confidences; upload them with the labels")
        bins = np.clip(np.ceil(self.confidence * _BINS).astype(int) - 1, 0, _BINS - 1)
        gap = weights @ _one_hot(bins, _BINS, self.correct - self.confidence)
        error: Floats = np.abs(gap).sum(axis=1) / weights.sum(axis=1)
        return error


def _mean(weights: Floats, values: Floats) -> Floats:
    mean: Floats = weights @ values / weights.sum(axis=1)
    return mean


def _undefined(weights: Floats) -> Floats:
    return np.full(len(weights), np.nan)


def _one_hot(codes: Codes, width: int, values: Floats | None = None) -> sp.csr_array:
    """``(n, width)`` with ``values``, or ones, in the column of each code."""
    rows = np.flatnonzero(codes >= 0)
    filled = np.ones(len(codes)) if values is None else values
    return sp.csr_array((filled[rows], (rows, codes[rows])), shape=(len(codes), width))
