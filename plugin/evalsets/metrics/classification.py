"""Outcomes of classification, and metrics that are counts over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.metrics.averages import below_classes, label_sums, over_classes
from evalsets.metrics.outcomes import (
    Codes,
    Floats,
    Outcomes,
    Sums,
    mean_of,
    ratio,
)

_BINS = 15
_TOP = 5


@dataclass(frozen=True)
class Classification(Outcomes):
    """True and predicted class of each sample.

    Args:
        truth: ``(n,)`` codes of ``classes``
        predicted: ``(n,)`` codes of ``classes``; -1 where there is no prediction, which
            counts as wrong
        confidence: ``(n,)`` in [0, 1], that of the predicted class
        probability: ``(n, c)`` rows sum to 1; zeros where there is no prediction
        classes: ``(c,)`` names
        ranked: ``(n, k)`` codes of the likeliest classes, best first; -1 where there are
            fewer
    """

    truth: Codes
    predicted: Codes
    confidence: Floats | None = None
    probability: Floats | None = None
    classes: tuple[str, ...] = ()
    ranked: Codes | None = None
    task = "classification"

    @classmethod
    def of(
        cls,
        truth: Sequence[str],
        predicted: Sequence[str | None],
        confidence: Sequence[float | None] | Floats | None = None,
        probability: Floats | None = None,
        columns: Sequence[str] = (),
        ranked: Sequence[Sequence[str] | None] | None = None,
    ) -> Classification:
        """Outcomes from labels.

        Args:
            truth: ``(n,)``
            predicted: ``(n,)``; None where there is no prediction
            confidence: ``(n,)``; None counts as 0
            probability: ``(n, k)``; NaN or zero rows where there is no prediction
            columns: ``(k,)`` class of each column of ``probability``
            ranked: ``(n,)`` likeliest labels, best first; None where there is no
                prediction

        Raises:
            ArgumentError: a sample without truth, or lengths that differ
        """
        if any(label is None for label in truth):
            raise ArgumentError("A sample has no true label; leave it out")
        if len(truth) != len(predicted):
            raise ArgumentError(
                f"There are {len(truth)} true and {len(predicted)} predicted labels; "
                "give one of each a sample"
            )
        names = {*truth, *columns, *(p for p in predicted if p is not None)}
        names |= {label for row in ranked or () for label in row or ()}
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
            None if ranked is None else _coded(ranked, code),
        )

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def holds(self) -> frozenset[str]:
        """What was uploaded beside the labels."""
        held = {"", "confidences" if self.confidence is not None else ""}
        if self.probability is not None:
            held |= {"probabilities", "candidates"}
        if self.ranked is not None and self.ranked.shape[1] >= _TOP:
            held.add("candidates")
        return frozenset(held)

    def take(self, samples: Codes) -> Classification:
        """The outcomes of some samples."""
        return Classification(
            self.truth[samples],
            self.predicted[samples],
            None if self.confidence is None else self.confidence[samples],
            None if self.probability is None else self.probability[samples],
            self.classes,
            None if self.ranked is None else self.ranked[samples],
        )

    @cached_property
    def quality(self) -> Floats:
        """``(n,)`` 1 where the prediction is right."""
        correct: Floats = (self.truth == self.predicted).astype(float)
        return correct

    def hits(self, metric: str) -> Floats:
        """``(n,)`` 1 where the prediction is right, or among the five likeliest.

        A class as likely as the true one counts as likelier: a model that gives all
        classes the same probability has not found the true one.
        """
        if metric == "accuracy" or ":" in metric:
            return self.quality
        if metric != "top5":
            raise UnknownNameError("proportion", metric, ("accuracy", "top5"))
        if self.ranked is not None:
            among = (self.ranked[:, :_TOP] == self.truth[:, None]).any(axis=1)
        else:
            own = self._probability_of_truth[:, None]
            among = (self._probabilities >= own).sum(axis=1) <= _TOP
        hits: Floats = (among & (self.predicted >= 0)).astype(float)
        return hits

    def trials(self, metric: str) -> NDArray[np.bool_] | None:
        """Recall of a class is a share of its samples, precision of those taken for it."""
        base, _, name = metric.partition(":")
        codes = {"recall": self.truth, "precision": self.predicted}.get(base)
        if not name or codes is None:
            return super().trials(metric)
        known = name in self.classes
        return np.asarray(codes == (self.classes.index(name) if known else None))

    def counts(self, metric: str) -> NDArray[np.bool_]:
        """All, but for the calibration error, which leaves unanswered samples out."""
        return self.predicted >= 0 if metric == "ece" else super().counts(metric)

    def denominators(self, metric: str) -> Sums | None:
        """True or guessed samples of each class, for averages over classes."""
        entry = self.metric(metric)
        if entry.proportion or entry.needs:
            return None
        return below_classes(metric, self._counts, self.classes)

    def sums(self, metric: str) -> Sums:
        """Counts by class, losses, or gaps by bin of confidence."""
        if self.metric(metric).proportion:
            return mean_of(self.hits(metric))
        if metric == "log_loss":
            return mean_of(self._surprise)
        if metric == "ece":
            return self._gaps
        return self._counts

    def value(self, metric: str, sums: Floats) -> Floats:
        """The metric from sums; see :class:`Outcomes`."""
        if metric == "ece":
            error: Floats = np.abs(sums[:, :-1]).sum(axis=1) / sums[:, -1]
            return error
        if metric == "log_loss" or self.metric(metric).proportion:
            return ratio(sums)
        return over_classes(metric, sums, self.classes)

    @cached_property
    def _counts(self) -> Sums:
        return label_sums(self.truth, self.predicted, len(self.classes))

    @property
    def _probabilities(self) -> Floats:
        if self.probability is None:
            raise ArgumentError("There are no probabilities; upload one column a class")
        return self.probability

    @property
    def _probability_of_truth(self) -> Floats:
        own: Floats = self._probabilities[np.arange(len(self)), self.truth]
        return own

    @cached_property
    def _surprise(self) -> Floats:
        """Negative log of the true class; no prediction counts as uniform."""
        least = np.finfo(float).eps
        own = np.clip(self._probability_of_truth, least, 1 - least)
        own[self.predicted < 0] = 1 / len(self.classes)
        surprise: Floats = -np.log(own)
        return surprise

    @cached_property
    def _gaps(self) -> Floats:
        """``(n, 16)`` accuracy less confidence by 15 bins (Guo et al. 2017), and 1.

        Nothing was said of a sample without prediction, so that it is in no bin.
        """
        if self.confidence is None:
            raise ArgumentError("There are no confidences; upload them with the labels")
        bins = np.clip(np.ceil(self.confidence * _BINS).astype(int) - 1, 0, _BINS - 1)
        gaps = np.zeros((len(self), _BINS + 1))
        gaps[np.arange(len(self)), bins] = self.quality - self.confidence
        gaps[:, -1] = 1
        gaps[self.predicted < 0] = 0
        return gaps


def _coded(
    ranked: Sequence[Sequence[str] | None], code: dict[str | None, int]
) -> Codes:
    width = max((len(row or ()) for row in ranked), default=0)
    codes = np.full((len(ranked), width), -1, np.intp)
    for at, row in enumerate(ranked):
        for place, label in enumerate(row or ()):
            codes[at, place] = code[label]
    return codes
