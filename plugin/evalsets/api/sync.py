"""``sync``: a dataset that holds what lies in a source."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou
import numpy as np
import pandas as pd

from evalsets.api.populations import refresh
from evalsets.datasets.columns import (
    check_free,
    check_new,
    declare,
    refuse_reserved,
    write,
)
from evalsets.datasets.connect import create_dataset, exists, open_dataset
from evalsets.datasets.files import (
    DIGEST,
    DUPLICATE,
    FIELDS,
    STAMP,
    URL,
    VANISHED,
    declare_files,
    forget_pixels,
    stored_files,
    write_files,
)
from evalsets.datasets.files import OWNER as FILE
from evalsets.datasets.locks import writing
from evalsets.datasets.outcomes import GROUND_TRUTH
from evalsets.datasets.runs import load_runs, save_run
from evalsets.errors import NoImagesError
from evalsets.ingest import (
    LABEL,
    Box,
    Examined,
    Listing,
    Look,
    Synced,
    compare,
    list_images,
    look_at,
    read_coco,
    read_sidecar,
)
from evalsets.remote import trim

logger = logging.getLogger(__name__)

RUN = "sync"
OWNER = "column"
"""What ``info`` of a field has when ``sync`` filled it: the column's name."""


def sync(
    source: str | Path | Iterable[str | Path],
    dataset: str | fo.Dataset,
    *,
    labels: str | Path | pd.DataFrame | None = None,
    progress: bool | None = None,
) -> fo.Dataset:
    """Makes a dataset hold what lies in a source; calling it again costs little.

    New images become samples. A changed one keeps its sample and loses its vector and
    tags; a moved one keeps everything; one that is gone is marked in the field
    ``vanished``, never deleted; a copy of another names it in ``duplicate_of``. Images
    that cannot be read are left out, named in a warning, kept in the dataset's run
    ``evalsets/sync`` and tried again when they change.

    Args:
        source: a folder or URL (``s3://``, ``gs://``, ``az://``, ``memory://`` …),
            searched with all below it, or a list of files or URLs; of remote files
            copies are kept within ``EVALSETS_CACHE_GB``
        dataset: or its name; made if it does not exist
        labels: a CSV or parquet file or a frame with a column of paths; its column
            ``label`` becomes the field ``ground_truth``, each other column a field of
            its name. COCO annotations (``.json``) become boxes in ``ground_truth``;
            ``"folders"`` takes the name of each image's folder as its label
        progress: whether to show a progress bar; by default as FiftyOne is set

    Returns:
        the dataset

    Raises:
        NoImagesError: no image in the source can be read
        SourceError: the source cannot be reached; nothing was changed
        ArgumentError: the labels cannot be used
        NameTakenError: a column would overwrite a field that ``sync`` did not fill
    """
    listing = list_images(source)
    names = list(listing.size)
    name = dataset if isinstance(dataset, str) else open_dataset(dataset).name
    before = open_dataset(name) if exists(name) else None
    boxes, table = _labels(labels, names)
    columns = _columns(table, before)
    if before is not None:
        check_free(before, FIELDS, FILE)
    seen = _examined(listing, stored_files(before), _quarantine(before), progress)
    if len(seen.skipped) == len(names):
        path, why = next(iter(seen.skipped.items()))
        raise NoImagesError(
            f"None of {len(names)} images can be read, for example {path}: {why}"
        )
    opened = create_dataset(name)
    with writing(opened):
        synced = _applied(opened, listing, seen, progress)
        _add_columns(opened, columns)
        if boxes is not None:
            _add_boxes(opened, boxes)
    trim()
    (logger.warning if seen.newly_skipped else logger.info)(
        "Synced '%s': %s", name, synced
    )
    refresh(opened)
    return opened


def _quarantine(dataset: fo.Dataset | None) -> dict[str, tuple[str, str]]:
    """Why each file was left out so far, and its stamp then."""
    if dataset is None:
        return {}
    run = load_runs(dataset, RUN).get("skipped", {})
    stamps = dict(run.get("stamps", ()))
    return {name: (why, stamps.get(name, "")) for name, why in run.get("files", ())}


def _examined(
    listing: Listing,
    stored: pd.DataFrame,
    quarantine: Mapping[str, tuple[str, str]],
    progress: bool | None,
) -> Examined:
    """Looks into the files whose stamp is not the one that is known."""
    known = dict(zip(stored.index, stored[STAMP], strict=True))
    kept = {
        name: why
        for name, (why, stamp) in quarantine.items()
        if listing.stamp.get(name) == stamp
    }
    todo = [
        name
        for name, stamp in listing.stamp.items()
        if known.get(name) != stamp and name not in kept
    ]
    with ThreadPoolExecutor() as pool:
        bar = fou.ProgressBar(total=len(todo), iters_str="files", progress=progress)
        with bar:
            found = bar(pool.map(partial(look_at, listing), todo))
            looks = dict(zip(todo, found, strict=True))
    new = {name: look for name, look in looks.items() if isinstance(look, str)}
    good = {name: look for name, look in looks.items() if isinstance(look, Look)}
    return Examined(good, {**kept, **new}, list(new))


def _applied(
    dataset: fo.Dataset, listing: Listing, seen: Examined, progress: bool | None
) -> Synced:
    """Writes what was found out; what another process did since is not done again."""
    declare_files(dataset)
    stored = stored_files(dataset)
    plan = compare(listing, stored, seen.looks)
    id_of = dict(zip(stored.index, stored["id"], strict=True))
    for old, new in plan.moved.items():
        look, sample_id = seen.looks[new], id_of[old]
        write_files(dataset, "filepath", {sample_id: look.path})
        write_files(dataset, STAMP, {sample_id: listing.stamp[new]})
        if look.path != new:
            write_files(dataset, URL, {sample_id: new})
    ids = {name: id_of[name] for name in plan.touched}
    write_files(dataset, DIGEST, {ids[n]: seen.looks[n].digest for n in ids})
    changed = [ids[name] for name in plan.changed]
    if changed:
        forget_pixels(dataset, changed)
        metadata = {
            ids[n]: _metadata(seen.looks[n], listing.size[n]) for n in plan.changed
        }
        write_files(dataset, "metadata", metadata)
    _add(dataset, listing, {n: seen.looks[n] for n in plan.new}, progress)
    # the stamp last: an interrupted sync looks at the file again
    write_files(dataset, STAMP, {ids[n]: listing.stamp[n] for n in ids})
    gone = {id_of[name]: True for name in plan.vanished}
    write_files(dataset, VANISHED, gone)
    write_files(dataset, VANISHED, [id_of[name] for name in plan.returned])
    n_duplicates = _mark_duplicates(dataset)
    if seen.skipped or load_runs(dataset, RUN):
        stamps = {name: listing.stamp[name] for name in seen.skipped}
        save_run(
            dataset,
            RUN,
            "skipped",
            {"files": list(seen.skipped.items()), "stamps": list(stamps.items())},
        )
    return Synced(
        added=len(plan.new),
        kept=len(listing.size) - len(plan.new) - len(seen.skipped),
        changed=len(plan.changed),
        moved=len(plan.moved),
        vanished=len(plan.vanished),
        returned=len(plan.returned),
        duplicates=n_duplicates,
        skipped=seen.skipped,
    )


def _add(
    dataset: fo.Dataset,
    listing: Listing,
    looks: Mapping[str, Look],
    progress: bool | None,
) -> None:
    samples = (
        fo.Sample(
            filepath=look.path,
            metadata=_metadata(look, listing.size[name]),
            **{
                STAMP: listing.stamp[name],
                DIGEST: look.digest,
                URL: None if look.path == name else name,
            },
        )
        for name, look in looks.items()
    )
    if looks:
        dataset.add_samples(samples, progress=progress, num_samples=len(looks))


def _metadata(look: Look, size: int) -> fo.ImageMetadata:
    return fo.ImageMetadata(
        size_bytes=size,
        mime_type=look.facts.mime_type,
        width=look.facts.width,
        height=look.facts.height,
        num_channels=look.facts.channels,
    )


def _mark_duplicates(dataset: fo.Dataset) -> int:
    """Names, for each copy of a file, the sample that had it first."""
    stored = stored_files(dataset)
    known = stored[stored[DIGEST].notna()]
    first = known.groupby(DIGEST, sort=False)["id"].transform("first")
    original = first.where(first != known["id"], None)
    wrong = original.fillna("") != known[DUPLICATE].fillna("")
    ids, values = known["id"][wrong].tolist(), original[wrong].tolist()
    texts = [value if isinstance(value, str) else None for value in values]
    write(dataset, DUPLICATE, ids, texts)
    return int(original.notna().sum())


def _labels(
    labels: str | Path | pd.DataFrame | None, names: list[str]
) -> tuple[dict[str, list[Box]] | None, dict[str, dict[str, Any]]]:
    """Boxes by image where the labels are such, and columns by image."""
    if labels is None:
        return None, {}
    if isinstance(labels, str) and labels == "folders":
        return None, {LABEL: {name: Path(name).parent.name for name in names}}
    if not isinstance(labels, pd.DataFrame) and str(labels).endswith(".json"):
        return read_coco(labels, names), {}
    return None, read_sidecar(labels, names)


def _add_boxes(dataset: fo.Dataset, boxes: Mapping[str, Sequence[Box]]) -> None:
    """COCO annotations as true boxes; an image without any has an empty list."""
    stored = stored_files(dataset)
    id_of = dict(zip(stored.index, stored["id"], strict=True))
    declare(dataset, {GROUND_TRUTH: fo.Detections}, info={OWNER: LABEL}, owner=OWNER)
    found = {
        id_of[name]: fo.Detections(
            detections=[
                fo.Detection(
                    label=box.label,
                    bounding_box=list(box.bounds),
                    iscrowd=box.crowd,
                    area=box.area,
                )
                for box in held
            ]
        )
        for name, held in boxes.items()
        if name in id_of
    }
    write(dataset, GROUND_TRUTH, list(found), list(found.values()))


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
    ids = stored_files(dataset)["id"].to_dict()
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
