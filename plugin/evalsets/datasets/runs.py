"""What persists beside the samples, as FiftyOne custom runs.

A run has a kind ("population", "encoder", "report" …), a name and a content of plain
values; large content goes to its results. Each kind is listed by
``dataset.list_runs(method="evalsets/<kind>")``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import fiftyone as fo
from bson import SON


def save_run(
    dataset: fo.Dataset,
    kind: str,
    name: str,
    content: Mapping[str, Any],
    results: Mapping[str, Any] | None = None,
) -> None:
    """Writes one run; an earlier one of that kind and name is replaced."""
    key = _key(kind, name)
    config = dataset.init_run()
    config.method = f"evalsets/{kind}"
    config.name = name
    config.content = dict(content)
    if dataset.has_run(key):
        dataset.update_run_config(key, config)
    else:
        dataset.register_run(key, config)
    if results is not None:
        stored = dataset.init_run_results(key, **results)
        dataset.save_run_results(key, stored, overwrite=True)


def load_runs(dataset: fo.Dataset, kind: str) -> dict[str, dict[str, Any]]:
    """The contents of all runs of a kind, by name, oldest first."""
    runs = [
        dataset.get_run_info(key)
        for key in dataset.list_runs(method=f"evalsets/{kind}")
    ]
    runs.sort(key=lambda run: run.timestamp)
    return {run.config.name: _plain(run.config.content) for run in runs}


def load_results(dataset: fo.Dataset, kind: str, name: str, field: str) -> Any:
    """One of the large values of a run."""
    return getattr(dataset.load_run_results(_key(kind, name), cache=False), field)


def delete_run(dataset: fo.Dataset, kind: str, name: str) -> None:
    """Removes one run with its results."""
    dataset.delete_run(_key(kind, name))


def _key(kind: str, name: str) -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"evalsets_{kind}_{digest}"


def _plain(value: Any) -> Any:
    if isinstance(value, (dict, SON)):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value
