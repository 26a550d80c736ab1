"""What a query means, on plain rows.

SQL's meaning with three-valued logic, as in DuckDB wherever DuckDB has the construct:

- a missing value and NULL are the same; a test of NULL is NULL; only true matches;
- NaN equals NaN and is greater than every other number;
- ``/`` divides as floating point does: ``x / 0`` is an infinity, or NaN if ``x`` is 0;
  -0.0 equals 0 and divides as 0 does, where DuckDB turns the sign of the infinity;
  ``%`` takes the sign of the left side, ``x % 0`` is NULL for whole numbers, else NaN;
- ``ROUND`` rounds halves away from zero; ``SUM`` and ``AVG`` add in the objects' order;
- decimals such as ``0.1`` are doubles, where DuckDB has exact decimals beside whole
  numbers: ``n * 0.1 = 0.3`` is false for 3;
- text beside a date loses its time of day; a time with an offset is converted to UTC,
  where DuckDB's ``TIMESTAMP`` leaves the offset out;
- whole numbers beyond 64 bits go on as fractions, whose last digits a database may
  round otherwise;
- ``LOWER``, ``UPPER`` and ``ILIKE`` map each character to one character;
- an empty list holds nothing, so ``NULL IN list`` is false of it; NULL in a list equals
  nothing;
- ``ORDER BY`` puts NULL last in both directions; ties keep the order of the rows;
- a label field without a value holds no objects: ``COUNT`` 0, ``ANY`` false, ``ALL``
  true, other aggregates NULL; aggregates pass over NULL, ``ANY`` and ``ALL`` are SQL's
  quantifiers: NULL for an object counts as "unknown".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import singledispatch
from typing import Any, NamedTuple, TypeAlias

from evalsets.query.infer import type_of
from evalsets.query.letters import lower, upper
from evalsets.query.syntax import (
    Aggregate,
    And,
    Arithmetic,
    Between,
    Call,
    Case,
    Compare,
    Constant,
    Contains,
    Expr,
    Field,
    In,
    InPopulation,
    IsNull,
    Like,
    Members,
    Negative,
    Not,
    Or,
    Order,
    Prediction,
    Query,
    Rank,
    Similarity,
)

Row: TypeAlias = Mapping[Any, Any]


def interpret(query: Query, rows: Sequence[Row]) -> list[int]:
    """The positions of the rows that ``query`` selects, in its order.

    Args:
        query: one that was checked, so that its fields are bound
        rows: a value for each field path the query reads, nested mappings or flat; a
            label field's objects as a list of mappings; the value of a similarity or
            population under its node; ``id`` where the query holds ``Members``
    """
    found = [
        i
        for i, row in enumerate(rows)
        if query.where is None or value_of(query.where, row) is True
    ]
    for order in reversed(query.order_by):
        keys = [value_of(order.key, row) for row in rows]
        found = in_order(found, keys, order)
    return found if query.limit is None else found[: query.limit]


def in_order(found: list[int], keys: Sequence[Any], order: Order) -> list[int]:
    """The positions ``found`` by the key at each position; ties keep their order."""
    nulls = [i for i in found if keys[i] is None]
    others = [i for i in found if keys[i] is not None]
    others.sort(key=lambda i: _ordinal(keys[i]), reverse=order.descending)
    return nulls + others if order.nulls_first else others + nulls


def value_of(expr: Expr, row: Row) -> Any:
    """The value of ``expr`` for a row as ``interpret`` takes it; None is NULL."""
    return _value(expr, _Scope(row))


class _Scope(NamedTuple):
    """Where names are looked up: the row and, inside an aggregate, the object."""

    row: Row
    item: Row | None = None


@singledispatch
def _value(expr: Expr, _: _Scope) -> Any:
    raise TypeError(f"{type(expr).__name__} has no value")


@_value.register
def _(expr: Constant, _: _Scope) -> Any:
    return expr.value


@_value.register
def _(expr: Field, scope: _Scope) -> Any:
    row = scope.row if scope.item is None or not expr.inner else scope.item
    kept = expr.type.stored_as if expr.type is not None else expr.path
    if kept not in BOX or ("." in expr.path and expr.path in row):
        return _at(row, expr.path)
    owner, _, _ = expr.path.rpartition(".")
    box = _at(row, f"{owner}.bounding_box" if owner else "bounding_box")
    return BOX[kept](box) if box else None


BOX: Mapping[str, Callable[[Any], Any]] = {
    "x": lambda box: box[0],
    "y": lambda box: box[1],
    "w": lambda box: box[2],
    "h": lambda box: box[3],
    "area": lambda box: box[2] * box[3],
}


def _at(row: Row, path: str) -> Any:
    if path in row:
        return row[path]
    first, _, rest = path.partition(".")
    below = row.get(first)
    return _at(below, rest) if rest and isinstance(below, Mapping) else None


@_value.register(Similarity)
@_value.register(Rank)
@_value.register(InPopulation)
@_value.register(Prediction)
def _(expr: Expr, scope: _Scope) -> Any:
    value = scope.row[expr]
    return None if value != value else value


@_value.register
def _(expr: Members, scope: _Scope) -> Any:
    id_ = scope.row["id"]
    return None if id_ in expr.null else id_ in expr.true


@_value.register
def _(expr: Not, scope: _Scope) -> Any:
    value = _value(expr.operand, scope)
    return None if value is None else not value


@_value.register
def _(expr: And, scope: _Scope) -> Any:
    return _all([_value(e, scope) for e in expr.operands])


@_value.register
def _(expr: Or, scope: _Scope) -> Any:
    return _any([_value(e, scope) for e in expr.operands])


def _all(values: Sequence[Any]) -> Any:
    return False if False in values else None if None in values else True


def _any(values: Sequence[Any]) -> Any:
    return True if True in values else None if None in values else False


@_value.register
def _(expr: Compare, scope: _Scope) -> Any:
    left, right = _value(expr.left, scope), _value(expr.right, scope)
    return _compared(expr.operator, left, right)


def _compared(operator: str, left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    left, right = _ordinal(left), _ordinal(right)
    return {
        "=": left == right,
        "<>": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[operator]


def _ordinal(value: Any) -> Any:
    """Something that orders as SQL does: NaN last, dates among times."""
    if isinstance(value, (int, float)):
        return (1, 0.0) if value != value else (0, value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    return value


@_value.register
def _(expr: Between, scope: _Scope) -> Any:
    operand = _value(expr.operand, scope)
    low, high = _value(expr.low, scope), _value(expr.high, scope)
    return _all([_compared(">=", operand, low), _compared("<=", operand, high)])


@_value.register
def _(expr: In, scope: _Scope) -> Any:
    operand = _value(expr.operand, scope)
    return _any([_compared("=", operand, _value(o, scope)) for o in expr.options])


@_value.register
def _(expr: Contains, scope: _Scope) -> Any:
    elements = _value(expr.elements, scope)
    member = _value(expr.member, scope)
    if elements is None:
        return None
    if member is None:
        return None if elements else False
    return any(_compared("=", member, element) is True for element in elements)


@_value.register
def _(expr: Like, scope: _Scope) -> Any:
    text = _value(expr.operand, scope)
    if text is None:
        return None
    return _is_like(lower(text) if expr.fold else text, like_pieces(expr))


def _is_like(text: str, pieces: list[list[str]]) -> bool:
    """Each piece at its first place, the last one at the end: never goes back."""
    first, *rest = [
        re.compile("".join(re.escape(c) if c else "." for c in piece), re.DOTALL)
        for piece in pieces
    ]
    if not rest:
        return first.fullmatch(text) is not None
    place = first.match(text)
    for piece in rest[:-1]:
        place = place and piece.search(text, place.end())
    end = len(text) - len(pieces[-1])
    return place is not None and rest[-1].match(text, max(end, place.end())) is not None


def like_pieces(expr: Like) -> list[list[str]]:
    """What stands between the ``%`` of a pattern: characters, "" for any one of them."""
    pattern = lower(expr.pattern) if expr.fold else expr.pattern
    escape = lower(expr.escape) if expr.fold else expr.escape
    pieces: list[list[str]] = [[]]
    characters = iter(pattern)
    for c in characters:
        if c == escape:
            pieces[-1].append(next(characters))
        elif c == "%":
            pieces.append([])
        else:
            pieces[-1].append("" if c == "_" else c)
    return pieces


@_value.register
def _(expr: IsNull, scope: _Scope) -> Any:
    return _value(expr.operand, scope) is None


@_value.register
def _(expr: Arithmetic, scope: _Scope) -> Any:
    left, right = _value(expr.left, scope), _value(expr.right, scope)
    if left is None or right is None:
        return None
    if not type_of(expr).whole:
        left, right = float(left), float(right)
    value = _OPERATIONS[expr.operator](left, right)
    if expr.operator == "*" and value != _in_64_bits(value):
        return float(left) * float(right)
    return _in_64_bits(value)


def _in_64_bits(value: Any) -> Any:
    beyond = isinstance(value, int) and not -(2**63) <= value < 2**63
    return float(value) if beyond else value


def _divided(left: Any, right: Any) -> Any:
    if right != 0:
        return left / right
    return math.copysign(math.inf, left) if left == left and left != 0 else math.nan


def _remainder(left: Any, right: Any) -> Any:
    whole = isinstance(left, int) and isinstance(right, int)
    if right == 0:
        return None if whole else math.nan
    if whole:
        return int(math.copysign(abs(left) % abs(right), left))
    return math.fmod(left, right) if math.isfinite(left) else math.nan


_OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divided,
    "%": _remainder,
}


@_value.register
def _(expr: Negative, scope: _Scope) -> Any:
    value = _value(expr.operand, scope)
    return None if value is None else _in_64_bits(-value)


@_value.register
def _(expr: Case, scope: _Scope) -> Any:
    for when in expr.whens:
        holds = _value(when.condition, scope)
        if expr.operand is not None:
            holds = _compared("=", _value(expr.operand, scope), holds)
        if holds is True:
            return _value(when.value, scope)
    return None if expr.default is None else _value(expr.default, scope)


@_value.register
def _(expr: Call, scope: _Scope) -> Any:
    values = [_value(a, scope) for a in expr.arguments]
    if expr.name == "COALESCE":
        return next((v for v in values if v is not None), None)
    if values[0] is None:
        return None
    if expr.name == "ROUND" and not type_of(expr.arguments[0]).whole:
        values[0] = float(values[0])
    return _in_64_bits(_FUNCTIONS[expr.name](*values))


def _rounded(value: Any, places: int = 0) -> Any:
    if not math.isfinite(value) or (isinstance(value, int) and places >= 0):
        return value
    scale = 10 ** abs(places)
    scaled = abs(value) * scale if places >= 0 else abs(value) / scale
    if not math.isfinite(scaled):
        return value
    below = math.floor(scaled)
    whole = below + 1 if scaled - below >= 0.5 else below
    result = whole / scale if places > 0 else whole * scale if places < 0 else whole
    return math.copysign(result, value)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "ABS": abs,
    "ROUND": _rounded,
    "LOWER": lower,
    "UPPER": upper,
    "LENGTH": len,
}


@_value.register
def _(expr: Aggregate, scope: _Scope) -> Any:
    objects = _value(expr.objects, _Scope(scope.row)) or []
    if expr.inner is None:
        return len(objects)
    values = [_value(expr.inner, _Scope(scope.row, one)) for one in objects]
    return _AGGREGATES[expr.name](values, [v for v in values if v is not None])


def _total(values: list[Any]) -> Any:
    total: Any = 0
    for value in values:  # not sum(), which rounds otherwise from Python 3.12 on
        total = _in_64_bits(total + value)
    return total


_AGGREGATES: Mapping[str, Callable[[list[Any], list[Any]], Any]] = {
    "COUNT": lambda _, known: sum(known),
    "ANY": lambda values, _: _any(values),
    "ALL": lambda values, _: _all(values),
    "SUM": lambda _, known: _total(known) if known else None,
    "AVG": lambda _, known: _total(known) / len(known) if known else None,
    "MIN": lambda _, known: min(known, key=_ordinal) if known else None,
    "MAX": lambda _, known: max(known, key=_ordinal) if known else None,
}
