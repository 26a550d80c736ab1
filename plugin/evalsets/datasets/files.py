"""What a dataset knows of the files behind its samples, kept in sample fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import fiftyone as fo
import pandas as pd

from evalsets.datasets.columns import declare, provenance, write
from evalsets.datasets.runs import load_runs
from evalsets.datasets.scores import KIND as SCORES
from evalsets.datasets.vectors import open_vectors
from evalsets.errors import NoVectorsError

STAMP, DIGEST, CHANGED = "file_stamp", "file_digest", "file_changed"
VANISHED, DUPLICATE, URL = "vanished", "duplicate_of", "source_url"
OWNER = "file"
"""What ``info`` of a field has when it says something of the sample's file."""

TAGGER = "tagger"
"""What ``info`` of a field has when a tagger filled it: the tagger's kind."""

FIELDS: dict[str, type] = {
    STAMP: str,
    DIGEST: str,
    CHANGED: datetime,
    VANISHED: bool,
    DUPLICATE: str,
    URL: str,
}
_INDEXED = (DIGEST, CHANGED, VANISHED, DUPLICATE)


def declare_files(dataset: fo.Dataset) -> None:
    """Adds the fields, with an index on those that queries filter on."""
    declare(dataset, FIELDS, indexed=_INDEXED, info={OWNER: True}, owner=OWNER)


def stored_files(dataset: fo.Dataset | None) -> pd.DataFrame:
    """The files of a dataset by path, or by URL where they came from one.

    Returns:
        frame with ``id``, ``filepath`` and the fields of :data:`FIELDS`, in the order of
        the dataset; a missing value is None
    """
    columns: dict[str, list[Any]] = {
        "_id": [],
        "filepath": [],
        **{n: [] for n in FIELDS},
    }
    if dataset is not None:  # ten times as fast as FiftyOne's values
        for document in dataset._sample_collection.find({}, dict.fromkeys(columns, 1)):
            for name, values in columns.items():
                values.append(document.get(name))
    ids = [str(i) for i in columns.pop("_id")]
    names = [u or p for u, p in zip(columns[URL], columns["filepath"], strict=True)]
    index = pd.Index(names, dtype=object)  # pandas' own text is slow to go through
    return pd.DataFrame({"id": ids, **columns}, index=index, dtype=object)


def version_of(dataset: fo.Dataset | None) -> tuple[Any, ...]:
    """What changes with the samples of a dataset: how many, and the newest change."""
    if dataset is None:
        return 0, None
    samples = dataset._sample_collection
    newest = samples.find_one(
        {}, {"_id": 0, "last_modified_at": 1}, sort=[("last_modified_at", -1)]
    )
    return samples.estimated_document_count(), newest


def present(view: fo.DatasetView) -> fo.DatasetView:
    """The samples of a view whose files have not vanished."""
    known = view.has_field(VANISHED)
    return view.match({VANISHED: {"$ne": True}}) if known else view


def changed_since(view: fo.DatasetView, when: str) -> set[str]:
    """Ids of the samples whose files were found to have changed after a second, in ISO."""
    if not view.has_field(CHANGED):
        return set()
    later = {"$gte": datetime.fromisoformat(when) + timedelta(seconds=1)}
    return set(view.match({CHANGED: later}).values("id"))


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
