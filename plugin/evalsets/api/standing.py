"""What names the files of a dataset for ever, and where its samples stand."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import fiftyone as fo
import pandas as pd

from evalsets.api.grouping import column
from evalsets.datasets.columns import SPLIT
from evalsets.datasets.files import DIGEST
from evalsets.splits import Standing, standing


def names_of(dataset: fo.Dataset, ids: Iterable[str]) -> list[str]:
    """What names a sample for ever: its path below the dataset's common folder."""
    ids = list(ids)
    paths = column(dataset, ids, "filepath")
    if len(set(paths)) < len(paths):
        return ids
    root = os.path.commonpath([min(paths), max(paths)]) if paths else ""
    below = f"{root.rstrip(os.sep)}{os.sep}"
    return [
        path[len(below) :]
        if path.startswith(below) and os.path.normpath(path) == path
        else os.path.relpath(path, root)
        for path in paths
    ]


def keys_of(dataset: fo.Dataset, ids: Iterable[str]) -> list[str]:
    """What names a sample's file for ever: its digest, or its name where none is known."""
    ids = list(ids)
    names = names_of(dataset, ids)
    if not dataset.has_sample_field(DIGEST):
        return names
    digests = column(dataset, ids, DIGEST)
    return [digest or name for digest, name in zip(digests, names, strict=True)]


def sides_of(
    source: fo.Dataset | fo.DatasetView, ids: pd.Index | list[str]
) -> list[str]:
    """The side of every sample; empty for one that has none."""
    if not source.has_sample_field(SPLIT):
        return [""] * len(ids)
    return [side or "" for side in column(source, ids, SPLIT)]


def standing_of(
    dataset: fo.Dataset, ids: Iterable[str], records: Sequence[dict[str, Any]]
) -> Standing:
    """Where samples stand by the records of a ledger.

    Raises:
        EvalsetsError: an entry is broken, or takes a sample out of test
    """
    ids = list(ids)
    ledger = [entry for record in records for entry in record["entries"]]
    here = set(ids)
    is_whole = all(here.issuperset(entry["samples"]) for entry in ledger)
    keys = [""] * len(ids) if is_whole else _keys_told(dataset, ids, ledger)
    return standing(ledger, ids, keys, sides_of(dataset, ids))


def _keys_told(
    dataset: fo.Dataset, ids: list[str], ledger: Iterable[dict[str, Any]]
) -> list[str]:
    """The keys of samples, where a ledger has their files under other names by these.

    A name is a path below a folder, which is another one once files lie outside of it.
    """
    told = {key for entry in ledger for key in entry.get("keys", ())}
    keys = keys_of(dataset, ids)
    if not told.isdisjoint(keys):
        return keys
    paths = column(dataset, ids, "filepath")
    roots = Counter(
        root for path in paths for root in _folders(path) if path[len(root) :] in told
    )
    first, second = [*roots.most_common(2), ("", 0), ("", 0)][:2]
    if first[1] == second[1]:
        return keys
    root = first[0]
    return [
        path[len(root) :] if path.startswith(root) else key
        for path, key in zip(paths, keys, strict=True)
    ]


def _folders(path: str) -> list[str]:
    """Each folder above a file, with the separator at its end."""
    return [path[: at + 1] for at, letter in enumerate(path) if letter == os.sep]
