"""Sample fields as columns: declared once, read and written in bulk."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import fiftyone as fo
import numpy as np

from evalsets.datasets.locks import writing
from evalsets.errors import NameTakenError

SPLIT = "split"
"""The sample field that holds the split."""

_FIELDS: dict[type, tuple[type, dict[str, Any]]] = {
    float: (fo.FloatField, {}),
    int: (fo.IntField, {}),
    str: (fo.StringField, {}),
    bool: (fo.BooleanField, {}),
    fo.Classification: (
        fo.EmbeddedDocumentField,
        {"embedded_doc_type": fo.Classification},
    ),
    fo.Detections: (fo.EmbeddedDocumentField, {"embedded_doc_type": fo.Detections}),
}


def slug(name: str) -> str:
    """A field name out of any text: letters, digits and underscores."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "_", ascii_only.lower()).strip("_")
    return words[:40].strip("_") or "x"


def declare(
    dataset: fo.Dataset,
    fields: Mapping[str, type],
    *,
    indexed: bool = False,
    info: Mapping[str, Any] | None = None,
) -> None:
    """Adds sample fields where they are missing; their provenance goes to ``info``.

    Args:
        dataset: to add them to
        fields: name and type (``float``, ``int``, ``str``, ``bool`` or a label class)
        indexed: whether MongoDB shall index them
        info: recorded in each field's ``info``

    Raises:
        NameTakenError: a field of that name has another type
    """
    with writing(dataset):
        schema = dataset.get_field_schema()
        for name, kind in fields.items():
            cls, options = _FIELDS[kind]
            if name not in schema:
                dataset.add_sample_field(name, cls, **options)
            elif not isinstance(schema[name], cls) or (
                options and schema[name].document_type is not kind
            ):
                raise NameTakenError(
                    f"Field '{name}' of dataset '{dataset.name}' already holds "
                    f"{_kind(schema[name])}; give the new field another name"
                )
            if info is not None:
                field = dataset.get_field(name)
                field.info = {"evalsets": dict(info)}
                field.save()
            if indexed:
                dataset.create_index(f"{name}.label" if options else name)


def read(
    view: fo.Dataset | fo.DatasetView, paths: Sequence[str]
) -> dict[str, list[Any]]:
    """Columns by path, in the view's order; a missing value is None."""
    if not paths:
        return {}
    return dict(zip(paths, view.values(list(paths)), strict=True))


def write(
    dataset: fo.Dataset, field: str, ids: Sequence[str], values: Iterable[Any]
) -> None:
    """Writes one value a sample, by id, in bulk."""
    if len(ids):
        values = values.tolist() if isinstance(values, np.ndarray) else values
        dataset.set_values(field, dict(zip(ids, values, strict=True)), key_field="id")


def _kind(field: fo.Field) -> str:
    document = getattr(field, "document_type", None)
    return (document or type(field)).__name__
