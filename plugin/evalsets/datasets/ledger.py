"""The split of a dataset: a field on its samples, and the ledger of every change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fiftyone as fo
from bson import ObjectId

from evalsets.datasets.columns import SPLIT
from evalsets.datasets.mongo import object_ids
from evalsets.datasets.runs import (
    delete_run,
    has_results,
    load_results,
    load_runs,
    next_number,
    save_run,
)
from evalsets.errors import EvalsetsError
from evalsets.splits import replay, seal, verify
from evalsets.splits.ledger import REMEDY

KIND = "split"
_CHUNK = 100_000  # ids of one query, of which MongoDB takes 16 MB
_held_out: dict[str, tuple[str, list[ObjectId]]] = {}
"""By name of a dataset the last hash of its ledger, and what that tells to be in test."""


def last_split(dataset: fo.Dataset) -> dict[str, Any]:
    """How the dataset was split last: its arguments and holdouts; empty if never."""
    whole = _whole(dataset)
    return whole[-1][1] if whole else {}


def append_ledger(
    dataset: fo.Dataset, settings: dict[str, Any], entries: list[dict[str, Any]]
) -> None:
    """Adds one split to the ledger; earlier ones are never written again."""
    number = next_number(dataset, KIND)
    record = {**settings, "number": number, "entries": entries}
    _save(dataset, seal(record, last_split(dataset).get("hash", "")))


def read_ledger(dataset: fo.Dataset) -> list[dict[str, Any]]:
    """Every entry of the ledger, oldest first.

    Raises:
        EvalsetsError: the ledger is not what was written
    """
    return [e for record in read_records(dataset) for e in record["entries"]]


def read_records(dataset: fo.Dataset) -> list[dict[str, Any]]:
    """Every split with its settings, entries and hash, oldest first.

    Raises:
        EvalsetsError: the ledger is not what was written
    """
    records = [
        {**settings, "entries": _entries(dataset, name)}
        for name, settings in _whole(dataset)
    ]
    verify(records, f"split {{}} in the ledger of dataset '{dataset.name}'")
    return records


def strayed(dataset: fo.Dataset) -> tuple[int, str, str]:
    """How many samples are in test by the ledger and not by the field.

    Returns:
        their number, the id of one, and the side that its field holds
    """
    n, samples = 0, dataset._sample_collection
    one: dict[str, Any] = {}
    ids = _test_of(dataset)
    for at in range(0, len(ids), _CHUNK):
        chunk = {"_id": {"$in": ids[at : at + _CHUNK]}, SPLIT: {"$ne": "test"}}
        if found := samples.count_documents(chunk, hint="_id_"):
            n += found
            one = one or samples.find_one(chunk, {SPLIT: 1}, hint="_id_") or {}
    return n, str(one.get("_id", "")), one.get(SPLIT) or ""


def _test_of(dataset: fo.Dataset) -> list[ObjectId]:
    """The samples that the ledger tells to be in test, read once a split."""
    last = last_split(dataset).get("hash", "")
    known, ids = _held_out.get(dataset.name, ("", []))
    if last and known != last:
        told = replay(read_ledger(dataset))
        ids = object_ids(frozenset(i for i, side in told.items() if side == "test"))
        _held_out[dataset.name] = last, ids
    return ids if last else []


def restore_ledger(dataset: fo.Dataset, records: Sequence[dict[str, Any]]) -> None:
    """Puts verified records in the place of the ledger that is there.

    Records that are there already are not written again: what a kill interrupts is one
    that differs, and restoring again mends it.
    """
    stored = load_runs(dataset, KIND)
    for record in records:
        name = _name(record)
        settings = stored.get(name)
        entries = load_results(dataset, KIND, name, "entries") if settings else None
        if {**(settings or {}), "entries": entries} != record:
            _save(dataset, record)
    for name in stored.keys() - {_name(r) for r in records}:
        delete_run(dataset, KIND, name)


def _save(dataset: fo.Dataset, record: dict[str, Any]) -> None:
    settings = {key: value for key, value in record.items() if key != "entries"}
    results = {"entries": record["entries"]}
    save_run(dataset, KIND, _name(record), settings, results)


def _name(record: dict[str, Any]) -> str:
    return f"{record['number']:06d}"


def _whole(dataset: fo.Dataset) -> list[tuple[str, dict[str, Any]]]:
    """Name and settings of each split, but for those interrupted before the ledger."""
    runs = sorted(load_runs(dataset, KIND).items())
    return [run for run in runs if has_results(dataset, KIND, run[0])]


def _entries(dataset: fo.Dataset, name: str) -> list[dict[str, Any]]:
    entries = load_results(dataset, KIND, name, "entries")
    if not isinstance(entries, list):
        raise EvalsetsError(
            f"Split {int(name)} in the ledger of dataset '{dataset.name}' is broken; "
            f"{REMEDY}"
        )
    return entries
