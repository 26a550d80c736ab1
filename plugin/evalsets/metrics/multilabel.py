"""Outcomes of multi-label classification: a set of labels a sample."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from evalsets.errors import ArgumentError
from evalsets.metrics.averages import below_classes, count_sums, over_classes
from evalsets.metrics.outcomes import (
    Codes,
    Floats,
    Outcomes,
    Sums,
    mean_of,
    ratio,
    share,
)


@dataclass(frozen=True)
class MultiLabel(Outcomes):
    """True and predicted labels of each sample.

    ``accuracy`` is the share of samples whose labels are all right; ``precision``,
    ``recall`` and ``f1`` are averages over labels; ``map`` is the mean over labels of
    the average precision of their scores. A sample without prediction has no labels.

    Args:
        truth: ``(n, c)`` ones where a label is true
        predicted: ``(n, c)`` ones where it is predicted
        score: ``(n, c)`` confidence in each label, 0 where none was given; None where
            there are no confidences
        classes: ``(c,)`` names
        answered: ``(n,)`` whether there is a prediction; None where there is for all
    """

    truth: sp.csr_array
    predicted: sp.csr_array
    score: sp.csr_array | None
    classes: tuple[str, ...]
    answered: Floats | None = None
    task = "multilabel"

    @classmethod
    def of(
        cls,
        truth: Sequence[Collection[str]],
        predicted: Sequence[Mapping[str, float | None] | None],
        min_score: float = 0.5,
        columns: Sequence[str] = (),
    ) -> MultiLabel:
        """Outcomes from labels.

        Args:
            truth: ``(n,)`` the true labels of each sample
            predicted: ``(n,)`` confidence by label, None where unknown; the sample's own
                None where there is no prediction
            min_score: a label counts as predicted from this confidence on
            columns: further labels that exist

        Raises:
            ArgumentError: lengths that differ
        """
        if len(truth) != len(predicted):
            raise ArgumentError(
                f"There are {len(truth)} true and {len(predicted)} predicted sets of "
                "labels; give one of each a sample"
            )
        names = {label for labels in (*truth, *predicted) for label in labels or ()}
        classes = tuple(sorted(names | set(columns)))
        at = {name: code for code, name in enumerate(classes)}
        scores = [
            (row, at[label], score)
            for row, labels in enumerate(predicted)
            for label, score in (labels or {}).items()
        ]
        shape = (len(truth), len(classes))
        held = [(r, c) for r, c, s in scores if s is None or s >= min_score]
        known = bool(scores) and all(s is not None for *_, s in scores)
        true = [
            (r, at[label]) for r, labels in enumerate(truth) for label in set(labels)
        ]
        return cls(
            _matrix(true, None, shape),
            _matrix(held, None, shape),
            _matrix([s[:2] for s in scores], [s[2] for s in scores], shape)
            if known
            else None,
            classes,
            np.array([labels is not None for labels in predicted], float),
        )

    def __len__(self) -> int:
        return int(self.truth.shape[0])

    @property
    def holds(self) -> frozenset[str]:
        """What was uploaded beside the labels."""
        return frozenset({"", "confidences"} if self.score is not None else {""})

    def take(self, samples: Codes) -> MultiLabel:
        """The outcomes of some samples."""
        return replace(
            self,
            truth=self.truth[samples],
            predicted=self.predicted[samples],
            score=None if self.score is None else self.score[samples],
            answered=None if self.answered is None else self.answered[samples],
        )

    @property
    def quality(self) -> Floats:
        """``(n,)`` F1 of each sample; 1 where nothing is true nor predicted."""
        right = self.truth.multiply(self.predicted).sum(axis=1)
        below = self.truth.sum(axis=1) + self.predicted.sum(axis=1)
        return share(2.0 * right, below.astype(float), self._answered)

    def hits(self, metric: str) -> Floats:
        """``(n,)`` 1 where the predicted labels are the true ones."""
        if metric != "accuracy":
            return super().hits(metric)
        same = abs(self.truth - self.predicted).sum(axis=1) == 0
        hits: Floats = same * self._answered
        return hits

    def denominators(self, metric: str) -> Sums | None:
        """True or guessed samples of each label, for averages over labels."""
        if metric == "accuracy":
            return None
        return below_classes(metric, self._counts, self.classes)

    def sums(self, metric: str) -> Sums | None:
        """Counts by label; average precision is no function of sums."""
        if metric == "accuracy":
            return mean_of(self.hits(metric))
        if metric.startswith("map"):
            return None
        return self._counts

    def value(self, metric: str, sums: Floats) -> Floats:
        """The metric from sums; see :class:`Outcomes`."""
        if metric == "accuracy":
            return ratio(sums)
        return over_classes(metric, sums, self.classes)

    def measure(self, metric: str, weights: Floats) -> Floats:
        """The metric under each weighting; see :class:`Outcomes`."""
        self.metric(metric)
        if not metric.startswith("map") or self.score is None:
            return super().measure(metric, weights)
        one = metric.partition(":")[2]
        codes = [self.classes.index(one)] if one else range(len(self.classes))
        truth, score = self.truth.tocsc(), self.score.tocsc()
        columns = [
            _average_precision(
                weights, truth[:, [c]].toarray(), score[:, [c]].toarray()
            )
            for c in codes
        ]
        precision = np.array(columns).reshape(len(columns), len(weights))
        seen = ~np.isnan(precision)
        with np.errstate(invalid="ignore"):
            mean: Floats = np.nansum(precision, axis=0) / seen.sum(axis=0)
        return mean

    @cached_property
    def _counts(self) -> Sums:
        right = sp.csr_array(self.truth.multiply(self.predicted))
        return count_sums(right, self.truth, self.predicted)

    @property
    def _answered(self) -> Floats:
        return np.ones(len(self)) if self.answered is None else self.answered


def _matrix(
    places: Sequence[tuple[int, int]],
    values: Sequence[float | None] | None,
    shape: tuple[int, int],
) -> sp.csr_array:
    rows, columns = np.array(places, np.intp).reshape(-1, 2).T
    filled = np.ones(len(rows)) if values is None else np.array(values, float)
    return sp.csr_array((filled, (rows, columns)), shape=shape)


def _average_precision(weights: Floats, truth: Floats, score: Floats) -> Floats:
    """Average precision of one label under many weightings, as scikit-learn's.

    Args:
        weights: ``(r, n)``
        truth: ``(n, 1)`` ones where the label is true
        score: ``(n, 1)``; samples of equal score are one step

    Returns:
        ``(r,)``; NaN where the label is nowhere true
    """
    truth, score = truth[:, 0], score[:, 0]
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    counts = weights[:, order]
    right = np.cumsum(counts * truth[order], axis=1)[:, ends]
    guessed = np.cumsum(counts, axis=1)[:, ends]
    precision = np.divide(right, guessed, out=np.zeros_like(right), where=guessed > 0)
    steps = np.diff(right, axis=1, prepend=0)
    with np.errstate(invalid="ignore"):
        average: Floats = (steps * precision).sum(axis=1) / right[:, -1]
    return average
