"""Reports of a dataset, each a custom run."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from evalsets.datasets.locks import writing
from evalsets.datasets.runs import load_results, load_runs, save_run

KIND = "report"


def save_report(dataset: fo.Dataset, content: dict[str, Any], text: str) -> str:
    """Keeps a report; its name counts up.

    Args:
        dataset: that was evaluated
        content: what listings show: model, baseline, split, verdict …
        text: the whole report, as JSON
    """
    with writing(dataset):
        name = f"{len(load_runs(dataset, KIND)) + 1:06d}"
        save_run(dataset, KIND, name, content, {"text": text})
    return name


def list_reports(dataset: fo.Dataset) -> dict[str, dict[str, Any]]:
    """What listings show of every report, by name, oldest first."""
    return load_runs(dataset, KIND)


def load_report(dataset: fo.Dataset, name: str) -> str:
    """A whole report, as JSON."""
    return str(load_results(dataset, KIND, name, "text"))
