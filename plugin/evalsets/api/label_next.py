"""``label_next``: the unlabelled samples whose labels would change a verdict."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, TypeAlias

import fiftyone as fo
import numpy as np

from evalsets.api.evaluate import evaluate
from evalsets.api.looking import sides_of
from evalsets.api.populations import membership
from evalsets.api.split import refuse_strayed
from evalsets.datasets.columns import SPLIT, declare, read, write
from evalsets.datasets.connect import Source, open_both
from evalsets.datasets.digests import unreplaced
from evalsets.datasets.locks import writing
from evalsets.datasets.outcomes import GROUND_TRUTH, read_outcomes
from evalsets.datasets.populations import load_recipes
from evalsets.datasets.predictions import PredictionSet, prediction_set
from evalsets.datasets.vectors import open_vectors
from evalsets.discovery import mend, settle
from evalsets.errors import ArgumentError, NoVectorsError, UnknownNameError, counted
from evalsets.metrics import FAIL, INCONCLUSIVE, PASS, Row
from evalsets.splits import priorities

logger = logging.getLogger(__name__)

REASON = "label_next"
"""The sample field that says why a sample is worth its label."""
_SIDES = ("test",)
Picks: TypeAlias = "list[tuple[str, str]]"
"""Sample ids with reasons."""


def label_next(
    dataset: Source,
    model: str,
    *,
    n: int = 100,
    baseline: str | None = None,
    split: str | None = "test",
    truth: str = GROUND_TRUTH,
) -> fo.DatasetView:
    """Chooses unlabelled samples whose labels would settle or mend most.

    The model is evaluated first, which counts as a look. An inconclusive requirement
    gets as many samples of its population as it lacks, drawn at random from the side
    that was evaluated, the cheapest requirement first; they settle it if the value
    observed so far stays. A failed requirement gets samples like the model's mistakes,
    spread over these, from outside val and test: to be labelled and trained on. Where
    there are both, each has half of ``n``, and what one cannot use goes to the other.

    Args:
        dataset: or its name, or a view to choose in
        model: name of an uploaded prediction set
        n: samples, at most
        baseline: prediction set that drops are judged against
        split: the side to settle verdicts on; None or "all" for all samples. Of a
            dataset that was never split, all samples are evaluated
        truth: field of the true labels, which is empty where a label is missing

    Returns:
        an ordered view; its field ``label_next`` says why. Empty where nothing
        required is open or missed

    Raises:
        UnknownNameError: no such model, split or field
        ArgumentError: no population requires anything, or every sample is labelled
        EvalsetsError: the field ``split`` has samples elsewhere that the ledger tells to
            be in test
    """
    _check(n)
    opened, view = open_both(dataset)
    stored = prediction_set(opened, model)
    if not opened.has_sample_field(truth):
        raise UnknownNameError("field", truth, opened.get_field_schema())
    sides, side = sides_of(view, split, _SIDES)
    refuse_strayed(opened)  # what is held out is not to be trained on
    unlabelled = view.exists(truth, False)
    if not len(unlabelled):
        raise ArgumentError(
            f"Every sample has a label in '{truth}'; sync new ones to choose from"
        )
    where = None if sides is None else split
    rows = _open_rows(view, side, stored, baseline, where, truth, n)
    waiting = _shared(unlabelled, side)
    if not stored.sparse:  # else nothing found is an answer too
        waiting = waiting.exists(stored.field)
    settling = _settling([r for r in rows if r.verdict == INCONCLUSIVE], waiting, n)
    failed = [r for r in rows if r.verdict == FAIL]
    mending = _mending(failed, side, _trainable(unlabelled), stored, truth, n)
    kept = settling[: max(n - len(mending), n - n // 2)]
    taken = {sample for sample, _ in kept}
    more = [pick for pick in mending if pick[0] not in taken]
    return _written(opened, kept + more[: n - len(kept)])


def _check(n: Any) -> None:
    if isinstance(n, bool) or not isinstance(n, Integral) or int(n) < 1:
        raise ArgumentError(f"n is {n!r}; choose at least 1 sample")


def _open_rows(
    view: fo.DatasetView,
    side: fo.DatasetView,
    stored: PredictionSet,
    baseline: str | None,
    split: str | None,
    truth: str,
    n: int,
) -> list[Row]:
    """Requirements without a verdict, and those that are missed."""
    known = [r.population for r in load_recipes(view._dataset).values()]
    asked = [(p.name, r) for p in known for r in p.require]
    if not asked:
        raise ArgumentError(
            "No population requires anything, so that no label settles a verdict; "
            "compose one with a requirement"
        )
    if stored.task == "scores":
        raise ArgumentError(
            f"Model '{stored.model}' has scores only, which need no true labels"
        )
    if not len(side.exists(truth)):  # nothing to evaluate: each gets its share
        needed = -(-n // len(asked))
        return [
            Row(name, r.metric, 0, None, None, None, str(r), INCONCLUSIVE, needed)
            for name, r in asked
        ]
    report = evaluate(view, stored.model, baseline=baseline, split=split, truth=truth)
    return [r for r in report.rows if r.requirement and r.verdict != PASS]


def _settling(rows: Sequence[Row], waiting: fo.DatasetView, n: int) -> Picks:
    """Samples that open requirements lack, with the reason."""
    rows = [row for row in rows if row.needed]
    if not rows:
        return []
    frame = membership(waiting)
    members = frame[[row.population for row in rows]].to_numpy(bool).T
    lots = priorities(list(frame.index), REASON)
    needed = [row.needed or 0 for row in rows]
    return [
        (
            str(frame.index[sample]),
            f"settles '{rows[at].population}': {rows[at].requirement} "
            f"({counted(needed[at], 'label')} missing)",
        )
        for sample, at in settle(members, needed, lots, n)
    ]


def _mending(
    rows: Sequence[Row],
    side: fo.DatasetView,
    pool: fo.DatasetView,
    stored: PredictionSet,
    truth: str,
    n: int,
) -> Picks:
    """Samples like the mistakes in populations that fail, with the reason."""
    names = list(dict.fromkeys(row.population for row in rows))
    if not names or not len(pool):
        return []
    with unreplaced(side._dataset, stored):
        wrong = read_outcomes(side, truth, stored).mistakes
    inside = membership(side)
    picks: Picks = []
    for name, share in zip(names, _shares(n, len(names)), strict=True):
        worst = sorted(wrong, key=lambda i: -wrong[i][0])
        mistakes = [i for i in worst if inside.at[i, name]]
        taken = {sample for sample, _ in picks}
        free = [i for i in _likely(pool, name) if i not in taken]
        picks += _like(pool, name, mistakes, free, share)
    return picks


def _shares(n: int, parts: int) -> list[int]:
    """A number cut into parts that differ by one at most."""
    return [n // parts + (at < n % parts) for at in range(parts)]


def _likely(pool: fo.DatasetView, population: str) -> list[str]:
    """Samples of a population, or all where none is known to belong."""
    frame = membership(pool)
    inside = frame.index[frame[population].to_numpy(bool)]
    return list(inside if len(inside) else frame.index)


def _like(
    pool: fo.DatasetView, name: str, mistakes: list[str], free: list[str], n: int
) -> Picks:
    """Samples like mistakes; without vectors, any that are of the population."""
    try:
        file = open_vectors(pool._dataset)
    except NoVectorsError:
        lots = priorities(free, REASON)
        first = [free[at] for at in np.argsort(lots, kind="stable")[:n]]
        return [
            (sample, f"mends '{name}': embed to find the most useful")
            for sample in first
        ]
    mistakes, free = (
        np.array(ids)[file.find(ids) >= 0].tolist() for ids in (mistakes, free)
    )
    if not mistakes or not free:
        return []
    paths = dict(zip(*read(pool._dataset, ["id", "filepath"]).values(), strict=True))
    return [
        (
            free[row],
            f"mends '{name}': like the mistake {Path(paths[mistakes[at]]).name}",
        )
        for row, at in mend(file.get(mistakes), file.get(free), n)
    ]


def _trainable(view: fo.DatasetView) -> fo.DatasetView:
    """The samples that are, or may become, samples to train on."""
    if not view.has_sample_field(SPLIT):
        return view
    return view.match(~fo.ViewField(SPLIT).is_in(["test", "val", "quarantine"]))


def _shared(view: fo.DatasetView, other: fo.DatasetView) -> fo.DatasetView:
    """The samples of both views."""
    return view.select(other.values("id"))


def _written(dataset: fo.Dataset, picks: Picks) -> fo.DatasetView:
    """The chosen samples in their order, with the reasons in a field."""
    ids = [sample for sample, _ in picks]
    with writing(dataset):
        declare(dataset, {REASON: str}, info={REASON: True}, owner=REASON)
        dataset.clear_sample_field(REASON)
        write(dataset, REASON, ids, [reason for _, reason in picks])
    logger.info("%s to label next", counted(len(ids), "sample"))
    return dataset.select(ids, ordered=True)
