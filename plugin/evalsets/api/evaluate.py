"""``evaluate``: a number, an interval and a verdict for every population."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from numbers import Integral, Real
from typing import Any

import fiftyone as fo
import numpy as np
import pandas as pd

from evalsets.api.calibrate import calibrations
from evalsets.api.comparing import Compared, read_compared, remarks, without_training
from evalsets.api.detailing import details, failing, shown
from evalsets.api.judged import Judged, JudgedRelease, judged
from evalsets.api.split import group_values, one_side
from evalsets.api.splitting import seed_of
from evalsets.api.staleness import basis, suite_digest
from evalsets.datasets.columns import reading_once
from evalsets.datasets.connect import Source, is_whole, open_both
from evalsets.datasets.digests import data_mark
from evalsets.datasets.evaluations import check_evaluation, write_evaluation
from evalsets.datasets.files import changed_since
from evalsets.datasets.ledger import last_split
from evalsets.datasets.locks import SETTLING_S, writing
from evalsets.datasets.outcomes import GROUND_TRUTH, Read, true_labels
from evalsets.datasets.predictions import PredictionSet, prediction_set
from evalsets.datasets.reports import count_looks, save_report
from evalsets.errors import ArgumentError
from evalsets.metrics import Codes, Evaluated, Row, evaluate_models
from evalsets.reports import Report
from evalsets.telling import tell

logger = logging.getLogger(__name__)

LEAST_REPLICATES = 40
"""Fewer cannot show both ends of a 95 % interval."""


def evaluate(
    dataset: Source,
    model: str,
    *,
    baseline: str | None = None,
    split: str | None = "test",
    truth: str = GROUND_TRUTH,
    metrics: str | Sequence[str] = (),
    groups: str | None = None,
    alpha: float = 0.05,
    replicates: int = 1000,
    seed: int = 0,
    release: int | None = None,
    eval_key: str | None = None,
) -> Report:
    """Scores a model on every population and says which requirements it meets.

    Args:
        dataset: or its name, or a view to evaluate in
        model: name of an uploaded prediction set
        baseline: name of another, to compare with sample by sample
        split: the side to evaluate on; None or "all" for all samples
        truth: field of the true labels; may be that of a stronger model
        metrics: beside those that populations require; by default the task's own;
            ``recall:cat`` is that of one class, ``recall:*`` that of every class
        groups: field whose equal values mark dependent samples (scene, video), so that
            intervals are drawn over groups; by default the one the split went by
        alpha: probability, at most, of any wrong PASS in the suite, and likewise of any
            wrong FAIL
        replicates: of the bootstrap
        seed: of the bootstrap
        release: number of the release whose populations, members and sides are judged,
            by default those of now; samples that were deleted since are counted
        eval_key: write FiftyOne's own evaluation of the same samples under this key too,
            for its Model Evaluation panel and views of right and wrong boxes

    Raises:
        UnknownNameError: no such model, baseline, field or release
        ArgumentError: nothing to evaluate, with the reason
        EvalsetsError: the field ``split`` is to be gone by, and has samples elsewhere that
            the ledger tells to be in test
    """
    drawn = _drawn(alpha, replicates, seed)
    release, split = _number(release), one_side(split)
    extra = [metrics] if isinstance(metrics, str) else _listed(metrics)
    _check_names(truth, groups)
    opened, view = open_both(dataset)
    candidate = prediction_set(opened, model)
    before = None if baseline is None else prediction_set(opened, baseline)
    if eval_key is not None:
        check_evaluation(opened, truth, candidate, eval_key)
    subject = judged(opened, split, release)
    mark, side = data_mark(opened), subject.on_side(view)
    tell(f"Reading what '{model}' predicted")
    with reading_once():
        unseen, left_out = without_training(opened, side, model, baseline)
        parts = read_compared(unseen, truth, candidate, before)
        _refuse_nothing(opened, parts, candidate, truth, split, left_out)
        frame = subject.members(side)
        outdated = _outdated(unseen, parts[0], candidate, before)
        based = basis(side, frame, truth, [s for s in (candidate, before) if s])
    grouping = groups or last_split(opened).get("groups")
    stated = list(subject.populations.values())
    evaluated = _evaluated(opened, parts, frame, grouping, subject.stale)
    rows = evaluate_models(evaluated, stated, extra, **drawn)
    if eval_key is not None:
        write_evaluation(opened, parts[0].read.ids, truth, candidate, eval_key)
    provenance = {
        "dataset": opened.name,
        "model": model,
        "baseline": baseline,
        "split": split,
        "release": release,
        "truth": truth,
        "groups": grouping,
        "trained_release": candidate.release,
        **_lacks(opened, parts, frame, truth, candidate),
        **left_out,
        **outdated,
        "remarks": remarks(parts, frame, rows, stated),
        "lower_is_better": _falling(parts, rows),
        **_reservations(opened, subject),
        **drawn,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        # nobody can read the samples of a view again
        "basis": {"data": mark if is_whole(view) else None, **based},
    }
    report = _report(opened, parts[0].read, frame, rows, provenance)
    with writing(opened, patience=SETTLING_S):  # evaluations at once count each other
        looks = 1 + count_looks(opened, split)
        report = replace(report, provenance={**provenance, "looks": looks})
        told = {**report.provenance, "verdict": report.verdict}
        save_report(opened, told, report.to_json())
    logger.info("%s", report.headline)
    return report


def _refuse_nothing(
    dataset: fo.Dataset,
    parts: Sequence[Compared],
    model: PredictionSet,
    truth: str,
    split: str | None,
    left_out: Mapping[str, int],
) -> None:
    """Refuses an evaluation of no sample, or of none that the model predicted."""
    where = f"{_where(split)} in dataset '{dataset.name}'"
    read = parts[0].read
    if not read.ids and not read.lost:
        if any(left_out.values()) and not read.unlabelled:
            raise ArgumentError(
                f"Model '{model.model}' or its baseline was trained on every sample of "
                f"{where}, and no figure would say how it does on others; choose another "
                "split"
            )
        raise ArgumentError(
            f"No sample of {where} has a true label in '{truth}'; label some, or choose "
            "another split"
        )
    for part in parts:
        found_nothing = model.sparse and not model.matched
        if not part.read.answered.any() and not found_nothing:
            what = "a score" if part.read.outcomes.task == "scores" else "a prediction"
            raise ArgumentError(
                f"No labelled sample of {where} has {what} of model '{model.model}', "
                f"which has {model.matched:,} elsewhere; upload those of {_where(split)}"
            )


def _evaluated(
    dataset: fo.Dataset,
    parts: Sequence[Compared],
    frame: pd.DataFrame,
    groups: str | None,
    stale: Mapping[str, str],
) -> list[Evaluated]:
    """What the metrics take of each kind of outcomes."""
    return [
        part.evaluated(frame, _codes(dataset, part.read.ids, groups), stale)
        for part in parts
    ]


def _lacks(
    dataset: fo.Dataset,
    parts: Sequence[Compared],
    frame: pd.DataFrame,
    truth: str,
    model: PredictionSet,
) -> dict[str, Any]:
    """How many samples the figures rest on, and what labels and predictions lack."""
    read = parts[0].read
    strange = read.strange and read.strange - true_labels(dataset, truth, model.task)
    return {
        "samples": len(read.ids),
        "unlabelled": read.unlabelled,
        "unpredicted": int((~read.answered).sum()),
        "unscored": max(len(part.read.lost) for part in parts),
        "uncompared": max(part.uncompared for part in parts),
        "incomplete": {k: n for p in parts for k, n in p.incomplete(frame).items()},
        "strange_labels": sorted(strange),
    }


def _outdated(
    view: fo.DatasetView,
    part: Compared,
    model: PredictionSet,
    baseline: PredictionSet | None,
) -> dict[str, int]:
    """How many predictions are of photographs that have changed since."""
    ids, counts = np.array(part.read.ids), {}
    answered = {"outdated": (model, part.answered)}
    if baseline is not None and part.paired is not None:
        answered["baseline_outdated"] = baseline, part.paired >= 0
    for key, (stored, some) in answered.items():
        changed = changed_since(view, stored.uploaded)
        counts[key] = sum(i in changed for i in ids[some].tolist()) if changed else 0
    return counts


def _reservations(
    dataset: fo.Dataset, subject: Judged | JudgedRelease
) -> dict[str, Any]:
    """The suite that is judged, and what of it cannot be vouched for."""
    return {
        "deleted": subject.deleted,
        "stale": sorted(subject.stale),
        "uncalibrated": [n for n, found in calibrations(dataset).items() if not found],
        "suite": suite_digest(subject.populations.values()),
    }


def _report(
    dataset: fo.Dataset,
    read: Read,
    frame: pd.DataFrame,
    rows: Sequence[Row],
    provenance: Mapping[str, Any],
) -> Report:
    """The rows, with the samples behind those that fail."""
    fail = failing(rows)
    kept = details(read, frame, fail)
    samples = shown(dataset, read, {name: kept.worst[name] for name in fail})
    return Report(tuple(rows), provenance, samples, kept)


def _falling(parts: Sequence[Compared], rows: Sequence[Row]) -> list[str]:
    """The reported metrics of which less is better."""
    falling = []
    for name in dict.fromkeys(row.metric for row in rows):
        for part in parts:
            if part.read.outcomes.gives(name):
                if not part.read.outcomes.metric(name).higher_is_better:
                    falling.append(name)
                break
    return falling


def _check_names(truth: Any, groups: Any) -> None:
    if not isinstance(truth, str):
        raise ArgumentError(f"truth is {truth!r}; name the field of the true labels")
    if groups is not None and not isinstance(groups, str):
        raise ArgumentError(f"groups is {groups!r}; name one field")


def _listed(metrics: Any) -> list[str]:
    names = list(metrics) if isinstance(metrics, Iterable) else [metrics]
    if not all(isinstance(name, str) for name in names):
        raise ArgumentError(f"metrics is {metrics!r}; give names, such as 'recall:*'")
    return names


def _number(release: Any) -> int | None:
    if release is not None and not isinstance(release, Integral):
        raise ArgumentError(f"release is {release!r}; give its number")
    return None if release is None else int(release)


def _drawn(alpha: Any, replicates: Any, seed: Any) -> dict[str, Any]:
    """What the statistics go by, as the plain numbers that a report keeps."""
    plain_seed = seed_of(seed)
    if not isinstance(alpha, Real) or not 0 < float(alpha) < 1:
        raise ArgumentError(f"alpha is {alpha!r}; give a probability such as 0.05")
    if not isinstance(replicates, Integral) or replicates < LEAST_REPLICATES:
        raise ArgumentError(
            f"replicates is {replicates!r}; give a whole number of at least "
            f"{LEAST_REPLICATES}, better 1000"
        )
    return {"alpha": float(alpha), "replicates": int(replicates), "seed": plain_seed}


def _codes(dataset: fo.Dataset, ids: list[str], field: str | None) -> Codes | None:
    """Group of each sample; one without a value is a group of its own."""
    if field is None:
        return None
    values = zip(ids, group_values(dataset, ids, field), strict=True)
    keys = [str(i if value is None else (value,)) for i, value in values]
    return np.asarray(pd.factorize(np.asarray(keys, dtype=object))[0], dtype=np.intp)


def _where(split: str | None) -> str:
    return "any split" if split is None else f"split '{split}'"
