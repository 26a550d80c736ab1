"""``evaluate``: a number, an interval and a verdict for every population."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from datetime import datetime, timezone
from numbers import Integral
from typing import Any

import fiftyone as fo
import numpy as np
import pandas as pd

from evalsets.api.calibrate import calibrations
from evalsets.api.populations import current_queries
from evalsets.api.split import group_values, on_split
from evalsets.datasets.connect import Source, open_dataset, open_view
from evalsets.datasets.ledger import last_split
from evalsets.datasets.outcomes import (
    GROUND_TRUTH,
    Read,
    read_outcomes,
    true_labels,
)
from evalsets.datasets.populations import load_recipes, members
from evalsets.datasets.predictions import prediction_set, trained_on
from evalsets.datasets.reports import list_reports, save_report
from evalsets.errors import ArgumentError
from evalsets.metrics import FAIL, Codes, Outcomes, Row, evaluate_populations
from evalsets.reports import Report

logger = logging.getLogger(__name__)

LEAST_REPLICATES = 40
"""Fewer cannot show both ends of a 95 % interval."""
SHOWN = 12
"""Mistakes of a failing population that a report shows."""


def evaluate(
    dataset: Source,
    model: str,
    *,
    baseline: str | None = None,
    split: str | None = "test",
    truth: str = GROUND_TRUTH,
    metrics: Sequence[str] = (),
    groups: str | None = None,
    alpha: float = 0.05,
    replicates: int = 1000,
    seed: int = 0,
) -> Report:
    """Scores a model on every population and says which requirements it meets.

    Args:
        dataset: or its name, or a view to evaluate in
        model: name of an uploaded prediction set
        baseline: name of another, to compare with sample by sample
        split: the side to evaluate on; None for all samples
        truth: field of the true labels; may be that of a stronger model
        metrics: beside those that populations require; by default the task's own
        groups: field whose equal values mark dependent samples (scene, video), so that
            intervals are drawn over groups; by default the one the split went by
        alpha: probability, at most, of any wrong PASS in the suite, and likewise of any
            wrong FAIL
        replicates: of the bootstrap
        seed: of the bootstrap

    Raises:
        UnknownNameError: no such model, baseline or field
        ArgumentError: nothing to evaluate, with the reason
    """
    _check_options(alpha, replicates)
    view = open_view(dataset)
    opened = open_dataset(dataset)
    candidate = prediction_set(opened, model)
    before = None if baseline is None else prediction_set(opened, baseline)
    known = {n: r.population for n, r in load_recipes(opened).items()}
    queries, stale = current_queries(opened, known)
    view, left_out = _without_training(
        opened, view if split is None else on_split(view, split), model, baseline
    )
    read = read_outcomes(view, truth, candidate)
    if not read.ids:
        raise ArgumentError(
            f"No sample of {_where(split)} in dataset '{opened.name}' has a true label "
            f"in '{truth}'; label some, or choose another split"
        )
    other = (
        None if before is None else _paired(read, read_outcomes(view, truth, before))
    )
    frame = members(view, {n: q for n, q in queries.items() if n not in stale})
    frame = frame.reindex(index=read.ids, columns=list(known), fill_value=False)
    strange = read.strange and read.strange - true_labels(opened, truth, candidate.task)
    grouping = groups or last_split(opened).get("groups")
    rows = evaluate_populations(
        read.outcomes,
        frame.to_numpy(),
        list(known.values()),
        metrics,
        baseline=other,
        groups=_codes(opened, read.ids, grouping),
        alpha=alpha,
        seed=seed,
        replicates=replicates,
        unfit=stale,
    )
    provenance = {
        "dataset": opened.name,
        "model": model,
        "baseline": baseline,
        "split": split,
        "truth": truth,
        "groups": grouping,
        "samples": len(read.ids),
        "unlabelled": read.unlabelled,
        "unpredicted": read.unpredicted,
        "strange_labels": sorted(strange),
        **left_out,
        "stale": sorted(stale),
        "uncalibrated": [n for n, found in calibrations(opened).items() if not found],
        "suite": _digest(known.values()),
        "alpha": alpha,
        "replicates": replicates,
        "seed": seed,
        "looks": 1 + sum(r["split"] == split for r in list_reports(opened).values()),
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    report = Report(tuple(rows), provenance, _failures(opened, read, frame, rows))
    save_report(
        opened,
        {**provenance, "verdict": report.verdict},
        report.to_json(),
    )
    logger.info("%s", report.headline)
    return report


def _paired(read: Read, other: Read) -> Outcomes:
    """The other's outcomes in the order of ``read``; MongoDB promises none."""
    place = {sample_id: at for at, sample_id in enumerate(other.ids)}
    return other.outcomes.take(np.array([place[i] for i in read.ids], dtype=np.intp))


def _check_options(alpha: Any, replicates: Any) -> None:
    if not isinstance(alpha, (int, float)) or not 0 < alpha < 1:
        raise ArgumentError(f"alpha is {alpha!r}; give a probability such as 0.05")
    if not isinstance(replicates, Integral) or replicates < LEAST_REPLICATES:
        raise ArgumentError(
            f"replicates is {replicates!r}; give a whole number of at least "
            f"{LEAST_REPLICATES}, better 1000"
        )


def _without_training(
    dataset: fo.Dataset, view: fo.DatasetView, model: str, baseline: str | None
) -> tuple[fo.DatasetView, dict[str, int]]:
    """The samples that neither model was trained on, and how many each of them was."""
    trained = trained_on(dataset, model)
    before = set() if baseline is None else trained_on(dataset, baseline)
    ids = view.values("id") if trained or before else []
    overlap = [i for i in ids if i in trained or i in before]
    counts = {
        "trained_on": sum(i in trained for i in overlap),
        "baseline_trained_on": sum(i in before for i in overlap),
    }
    return (view.exclude(overlap) if overlap else view), counts


def _codes(dataset: fo.Dataset, ids: list[str], field: str | None) -> Codes | None:
    """Group of each sample; one without a value is a group of its own."""
    if field is None:
        return None
    values = zip(ids, group_values(dataset, ids, field), strict=True)
    keys = [str(i if value is None else (value,)) for i, value in values]
    return np.asarray(pd.factorize(np.asarray(keys, dtype=object))[0], dtype=np.intp)


def _failures(
    dataset: fo.Dataset, read: Read, frame: pd.DataFrame, rows: Sequence[Row]
) -> dict[str, list[tuple[str, str]]]:
    """Path and mistake of the most confident mistakes, by failing population."""
    failing = dict.fromkeys(row.population for row in rows if row.verdict == FAIL)
    mistaken = np.asarray([i in read.mistakes for i in read.ids])
    shown = {
        name: sorted(
            np.asarray(read.ids)[frame[name].to_numpy() & mistaken],
            key=lambda i: -read.mistakes[i][0],
        )[:SHOWN]
        for name in failing
    }
    wanted = sorted({i for ids in shown.values() for i in ids})
    chosen = dataset.select(wanted)
    path = dict(zip(*chosen.values(["id", "filepath"]), strict=True))
    return {
        name: [(path[i], read.mistakes[i][1]) for i in ids]
        for name, ids in shown.items()
        if ids
    }


def _where(split: str | None) -> str:
    return "any split" if split is None else f"split '{split}'"


def _digest(populations: Any) -> str:
    """Changes with any definition of the suite."""
    text = json.dumps([p.to_dict() for p in populations], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
