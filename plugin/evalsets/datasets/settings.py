"""How a dataset is to be split, as its suite states it."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from evalsets.datasets.ledger import last_split
from evalsets.datasets.runs import load_runs, save_run
from evalsets.suites.suite import SETTINGS

KIND = "suite"


def save_settings(dataset: fo.Dataset, settings: dict[str, Any]) -> None:
    """Keeps the options of ``split`` that a suite file states."""
    after = last_split(dataset).get("number", 0)
    save_run(dataset, KIND, "split", {"settings": settings, "after": after})


def stated_settings(dataset: fo.Dataset) -> dict[str, Any]:
    """The options of the last split, or of a suite that was loaded since."""
    last = last_split(dataset)
    used = {k: last[k] for k in SETTINGS if last.get(k) is not None}
    stated = load_runs(dataset, KIND).get("split")
    if stated is None or stated["after"] != last.get("number", 0):
        return used
    return {**used, **stated["settings"]}
