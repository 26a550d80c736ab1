"""Sample fields as columns: declared once, read and written in bulk."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import fiftyone as fo
import numpy as np
from bson import ObjectId
from numpy.typing import NDArray
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, OperationFailure

from evalsets.datasets.locks import check_held, schema_lock, writing
from evalsets.datasets.mongo import object_ids
from evalsets.errors import ArgumentError, NameTakenError

logger = logging.getLogger(__name__)

SPLIT = "split"
"""The sample field that holds the split."""

RESERVED = frozenset(
    (
        *("id", "filepath", "tags", "metadata", "created_at", "last_modified_at"),
        *("dataset_id", "media_reference", "pk", "field_names", "get_field", "to_dict"),
        *(
            "file_stamp",
            "file_digest",
            "file_changed",
            "vanished",
            "duplicate_of",
            "source_url",
        ),
        SPLIT,
    )
)
"""Fields that are FiftyOne's or ours, and not for users to fill."""
_RESERVED_STARTS = ("pred_", "similar_", "rank_", "_")

_FIELDS: dict[type, tuple[type, dict[str, Any]]] = {
    float: (fo.FloatField, {}),
    int: (fo.IntField, {}),
    str: (fo.StringField, {}),
    bool: (fo.BooleanField, {}),
    datetime: (fo.DateTimeField, {}),
    fo.Classification: (
        fo.EmbeddedDocumentField,
        {"embedded_doc_type": fo.Classification},
    ),
    fo.Detections: (fo.EmbeddedDocumentField, {"embedded_doc_type": fo.Detections}),
}


_TRIED, _LOOKED_UP = 16, 10_000  # samples tried for each that is wanted, and at most
_PLAIN = (fo.StringField, fo.FloatField, fo.IntField, fo.BooleanField, type(None))


def slug(name: str) -> str:
    """A field name out of any text: letters, digits and underscores."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "_", ascii_only.lower()).strip("_")
    return words[:40].strip("_") or "x"


def check_new(
    dataset: fo.Dataset, fields: Mapping[str, type], *, owner: str | None = None
) -> None:
    """Refuses fields that ``declare`` would refuse, and names that are not for users.

    Raises:
        ArgumentError: the name means something else here or in FiftyOne
        NameTakenError: a field of that name has another type or another writer
    """
    for name in fields:
        refuse_reserved(name)
    check_free(dataset, fields, owner)


def is_users(name: str) -> bool:
    """Whether a field may be filled by users: its name means nothing else."""
    return name not in RESERVED and not name.startswith(_RESERVED_STARTS)


def refuse_reserved(name: str) -> None:
    """Refuses a name that means something else here or in FiftyOne.

    Raises:
        ArgumentError: it does
    """
    if not is_users(name) or set(name) & {".", "$"}:
        free = re.sub(r"[.$]+", "_", name).strip("_") or "value"
        raise ArgumentError(
            f"No field can be filled under the reserved name '{name}'; rename it, for "
            f"example to 'original_{free}'"
        )


def declare(
    dataset: fo.Dataset,
    fields: Mapping[str, type],
    *,
    indexed: bool | Collection[str] = False,
    info: Mapping[str, Any] | None = None,
    owner: str | None = None,
) -> None:
    """Adds sample fields where they are missing; their provenance goes to ``info``.

    Args:
        dataset: to add them to
        fields: name and type (``float``, ``int``, ``str``, ``bool``, ``datetime`` or a
            label class)
        indexed: whether MongoDB shall index them, or which of them
        info: recorded in each field's ``info``
        owner: the key of ``info`` that tells the writer; a field that is there already
            must have it too

    Raises:
        NameTakenError: a field of that name has another type or another writer
        LockedError: others write the dataset
    """
    with writing(dataset), schema_lock:
        check_held(dataset)
        check_free(dataset, fields, owner)
        schema = dataset.get_field_schema()
        about = None if info is None else {"evalsets": dict(info)}
        for name, kind in fields.items():
            cls, options = _FIELDS[kind]
            if name not in schema:  # with its writer at once, should this be killed
                dataset.add_sample_field(name, cls, info=about, **options)
            elif about is not None and schema[name].info != about:
                schema[name].info = about
                schema[name].save()
            if indexed is True or (indexed and name in indexed):
                _index(dataset, f"{name}.label" if options else name)


def drop(dataset: fo.Dataset, field: str) -> None:
    """Removes a sample field, if it is there; refused as :func:`declare` is."""
    check_held(dataset)
    with schema_lock:
        if dataset.has_sample_field(field):
            dataset.delete_sample_field(field)


def _index(dataset: fo.Dataset, path: str) -> None:
    """Asks MongoDB for an index; without it, which a collection's 64 may cause, it scans."""
    try:
        dataset.create_index(path)
    except OperationFailure as error:
        logger.warning(
            "'%s' of '%s' has no index, so queries on it take longer: %s",
            path,
            dataset.name,
            error,
        )


def provenance(field: fo.Field) -> dict[str, Any]:
    """What ``declare`` recorded with a field; empty where others made it."""
    return (field.info or {}).get("evalsets") or {}


def check_free(
    dataset: fo.Dataset, fields: Mapping[str, type], owner: str | None
) -> None:
    """Refuses fields that are there with another type or another writer.

    Raises:
        NameTakenError: there is one
    """
    schema = dataset.get_field_schema()
    for name in fields.keys() & schema.keys():
        field, (cls, options) = schema[name], _FIELDS[fields[name]]
        where = f"Field '{name}' of dataset '{dataset.name}' already holds"
        if not isinstance(field, cls) or (
            options and getattr(field, "document_type", None) is not fields[name]
        ):
            raise NameTakenError(
                f"{where} {_kind(field)}; give the new field another name"
            )
        if owner is not None and owner not in provenance(field):
            raise NameTakenError(
                f"{where} values from elsewhere, which would be lost; give the new "
                "field another name"
            )


def read(
    view: fo.Dataset | fo.DatasetView, paths: Sequence[str]
) -> dict[str, list[Any]]:
    """Columns by path, in the view's order; a missing value is None."""
    if not paths:
        return {}
    return dict(zip(paths, view.values(list(paths)), strict=True))


@dataclass
class _Read:
    """What was read of a view: its ids, and columns by their expression as text."""

    view: fo.Dataset | fo.DatasetView
    ids: NDArray[np.str_]
    columns: dict[str, list[Any]]


_once: ContextVar[dict[int, _Read] | None] = ContextVar("_once", default=None)


@contextmanager
def reading_once() -> Iterator[None]:
    """Has :func:`gather` read a column of a view once, however often it is asked for."""
    token = _once.set({})
    try:
        yield
    finally:
        _once.reset(token)


def gather(
    view: fo.Dataset | fo.DatasetView, values: Mapping[Any, Any]
) -> tuple[NDArray[np.str_], list[list[Any]]]:
    """What MongoDB's expressions are for each sample, by rising id; null is None.

    They come in some hundred documents of long lists, which a tenth of the time reads
    that a document a sample takes.

    Args:
        view: of the samples
        values: expressions by any names

    Returns:
        ``(n,)`` ids, and a list of ``n`` values for each expression
    """
    asked = {repr(value): value for value in values.values()}
    reads = _once.get()
    known = None if reads is None else reads.get(id(view))
    if known is None:
        found = _gathered(view, asked)
    else:
        more = {text: v for text, v in asked.items() if text not in known.columns}
        found = _gathered(view, more) if more else known
        if np.array_equal(found.ids, known.ids):
            found.columns |= known.columns
        else:  # samples have come or gone since
            found = _gathered(view, asked)
    if reads is not None:
        reads[id(view)] = found
    return found.ids, [found.columns[repr(value)] for value in values.values()]


def _gathered(
    view: fo.Dataset | fo.DatasetView, expressions: Mapping[str, Any]
) -> _Read:
    id_text = {"$toString": "$_id"}  # a client takes longer to read ids as such
    asked = {"ids": id_text} | {
        f"v{at}": {"$ifNull": [expression, None]}
        for at, expression in enumerate(expressions.values())
    }
    if any(_is_list(expression) for expression in expressions.values()):
        each = {"$project": {"_id": 0, **asked}}  # too much for a few documents
        rows = list(view._aggregate(post_pipeline=[each]))
        found = [[row[name] for row in rows] for name in asked]
    else:
        lists = {name: {"$push": expression} for name, expression in asked.items()}
        last = {"$substrBytes": [id_text, 22, 2]}
        grouped = {"$group": {"_id": last, **lists}}
        parts = list(view._aggregate(post_pipeline=[grouped]))
        found = [[v for part in parts for v in part[name]] for name in lists]
    ids = np.array(found[0], dtype="S24")
    order = np.argsort(ids)
    columns = {
        text: [values[at] for at in order.tolist()]
        for text, values in zip(expressions, found[1:], strict=True)
    }
    return _Read(view, ids[order].astype("U24"), columns)


def _is_list(expression: Any) -> bool:
    return isinstance(expression, dict) and "$map" in expression


def holding(
    view: fo.Dataset | fo.DatasetView,
    k: int,
    first: Callable[[int], Sequence[str] | NDArray[np.str_]],
) -> NDArray[np.str_]:
    """Ids of samples of a view, rising; the ``k`` of it that come first are among them.

    What comes first of all is looked up in the view. Where it has too few of those, all
    its ids are read, which takes many times as long.

    Args:
        view: of the samples
        k: at least 1
        first: ids of that many samples of the dataset, in the order that is meant
    """
    if (asked := k * _TRIED) <= _LOOKED_UP:
        ids = object_ids(frozenset(first(asked)))
        found, _ = gather(view.match({"_id": {"$in": ids}}), {})
        if len(found) >= k:
            return found
    return gather(view, {})[0]


def gather_fields(
    view: fo.Dataset | fo.DatasetView, paths: Sequence[str]
) -> tuple[list[str], list[list[Any]]]:
    """Ids, rising, and columns of fields, where a missing value is None."""
    stored = {path: _stored(view, path) for path in paths}
    if None not in stored.values():
        ids, columns = gather(view, stored)
        return ids.tolist(), columns
    known, *columns = view.values(["id", *paths])
    order = sorted(range(len(known)), key=known.__getitem__)
    return [known[at] for at in order], [[c[at] for at in order] for c in columns]


def _stored(view: fo.Dataset | fo.DatasetView, path: str) -> Any:
    """What MongoDB keeps of a field as FiftyOne gives it; None where it gives another.

    That of labels in a list is a list, too, with None for one that lacks it.
    """
    names = path.split(".")
    held = [view.get_field(".".join(names[:n])) for n in range(1, len(names) + 1)]
    last, above = held[-1], held[:-1]
    plain = isinstance(last, _PLAIN)
    listed = [isinstance(field, fo.ListField) for field in above]
    if not any(listed):
        return f"${view._handle_db_field(path)}" if plain else None
    inner = last.field if isinstance(last, fo.ListField) else None
    if any(listed[:-1]) or not (plain or isinstance(inner, fo.FloatField)):
        return None
    value = {"$ifNull": [f"$$this.{names[-1]}", None]}
    return {"$map": {"input": f"${'.'.join(names[:-1])}", "in": value}}


def write(
    dataset: fo.Dataset, field: str, ids: Sequence[str], values: Iterable[Any]
) -> None:
    """Writes one value a sample, by id, in bulk.

    Raises:
        LockedError: a lock on the dataset was lost meanwhile
    """
    check_held(dataset)
    if len(ids):
        values = values.tolist() if isinstance(values, np.ndarray) else values
        dataset.set_values(field, dict(zip(ids, values, strict=True)), key_field="id")


def write_rows(dataset: fo.Dataset, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes fields of samples in bulk; those of one sample all at once.

    Args:
        dataset: of the samples; one that is gone meanwhile is passed over
        rows: values by field, which must be declared, by sample id
    """
    fields = {name: dataset.get_field(name) for row in rows.values() for name in row}
    now = datetime.now(timezone.utc)
    updates = []
    for sample_id, row in rows.items():
        stored = {
            name: None if value is None else fields[name].to_mongo(value)
            for name, value in row.items()
        }
        change = {"$set": {**stored, "last_modified_at": now}}
        updates.append(UpdateOne({"_id": ObjectId(sample_id)}, change))
    if not updates:
        return
    try:
        dataset._bulk_write(updates, ids=list(rows))
    except ValueError as error:  # FiftyOne hides what MongoDB said
        if isinstance(error.__cause__, BulkWriteError):
            raise error.__cause__ from None
        raise


def _kind(field: fo.Field) -> str:
    document = getattr(field, "document_type", None)
    return (document or type(field)).__name__
