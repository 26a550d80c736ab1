"""``sync``: a dataset that holds what lies in a source."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou
import numpy as np
import pandas as pd

from evalsets.api.populations import refresh
from evalsets.datasets.columns import check_new, declare, refuse_reserved, write
from evalsets.datasets.connect import create_dataset, exists, open_dataset
from evalsets.datasets.locks import writing
from evalsets.datasets.outcomes import GROUND_TRUTH
from evalsets.datasets.runs import save_run
from evalsets.errors import NoImagesError
from evalsets.ingest import LABEL, Facts, Processed, examine, list_images, read_sidecar

logger = logging.getLogger(__name__)

OWNER = "column"
"""What ``info`` of a field has when ``sync`` filled it: the column's name."""


def sync(
    source: str | Path | Iterable[str | Path],
    dataset: str | fo.Dataset,
    *,
    labels: str | Path | pd.DataFrame | None = None,
    progress: bool | None = None,
) -> fo.Dataset:
    """Adds the images of a folder that a dataset does not have yet.

    Calling it again costs little and changes nothing until there are new files. Images
    that cannot be read are left out, named in a warning and kept in the dataset's run
    ``evalsets/sync``.

    Args:
        source: a folder, searched with all below it, or a list of files
        dataset: or its name; made if it does not exist
        labels: a CSV file or frame with a column of paths; its column ``label``
            becomes the field ``ground_truth``, each other column a field of its name
        progress: whether to show a progress bar; by default as FiftyOne is set

    Returns:
        the dataset

    Raises:
        NoImagesError: no image in the source can be read
        ArgumentError: the labels cannot be used
        NameTakenError: a column would overwrite a field that ``sync`` did not fill
    """
    listing = list_images(source)
    paths = list(listing.size)
    name = dataset if isinstance(dataset, str) else open_dataset(dataset).name
    before = open_dataset(name) if exists(name) else None
    columns = {} if labels is None else _columns(read_sidecar(labels, paths), before)
    known = set(before.values("filepath")) if before is not None else set()
    new = [path for path in paths if path not in known]
    facts = _examined(new, progress)
    skipped = {path: fact for path, fact in facts.items() if isinstance(fact, str)}
    if len(skipped) == len(paths):
        path, why = next(iter(skipped.items()))
        raise NoImagesError(
            f"None of {len(paths)} images can be read, for example {path}: {why}"
        )
    opened = create_dataset(name)
    good = {path: fact for path, fact in facts.items() if isinstance(fact, Facts)}
    with writing(opened):
        n_added = _add(opened, good, listing.size, progress)
        _add_columns(opened, columns)
        if new:
            save_run(opened, "sync", "skipped", {"files": list(skipped.items())})
    processed = Processed(n_added, len(paths) - n_added - len(skipped), skipped)
    (logger.warning if skipped else logger.info)("Synced '%s': %s", name, processed)
    refresh(opened)
    return opened


def _examined(paths: Sequence[str], progress: bool | None) -> dict[str, Facts | str]:
    with ThreadPoolExecutor() as pool:
        checked = fou.ProgressBar(
            total=len(paths), iters_str="files", progress=progress
        )
        with checked as bar:
            return dict(zip(paths, bar(pool.map(examine, paths)), strict=True))


def _add(
    dataset: fo.Dataset,
    facts: Mapping[str, Facts],
    size: Mapping[str, int],
    progress: bool | None,
) -> int:
    """How many samples were added: those that no other process has added since."""
    known = set(dataset.values("filepath"))
    facts = {path: fact for path, fact in facts.items() if path not in known}
    samples = (
        fo.Sample(
            filepath=path,
            metadata=fo.ImageMetadata(
                size_bytes=size[path],
                mime_type=fact.mime_type,
                width=fact.width,
                height=fact.height,
                num_channels=fact.channels,
            ),
        )
        for path, fact in facts.items()
    )
    if facts:
        dataset.add_samples(samples, progress=progress, num_samples=len(facts))
    return len(facts)


@dataclass(frozen=True)
class _Column:
    """A field of labels or facts: its type, and its values by path."""

    kind: type
    values: Mapping[str, Any]


def _columns(
    table: Mapping[str, Mapping[str, Any]], dataset: fo.Dataset | None
) -> dict[str, _Column]:
    """The table's columns as fields; refused before anything is written.

    Raises:
        ArgumentError: a column has a reserved name
        NameTakenError: a field is not ours to fill, or holds another type
    """
    columns = {}
    for name, values in table.items():
        refuse_reserved(name)
        if name == LABEL:
            columns[GROUND_TRUTH] = _Column(fo.Classification, values)
        elif values:
            field = dataset.get_field(name) if dataset is not None else None
            columns[name] = _Column(_kind(values.values(), field), values)
    if dataset is not None:
        kinds = {name: column.kind for name, column in columns.items()}
        check_new(dataset, kinds, owner=OWNER)
    return columns


def _add_columns(dataset: fo.Dataset, columns: Mapping[str, _Column]) -> None:
    ids = dict(zip(*dataset.values(["filepath", "id"]), strict=True))
    for name, column in columns.items():
        found = {ids[path]: v for path, v in column.values.items() if path in ids}
        if not found:
            continue
        declare(
            dataset, {name: column.kind}, indexed=True, info={OWNER: name}, owner=OWNER
        )
        labels = column.kind is fo.Classification
        held = dataset.values(["id", f"{name}.label" if labels else name])
        before = dict(zip(*held, strict=True))
        plain = {i: str(v) if labels else column.kind(v) for i, v in found.items()}
        changed = {i: value for i, value in plain.items() if before[i] != value}
        values = changed.values()
        written = [fo.Classification(label=v) for v in values] if labels else values
        write(dataset, name, list(changed), written)


def _kind(values: Collection[Any], field: fo.Field | None) -> type:
    """The narrowest type that holds every value; of a number's, the field's if it can."""
    kinds = {type(value) for value in values}
    if kinds <= {bool, np.bool_}:
        return bool
    if not all(issubclass(kind, (int, float, np.number)) for kind in kinds):
        return str
    if isinstance(field, fo.FloatField):
        return float
    whole = all(issubclass(kind, (int, np.integer)) for kind in kinds)
    if isinstance(field, fo.IntField):
        whole = all(value % 1 == 0 for value in values)
    return int if whole else float
