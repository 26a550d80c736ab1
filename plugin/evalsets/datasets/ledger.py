"""The split of a dataset: a field on its samples, and the ledger of every change."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from evalsets.datasets.runs import load_results, load_runs, save_run

KIND = "split"


def last_split(dataset: fo.Dataset) -> dict[str, Any]:
    """How the dataset was split last: its arguments and holdouts; empty if never."""
    runs = list(load_runs(dataset, KIND).values())
    return runs[-1] if runs else {}


def append_ledger(
    dataset: fo.Dataset, settings: dict[str, Any], entries: list[dict[str, Any]]
) -> None:
    """Adds one split to the ledger; earlier ones are never written again."""
    number = len(load_runs(dataset, KIND)) + 1
    save_run(
        dataset,
        KIND,
        f"{number:06d}",
        {"number": number, **settings},
        {"entries": entries},
    )


def read_ledger(dataset: fo.Dataset) -> list[dict[str, Any]]:
    """Every entry of the ledger, oldest first."""
    return [
        entry
        for name in load_runs(dataset, KIND)
        for entry in load_results(dataset, KIND, name, "entries")
    ]
