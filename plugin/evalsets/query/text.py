"""Query → text. The text reads back as an equal query."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache, singledispatch

from evalsets.query.parse import is_plain_name
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
    Negative,
    Not,
    Or,
    Order,
    Prediction,
    Query,
    Rank,
    Similarity,
    When,
)

# How tightly a construct binds; a looser one inside it needs parentheses.
_OR, _AND, _NOT, _TEST, _SUM, _PRODUCT, _SIGN, _ATOM = range(8)


def to_text(query: Query | Expr) -> str:
    """The text of a query or of a part of one.

    Raises:
        TypeError: a part that has no text form (``Members``)
    """
    if isinstance(query, Expr):
        return _text(query)
    where = _text(query.where) if query.where else ""
    if not query.order_by and query.limit is None and where:
        return where
    parts = ["SELECT * FROM dataset"]
    if where:
        parts.append(f"WHERE {where}")
    if query.order_by:
        parts.append("ORDER BY " + ", ".join(map(_text, query.order_by)))
    if query.limit is not None:
        parts.append(f"LIMIT {query.limit}")
    return " ".join(parts)


@singledispatch
def _text(expr: Expr) -> str:
    raise TypeError(f"{type(expr).__name__} has no text form")


def _within(expr: Expr, least: int) -> str:
    """The text of ``expr``, in parentheses if it binds less tightly than ``least``."""
    text = _text(expr)
    return text if _binding(expr) >= least else f"({text})"


def _binding(expr: Expr) -> int:
    if isinstance(expr, Arithmetic):
        return _SUM if expr.operator in "+-" else _PRODUCT
    if isinstance(expr, Constant):
        return _SIGN if _text(expr).startswith("-") else _ATOM
    if isinstance(expr, Not) and isinstance(expr.operand, _TESTS):
        return _TEST
    return _BINDING.get(type(expr), _ATOM)


_TESTS = (IsNull, In, Contains, Between, Like)
_BINDING: dict[type[Expr], int] = {
    Or: _OR,
    And: _AND,
    Not: _NOT,
    Compare: _TEST,
    **dict.fromkeys(_TESTS, _TEST),
    Negative: _SIGN,
}


def _listed(exprs: tuple[Expr, ...]) -> str:
    return ", ".join(map(_text, exprs))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@_text.register
def _(expr: Constant) -> str:
    value = expr.value
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "TRUE", False: "FALSE"}[value]
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(' ')}'"
    return f"DATE '{value.isoformat()}'"


@_text.register
def _(expr: Field) -> str:
    return ".".join(map(_name, expr.path.split(".")))


@lru_cache(maxsize=1024)
def _name(name: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and is_plain_name(name)
    return name if plain else '"' + name.replace('"', '""') + '"'


@_text.register
def _(expr: Prediction) -> str:
    return f"prediction({_quoted(expr.model)})"


@_text.register
def _(expr: InPopulation) -> str:
    return f"population({_quoted(expr.name)})"


@_text.register
def _(expr: And) -> str:
    return " AND ".join(_within(e, _NOT) for e in expr.operands)


@_text.register
def _(expr: Or) -> str:
    return " OR ".join(_within(e, _AND) for e in expr.operands)


@_text.register
def _(expr: Not) -> str:
    if isinstance(expr.operand, _TESTS):
        return _test(expr.operand, "NOT ")
    return f"NOT {_within(expr.operand, _TEST)}"


@_text.register(IsNull)
@_text.register(In)
@_text.register(Contains)
@_text.register(Between)
@_text.register(Like)
def _(expr: Expr) -> str:
    return _test(expr, "")


def _test(expr: Expr, negation: str) -> str:
    """A test whose ``NOT`` stands inside it."""
    if isinstance(expr, IsNull):
        return f"{_within(expr.operand, _SUM)} IS {negation}NULL"
    if isinstance(expr, In):
        member = _within(expr.operand, _SUM)
        return f"{member} {negation}IN ({_listed(expr.options)})"
    if isinstance(expr, Contains):
        elements, member = expr.elements, _within(expr.member, _SUM)
        return f"{_within(elements, _SUM)} {negation}CONTAINS {member}"
    if isinstance(expr, Between):
        low, high = _within(expr.low, _SUM), _within(expr.high, _SUM)
        return f"{_within(expr.operand, _SUM)} {negation}BETWEEN {low} AND {high}"
    assert isinstance(expr, Like)  # noqa: S101 - the last of _TESTS
    word = "ILIKE" if expr.fold else "LIKE"
    escape = f" ESCAPE {_quoted(expr.escape)}" if expr.escape else ""
    operand = _within(expr.operand, _SUM)
    return f"{operand} {negation}{word} {_quoted(expr.pattern)}{escape}"


@_text.register
def _(expr: Compare) -> str:
    left, right = _within(expr.left, _SUM), _within(expr.right, _SUM)
    return f"{left} {expr.operator} {right}"


@_text.register
def _(expr: Arithmetic) -> str:
    level = _binding(expr)
    left, right = _within(expr.left, level), _within(expr.right, level + 1)
    return f"{left} {expr.operator} {right}"


@_text.register
def _(expr: Negative) -> str:
    return f"-{_within(expr.operand, _ATOM)}"


@_text.register
def _(expr: When) -> str:
    return f"WHEN {_text(expr.condition)} THEN {_text(expr.value)}"


@_text.register
def _(expr: Case) -> str:
    parts = ["CASE", *map(_text, expr.whens), "END"]
    if expr.default is not None:
        parts.insert(-1, f"ELSE {_text(expr.default)}")
    if expr.operand is not None:
        parts.insert(1, _text(expr.operand))
    return " ".join(parts)


@_text.register
def _(expr: Call) -> str:
    return f"{expr.name}({_listed(expr.arguments)})"


@_text.register
def _(expr: Aggregate) -> str:
    inner = f", {_text(expr.inner)}" if expr.inner else ""
    return f"{expr.name}({_text(expr.objects)}{inner})"


@_text.register
def _(expr: Similarity) -> str:
    wanted = ", ".join(map(_quoted, expr.arguments))
    against = ", ".join(map(_quoted, expr.against))
    if len(expr.against) > 1:
        against = f"({against})"
    return f"{expr.kind}({wanted}{against and f', against={against}'})"


@_text.register
def _(expr: Rank) -> str:
    return f"RANK({_text(expr.similarity)})"


@_text.register
def _(expr: Order) -> str:
    direction = " DESC" if expr.descending else ""
    return _text(expr.key) + direction + (" NULLS FIRST" if expr.nulls_first else "")
