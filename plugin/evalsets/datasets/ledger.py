"""The split of a dataset: a field on its samples, and the ledger of every change."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from evalsets.datasets.runs import (
    has_results,
    load_results,
    load_runs,
    next_number,
    save_run,
)

KIND = "split"


def last_split(dataset: fo.Dataset) -> dict[str, Any]:
    """How the dataset was split last: its arguments and holdouts; empty if never."""
    whole = _whole(dataset)
    return whole[-1][1] if whole else {}


def last_entries(dataset: fo.Dataset) -> list[dict[str, Any]]:
    """The entries of the last split; an interruption may have kept them off the field."""
    return [e for name, _ in _whole(dataset)[-1:] for e in _entries(dataset, name)]


def append_ledger(
    dataset: fo.Dataset, settings: dict[str, Any], entries: list[dict[str, Any]]
) -> None:
    """Adds one split to the ledger; earlier ones are never written again."""
    number = next_number(dataset, KIND)
    save_run(
        dataset,
        KIND,
        f"{number:06d}",
        {"number": number, **settings},
        {"entries": entries},
    )


def read_ledger(dataset: fo.Dataset) -> list[dict[str, Any]]:
    """Every entry of the ledger, oldest first."""
    return [e for name, _ in _whole(dataset) for e in _entries(dataset, name)]


def _whole(dataset: fo.Dataset) -> list[tuple[str, dict[str, Any]]]:
    """Name and settings of each split, but for those interrupted before the ledger."""
    runs = load_runs(dataset, KIND).items()
    return [run for run in runs if has_results(dataset, KIND, run[0])]


def _entries(dataset: fo.Dataset, name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = load_results(dataset, KIND, name, "entries")
    return entries
