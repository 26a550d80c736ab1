"""What names the files of a dataset for ever, and where its samples stand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import fiftyone as fo
import pandas as pd

from evalsets.api.grouping import column
from evalsets.datasets.columns import SPLIT, gather_fields
from evalsets.datasets.files import DIGEST
from evalsets.splits import Standing, identify, standing


def names_of(dataset: fo.Dataset, ids: Iterable[str]) -> list[str]:
    """What draws a sample's lot: its path below the dataset's common folder.

    It is the id where several samples have one path.
    """
    ids = list(ids)
    names = _below(column(dataset, ids, "filepath"))
    return names if len(set(names)) == len(names) else ids


def folder_of(dataset: fo.Dataset) -> str:
    """The folder that all files of a dataset have in common."""
    return _common(gather_fields(dataset, ["filepath"])[1][0])


def _common(paths: list[str]) -> str:
    ends = {min(paths), max(paths)} if paths else set()
    folders = [path.rpartition(os.sep)[0] or os.sep for path in ends]
    return os.path.commonpath(folders) if folders else ""


def _below(paths: list[str]) -> list[str]:
    """Paths below the folder that they have in common."""
    root = _common(paths)
    below = f"{root.rstrip(os.sep)}{os.sep}"
    return [
        path[len(below) :]
        if path.startswith(below) and os.path.normpath(path) == path
        else os.path.relpath(path, root)
        for path in paths
    ]


def keys_of(dataset: fo.Dataset, ids: Iterable[str]) -> list[str]:
    """What names a sample's file for ever: its digest, or its path where none is known.

    The path is that below the dataset's common folder.
    """
    ids = list(ids)
    return _keys(dataset, ids, _below(column(dataset, ids, "filepath")))


def _keys(dataset: fo.Dataset, ids: list[str], names: list[str]) -> list[str]:
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
    found = column(dataset, ids, "filepath")
    names, root = _below(found), _common(found).rstrip(os.sep)
    paths = {i: f"{root}{os.sep}{name}" for i, name in zip(ids, names, strict=True)}
    keys = dict(zip(ids, _keys(dataset, ids, names), strict=True))
    identity = identify(records, paths, keys, os.sep)
    ledger = [entry for record in records for entry in record["entries"]]
    return standing(ledger, ids, sides_of(dataset, ids), identity)
