"""What a dataset has seen: ``models``, ``history``, ``load_report``."""

from __future__ import annotations

import pandas as pd

from evalsets.datasets.connect import Source, open_dataset
from evalsets.datasets.predictions import PredictionSet, prediction_sets
from evalsets.datasets.reports import list_reports
from evalsets.datasets.reports import load_report as load_text
from evalsets.errors import UnknownNameError
from evalsets.reports import Report


def models(dataset: Source) -> dict[str, PredictionSet]:
    """The uploaded prediction sets by model, oldest first."""
    return prediction_sets(open_dataset(dataset))


def history(dataset: Source) -> pd.DataFrame:
    """Every evaluation of a dataset, oldest first.

    Returns:
        frame by report number: ``model, baseline, split, truth, samples, verdict,
        looks, created``
    """
    columns = [
        "model",
        "baseline",
        "split",
        "truth",
        "samples",
        "verdict",
        "looks",
        "created",
    ]
    reports = list_reports(open_dataset(dataset))
    return pd.DataFrame.from_dict(
        {int(name): content for name, content in reports.items()},
        orient="index",
        columns=None,
    ).reindex(columns=columns)


def load_report(dataset: Source, number: int) -> Report:
    """A report of an earlier evaluation, by its number in ``history``.

    Raises:
        UnknownNameError: there is no such report
    """
    opened = open_dataset(dataset)
    name = f"{number:06d}"
    known = list_reports(opened)
    if name not in known:
        raise UnknownNameError(
            "report", str(number), [str(int(other)) for other in known]
        )
    return Report.from_json(load_text(opened, name))
