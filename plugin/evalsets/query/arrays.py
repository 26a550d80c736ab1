"""Conditions on whole columns: what ``interpret`` means, for many rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evalsets.query.infer import type_of
from evalsets.query.interpret import value_of
from evalsets.query.syntax import (
    And,
    Arithmetic,
    Between,
    Call,
    Case,
    Compare,
    Constant,
    Expr,
    Field,
    In,
    IsNull,
    Like,
    Negative,
    Not,
    Or,
    Rank,
    Similarity,
    Term,
    When,
    children,
    walk,
)

Columns: TypeAlias = "Mapping[Term | str, NDArray[Any] | Coded]"
Mask: TypeAlias = NDArray[np.bool_]
_EXACT = 2**53  # up to here float64 holds every whole number


class Coded(NamedTuple):
    """A column of texts.

    Args:
        values: each that occurs, once; None is NULL
        code: ``(n,)`` place in them of each row's
    """

    values: list[str | None]
    code: NDArray[np.intp]


class _Column(NamedTuple):
    """Values, and where they are NULL instead."""

    value: NDArray[Any]
    null: Mask


def evaluate(expr: Expr, columns: Columns) -> tuple[Mask, Mask]:
    """Where a condition is true, and where it is NULL.

    Args:
        expr: a condition from a checked query
        columns: ``(n,)`` values of each similarity and of each field path it reads; what
            is masked is NULL, or in a plain array of floats NaN, of objects None; texts
            may be coded, where it :func:`is_quick`

    Returns:
        two ``(n,)`` masks
    """
    if is_quick(expr) and all(map(_is_quick_column, columns.values())):
        try:
            with np.errstate(all="ignore"):
                value, null = _column(expr, columns)
        except _InexactError:
            pass
        else:
            null = null.astype(bool)  # of no rows it may be an array of numbers
            return value.astype(bool) & ~null, null
    lists = {key: _plain(column) for key, column in columns.items()}
    rows = (
        dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)
    )
    found = [value_of(expr, row) for row in rows]
    true = np.array([value is True for value in found], dtype=bool)
    return true, np.array([value is None for value in found], dtype=bool)


def is_quick(expr: Expr) -> bool:
    """Whether whole columns are quick to :func:`evaluate` on a condition.

    It reads numbers, and texts in conditions each of which reads a single field: these
    are decided once for each value that occurs.
    """
    reads = any(isinstance(n, (Field, Similarity, Rank)) for n in walk(expr))
    return reads and _is_worked(expr)


def _is_worked(expr: Expr) -> bool:
    return _text_read(expr) is not None or (
        _is_vectorised(expr) and all(map(_is_worked, children(expr)))
    )


def coded(values: Sequence[str | None]) -> Coded:
    """A column of texts for :func:`evaluate`."""
    place: dict[str | None, int] = {}
    code = [place.setdefault(value, len(place)) for value in values]
    return Coded(list(place), np.array(code, dtype=np.intp))


def column_of(values: Sequence[Any]) -> NDArray[Any]:
    """The values of a field for :func:`evaluate`; None is NULL, and NaN is a number."""
    null = [value is None for value in values]
    kinds = {type(value) for value in values if value is not None}
    whole = kinds == {int}
    exact = not whole or all(v is None or abs(v) <= _EXACT for v in values)
    if kinds and kinds <= ({int} if whole else {float}) and exact:
        filled = [0 if value is None else value for value in values]
        dtype = np.int64 if whole else np.float64
        return np.ma.masked_array(np.array(filled, dtype), null)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


class _InexactError(Exception):
    """A whole number that float64 does not hold."""


def _plain(column: NDArray[Any] | Coded) -> list[Any]:
    if isinstance(column, Coded):
        return [column.values[at] for at in column.code.tolist()]
    values = column.tolist()
    if column.dtype.kind == "f" and not isinstance(column, np.ma.MaskedArray):
        return [None if v != v else v for v in values]
    return values  # type: ignore[no-any-return]


def _is_quick_column(column: NDArray[Any] | Coded) -> bool:
    return isinstance(column, Coded) or column.dtype.kind in "biuf"


def _text_read(expr: Expr) -> str | None:
    """The path of the field of texts that is all a condition reads, if there is one."""
    if not isinstance(expr, _CONDITIONS):
        return None
    read = {n for n in walk(expr) if isinstance(n, (Field, Similarity, Rank))}
    fields = {n.path: n for n in read if isinstance(n, Field)}
    if len(fields) != 1 or not all(isinstance(n, Field) for n in read):
        return None
    ((path, field),) = fields.items()
    type_ = type_of(field)
    return path if type_.kind == "text" and type_.stored_as == "value" else None


def _is_vectorised(node: Expr) -> bool:
    if isinstance(node, Constant):
        if isinstance(node.value, int):
            return abs(node.value) <= _EXACT
        return node.value is None or isinstance(node.value, float)
    if isinstance(node, Field):
        return type_of(node).kind == "number" and type_of(node).stored_as == "value"
    if isinstance(node, Call):
        return node.name in ("ABS", "ROUND", "COALESCE")
    return isinstance(node, _VECTORISED)


_CONDITIONS = (And, Or, Not, Compare, Between, In, IsNull, Like)
_VECTORISED = (
    *(And, Or, Not, Compare, Between, In, IsNull, Case, When),
    *(Arithmetic, Negative, Similarity, Rank),
)


def _column(expr: Expr, columns: Columns) -> _Column:
    text = columns.get(_text_read(expr) or "")
    return _worked(expr, columns) if text is None else _by_value(expr, text)


def _by_value(expr: Expr, text: NDArray[Any] | Coded) -> _Column:
    """A condition on one field, decided once for each of its values."""
    values, code = text if isinstance(text, Coded) else coded(text.tolist())
    path = _text_read(expr)
    found = [value_of(expr, {path: value}) for value in values]
    true, null = ([f is which for f in found] for which in (True, None))
    return _Column(np.array(true)[code], np.array(null)[code])


@singledispatch
def _worked(expr: Expr, _: Columns) -> _Column:
    raise TypeError(f"{type(expr).__name__} is not vectorised")


@_worked.register
def _(expr: Constant, columns: Columns) -> _Column:
    first = next(iter(columns.values()))
    n = len(first.code if isinstance(first, Coded) else first)
    value: Any = 0.0 if expr.value is None else expr.value
    return _Column(np.full(n, value), np.full(n, expr.value is None))


@_worked.register
def _(expr: Field, columns: Columns) -> _Column:
    return _read(np.asanyarray(columns[expr.path]))


@_worked.register(Similarity)
@_worked.register(Rank)
def _(expr: Any, columns: Columns) -> _Column:
    return _read(np.asanyarray(columns[expr]))


def _read(values: NDArray[Any]) -> _Column:
    if isinstance(values, np.ma.MaskedArray):
        return _Column(values.data, np.ma.getmaskarray(values))
    return _Column(values, np.isnan(values))


@_worked.register
def _(expr: Not, columns: Columns) -> _Column:
    value, null = _column(expr.operand, columns)
    return _Column(~value.astype(bool), null)


@_worked.register
def _(expr: And, columns: Columns) -> _Column:
    return _all([_column(e, columns) for e in expr.operands])


@_worked.register
def _(expr: Or, columns: Columns) -> _Column:
    return _any([_column(e, columns) for e in expr.operands])


def _all(parts: list[_Column]) -> _Column:
    false = np.any([~p.value.astype(bool) & ~p.null for p in parts], axis=0)
    null = np.any([p.null for p in parts], axis=0) & ~false
    return _Column(~false, null)


def _any(parts: list[_Column]) -> _Column:
    true = np.any([p.value.astype(bool) & ~p.null for p in parts], axis=0)
    return _Column(true, np.any([p.null for p in parts], axis=0) & ~true)


@_worked.register
def _(expr: Compare, columns: Columns) -> _Column:
    left, right = _column(expr.left, columns), _column(expr.right, columns)
    return _compared(expr.operator, left, right)


def _compared(operator: str, left: _Column, right: _Column) -> _Column:
    """NaN, where it is a value, equals itself and is greater than the rest."""
    a, b = left.value, right.value
    nan_a, nan_b = np.isnan(a), np.isnan(b)
    equal = (a == b) | (nan_a & nan_b)
    less = (a < b) | (nan_b & ~nan_a)
    value = {
        "=": equal,
        "<>": ~equal,
        "<": less,
        "<=": less | equal,
        ">": ~(less | equal),
        ">=": ~less,
    }[operator]
    return _Column(value, left.null | right.null)


@_worked.register
def _(expr: Between, columns: Columns) -> _Column:
    operand = _column(expr.operand, columns)
    low, high = _column(expr.low, columns), _column(expr.high, columns)
    return _all([_compared(">=", operand, low), _compared("<=", operand, high)])


@_worked.register
def _(expr: In, columns: Columns) -> _Column:
    operand = _column(expr.operand, columns)
    return _any([_compared("=", operand, _column(o, columns)) for o in expr.options])


@_worked.register
def _(expr: IsNull, columns: Columns) -> _Column:
    null = _column(expr.operand, columns).null
    return _Column(null, np.zeros_like(null))


@_worked.register
def _(expr: Arithmetic, columns: Columns) -> _Column:
    left, right = _column(expr.left, columns), _column(expr.right, columns)
    a, b = left.value.astype(float), right.value.astype(float) + 0.0
    null = left.null | right.null
    if expr.operator == "%" and type_of(expr).whole:
        null = null | (b == 0)
    operation = {
        "+": np.add,
        "-": np.subtract,
        "*": np.multiply,
        "/": np.divide,
        "%": np.fmod,
    }[expr.operator]
    value = operation(a, b)
    if type_of(expr).whole and (np.abs(value[~null]) > _EXACT).any():
        raise _InexactError
    return _Column(value, null)


@_worked.register
def _(expr: Negative, columns: Columns) -> _Column:
    value, null = _column(expr.operand, columns)
    return _Column(-value.astype(float), null)


@_worked.register
def _(expr: Case, columns: Columns) -> _Column:
    default = expr.default if expr.default is not None else Constant(None)
    value, null = _column(default, columns)
    operand = None if expr.operand is None else _column(expr.operand, columns)
    for when in reversed(expr.whens):
        holds = _column(when.condition, columns)
        if operand is not None:
            holds = _compared("=", operand, holds)
        true = holds.value.astype(bool) & ~holds.null
        then = _column(when.value, columns)
        value = np.where(true, then.value, value)
        null = np.where(true, then.null, null)
    return _Column(value, null)


@_worked.register
def _(expr: Call, columns: Columns) -> _Column:
    first, *others = [_column(a, columns) for a in expr.arguments]
    if expr.name == "COALESCE":
        value, null = first
        for other in others:
            value = np.where(null, other.value, value)
            null = null & other.null
        return _Column(value, null)
    if expr.name == "ABS":
        return _Column(np.abs(first.value), first.null)
    places = int(others[0].value[0]) if others else 0
    return _Column(_rounded(first.value.astype(float), places), first.null)


def _rounded(value: NDArray[np.float64], places: int) -> NDArray[np.float64]:
    scale = 10.0 ** abs(places)
    scaled = np.abs(value) * scale if places >= 0 else np.abs(value) / scale
    below = np.floor(scaled)
    whole = np.where(scaled - below >= 0.5, below + 1, below)
    result = np.copysign(whole / scale if places >= 0 else whole * scale, value)
    return np.where(np.isfinite(scaled), result, value)
