"""A checked query → a FiftyOne view; MongoDB does the filtering and sorting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import bson
import fiftyone as fo
from bson import ObjectId

from evalsets.datasets.columns import read
from evalsets.datasets.expressions import Compiler
from evalsets.datasets.filters import filter_of
from evalsets.datasets.mongo import NAN, Mongo, is_null, object_ids
from evalsets.errors import QueryError
from evalsets.query.infer import type_of
from evalsets.query.interpret import BOX, in_order, value_of
from evalsets.query.rewrite import terms
from evalsets.query.syntax import (
    And,
    Constant,
    Expr,
    Field,
    Members,
    Not,
    Or,
    Order,
    Query,
    Term,
    walk,
)

Columns: TypeAlias = Mapping[Term, str | Mapping[str, float]]

_MANY_IDS = 100_000
_MAX_DEPTH = 150  # MongoDB takes 200, with what stands around the expression
_MAX_BYTES = 12_000_000  # MongoDB takes 16 MB in all
_MAX_SORT_BYTES = 3_000_000
_MAX_SORTED = 400_000


def compile_query(query: Query, columns: Columns | None = None) -> fo.ViewExpression:
    """The condition of a checked query, true exactly for the samples that match.

    Args:
        query: one whose populations are inlined
        columns: path of the field that holds the value of each similarity

    Returns:
        an expression that is never null

    Raises:
        QueryError: the query is too deep or too large for MongoDB
    """
    where = Constant(True) if query.where is None else query.where
    compiler = Compiler(columns or {})
    return fo.ViewExpression(_bounded(compiler.closed(compiler.true(where))))


def apply(
    view: fo.DatasetView, query: Query, columns: Columns | None = None
) -> fo.DatasetView:
    """The samples of ``view`` that a checked query selects, in its order.

    Args:
        view: or a dataset
        query: one whose populations are inlined
        columns: for each similarity the path of the field that holds its value, or, in
            ORDER BY, its value by sample id

    Raises:
        QueryError: as for ``compile_query``
    """
    columns = columns or {}
    found = view.view()
    if query.where is not None:
        found = found.match(_filter(query.where, Compiler(columns)))
    sorting = {t for order in query.order_by for t in terms(order)}
    if any(not isinstance(columns[term], str) for term in sorting):
        return _sorted_here(found, query, columns)
    if query.order_by:
        found = found.sort_by(_sort_keys(query.order_by, columns))
    return found if query.limit is None else found.limit(query.limit)


def _filter(where: Expr, compiler: Compiler) -> fo.ViewExpression | dict[str, Mongo]:
    """The condition; what is on one field, or on ids, as a filter of MongoDB."""
    match = _closed(_match(where, compiler, holds=True), compiler)
    if _size(match) > _MAX_BYTES and any(isinstance(n, Members) for n in walk(where)):
        raise QueryError(
            "The samples that are similar enough are too many to name to MongoDB; "
            "compose the condition as a population, which keeps its scores in a field"
        )
    if "$expr" in match:
        return fo.ViewExpression(_bounded(match["$expr"]))
    return _bounded(match)


def _match(expr: Expr, compiler: Compiler, *, holds: bool) -> dict[str, Mongo]:
    """A ``$match`` of where ``expr`` is true or, without ``holds``, false."""
    if isinstance(expr, Not):
        return _match(expr.operand, compiler, holds=not holds)
    if isinstance(expr, Members):
        return {"_id": _ids(expr, holds=holds)}
    if isinstance(expr, (And, Or)):
        operator = "$and" if isinstance(expr, And) is holds else "$or"
        parts = [_match(e, compiler, holds=holds) for e in expr.operands]
        others = [part["$expr"] for part in parts if "$expr" in part]
        if len(others) == len(parts):
            return {"$expr": {operator: others}}
        found = [part for part in parts if "$expr" not in part]
        rest = {operator: others} if len(others) > 1 else others[0] if others else None
        return {operator: found if rest is None else [*found, {"$expr": rest}]}
    filter_ = filter_of(expr, columns=compiler.columns, holds=holds)
    if filter_ is not None:
        return filter_
    return {"$expr": compiler.true(expr) if holds else compiler.false(expr)}


def _closed(match: dict[str, Mongo], compiler: Compiler) -> dict[str, Mongo]:
    """A match whose expressions have all that they refer to."""
    return {
        key: compiler.closed(part)
        if key == "$expr"
        else [_closed(one, compiler) for one in part]
        if key in ("$and", "$or")
        else part
        for key, part in match.items()
    }


def _ids(expr: Members, *, holds: bool) -> dict[str, Mongo]:
    """The ids where ``expr`` is true or false, by what takes less to say."""
    if not holds:
        if expr.false is not None:
            return {"$in": object_ids(expr.false)}
        return {"$nin": object_ids(expr.true | expr.null)}
    if expr.false is None or len(expr.true) < _MANY_IDS:
        return {"$in": object_ids(expr.true)}
    others = object_ids(expr.false | expr.null)
    last = max([ObjectId(max(expr.true)), *others[-1:]])
    return {"$nin": others, "$lte": last}  # and not what is added later


def _bounded(mongo: Mongo, most: int = 0) -> Mongo:
    if _size(mongo) > (most or _MAX_BYTES):
        raise QueryError("The query is too large for MongoDB")
    if _depth(mongo) > _MAX_DEPTH:
        raise QueryError("The query is nested too deeply for MongoDB")
    return mongo


def _size(mongo: Mongo) -> int:
    return len(bson.encode({"": mongo}))


def _depth(mongo: Mongo) -> int:
    deepest, waiting = 0, [(mongo, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(node, (dict, list)):
            below = node.values() if isinstance(node, dict) else node
            waiting += [(n, depth + 1) for n in below if not isinstance(n, ObjectId)]
    return deepest


def _sort_keys(order_by: Sequence[Order], columns: Columns) -> list[tuple[Any, int]]:
    """Keys that put NULL where SQL wants it and NaN above the other numbers."""
    compiler = Compiler(columns)
    keys: list[tuple[Any, int]] = []
    for order in order_by:
        value = compiler.closed(compiler.value(order.key))
        direction = -1 if order.descending else 1
        keys.append((is_null(value), -1 if order.nulls_first else 1))
        if type_of(order.key).kind == "number" and not type_of(order.key).whole:
            keys.append(({"$eq": [value, NAN]}, direction))
        keys.append(({"$ifNull": [value, None]}, direction))
    _bounded([key for key, _ in keys], _MAX_SORT_BYTES)
    return [*((fo.ViewExpression(key), to) for key, to in keys), ("id", 1)]


def read_fields(view: fo.DatasetView, exprs: Sequence[Expr]) -> dict[str, list[Any]]:
    """What ``interpret`` needs of the samples: their ids, and the fields asked for."""
    asked = {
        node.path: type_of(node)
        for expr in exprs
        for node in walk(expr)
        if isinstance(node, Field) and not node.inner
    }
    objects = sorted(path for path, type_ in asked.items() if type_.kind == "objects")
    owners = {
        path: path.rpartition(".")[0] for path, t in asked.items() if t.stored_as in BOX
    }
    columns = read(view, ["id", *sorted(asked.keys() - {"id", *objects, *owners})])
    for path, owner in owners.items():
        boxes = view.values(f"{owner}.bounding_box")
        part = BOX[asked[path].stored_as]
        columns[path] = [part(box) if box else None for box in boxes]
    return columns | {path: view.values(path, _raw=True) for path in objects}


def _sorted_here(view: fo.DatasetView, query: Query, columns: Columns) -> Any:
    """Sorts by similarities that stand in no field; the view holds the ids found."""
    known: dict[Any, Sequence[Any]] = {
        **read_fields(view.sort_by("id"), query.order_by)
    }
    ids = known["id"]
    for term, by_id in columns.items():
        if not isinstance(by_id, str):
            known[term] = [by_id.get(id_) for id_ in ids]
    found = list(range(len(ids)))
    for order in reversed(query.order_by):
        found = in_order(found, _keys(order.key, known), order)
    if len(found[: query.limit]) > _MAX_SORTED:
        raise QueryError(
            f"{len(found):,} samples are too many to sort by a similarity that no "
            "population keeps; add LIMIT"
        )
    return view.select([ids[i] for i in found[: query.limit]], ordered=True)


def _keys(key: Expr, known: Mapping[Any, Sequence[Any]]) -> list[Any]:
    if key in known:
        return [None if value != value else value for value in known[key]]
    names = list(known)
    rows = zip(*known.values(), strict=True)
    return [value_of(key, dict(zip(names, row, strict=True))) for row in rows]
