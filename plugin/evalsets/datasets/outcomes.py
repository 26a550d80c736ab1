"""What a model did on each sample, read in one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from evalsets.datasets.boxes import read_boxes
from evalsets.datasets.columns import gather_fields, is_users
from evalsets.datasets.documents import TASK_OF
from evalsets.datasets.masks import read_masks
from evalsets.datasets.predictions import PredictionSet, ScoreSet
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.metrics import Classification, MultiLabel, Outcomes, Regression, Scores

GROUND_TRUTH = "ground_truth"
"""The field of the true labels, where none is named."""
_NAMED = 10  # fields that an error names
_WANTED = {
    "classification": "one label an image",
    "multilabel": "sets of labels",
    "detection": "boxes",
    "segmentation": "masks",
    "regression": "numbers",
}
_INSIDE = {
    "classification": "label",
    "multilabel": "classifications.label",
    "detection": "detections.label",
    "segmentation": "",
    "regression": "value",
}


@dataclass(frozen=True)
class Read:
    """The outcomes of some samples.

    Args:
        ids: ``(n,)`` of the samples that have a true label, rising where one value is read of each
        outcomes: of the same samples
        answered: ``(n,)`` whether a sample has a prediction; one without counts as wrong
        unlabelled: samples left out, since they have no true label
        lost: ids of samples left out, since they have no number, which nothing can
            stand for
        strange: predicted labels that are true of none of the samples
        mistakes: how bad it is, and what went wrong, by id
    """

    ids: list[str]
    outcomes: Outcomes
    answered: NDArray[np.bool_]
    unlabelled: int = 0
    lost: tuple[str, ...] = ()
    strange: frozenset[str] = frozenset()
    mistakes: Mapping[str, tuple[float, str]] = field(default_factory=dict)


def task_of(dataset: fo.Dataset, name: str) -> str:
    """The task of the labels in a field; empty where it holds none or is not there."""
    held = dataset.get_field(name)
    if isinstance(held, fo.StringField):
        return "classification"
    if isinstance(held, fo.FloatField):
        return "regression"
    return TASK_OF.get(getattr(held, "document_type", None), "")


def holds_labels(dataset: fo.Dataset, name: str) -> bool:
    """Whether a field holds FiftyOne's labels of a task, not plain values."""
    return getattr(dataset.get_field(name), "document_type", None) in TASK_OF


def label_fields(dataset: fo.Dataset, task: str = "") -> list[str]:
    """Fields of users that hold labels, or values, of a task, or of any."""
    names = [n for n in dataset.get_field_schema() if is_users(n)]
    tasks = {name: task_of(dataset, name) for name in names}
    return [name for name, held in tasks.items() if held and task in ("", held)]


def _name_truth(dataset: fo.Dataset, stored: PredictionSet) -> str:
    """What to do where a field is not the truth."""
    fit = ", ".join(f"'{n}'" for n in label_fields(dataset, stored.task)[:_NAMED])
    known = f", such as {fit}" if fit else ""
    return f"name the field that holds the true labels (option truth){known}"


def true_labels(dataset: fo.Dataset, truth: str, task: str) -> set[str]:
    """Every label in a field; empty where it is not there or of another task."""
    if task_of(dataset, truth) != task or task in ("segmentation", "regression"):
        return set()
    return set(dataset.distinct(_path(dataset, truth, task)))


def read_outcomes(view: fo.DatasetView, truth: str, stored: PredictionSet) -> Read:
    """Compares a prediction set with the true labels.

    Args:
        view: samples to evaluate
        truth: label field, or field of plain strings or numbers, that holds the truth
        stored: the prediction set

    Raises:
        UnknownNameError: no field of that name, or that of the predictions is gone
        ArgumentError: the truth is of another task than the predictions, or the same
    """
    dataset = view._dataset
    schema = dataset.get_field_schema()
    if truth not in schema:
        raise UnknownNameError(
            "field", truth, label_fields(dataset), _name_truth(dataset, stored)
        )
    _refuse_gone(dataset, stored.field, f"what model '{stored.model}' predicts")
    if truth == stored.field:
        raise ArgumentError(
            f"Model '{stored.model}' would be compared with itself, since '{truth}' holds "
            f"what it predicts; {_name_truth(dataset, stored)}"
        )
    if task_of(dataset, truth) != stored.task:
        raise ArgumentError(
            f"Model '{stored.model}' predicts {_WANTED[stored.task]}, but field "
            f"'{truth}' does not hold that; {_name_truth(dataset, stored)}"
        )
    if stored.task == "detection":
        return Read(**read_boxes(view, truth, stored.field))
    if stored.task == "segmentation":
        return Read(**read_masks(view, truth, stored.field))
    path = _path(dataset, truth, stored.task)
    if stored.task == "classification":
        return _classification(view, path, stored)
    if stored.task == "multilabel":
        return _multilabel(view, path, stored)
    return _regression(view, path, f"{stored.field}.value")


def measured(view: fo.DatasetView, truth: str, stored: PredictionSet) -> fo.DatasetView:
    """The samples that figures are of: those with the truth; of a mere score, with one."""
    if stored.task == "scores":
        held = [fo.ViewField(score.field).exists() for score in stored.scores]
        return view.match(fo.ViewExpression.any(held))
    whole = stored.task == "segmentation"
    return view.exists(truth if whole else _path(view._dataset, truth, stored.task))


def _refuse_gone(dataset: fo.Dataset, field: str, what: str) -> None:
    if not dataset.has_sample_field(field):
        remedy = f"it held {what}; upload that again"
        raise UnknownNameError("field", field, remedy=remedy)


def read_scores(view: fo.DatasetView, score: ScoreSet) -> Read:
    """The scores of the samples that have one.

    Raises:
        UnknownNameError: their field is gone
    """
    _refuse_gone(view._dataset, score.field, f"the score '{score.metric}'")
    ids, (values,) = gather_fields(view, [score.field])
    known = [at for at, value in enumerate(values) if value is not None]
    outcomes = Scores(
        np.array([values[at] for at in known], float),
        score.higher_is_better,
        score.metric,
    )
    lost = [i for i, value in zip(ids, values, strict=True) if value is None]
    sign = -1 if score.higher_is_better else 1
    return Read(
        [ids[at] for at in known],
        outcomes,
        np.ones(len(known), bool),
        lost=tuple(lost),
        mistakes={
            ids[at]: (sign * values[at], f"{score.metric} {values[at]:.4g}")
            for at in known
        },
    )


def _path(dataset: fo.Dataset, name: str, task: str) -> str:
    """Where a field keeps what a task compares."""
    plain = not isinstance(dataset.get_field(name), fo.EmbeddedDocumentField)
    return name if plain else f"{name}.{_INSIDE[task]}"


def _labelled(
    view: fo.DatasetView, truth: str, paths: list[str]
) -> tuple[int, list[list[Any]]]:
    """How many samples have no truth, and the columns of those that have."""
    ids, columns = gather_fields(view, [truth, *paths])
    unlabelled = columns[0].count(None)
    if not unlabelled:
        return 0, [ids, *columns]
    kept = [at for at, label in enumerate(columns[0]) if label is not None]
    return unlabelled, [[c[at] for at in kept] for c in (ids, *columns)]


def _classification(view: fo.DatasetView, truth: str, stored: PredictionSet) -> Read:
    held = stored.field
    paths = [f"{held}.label", f"{held}.confidence", f"{held}.ranked"]
    paths += [f"{held}.logits"] if stored.columns else []
    unlabelled, columns = _labelled(view, truth, paths)
    ids, true, predicted, confidence, ranked, *logits = columns
    probability = None
    if stored.columns:
        width = len(stored.columns)
        probability = np.exp(
            [np.full(width, -np.inf) if row is None else row for row in logits[0]]
        ).reshape(-1, width)
    answered = np.array([label is not None for label in predicted], bool)
    known = confidence.count(None) <= (~answered).sum()
    outcomes = Classification.of(
        true,
        predicted,
        confidence if known else None,
        probability,
        stored.columns,
        ranked if any(ranked) else None,
    )
    rows = zip(ids, true, predicted, confidence, strict=True)
    mistakes = {
        i: (c or 0.0, f"{t}, predicted {p or 'nothing'}")
        for i, t, p, c in rows
        if t != p
    }
    strange = frozenset(predicted) - frozenset(true) - {None}
    return Read(ids, outcomes, answered, unlabelled, (), strange, mistakes)


def _multilabel(view: fo.DatasetView, truth: str, stored: PredictionSet) -> Read:
    held = stored.field
    inside = f"{held}.classifications"
    paths = [f"{inside}.label", f"{inside}.confidence"]
    paths += [f"{held}.logits"] if stored.columns else []
    unlabelled, (ids, true, names, scores, *logits) = _labelled(view, truth, paths)
    predicted: list[dict[str, float | None] | None] = [
        None if labels is None else dict(zip(labels, found or (), strict=False))
        for labels, found in zip(names, scores, strict=True)
    ]
    if stored.columns:
        predicted = [
            None
            if row is None
            else dict(zip(stored.columns, expit(row).tolist(), strict=True))
            for row in logits[0]
        ]
    outcomes = MultiLabel.of(true, predicted, columns=stored.columns)
    answered = np.array([labels is not None for labels in predicted], bool)
    seen = {name for row in names for name in row or ()}
    strange = frozenset(seen - {label for labels in true for label in labels})
    mistakes = {
        i: (
            1 - found,
            f"{', '.join(t) or 'nothing'}; predicted {', '.join(p or ()) or 'nothing'}",
        )
        for i, found, t, p in zip(
            ids, outcomes.quality.tolist(), true, names, strict=True
        )
        if found < 1
    }
    return Read(ids, outcomes, answered, unlabelled, (), strange, mistakes)


def _regression(view: fo.DatasetView, truth: str, path: str) -> Read:
    unlabelled, (ids, true, predicted) = _labelled(view, truth, [path])
    known = [at for at, value in enumerate(predicted) if value is not None]
    lost = [i for i, value in zip(ids, predicted, strict=True) if value is None]
    ids = [ids[at] for at in known]
    outcomes = Regression(
        np.array([true[at] for at in known], float),
        np.array([predicted[at] for at in known], float),
    )
    pairs = zip(ids, outcomes.truth.tolist(), outcomes.predicted.tolist(), strict=True)
    mistakes = {i: (abs(t - p), f"{t:.4g}, predicted {p:.4g}") for i, t, p in pairs}
    return Read(
        ids,
        outcomes,
        np.ones(len(ids), bool),
        unlabelled,
        tuple(lost),
        mistakes=mistakes,
    )
