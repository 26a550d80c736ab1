"""What names the files of a dataset for ever, and where its samples stand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import pandas as pd

from evalsets.api.grouping import column
from evalsets.datasets.columns import SPLIT
from evalsets.datasets.files import DIGEST
from evalsets.splits import Standing, identify, standing


@dataclass(frozen=True)
class Files:
    """The files of all samples of a dataset.

    Args:
        ids: ``(n,)`` of the samples
        folder: that all files have in common
        names: ``(n,)`` their paths below it
        digests: ``(n,)`` of their content; empty where it is not known
    """

    ids: list[str]
    folder: str
    names: list[str]
    digests: list[str]

    @classmethod
    def of(cls, dataset: fo.Dataset, ids: Iterable[str]) -> Files:
        """Those of a dataset, in the order of ids."""
        ids = list(ids)
        paths = column(dataset, ids, "filepath")
        folder = _common(paths)
        names = _below(folder, paths)
        if not dataset.has_sample_field(DIGEST):
            return cls(ids, folder, names, [""] * len(ids))
        digests = [digest or "" for digest in column(dataset, ids, DIGEST)]
        return cls(ids, folder, names, digests)

    @property
    def lots(self) -> list[str]:
        """What draws a sample's lot: its path, or its id where several have one path."""
        return self.names if len(set(self.names)) == len(self.names) else self.ids

    @property
    def paths(self) -> list[str]:
        """Paths without detours."""
        root = self.folder.rstrip(os.sep)
        return [f"{root}{os.sep}{name}" for name in self.names]


def _common(paths: list[str]) -> str:
    ends = {min(paths), max(paths)} if paths else set()
    folders = [path.rpartition(os.sep)[0] or os.sep for path in ends]
    return os.path.commonpath(folders) if folders else ""


def _below(folder: str, paths: list[str]) -> list[str]:
    start = f"{folder.rstrip(os.sep)}{os.sep}"
    return [
        path[len(start) :]
        if path.startswith(start) and os.path.normpath(path) == path
        else os.path.relpath(path, folder)
        for path in paths
    ]


def sides_of(
    source: fo.Dataset | fo.DatasetView, ids: pd.Index | list[str]
) -> list[str]:
    """The side of every sample; empty for one that has none."""
    if not source.has_sample_field(SPLIT):
        return [""] * len(ids)
    return [side or "" for side in column(source, ids, SPLIT)]


def standing_of(
    files: Files, field: Sequence[str], records: Sequence[dict[str, Any]]
) -> Standing:
    """Where samples stand by the records of a ledger.

    Args:
        files: of all samples
        field: ``(n,)`` sides in the dataset
        records: of the ledger, oldest first

    Raises:
        EvalsetsError: an entry is broken, or takes a sample out of test
    """
    paths = dict(zip(files.ids, files.paths, strict=True))
    digests = {i: d for i, d in zip(files.ids, files.digests, strict=True) if d}
    identity = identify(records, paths, digests, os.sep)
    ledger = [entry for record in records for entry in record["entries"]]
    return standing(ledger, files.ids, field, identity)
