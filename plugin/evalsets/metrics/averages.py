"""Metrics that are averages over classes of right, true and guessed counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from evalsets.metrics.outcomes import Codes, Floats, Sums, share

_DENSE = 4_000_000
"""So many numbers at most are not worth a sparse matrix."""


def count_sums(right: sp.csr_array, true: sp.csr_array, guessed: sp.csr_array) -> Sums:
    """``(n, 3c)`` addends for :func:`over_classes`, from ``(n, c)`` counts each."""
    parts = (right, true, guessed)
    if 3 * right.shape[0] * right.shape[1] <= _DENSE:
        return np.hstack([part.toarray() for part in parts])
    return sp.csr_array(sp.hstack(parts))


def label_sums(truth: Codes, predicted: Codes, width: int) -> Sums:
    """The counts of single labels as :func:`count_sums` gives them.

    Args:
        truth: ``(n,)`` code of the true class
        predicted: ``(n,)`` code of the predicted class; negative without one
        width: number of classes
    """
    codes = (np.where(truth == predicted, truth, -1), truth, predicted)
    if 3 * len(truth) * width > _DENSE:
        return count_sums(*(one_hot(each, width) for each in codes))
    counts = np.zeros((len(truth), 3 * width))
    for at, each in enumerate(codes):
        rows = np.flatnonzero(each >= 0)
        counts[rows, at * width + each[rows]] = 1
    return counts


def over_classes(metric: str, sums: Floats, classes: Sequence[str]) -> Floats:
    """The metric averaged over classes, or that of one class (``recall:cat``).

    Averages run over the classes that occur in truth or prediction, as in scikit-learn
    and torchmetrics; a class that is never predicted has precision 0. Balanced accuracy
    runs over the classes that occur in the truth.

    Args:
        metric: precision, recall, f1, miou or balanced_accuracy
        sums: ``(r, 3c)`` weighted counts of right, true and guessed, each by class
        classes: ``(c,)`` names

    Returns:
        ``(r,)``; NaN where no class occurs

    Sources:
        Sokolova and Lapalme 2009, *A systematic analysis of performance measures*
    """
    right, true, guessed = np.split(sums, 3, axis=1)
    base, _, one = metric.partition(":")
    below = _below(base, right, true, guessed)
    shares = share(right, below, 0.0)
    occurs = true > 0 if base == "balanced_accuracy" else true + guessed > 0
    if one:
        at = list(classes).index(one)
        single: Floats = np.where(below[:, at] > 0, shares[:, at], np.nan)
        return single
    with np.errstate(invalid="ignore"):
        average: Floats = (shares * occurs).sum(axis=1) / occurs.sum(axis=1)
    return average


def below_classes(metric: str, counts: Sums, classes: Sequence[str]) -> Sums:
    """``(n, c)`` what each sample adds to the denominator of each class.

    Args:
        metric: as for :func:`over_classes`; of one class, only that column is given
        counts: what :func:`count_sums` gives
        classes: ``(c,)`` names
    """
    base, _, one = metric.partition(":")
    width = len(classes)
    parts = [counts[:, at * width : (at + 1) * width] for at in range(3)]
    below: Sums = _below(base, *parts)
    return below[:, [list(classes).index(one)]] if one else below


def _below(base: str, right: Any, true: Any, guessed: Any) -> Any:
    """The denominators of a metric."""
    if base == "precision":
        return guessed
    if base == "f1":
        return (true + guessed) / 2
    return true + guessed - right if base == "miou" else true


def one_hot(codes: Codes, width: int, values: Floats | None = None) -> sp.csr_array:
    """``(n, width)`` with ``values``, or ones, in the column of each code.

    Args:
        codes: ``(n,)``; a row whose code is negative stays empty
        width: number of codes
        values: ``(n,)``
    """
    rows = np.flatnonzero(codes >= 0)
    filled = np.ones(len(codes)) if values is None else values
    return sp.csr_array((filled[rows], (rows, codes[rows])), shape=(len(codes), width))
