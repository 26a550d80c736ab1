"""Conditions on compiled operands: when true, when false; NULL is neither."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from evalsets.datasets.mongo import (
    NAN,
    Mongo,
    all_of,
    any_of,
    is_known,
    is_null,
    literal,
    object_ids,
)
from evalsets.query.infer import type_of
from evalsets.query.interpret import like_pieces
from evalsets.query.letters import same_lower
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
    Members,
)

Truth: TypeAlias = tuple[Mongo, Mongo]

OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "<>", "<>": "="}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_EXACT = 2**53  # up to which fractions hold every whole number


def beside_constant(expr: Compare, *, holds: bool) -> tuple[Expr, str, Expr]:
    """The comparison that is true where ``expr`` is, or is not, a constant on the right."""
    left, operator, right = expr.left, expr.operator, expr.right
    if isinstance(left, Constant):
        left, operator, right = right, _TURNED[operator], left
    return left, operator if holds else OPPOSITE[operator], right


def by_difference(
    expr: Expr, value: Callable[[Expr], Mongo], *, holds: bool
) -> Mongo | None:
    """How a fraction stands to a constant, by the sign of what lacks to it.

    Asked so, NaN is above every number, as it should be, without being looked for.

    Args:
        expr: the condition
        value: compiles an operand
        holds: whether to look for true or false

    Returns:
        None for what is no such comparison
    """
    if not isinstance(expr, Compare):
        return None
    operand, operator, right = beside_constant(expr, holds=holds)
    bound = right.value if isinstance(right, Constant) else None
    if operator not in _BY_SIGN or isinstance(operand, Field):
        return None  # a field is compared whatever it holds
    if not _may_be_nan(operand) or not _is_exact(bound):
        return None
    sign, of_null = _BY_SIGN[operator]
    lacking = {"$subtract": [literal(bound), value(operand)]}
    return {sign: [{"$ifNull": [lacking, of_null]}, 0]}


_BY_SIGN = {">": ("$lt", 0), ">=": ("$lte", 1), "<": ("$gt", 0), "<=": ("$gte", -1)}


def _is_exact(bound: object) -> bool:
    if type(bound) is int:
        return abs(bound) <= _EXACT
    return type(bound) is float and math.isfinite(bound)


def _less(left: Expr, right: Expr, a: Mongo, b: Mongo) -> Mongo:
    """``a < b``; neither is NULL."""
    if isinstance(left, Constant):
        test = {"$gt": [b, a]}  # the field first: only so MongoDB uses its index
        return any_of(test, {"$eq": [b, NAN]}) if _may_be_nan(right) else test
    test = {"$lt": [a, b]}
    if not _is_number(left, right):
        return all_of(is_known(a), test)
    if _may_be_nan(right):
        test = any_of(test, {"$eq": [b, NAN]})
    return all_of({"$gt": [a, NAN]}, test)


def _at_most(left: Expr, right: Expr, a: Mongo, b: Mongo) -> Mongo:
    """``a <= b``; neither is NULL."""
    if isinstance(left, Constant):
        test = {"$gte": [b, a]}
        return any_of(test, {"$eq": [b, NAN]}) if _may_be_nan(right) else test
    test = {"$lte": [a, b]}
    if not _is_number(left, right):
        return all_of(is_known(a), test)
    test = all_of({"$gt": [a, NAN]}, test)
    if _may_be_nan(right):
        test = any_of(test, all_of(is_known(a), {"$eq": [b, NAN]}))
    return test


def _is_number(*exprs: Expr) -> bool:
    return any(type_of(e).kind == "number" for e in exprs)


def _may_be_nan(expr: Expr) -> bool:
    type_ = type_of(expr)
    return type_.kind == "number" and not type_.whole and not isinstance(expr, Constant)


def _equal(left: Expr, right: Expr, a: Mongo, b: Mongo) -> Truth:
    sides = [v for e, v in ((left, a), (right, b)) if not isinstance(e, Constant)]
    known = [is_known(v) for v in sides]
    same = {"$eq": [a, b]}
    return (
        same if len(sides) < 2 else all_of(known[0], same),
        all_of(*known, {"$ne": [a, b]}),
    )


def _has_null(*exprs: Expr) -> bool:
    return any(isinstance(e, Constant) and e.value is None for e in exprs)


def _compare(expr: Compare, a: Mongo, b: Mongo) -> Truth:
    left, right, operator = expr.left, expr.right, expr.operator
    if _has_null(left, right):
        return False, False
    if operator in ("=", "<>"):
        same, other = _equal(left, right, a, b)
        return (same, other) if operator == "=" else (other, same)
    if operator in (">", "<="):
        left, right, a, b = right, left, b, a
    less, not_less = _less(left, right, a, b), _at_most(right, left, b, a)
    return (less, not_less) if operator in ("<", ">") else (not_less, less)


def _between(expr: Between, v: Mongo, low: Mongo, high: Mongo) -> Truth:
    lower_, upper_ = (
        _compare(Compare(operator, expr.operand, bound), v, b)
        for operator, bound, b in ((">=", expr.low, low), ("<=", expr.high, high))
    )
    return all_of(lower_[0], upper_[0]), any_of(lower_[1], upper_[1])


def _in(expr: In, v: Mongo, *options: Mongo) -> Truth:
    """Constants in one list; others, or a single one, equality by equality."""
    if all(isinstance(option, Constant) for option in expr.options) and options[1:]:
        return _in_constants(expr, v, *options)
    tests = [
        _compare(Compare("=", expr.operand, option), v, o)
        for option, o in zip(expr.options, options, strict=True)
    ]
    return any_of(*(true for true, _ in tests)), all_of(*(false for _, false in tests))


def _in_constants(expr: In, v: Mongo, *options: Mongo) -> Truth:
    known = [o for e, o in zip(expr.options, options, strict=True) if not _has_null(e)]
    if _has_null(expr.operand) or not known:
        return False, False
    found = {"$in": [v, known]}
    has_null = len(known) < len(options)
    return found, False if has_null else all_of(is_known(v), {"$not": [found]})


def _contains(expr: Contains, elements: Mongo, member: Mongo) -> Truth:
    empty = {"$eq": [elements, literal([])]}  # which holds nothing, not even NULL
    if _has_null(expr.member):
        return False, empty
    found = {"$in": [member, {"$ifNull": [elements, []]}]}
    absent = all_of(is_known(elements), {"$not": [found]})
    if isinstance(expr.member, Constant):
        return found, absent
    known = is_known(member)
    return all_of(known, found), any_of(empty, all_of(known, absent))


def _like(expr: Like, text: Mongo) -> Truth:
    if _has_null(expr.operand):
        return False, False
    match = {"input": text, "regex": literal(regex_of(expr)), "options": "s"}
    found = {"$regexMatch": match}
    return found, all_of(is_known(text), {"$not": [found]})


def regex_of(expr: Like) -> str:
    """A regular expression that never goes back over what stood before a ``%``."""
    pieces = like_pieces(expr)
    first, *rest = ["".join(_one(c, expr.fold) for c in piece) for piece in pieces]
    if not rest:
        return rf"\A{first}\z"
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1] if piece)
    end = rf".*{rest[-1]}\z" if rest[-1] else ""
    return rf"\A{first}{middle}{end}"


def _one(character: str, fold: bool) -> str:
    if not character:
        return "."
    found = "".join(map(_escaped, same_lower(character) if fold else character))
    return f"[{found}]" if fold else found


def _escaped(character: str) -> str:
    plain = character.isascii() and character.isalnum()
    return character if plain else f"\\x{{{ord(character):x}}}"


def _null_test(_: IsNull, value: Mongo) -> Truth:
    return is_null(value), is_known(value)


def _members(expr: Members) -> Truth:
    true, either = (
        {"$in": ["$_id", literal(object_ids(ids))]}
        for ids in (expr.true, expr.true | expr.null)
    )
    return true, {"$not": [either]}


TESTS: dict[type[Expr], Callable[..., Truth]] = {
    Compare: _compare,
    Between: _between,
    In: _in,
    Contains: _contains,
    Like: _like,
    IsNull: _null_test,
    Members: _members,
}
