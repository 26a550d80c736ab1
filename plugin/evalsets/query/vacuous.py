"""Comparisons that tell no samples apart, and what was meant by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from evalsets.query.syntax import (
    Between,
    Compare,
    Constant,
    Expr,
    In,
    IsNull,
    Negative,
    Not,
    Query,
    Similarity,
    rebuild,
    walk,
)
from evalsets.query.text import to_text


def vacuous(query: Query) -> list[str]:
    """What compares in vain, a sentence each: SQL allows it, and nobody means it."""
    nodes = (node for root in query.roots() for node in walk(root))
    return list(dict.fromkeys(said for node in nodes for said in _said(node)))


def meant(query: Query) -> Query:
    """The query with what was meant by such comparisons, as far as that is clear."""
    where = None if query.where is None else _meant(query.where)
    orders = tuple(replace(o, key=_meant(o.key)) for o in query.order_by)
    return replace(query, where=where, order_by=orders)


def _said(node: Expr) -> Iterator[str]:
    if isinstance(node, Compare):
        sides = ((node.left, node.right), (node.right, node.left))
        if any(_is_null(side) for side in (node.left, node.right)):
            yield f"{to_text(node)} is never true, since NULL equals nothing"
        for side, other in sides:
            bound = 2 if isinstance(side, Similarity) and side.against else 1
            cut = _number(other)
            if isinstance(side, Similarity) and cut is not None and abs(cut) > bound:
                yield (
                    f"{side.kind}() is from -{bound} to {bound}, so that "
                    f"{to_text(node)} tells nothing apart"
                )
    elif isinstance(node, Between) and _is_turned(node):
        yield f"{to_text(node)} tells nothing apart, since the lower bound comes first"
    elif isinstance(node, Between) and (_is_null(node.low) or _is_null(node.high)):
        yield f"{to_text(node)} is never true, since NULL bounds nothing"
    elif isinstance(node, Not) and _may_be_null(node.operand):
        yield f"{to_text(node)} is never true, since NULL may equal anything"


def _meant(expr: Expr) -> Expr:
    if isinstance(expr, Compare) and expr.operator in ("=", "<>"):
        for side, other in ((expr.left, expr.right), (expr.right, expr.left)):
            if _is_null(other) and not _is_null(side):
                return IsNull(side) if expr.operator == "=" else Not(IsNull(side))
    if isinstance(expr, Between) and _is_turned(expr):
        return replace(expr, low=expr.high, high=expr.low)
    return rebuild(expr, _meant)


def _may_be_null(expr: Expr) -> bool:
    return isinstance(expr, In) and any(map(_is_null, expr.options))


def _is_null(expr: Expr) -> bool:
    return isinstance(expr, Constant) and expr.value is None


def _is_turned(expr: Between) -> bool:
    low, high = _value(expr.low), _value(expr.high)
    numbers = isinstance(low, (int, float)) and isinstance(high, (int, float))
    return (numbers or (type(low) is type(high) is str)) and low > high


def _number(expr: Expr) -> float | None:
    value = _value(expr)
    return value if isinstance(value, (int, float)) else None


def _value(expr: Expr) -> Any:
    """That of a constant; None for anything else."""
    if isinstance(expr, Negative):
        number = _number(expr.operand)
        return None if number is None else -number
    return expr.value if isinstance(expr, Constant) else None
