"""What ``sync`` learns beside the images: labels, boxes, and facts of each."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pandas as pd

from evalsets.datasets.columns import check_new, declare, refuse_reserved, write
from evalsets.datasets.files import stored_files
from evalsets.datasets.outcomes import GROUND_TRUTH
from evalsets.errors import ArgumentError, suggest
from evalsets.ingest import LABEL, Box, read_coco, read_sidecar

logger = logging.getLogger(__name__)

OWNER = "column"
"""What ``info`` of a field has when ``sync`` filled it: the column's name."""

FOLDERS = "folders"
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Column:
    """A field of labels or facts: its type, and its values by path or URL."""

    kind: type
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Truth:
    """True boxes by path or URL, and fields by name."""

    boxes: Mapping[str, Sequence[Box]] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)

    def told(self, known: bool, names: Set[str]) -> str:
        """The fields that are filled, of how many images, and why none has the truth.

        Args:
            known: whether the dataset has true labels, of whatever sync
            names: images of the source that can be read
        """
        filled_by = {GROUND_TRUTH: self.boxes.keys()} if self.boxes else {}
        filled_by |= {name: c.values.keys() for name, c in self.columns.items()}
        n_of = {name: len(files & names) for name, files in filled_by.items()}
        n = len(names)
        told = ", ".join(
            f"{name} ({some:,})" if some == n else f"{name} ({some:,} of {n:,})"
            for name, some in n_of.items()
        )
        if known:
            return f"Labels fill {told or 'no field'}"
        meant = suggest(
            LABEL, n_of, "rename the one that holds the true labels, if any"
        )
        filled = f"{told}, but not {GROUND_TRUTH}" if n_of else "no field"
        return f"Labels fill {filled}: no column is called '{LABEL}'{meant}"


def read_truth(
    labels: str | Path | pd.DataFrame | None,
    names: list[str],
    dataset: fo.Dataset | None,
) -> Truth:
    """What the labels say of the images; refused before anything is written.

    Args:
        labels: as ``sync`` takes them
        names: paths or URLs of the images
        dataset: that they are to be written to, unless it is yet to be made

    Raises:
        ArgumentError: they cannot be used, or a column has a reserved name
        NameTakenError: a field is not ours to fill, or holds another type
    """
    if labels is None:
        return Truth()
    if not isinstance(labels, (str, Path, pd.DataFrame)):
        raise ArgumentError(
            f"labels is {labels!r}; give a file, a DataFrame or '{FOLDERS}'"
        )
    if isinstance(labels, str) and labels == FOLDERS:
        table = {LABEL: {name: Path(name).parent.name for name in names}}
        only, *others = dict.fromkeys(table[LABEL].values())
        if not others:
            logger.warning(
                "Every image has the one label '%s', the name of its folder; labels are "
                "the names of folders only where each class has one",
                only,
            )
    elif (
        not isinstance(labels, pd.DataFrame) and Path(labels).suffix.lower() == ".json"
    ):
        truth = Truth(boxes=read_coco(labels, names))
        if dataset is not None:
            check_new(dataset, {GROUND_TRUTH: fo.Detections}, owner=OWNER)
        return truth
    else:
        table = read_sidecar(labels, names)
    return Truth(columns=_columns(table, dataset))


def _columns(
    table: Mapping[str, Mapping[str, Any]], dataset: fo.Dataset | None
) -> dict[str, Column]:
    columns = {}
    for name, values in table.items():
        refuse_reserved(name)
        if name == GROUND_TRUTH and LABEL in table:
            raise ArgumentError(
                f"Columns '{LABEL}' and '{GROUND_TRUTH}' would both fill the field "
                f"'{GROUND_TRUTH}'; keep the one that holds the true labels"
            )
        if name == LABEL:
            columns[GROUND_TRUTH] = Column(fo.Classification, values)
        elif values:
            held = dataset.get_field(name) if dataset is not None else None
            columns[name] = Column(_kind(values.values(), held), values)
    if dataset is not None:
        kinds = {name: column.kind for name, column in columns.items()}
        check_new(dataset, kinds, owner=OWNER)
    return columns


def write_truth(dataset: fo.Dataset, truth: Truth) -> None:
    """Writes what differs from what the dataset has."""
    if not truth.boxes and not truth.columns:
        return
    stored = stored_files(dataset)
    id_of = dict(zip(stored.index, stored["id"], strict=True))
    for name, column in truth.columns.items():
        found = {id_of[file]: v for file, v in column.values.items() if file in id_of}
        if found:
            _write_column(dataset, name, column.kind, found)
    boxes = {id_of[file]: held for file, held in truth.boxes.items() if file in id_of}
    if boxes:
        _write_boxes(dataset, boxes)


def _write_column(
    dataset: fo.Dataset, name: str, kind: type, found: Mapping[str, Any]
) -> None:
    declare(dataset, {name: kind}, indexed=True, info={OWNER: name}, owner=OWNER)
    labels = kind is fo.Classification
    held = dataset.values(["id", f"{name}.label" if labels else name])
    before = dict(zip(*held, strict=True))
    plain = {i: str(v) if labels else kind(v) for i, v in found.items()}
    changed = {i: value for i, value in plain.items() if before[i] != value}
    values = changed.values()
    written = [fo.Classification(label=v) for v in values] if labels else values
    write(dataset, name, list(changed), written)


def _write_boxes(dataset: fo.Dataset, boxes: Mapping[str, Sequence[Box]]) -> None:
    """An image without any box has an empty list."""
    kind = {GROUND_TRUTH: fo.Detections}
    declare(dataset, kind, info={OWNER: LABEL}, owner=OWNER)
    held = dict(zip(*dataset.values(["id", GROUND_TRUTH]), strict=True))
    changed = {
        i: fo.Detections(detections=[_detection(box) for box in found])
        for i, found in boxes.items()
        if held[i] is None or [_box(d) for d in held[i].detections] != list(found)
    }
    write(dataset, GROUND_TRUTH, list(changed), changed.values())


def _detection(box: Box) -> fo.Detection:
    return fo.Detection(
        label=box.label,
        bounding_box=list(box.bounds),
        iscrowd=box.crowd,
        area=box.area,
    )


def _box(detection: fo.Detection) -> Box:
    x, y, width, height = detection.bounding_box
    crowd = bool(detection.get_attribute_value("iscrowd", False))
    area = float(detection.get_attribute_value("area", width * height))
    return Box(detection.label, (x, y, width, height), crowd, area)


def _kind(values: Collection[Any], held: fo.Field | None) -> type:
    """The narrowest type that holds every value; of a number's, the field's if it can."""
    kinds = {type(value) for value in values}
    if kinds <= {bool, np.bool_}:
        return bool
    if not all(issubclass(kind, (int, float, np.number)) for kind in kinds):
        return str
    if any(
        abs(v) > _LARGEST and issubclass(type(v), (int, np.integer)) for v in values
    ):
        return str  # MongoDB keeps 64 bits with a sign
    if isinstance(held, fo.FloatField):
        return float
    whole = all(issubclass(kind, (int, np.integer)) for kind in kinds)
    if isinstance(held, fo.IntField):
        whole = all(value % 1 == 0 for value in values)
    return int if whole else float
