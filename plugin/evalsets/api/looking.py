"""The samples that weak spots are looked for among."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType

import fiftyone as fo
import numpy as np
import pandas as pd

from evalsets.api.split import EVERY, group_values, on_split, refuse_strayed
from evalsets.datasets.columns import SPLIT, read
from evalsets.datasets.digests import unreplaced
from evalsets.datasets.outcomes import Read, read_outcomes, read_scores
from evalsets.datasets.predictions import PredictionSet
from evalsets.datasets.vectors import open_vectors
from evalsets.discovery import Bools, Codes, Floats, Vectors
from evalsets.errors import ArgumentError, NoVectorsError, UnknownNameError
from evalsets.splits import SIDES, priorities

_WHOLE = ("classification", "multilabel", "detection", "segmentation")
"""Tasks whose best quality is 1, so that the loss is what lacks to it."""


@dataclass(frozen=True)
class Looked:
    """The samples that a model answered and that have a true label.

    Args:
        ids: ``(n,)``
        loss: ``(n,)`` greater is worse
        best: quality of a sample without loss; quality is this minus the loss
        searched: ``(n,)`` who is in the half that is searched
        groups: ``(n,)`` code of each sample's group; None without groups
        vectors: ``(n, d)`` unit vectors, zero where unknown; None without any
    """

    ids: list[str]
    loss: Floats
    best: float
    searched: Bools
    groups: Codes | None
    vectors: Vectors | None

    def inside(self, ids: Sequence[str]) -> Bools:
        """``(n,)`` which of the samples are among these."""
        return np.isin(np.array(self.ids), np.array(ids, dtype=str))


def sides_of(
    view: fo.DatasetView, split: str | Sequence[str] | None, default: Sequence[str]
) -> tuple[list[str] | None, fo.DatasetView]:
    """The sides to look at and their samples; None and all for all of them.

    Raises:
        UnknownNameError: no such side
        ArgumentError: a side was asked for, and the dataset was never split
        EvalsetsError: the field has samples elsewhere that the ledger tells to be in test
    """
    if not isinstance(split, (str, Sequence, NoneType)):
        raise ArgumentError(f"split is {split!r}; give the name of a side, or several")
    sides = [split] if isinstance(split, str) else list(split or [EVERY])
    if EVERY in sides:
        return None, view
    if not view.has_sample_field(SPLIT):
        if tuple(sides) == tuple(default):
            return None, view
        on_split(view, sides[0])
    for side in sides:
        if side not in SIDES or not side:
            raise UnknownNameError("split", side, [*SIDES[1:], EVERY])
    refuse_strayed(view._dataset)
    return sides, view.match(fo.ViewField(SPLIT).is_in(sides))


def look(
    dataset: fo.Dataset,
    view: fo.DatasetView,
    truth: str,
    stored: PredictionSet,
    grouping: str | None,
    seed: int,
) -> Looked:
    """Reads what a model did on the samples of a view that it answered.

    Raises:
        UnknownNameError: no field of that name
        ArgumentError: the truth is of another task than the predictions
    """
    with unreplaced(dataset, stored):
        if stored.task == "scores":
            outcome = read_scores(view, stored.scores[0])
        else:
            outcome = read_outcomes(view, truth, stored)
    answered = np.flatnonzero(_answered(dataset, outcome, stored))
    ids = [outcome.ids[at] for at in answered]
    quality = np.asarray(outcome.outcomes.quality, dtype=float)[answered]
    best = 1.0 if outcome.outcomes.task in _WHOLE else 0.0
    keys, groups = _grouped(dataset, ids, grouping)
    lots = priorities(keys, f"discover:{seed}")
    return Looked(
        ids,
        best - quality,
        best,
        lots < np.uint64(2**63),
        groups,
        _vectors(dataset, ids),
    )


def _answered(dataset: fo.Dataset, outcome: Read, stored: PredictionSet) -> Bools:
    """``(n,)`` which samples have an answer.

    Of COCO results nothing found is one too, on a side with any result: to leave those
    images out would leave out a model's worst.
    """
    if not stored.sparse:
        return outcome.answered
    sides = np.full(len(outcome.ids), "")
    if dataset.has_sample_field(SPLIT):
        columns = read(dataset, ["id", SPLIT])
        known = dict(zip(*columns.values(), strict=True))
        sides = np.array([known[i] or "" for i in outcome.ids], dtype=str)
    return np.isin(sides, sides[outcome.answered])


def _grouped(
    dataset: fo.Dataset, ids: list[str], field: str | None
) -> tuple[list[str], Codes | None]:
    """What the lot of each sample is drawn from, and the code of its group."""
    if field is None:
        columns = read(dataset, ["id", "filepath"])
        paths = dict(zip(*columns.values(), strict=True))
        root = os.path.commonpath([min(paths.values()), max(paths.values())])
        return [os.path.relpath(paths[i], root) for i in ids], None
    values = zip(ids, group_values(dataset, ids, field), strict=True)
    keys = [str(i if value is None else (value,)) for i, value in values]
    return keys, np.asarray(pd.factorize(np.array(keys, object))[0], dtype=np.intp)


def _vectors(dataset: fo.Dataset, ids: list[str]) -> Vectors | None:
    try:
        file = open_vectors(dataset)
    except NoVectorsError:
        return None
    known = np.flatnonzero(file.find(ids) >= 0)
    if not known.size:
        return None
    matrix = np.zeros((len(ids), file.dim), dtype=np.float32)
    matrix[known] = file.get([ids[at] for at in known])
    return matrix


def refuse_few(looked: Looked, model: str, sides: list[str] | None, least: int) -> None:
    """Refuses to look for weak spots where none could be told from chance.

    Raises:
        ArgumentError: too few samples
    """
    where = "any split" if sides is None else f"split {' or '.join(sides)}"
    needed = 4 * least
    if len(looked.ids) < needed:
        remedy = (
            "upload predictions for more, ask for a smaller min_size, or look at "
            "other sides with split="
        )
        raise ArgumentError(
            f"Model '{model}' has answers on {len(looked.ids):,} labelled samples of "
            f"{where}, and at least {needed:,} are needed to find weak spots of "
            f"{least:,}; {remedy}"
        )
