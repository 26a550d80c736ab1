"""Conditions that a dataset's tags offer, to be combined into weak spots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import fiftyone as fo
import numpy as np

from evalsets.datasets.columns import SPLIT, read
from evalsets.datasets.predictions import prediction_sets
from evalsets.discovery import Bools, Condition, Floats
from evalsets.query import FieldType, Schema, to_text
from evalsets.query.syntax import (
    Aggregate,
    Compare,
    Constant,
    Contains,
    Expr,
    Field,
    IsNull,
)

_OURS = frozenset(
    (
        *("id", "filepath", "created_at", "last_modified_at", "file_stamp", SPLIT),
        *(
            "file_digest",
            "file_changed",
            "vanished",
            "duplicate_of",
            "source_url",
            "label_next",
        ),
    )
)
_OURS_START = ("pred_", "similar_", "rank_", "_")
_METADATA = ("width", "height", "num_channels", "mime_type")
_CUTS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_FEW = 20  # numbers that are all worth a cut
_LABELS = 100  # of one field that are worth a condition


def conditions_of(
    view: fo.DatasetView,
    ids: Sequence[str],
    schema: Schema,
    left_out: Collection[str],
    least: int,
) -> list[Condition]:
    """What the fields of a dataset say of some samples.

    Args:
        view: that holds them
        ids: ``(n,)`` the samples
        schema: of the dataset
        left_out: fields that say nothing of an image, beside those that models filled
        least: samples that a condition must hold for

    Returns:
        first what is there, then what is absent: of two that hold for the same samples
        the first is said
    """
    judged = _judgements(view._dataset).union(left_out)
    offered = {
        path: kind
        for path, kind in schema.fields.items()
        if _is_tag(path) and path not in judged
    }
    found: list[Condition] = []
    for path, kind in offered.items():
        for condition in _of_field(view, ids, path, kind, least):
            if least <= condition.members.sum() <= len(ids) - least:
                found.append(condition)
    return sorted(found, key=lambda condition: condition.absent)


def _is_tag(path: str) -> bool:
    first, _, rest = path.partition(".")
    if first == "metadata":
        return rest in _METADATA
    return not rest and first not in _OURS and not first.startswith(_OURS_START)


def _judgements(dataset: fo.Dataset) -> set[str]:
    """Fields that tell what models said, or how well: no property of an image."""
    stored = prediction_sets(dataset).values()
    found = {one.field for one in stored} | {
        s.field for one in stored for s in one.scores
    }
    keys = dataset.list_evaluations()
    found |= {f for f in dataset.get_field_schema() for key in keys if _is_of(f, key)}
    return found


def _is_of(field: str, eval_key: str) -> bool:
    return field == eval_key or field.startswith(f"{eval_key}_")


def _of_field(
    view: fo.DatasetView, ids: Sequence[str], path: str, kind: FieldType, least: int
) -> Iterator[Condition]:
    if kind.kind not in _MAKERS or (kind.fields and "label" not in kind.fields):
        return iter(())
    where = kind.name or path
    values: list[Any]
    if kind.kind == "objects":
        inside = [p for p in ("label", "bounding_box") if p in kind.fields]
        columns = read(view, ["id", *(f"{where}.{p}" for p in inside)])
        values = list(zip(*list(columns.values())[1:], strict=True))
    else:
        columns = read(view, ["id", where])
        values = list(columns[where])
    by_id = dict(zip(columns["id"], values, strict=True))
    return conditions_on(path, kind.kind, [by_id[i] for i in ids], least)


def conditions_on(
    path: str, kind: str, values: list[Any], least: int
) -> Iterator[Condition]:
    """What one field says of samples, where it is ``values``.

    Args:
        path: of the field, in the query language
        kind: text, boolean, number, list or objects
        values: ``(n,)`` one a sample, None for NULL; of objects, lists of their labels
            and, where they have any, of their boxes
        least: samples that a condition should hold for
    """
    return _MAKERS[kind](path, values, least)


def _equal(path: str, values: list[Any], least: int) -> Iterator[Condition]:
    counts = Counter(values)
    known = ~_where(values, None)
    yield from _missing(path, values)
    for value, n in counts.most_common(_LABELS):
        if value is None or n < least:
            continue
        words = str(value) if isinstance(value, str) else _flag(path, value)
        inside = _where(values, value)
        expr = Compare("=", Field(path), Constant(value))
        yield Condition(path, to_text(expr), words, inside)
        if isinstance(value, str):
            expr = Compare("<>", Field(path), Constant(value))
            others = known & ~inside
            yield Condition(path, to_text(expr), f"not {words}", others, absent=True)


def _bounded(path: str, values: list[Any], _: int) -> Iterator[Condition]:
    number = np.array([np.nan if v is None else v for v in values], dtype=float)
    yield from _missing(path, values)
    yield from _bounds(Field(path), path, _spoken(path), number)


def _bounds(expr: Expr, field: str, words: str, number: Floats) -> Iterator[Condition]:
    """At least, and less than, each cut; NaN is neither."""
    for cut in _cuts(number[np.isfinite(number)]):
        for operator, said, bound, inside in (
            (">=", "from", "low", number >= cut),
            ("<", "below", "high", number < cut),
        ):
            text = to_text(Compare(operator, expr, Constant(cut)))
            yield Condition(field, text, f"{words} {said} {cut:g}", inside, bound)


def _cuts(number: Floats) -> list[float | int]:
    distinct = np.unique(number)
    if len(distinct) > _FEW:
        quantiles = np.quantile(number, _CUTS)
        distinct = np.unique([float(f"{q:.3g}") for q in quantiles])
    whole = bool((number % 1 == 0).all())
    return [int(c) if whole and c % 1 == 0 else float(c) for c in distinct]


def _holding(path: str, values: list[Any], least: int) -> Iterator[Condition]:
    counts = Counter(one for held in values for one in set(held or ()))
    for one, n in counts.most_common(_LABELS):
        if n >= least:
            inside = np.array([one in (held or ()) for held in values])
            text = to_text(Contains(Field(path), Constant(one)))
            yield Condition(f"{path} {one}", text, f"{_spoken(path)} {one}", inside)


def _counting(path: str, values: list[Any], least: int) -> Iterator[Condition]:
    """Which classes there are, how many objects, and how small the smallest is."""
    objects, spoken = Field(path), _spoken(path)
    labels = [held[0] or () for held in values]
    number = np.array([len(held) for held in labels], dtype=float)
    count = Aggregate("COUNT", objects)
    yield from _bounds(count, f"{path} count", f"{spoken} count", number)
    if any(len(held) > 1 for held in values):
        smallest = np.array(
            [
                min((b[2] * b[3] for b in held[1] or ()), default=np.nan)
                for held in values
            ]
        )
        area = Aggregate("MIN", objects, Field("area"))
        yield from _bounds(area, f"{path} area", f"smallest {spoken}", smallest)
    counts = Counter(label for held in labels for label in set(held))
    for label, n in counts.most_common(_LABELS):
        if label is None or n < least:
            continue
        inside = np.array([label in held for held in labels])
        equal = Compare("=", Field("label"), Constant(label))
        some = to_text(Aggregate("ANY", objects, equal))
        yield Condition(f"{path} {label}", some, f"with {label}", inside)


def _missing(path: str, values: list[Any]) -> Iterator[Condition]:
    inside = _where(values, None)
    text = to_text(IsNull(Field(path)))
    yield Condition(path, text, f"no {_spoken(path)}", inside, absent=True)


def _where(values: list[Any], value: Any) -> Bools:
    return np.array([v is value or (v is not None and v == value) for v in values])


def _flag(path: str, value: bool) -> str:
    return _spoken(path) if value else f"not {_spoken(path)}"


def _spoken(path: str) -> str:
    return path.rpartition(".")[2].replace("_", " ")


_MAKERS: dict[str, Callable[[str, list[Any], int], Iterator[Condition]]] = {
    "text": _equal,
    "boolean": _equal,
    "number": _bounded,
    "list": _holding,
    "objects": _counting,
}
