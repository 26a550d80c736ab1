"""What a dataset knows of the files behind its samples, kept in sample fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import fiftyone as fo
import pandas as pd

from evalsets.datasets.columns import declare, provenance, write
from evalsets.datasets.runs import load_runs
from evalsets.datasets.scores import KIND as SCORES
from evalsets.datasets.vectors import open_vectors
from evalsets.errors import NoVectorsError

STAMP, DIGEST = "file_stamp", "file_digest"
VANISHED, DUPLICATE, URL = "vanished", "duplicate_of", "source_url"
OWNER = "file"
"""What ``info`` of a field has when it says something of the sample's file."""

TAGGER = "tagger"
"""What ``info`` of a field has when a tagger filled it: the tagger's kind."""

FIELDS: dict[str, type] = {
    STAMP: str,
    DIGEST: str,
    VANISHED: bool,
    DUPLICATE: str,
    URL: str,
}
_INDEXED = (DIGEST, VANISHED, DUPLICATE)


def declare_files(dataset: fo.Dataset) -> None:
    """Adds the fields, with an index on those that queries filter on."""
    declare(dataset, FIELDS, indexed=_INDEXED, info={OWNER: True}, owner=OWNER)


def stored_files(dataset: fo.Dataset | None) -> pd.DataFrame:
    """The files of a dataset by path, or by URL where they came from one.

    Returns:
        frame with ``id``, ``filepath`` and the fields of :data:`FIELDS`, in the order of
        the dataset; a missing value is None
    """
    names = ["id", "filepath", *FIELDS]
    if dataset is None:
        return pd.DataFrame(columns=names, dtype=object)
    there = [n for n in names if n in ("id", "filepath") or dataset.has_field(n)]
    columns: dict[str, Any] = dict(zip(there, dataset.values(there), strict=True))
    frame = pd.DataFrame(columns, dtype=object).reindex(columns=names)
    frame = frame.astype(object).where(frame.notna(), None)
    frame.index = pd.Index(
        [u or p for u, p in zip(frame[URL], frame["filepath"], strict=True)]
    )
    return frame


def present(view: fo.DatasetView) -> fo.DatasetView:
    """The samples of a view whose files have not vanished."""
    known = view.has_field(VANISHED)
    return view.match({VANISHED: {"$ne": True}}) if known else view


def write_files(
    dataset: fo.Dataset, field: str, values: Mapping[str, Any] | Sequence[str]
) -> None:
    """Writes one of the fields, by sample id; a plain list of ids is emptied of it."""
    if not isinstance(values, Mapping):
        values = dict.fromkeys(values)
    write(dataset, field, list(values), list(values.values()))


def forget_pixels(dataset: fo.Dataset, ids: Sequence[str]) -> None:
    """Drops what was computed from the pixels of samples whose files have changed.

    Their vectors, the scores that populations took from them, and their tags go;
    embedding and tagging bring them back.

    Args:
        dataset: of the samples
        ids: of the samples
    """
    with suppress(NoVectorsError):
        open_vectors(dataset).remove(ids)
    fields = [run["field"] for run in load_runs(dataset, SCORES).values()]
    fields += [
        name
        for name, field in dataset.get_field_schema().items()
        if TAGGER in provenance(field)
    ]
    for name in fields:
        if dataset.has_sample_field(name):
            write(dataset, name, list(ids), [None] * len(ids))
