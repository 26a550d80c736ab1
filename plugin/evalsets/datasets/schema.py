"""A dataset's fields as the query language sees them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import fiftyone as fo

from evalsets.errors import QueryError
from evalsets.query.syntax import Aggregate, Field, Query, Span, walk
from evalsets.query.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    OTHER,
    TEXT,
    TIME,
    FieldType,
    Schema,
    StoredAs,
)


def read_schema(
    dataset: fo.Dataset,
    models: Mapping[str, str] | None = None,
    populations: Collection[str] = (),
) -> Schema:
    """The names and types that a query on ``dataset`` may use.

    Args:
        dataset: or a view
        models: prediction field of each model
        populations: names of the populations
    """
    fields = _below(dataset.get_field_schema(), "", "")
    return Schema(fields, models or {}, populations)


def refuse_hidden(view: fo.DatasetView, query: Query, kept: Iterable[str] = ()) -> None:
    """Refuses a checked query on fields that a view leaves out, where all seem NULL.

    Args:
        view: to be searched
        query: whose fields the dataset has
        kept: paths of other fields that are read

    Raises:
        QueryError: the view leaves a field out
    """
    if not view._stages:
        return
    shown = dict(read_schema(view).fields)
    asked: list[tuple[str, Span | None]] = [(path, None) for path in kept]
    for node in (node for root in query.roots() for node in walk(root)):
        if isinstance(node, Field) and not node.inner:
            asked.append((node.path, node.span))
        elif isinstance(node, Aggregate) and isinstance(node.objects, Field):
            objects = node.objects.path
            held = shown[objects].fields if objects in shown else {}
            shown |= {f"{objects}.{name}": type_ for name, type_ in held.items()}
            asked += [
                (f"{objects}.{inner.path}", inner.span)
                for inner in walk(node)
                if isinstance(inner, Field) and inner.inner
            ]
    for path, span in asked:
        if path not in shown:
            place = (query.text, span.start, query.text[slice(*span)]) if span else ()
            problem = f"The view leaves out field '{path}'; search one that shows it"
            raise QueryError(problem, *place)


def _below(schema: Mapping[str, Any], name: str, stored: str) -> dict[str, FieldType]:
    """The fields of a document and of the documents inside it, by path.

    Args:
        schema: the document's own fields
        name: what stands before a field's name in a query
        stored: what stands before its name in the database
    """
    found: dict[str, FieldType] = {}
    for key, field in schema.items():
        path, at = name + key, stored + (field.db_field or key)
        found[path] = replace(_type_of(field, at), name=path)
        if isinstance(field, fo.EmbeddedDocumentField):
            found |= _below(field.get_field_schema(), f"{path}.", f"{at}.")
            if field.document_type is fo.Detection:
                found |= {
                    f"{path}.{part}": replace(
                        box, name=f"{path}.{part}", path=f"{at}.{box.path}"
                    )
                    for part, box in _BOX.items()
                }
            value = _VALUE.get(field.document_type)
            if value:
                found[path] = found[f"{path}.{value}"]
    return found


_VALUE = {
    fo.Classification: "label",
    fo.Detection: "label",
    fo.Regression: "value",
    fo.Classifications: "classifications",
    fo.Detections: "detections",
    fo.TemporalDetections: "detections",
    fo.Polylines: "polylines",
    fo.Keypoints: "keypoints",
}
"""What a field of a document type stands for when a query names it alone."""


def _type_of(field: Any, at: str) -> FieldType:
    if isinstance(field, fo.ListField):
        return _list_type(field, at)
    for kind, type_ in _TYPES.items():
        if isinstance(field, kind):
            return replace(type_, path=at)
    return replace(OTHER, path=at)


def _list_type(field: Any, at: str) -> FieldType:
    item = field.field
    if isinstance(item, fo.EmbeddedDocumentField):
        fields = _below(item.get_field_schema(), "", "")
        boxes = _BOX if item.document_type is fo.Detection else {}
        return FieldType("objects", path=at, fields=fields | boxes)
    element = None if item is None else _type_of(item, "")
    if element is None or element.kind not in ("number", "text", "boolean"):
        return replace(OTHER, path=at, item=element or OTHER)
    return FieldType("list", path=at, item=element)


_TYPES = {
    fo.BooleanField: BOOLEAN,
    fo.IntField: INTEGER,
    fo.FloatField: NUMBER,
    fo.StringField: TEXT,
    fo.DateTimeField: TIME,
    fo.DateField: DATE,
    fo.ObjectIdField: FieldType("text", stored_as="object id"),
}
_PARTS: tuple[StoredAs, ...] = ("x", "y", "w", "h", "area")
_BOX = {
    part: FieldType("number", path="bounding_box", stored_as=part) for part in _PARTS
}
