"""What a dataset has seen: ``models``, ``history``, ``trend``, ``load_report``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from evalsets.api.checking import check_flags, check_whole
from evalsets.api.split import one_side
from evalsets.api.staleness import stale_reports
from evalsets.datasets.connect import Source, open_dataset
from evalsets.datasets.predictions import PredictionSet, prediction_sets
from evalsets.datasets.reports import list_reports
from evalsets.datasets.reports import load_report as load_text
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.reports import Report
from evalsets.reports.trend import Trend
from evalsets.reports.words import metrics_to_show

_COLUMNS = [
    "model",
    "baseline",
    "split",
    "release",
    "truth",
    "samples",
    "verdict",
    "looks",
    "created",
    "stale",
]


def models(dataset: Source) -> dict[str, PredictionSet]:
    """The uploaded prediction sets by model, oldest first."""
    return prediction_sets(open_dataset(dataset))


def history(dataset: Source, *, data: bool = True) -> pd.DataFrame:
    """Every evaluation of a dataset, oldest first.

    Args:
        dataset: or its name
        data: compare samples and labels too, where any sample was written since; that
            takes as long as reading them, so that the App goes without

    Returns:
        frame by report number: ``model, baseline, split, release, truth, samples,
        verdict, looks, created, stale``; the last says why the figures hold no more,
        since predictions, suite, samples or labels have changed, and is empty where
        they hold
    """
    check_flags(data=data)
    opened = open_dataset(dataset)
    reports = list_reports(opened)
    rows = {
        int(name): {**reports[name], "stale": reason}
        for name, reason in stale_reports(opened, reports, data=data).items()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    return frame.reindex(columns=_COLUMNS)


def trend(
    dataset: Source,
    *,
    metric: str | None = None,
    models: Sequence[str] | None = None,
    split: str | None = "test",
    data: bool = True,
) -> Trend:
    """One metric of every population over the reports of a dataset.

    Args:
        dataset: or its name
        metric: by default the first that the newest report requires, else its first
        models: names, to leave out others
        split: of the reports to compare; None or "all" for those of all samples
        data: as of :func:`history`

    Returns:
        a trend: its frame, ``plot()`` over reports, and ``heatmap()`` of models against
        populations by the newest report of each model

    Raises:
        ArgumentError: there is no such report
        UnknownNameError: none of them has that metric
    """
    opened, split = open_dataset(dataset), one_side(split)
    past = history(opened, data=data)
    past = past[past["split"].isna() if split is None else past["split"] == split]
    if models is not None:
        past = past[past["model"].isin(list(models))]
    if past.empty:
        where = "all samples" if split is None else f"split '{split}'"
        raise ArgumentError(
            f"Dataset '{opened.name}' has no report on {where} to show; evaluate a model"
        )
    reports = {
        int(number): Report.from_json(load_text(opened, f"{number:06d}"))
        for number in past.index
    }
    metric = metric or metrics_to_show(reports[int(past.index[-1])].rows)[0]
    told: dict[Any, dict[Any, Any]] = past.to_dict("index")
    rows = [
        {**told[number], **vars(row), "report": number}
        for number, report in reports.items()
        for row in report.rows
        if row.metric == metric
    ]
    if not rows:
        known = {row.metric for report in reports.values() for row in report.rows}
        raise UnknownNameError("metric", metric, known)
    falls = any(
        metric in r.provenance.get("lower_is_better", ()) for r in reports.values()
    )
    return Trend.of(metric, rows, higher_is_better=not falls)


def load_report(dataset: Source, number: int) -> Report:
    """A report of an earlier evaluation, by its number in ``history``.

    Raises:
        UnknownNameError: there is no such report
        ArgumentError: no whole number is given
    """
    check_whole(number=number)
    opened = open_dataset(dataset)
    name = f"{number:06d}"
    known = list_reports(opened)
    if name not in known:
        raise UnknownNameError(
            "report", str(number), [str(int(other)) for other in known]
        )
    return Report.from_json(load_text(opened, name))
