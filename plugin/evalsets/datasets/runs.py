"""What persists beside the samples, as FiftyOne custom runs.

A run has a kind ("population", "encoder", "report" …), a name and a content of plain
values; large content goes to its results. Each kind is listed by
``dataset.list_runs(method="evalsets/<kind>")``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any

import fiftyone as fo
from fiftyone.core.odm import get_db_conn
from fiftyone.core.runs import Run
from gridfs.errors import GridFSError

from evalsets.datasets.locks import schema_lock

_DIGITS = 16


def save_run(
    dataset: fo.Dataset,
    kind: str,
    name: str,
    content: Mapping[str, Any],
    results: Mapping[str, Any] | None = None,
) -> None:
    """Writes one run; an earlier one of that kind and name is replaced.

    FiftyOne writes the results after the run, so both carry a stamp that tells whether
    they belong together.
    """
    key = _key(kind, name)
    stamp = None if results is None else os.urandom(8).hex()
    config = dataset.init_run()
    config.method = f"evalsets/{kind}"
    config.name = name
    config.content = dict(content)
    config.stamp = stamp
    with schema_lock:  # a reload in another thread would take the run from under us
        if dataset.has_run(key):
            dataset.update_run_config(key, config)
        else:
            dataset.register_run(key, config)
        if results is not None:
            stored = dataset.init_run_results(key, stamp=stamp, **results)
            dataset.save_run_results(key, stored, overwrite=True)


def load_runs(dataset: fo.Dataset, kind: str) -> dict[str, dict[str, Any]]:
    """The contents of all runs of a kind, by name, oldest first.

    One query reads them: FiftyOne makes objects of every run of every kind first.
    """
    database = get_db_conn()
    listed = database.datasets.find_one({"_id": dataset._doc.id}, {"runs": 1}) or {}
    start = _key(kind, "")[:-_DIGITS]
    ours = [
        run
        for key, run in listed.get("runs", {}).items()
        if key.startswith(start) and len(key) == len(start) + _DIGITS
    ]
    found = database.runs.find({"_id": {"$in": ours}}) if ours else []
    runs = sorted(found, key=lambda run: run["timestamp"])
    return {run["config"]["name"]: run["config"]["content"] for run in runs}


def load_results(dataset: fo.Dataset, kind: str, name: str, field: str) -> Any:
    """One of the large values of a run; None where writing it was interrupted."""
    key = _key(kind, name)
    try:
        results = dataset.load_run_results(key, cache=False)
    except (AttributeError, GridFSError):  # the old ones are deleted before the new
        return None
    wanted = getattr(dataset.get_run_info(key).config, "stamp", None)
    if results is None or getattr(results, "stamp", None) != wanted:
        return None
    return getattr(results, field)


def has_results(dataset: fo.Dataset, kind: str, name: str) -> bool:
    """Whether a run that was written once was written to its end."""
    return bool(Run._get_run_doc(dataset, _key(kind, name)).results)


def next_number(dataset: fo.Dataset, kind: str) -> int:
    """A number above those that name the runs of a kind."""
    return max((int(name) for name in load_runs(dataset, kind)), default=0) + 1


def delete_run(dataset: fo.Dataset, kind: str, name: str) -> None:
    """Removes one run with its results."""
    dataset.delete_run(_key(kind, name))


def _key(kind: str, name: str) -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]
    return f"evalsets_{kind}_{digest}"
