"""The type of a value, from the types of the fields below it."""

from __future__ import annotations

from datetime import date, datetime
from functools import singledispatch

from evalsets.query.syntax import (
    Aggregate,
    Arithmetic,
    Call,
    Case,
    Constant,
    Expr,
    Field,
    Negative,
    Rank,
    Similarity,
)
from evalsets.query.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NULL,
    NUMBER,
    OTHER,
    TEXT,
    TIME,
    FieldType,
)


@singledispatch
def type_of(expr: Expr) -> FieldType:  # noqa: ARG001
    """The type of a checked expression; what has no rule of its own is a condition."""
    return BOOLEAN


def common_type(*exprs: Expr) -> FieldType | None:
    """The one type of several values; None if they have none. NULL fits every type.

    A whole number and a fraction make a fraction; a date and a time make a time.
    """
    common = NULL
    for type_ in map(type_of, exprs):
        kinds = {common.kind, type_.kind}
        if common.kind == "null":
            common = type_
        elif kinds == {"number"} and not type_.whole:
            common = NUMBER
        elif kinds == {"date", "time"}:
            common = TIME
        elif len(kinds - {"null"}) > 1:
            return None
    return common


@type_of.register
def _(expr: Constant) -> FieldType:
    value = expr.value
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, (int, float)):
        return INTEGER if isinstance(value, int) else NUMBER
    if isinstance(value, (date, datetime)):
        return TIME if isinstance(value, datetime) else DATE
    return TEXT


@type_of.register
def _(expr: Field) -> FieldType:
    return expr.type or OTHER


@type_of.register
def _(expr: Arithmetic) -> FieldType:
    both_whole = type_of(expr.left).whole and type_of(expr.right).whole
    return INTEGER if both_whole and expr.operator != "/" else NUMBER


@type_of.register
def _(expr: Negative) -> FieldType:
    return INTEGER if type_of(expr.operand).whole else NUMBER


@type_of.register
def _(expr: Case) -> FieldType:
    default = (expr.default,) if expr.default is not None else ()
    return common_type(*(w.value for w in expr.whens), *default) or OTHER


@type_of.register
def _(expr: Call) -> FieldType:
    if expr.name == "LENGTH":
        return INTEGER
    if expr.name in ("LOWER", "UPPER"):
        return TEXT
    if expr.name == "COALESCE":
        return common_type(*expr.arguments) or OTHER
    return INTEGER if type_of(expr.arguments[0]).whole else NUMBER


@type_of.register
def _(expr: Aggregate) -> FieldType:
    if expr.name in ("ANY", "ALL"):
        return BOOLEAN
    if expr.name == "COUNT":
        return INTEGER
    return NUMBER


@type_of.register
def _(_: Similarity) -> FieldType:
    return NUMBER


@type_of.register
def _(_: Rank) -> FieldType:
    return INTEGER
