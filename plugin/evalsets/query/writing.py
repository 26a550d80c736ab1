"""Conditions that are written for people: added to a query's text, or changed in it."""

from __future__ import annotations

import math
from collections.abc import Callable

from evalsets.errors import ArgumentError
from evalsets.query.check import check
from evalsets.query.parse import parse
from evalsets.query.syntax import (
    And,
    Compare,
    Constant,
    Contains,
    Expr,
    Field,
    IsNull,
    Like,
    Not,
    Or,
    Query,
    Value,
)
from evalsets.query.text import to_text
from evalsets.query.times import date_of, time_of
from evalsets.query.types import FieldType, Schema

OPERATORS = {
    "number": ("=", "<>", "<", "<=", ">", ">="),
    "text": ("=", "<>", "contains"),
    "boolean": ("=",),
    "date": ("=", "<>", "<", "<=", ">", ">="),
    "time": ("<", "<=", ">", ">="),
    "list": ("contains",),
}
"""What a field of a kind can be asked; ``is missing`` can be asked of any."""
MISSING, PRESENT = "is missing", "is there"


def joined(text: str, condition: Expr) -> str:
    """A query's text with one more condition; what was typed stays as it was.

    Raises:
        QueryError: ``text`` cannot be read
    """
    if not text.strip():
        return to_text(condition)
    query = parse(text)
    where = query.where
    if where is None:
        return to_text(Query(condition, query.order_by, query.limit))
    if query.order_by or query.limit is not None:
        both = And((where, condition))
        return to_text(Query(both, query.order_by, query.limit))
    before = f"({text.strip()})" if isinstance(where, Or) else text.strip()
    return f"{before} AND {to_text(condition)}"


def with_constant(text: str, old: Expr, value: float) -> str | None:
    """The text with a number in place of an expression; None where it has no place."""
    if old.span is None:
        return None
    return f"{text[: old.span.start]}{value:g}{text[old.span.end :]}"


def field_condition(schema: Schema, path: str, operator: str, value: str) -> Expr:
    """A condition on a field, from what was chosen and typed.

    Args:
        schema: of the dataset
        path: of the field
        operator: one of its kind's ``OPERATORS``, ``MISSING`` or ``PRESENT``
        value: as typed, without quotes

    Raises:
        QueryError: no such field
        ArgumentError: an operator or a value that the field cannot take
    """
    field = Field(path)
    if operator in (MISSING, PRESENT):
        asked: Expr = IsNull(field)
        asked = asked if operator == MISSING else Not(asked)
    else:
        check(Query(IsNull(field)), schema)
        type_ = schema.fields[path]
        if operator not in OPERATORS.get(type_.kind, ()):
            raise ArgumentError(f"Field '{path}' cannot be asked '{operator}'")
        asked = _compared(field, type_, operator, value.strip())
    check(Query(asked), schema)
    return asked


def _compared(field: Field, type_: FieldType, operator: str, value: str) -> Expr:
    if type_.kind == "list":
        item = type_.item.kind if type_.item else "text"
        return Contains(field, Constant(_value(field.path, item, value)))
    if operator == "contains":
        return _holding(field, value)
    return Compare(operator, field, Constant(_value(field.path, type_.kind, value)))


def _holding(field: Field, value: str) -> Like:
    """Text that holds another, in whatever case."""
    plain = not set(value) & set("%_!")
    if plain:
        return Like(field, f"%{value}%", fold=True)
    quoted = "".join(f"!{c}" if c in "%_!" else c for c in value)
    return Like(field, f"%{quoted}%", fold=True, escape="!")


def _value(path: str, kind: str, typed: str) -> Value:
    """What was typed for a field, as its kind reads it."""
    try:
        return _READ[kind](typed)
    except (KeyError, ValueError) as error:
        wanted = _WANTED.get(kind, "a value")
        raise ArgumentError(
            f"Field '{path}' is compared with {wanted}, not with '{typed}'"
        ) from error


def _number(typed: str) -> int | float:
    try:
        return int(typed)
    except ValueError:
        value = float(typed)
    if not math.isfinite(value):
        raise ValueError(typed)
    return value


def _truth(typed: str) -> bool:
    return {"true": True, "false": False}[typed.lower()]


_READ: dict[str, Callable[[str], Value]] = {
    "number": _number,
    "text": str,
    "boolean": _truth,
    "date": date_of,
    "time": time_of,
}
_WANTED = {
    "number": "a number",
    "boolean": "true or false",
    "date": "a date such as 2026-01-31",
    "time": "a time such as 2026-01-31 08:00",
}
