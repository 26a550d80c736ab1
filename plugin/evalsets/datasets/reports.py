"""Reports of a dataset, each a custom run."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import fiftyone as fo

from evalsets.datasets.locks import writing
from evalsets.datasets.runs import load_results, load_runs, next_number, save_run
from evalsets.errors import EvalsetsError

KIND = "report"
LOOK = "look"


def save_report(dataset: fo.Dataset, content: dict[str, Any], text: str) -> str:
    """Keeps a report; its name counts up.

    Args:
        dataset: that was evaluated
        content: what listings show: model, baseline, split, verdict …
        text: the whole report, as JSON
    """
    with writing(dataset):
        name = f"{next_number(dataset, KIND):06d}"
        save_run(dataset, KIND, name, content, {"text": text})
    return name


def list_reports(dataset: fo.Dataset) -> dict[str, dict[str, Any]]:
    """What listings show of every report, by name, oldest first."""
    return load_runs(dataset, KIND)


def load_report(dataset: fo.Dataset, name: str) -> str:
    """A whole report, as JSON.

    Raises:
        EvalsetsError: writing it was interrupted
    """
    text = load_results(dataset, KIND, name, "text")
    if text is None:
        raise EvalsetsError(
            f"Report {int(name)} of dataset '{dataset.name}' was not written to its "
            "end; evaluate again"
        )
    return str(text)


def save_look(
    dataset: fo.Dataset, model: str, splits: list[str] | None, samples: int
) -> None:
    """Keeps that samples were looked at without a report.

    Args:
        dataset: that holds them
        model: whose answers were looked at
        splits: their sides; None for all
        samples: how many
    """
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    content = {"model": model, "splits": splits, "samples": samples, "created": now}
    with writing(dataset):
        save_run(dataset, LOOK, f"{next_number(dataset, LOOK):06d}", content)


def count_looks(dataset: fo.Dataset, split: str | None) -> int:
    """How often any samples of a split were looked at, by reports or otherwise.

    A look at all samples is one at each split, and the other way round.
    """
    reports = [content["split"] for content in list_reports(dataset).values()]
    looks: list[list[str] | None] = [s if s is None else [s] for s in reports]
    looks += [content["splits"] for content in load_runs(dataset, LOOK).values()]
    return sum(split is None or sides is None or split in sides for sides in looks)
