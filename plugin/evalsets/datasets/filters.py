"""Conditions on one field as MongoDB's filters, which take it half as long as expressions.

A filter leaves NULL and NaN out of ``<`` and ``>`` by itself. Values of a user stand
only behind an operator of ours, and paths come from the dataset's schema.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeGuard

from evalsets.datasets.conditions import OPPOSITE, beside_constant, regex_of
from evalsets.query.infer import type_of
from evalsets.query.syntax import (
    Between,
    Compare,
    Constant,
    Contains,
    Expr,
    Field,
    In,
    IsNull,
    Like,
    Rank,
    Similarity,
    Term,
)
from evalsets.query.types import FieldType

Columns: TypeAlias = Mapping[Term, Any]
Filter: TypeAlias = "dict[str, Any] | None"

_OPERATORS = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "=": "$eq"}
_SCALARS = ("number", "text", "boolean")
_LARGE = 2**63  # beyond it MongoDB has no whole numbers
_LONGEST = 4000  # characters of a regular expression; MongoDB takes 32,764


def filter_of(expr: Expr, columns: Columns, *, holds: bool) -> Filter:
    """A filter of where a condition is true or, without ``holds``, false.

    Args:
        expr: the condition
        columns: path of the field that holds the value of each similarity
        holds: whether to look for true or false

    Returns:
        None for what takes an expression
    """
    rule = _RULES.get(type(expr))
    return None if rule is None else rule(expr, columns, holds)


def _field(expr: Field, columns: Columns, holds: bool) -> Filter:
    path = _path(expr, columns, ("boolean",))
    return None if path is None else {path: {"$eq": holds}}


def _compare(expr: Compare, columns: Columns, holds: bool) -> Filter:
    operand, operator, constant = beside_constant(expr, holds=holds)
    path = _path(operand, columns, _SCALARS)
    type_ = type_of(operand)
    if path is None or not _fits(constant, type_):
        return None
    value = constant.value
    if operator == "<>":
        return {path: {"$nin": [value, None]}}
    if operator != "=" and isinstance(value, bool):
        return None
    if operator in (">", ">=") and type_.kind == "number" and not type_.whole:
        opposite = _OPERATORS[OPPOSITE[operator]]  # NaN is above all numbers
        return {path: {"$not": {opposite: value}, "$type": "number"}}
    return {path: {_OPERATORS[operator]: value}}


def _between(expr: Between, columns: Columns, holds: bool) -> Filter:
    path = _path(expr.operand, columns, ("number", "text"))
    if path is None or not holds:
        return None
    bounds = [b for b in (expr.low, expr.high) if _fits(b, type_of(expr.operand))]
    if len(bounds) < 2:
        return None
    return {path: {"$gte": bounds[0].value, "$lte": bounds[1].value}}


def _in(expr: In, columns: Columns, holds: bool) -> Filter:
    path = _path(expr.operand, columns, _SCALARS)
    null = [o for o in expr.options if isinstance(o, Constant) and o.value is None]
    others = [o for o in expr.options if o not in null]
    if path is None or not all(_fits(o, type_of(expr.operand)) for o in others):
        return None
    values = [option.value for option in others if isinstance(option, Constant)]
    if holds:
        return {path: {"$in": values}}
    return None if null else {path: {"$nin": [*values, None]}}


def _contains(expr: Contains, columns: Columns, holds: bool) -> Filter:
    item = type_of(expr.elements).item
    path = _path(expr.elements, columns, ("list",))
    if path is None or item is None or not holds or not _fits(expr.member, item):
        return None
    return {path: {"$eq": expr.member.value}}


def _like(expr: Like, columns: Columns, holds: bool) -> Filter:
    path, regex = _path(expr.operand, columns, ("text",)), regex_of(expr)
    if path is None or len(regex) > _LONGEST:
        return None
    found = {"$regex": regex, "$options": "s"}
    return {path: found if holds else {"$not": found, "$type": "string"}}


def _is_null(expr: IsNull, columns: Columns, holds: bool) -> Filter:
    path = _path(expr.operand, columns, _SCALARS)
    return None if path is None else {path: {"$eq" if holds else "$ne": None}}


def _path(expr: Expr, columns: Columns, kinds: tuple[str, ...]) -> str | None:
    """Where MongoDB keeps a value of a sample; None for what it does not keep as it is."""
    if isinstance(expr, (Similarity, Rank)):
        return columns[expr]
    if not isinstance(expr, Field) or expr.inner:
        return None
    type_ = type_of(expr)
    kept = type_.stored_as == "value" and type_.kind in kinds
    return (type_.path or expr.path) if kept else None


def _fits(expr: Expr, type_: FieldType) -> TypeGuard[Constant]:
    """Whether it is a constant that MongoDB compares with such values as we do."""
    if not isinstance(expr, Constant):
        return False
    value = expr.value
    if type_.kind == "number" and type(value) in (int, float):
        return math.isfinite(value) and abs(value) < _LARGE  # type: ignore[arg-type]
    return type(value) is {"text": str, "boolean": bool}.get(type_.kind)


_RULES: dict[type[Expr], Callable[[Any, Columns, bool], Filter]] = {
    Field: _field,
    Compare: _compare,
    Between: _between,
    In: _in,
    Contains: _contains,
    Like: _like,
    IsNull: _is_null,
}
