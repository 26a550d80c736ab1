"""A checked query → MongoDB's expressions, by one rule a construct.

Three rules that call each other turn a node into a MongoDB expression: ``true`` and
``false`` give plain truth values, never null, and ``value`` gives its value or null. Each
rule compiles each operand once, so the result grows with the query and no faster. Text
of a user becomes a ``$literal``; paths come from the dataset's schema.

What MongoDB does differently, and is put right here: null and missing are less than every
number, NaN is the least number, ``$toLower`` of null is text, ``$divide`` by zero is an
error even where it is not reached (constants are folded), ``$round`` rounds halves to even, ``$min`` and ``$max`` follow MongoDB's NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timezone
from typing import Any, TypeAlias

from bson import ObjectId

from evalsets.query.infer import type_of
from evalsets.query.interpret import like_characters
from evalsets.query.letters import lower, table
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
    IsNull,
    Like,
    Members,
    Negative,
    Not,
    Or,
    Rank,
    Similarity,
    Term,
    children,
)

Mongo: TypeAlias = Any
NAN: Mongo = {"$toDouble": "NaN"}  # a bare NaN in a saved view breaks the App's JSON
_INFINITY: Mongo = {"$toDouble": "Infinity"}
_NULL: Mongo = {"$literal": None}


def object_ids(ids: frozenset[str]) -> list[ObjectId]:
    """Sample ids as MongoDB keeps them, in order."""
    return [ObjectId(id_) for id_ in sorted(ids)]


def is_null(value: Mongo) -> Mongo:
    """Whether ``value`` is null or missing."""
    return {"$lte": [value, _NULL]}


def _known(value: Mongo) -> Mongo:
    return {"$gt": [value, _NULL]}


def _all(*tests: Mongo) -> Mongo:
    return tests[0] if len(tests) == 1 else {"$and": list(tests)}


def _any(*tests: Mongo) -> Mongo:
    return tests[0] if len(tests) == 1 else {"$or": list(tests)}


def _if(test: Mongo, then: Mongo, otherwise: Mongo) -> Mongo:
    return {"$cond": [test, then, otherwise]}


def _let(values: list[Mongo], build: Callable[..., Mongo], name: str = "v") -> Mongo:
    """``build`` of the values, each of them computed once and then called by name."""
    bound = {f"{name}{i}": v for i, v in enumerate(values) if not _is_simple(v)}
    names = [
        f"$${name}{i}" if f"{name}{i}" in bound else v for i, v in enumerate(values)
    ]
    return {"$let": {"vars": bound, "in": build(*names)}} if bound else build(*names)


def _is_simple(value: Mongo) -> bool:
    constant = isinstance(value, dict) and set(value) <= {"$literal", "$toDate"}
    return isinstance(value, str) or constant


def _truth(true: Mongo, false: Mongo) -> Mongo:
    return _if(true, True, _if(false, False, None))


class Compiler:
    """Compiles the nodes of one query.

    Args:
        columns: path of the field that holds the value of each similarity
    """

    def __init__(self, columns: Mapping[Term, Any]) -> None:
        self.columns = columns

    def true(self, expr: Expr) -> Mongo:
        """Whether ``expr`` is true; false where it is NULL."""
        if isinstance(expr, And):
            return {"$and": [self.true(e) for e in expr.operands]}
        if isinstance(expr, Or):
            return {"$or": [self.true(e) for e in expr.operands]}
        if isinstance(expr, Not):
            return self.false(expr.operand)
        if isinstance(expr, Constant):
            return expr.value is True
        return self._test(expr, lambda true, _: true)

    def false(self, expr: Expr) -> Mongo:
        """Whether ``expr`` is false; false where it is NULL."""
        if isinstance(expr, And):
            return {"$or": [self.false(e) for e in expr.operands]}
        if isinstance(expr, Or):
            return {"$and": [self.false(e) for e in expr.operands]}
        if isinstance(expr, Not):
            return self.true(expr.operand)
        if isinstance(expr, Constant):
            return expr.value is False
        return self._test(expr, lambda _, false: false)

    def value(self, expr: Expr) -> Mongo:
        """The value of ``expr``; null or missing where it is NULL."""
        rule = _VALUES.get(type(expr))
        return rule(self, expr) if rule else self._test(expr, _truth)

    def _test(self, expr: Expr, pick: Callable[[Mongo, Mongo], Mongo]) -> Mongo:
        """``pick`` of when a condition is true and when it is false."""
        rule = _TESTS.get(type(expr))
        if rule is None:
            return _let(
                [self.value(expr)],
                lambda v: pick(
                    {"$eq": [v, _literal(True)]}, {"$eq": [v, _literal(False)]}
                ),
            )
        operands = [self.value(child) for child in children(expr)]
        return _let(operands, lambda *values: pick(*rule(expr, *values)))

    def _constant(self, expr: Constant) -> Mongo:
        value = expr.value
        if isinstance(value, date):
            return _date(value)
        return _literal(value)

    def _field(self, expr: Field) -> Mongo:
        assert expr.type is not None, "only a checked query is compiled"  # noqa: S101
        stored = expr.type.path or expr.path
        path = f"$$object.{stored}" if expr.inner else f"${stored}"
        if expr.type.stored_as == "value":
            return path
        if expr.type.stored_as == "object id":
            return {"$toString": path}
        sides = {"x": [0], "y": [1], "w": [2], "h": [3], "area": [2, 3]}
        parts = [{"$arrayElemAt": [path, i]} for i in sides[expr.type.stored_as]]
        return parts[0] if len(parts) == 1 else {"$multiply": parts}

    def _term(self, expr: Any) -> Mongo:
        return f"${self.columns[expr]}"

    def _junction(self, expr: Any) -> Mongo:
        """An AND or OR as a value: decided by one operand, else NULL if any is."""
        decisive = isinstance(expr, Or)
        return _let(
            [[self.value(e) for e in expr.operands]],
            lambda v: _if(
                {"$in": [decisive, v]},
                decisive,
                _if({"$in": [None, v]}, None, not decisive),
            ),
        )

    def _negation(self, expr: Not) -> Mongo:
        return _let(
            [self.value(expr.operand)], lambda v: _if(is_null(v), None, {"$not": [v]})
        )

    def _arithmetic(self, expr: Arithmetic) -> Mongo:
        left, right = self.value(expr.left), self.value(expr.right)
        operator = {"+": "$add", "-": "$subtract", "*": "$multiply"}.get(expr.operator)
        if operator:
            return {operator: [left, right]}
        operator = "$divide" if expr.operator == "/" else "$mod"
        if isinstance(expr.right, Constant) and expr.right.value not in (0, None):
            return {operator: [left, right]}
        remainder = None if type_of(expr).whole else NAN

        def of(a: Mongo, b: Mongo) -> Mongo:
            by_zero = _if(is_null(a), None, remainder)
            if operator == "$divide":
                by_zero = _divided_by_zero(a)
            zero = {"$eq": [b, 0]}
            return _if(zero, by_zero, {operator: [a, _if(zero, 1, b)]})

        return _let([left, right], of)

    def _negative(self, expr: Negative) -> Mongo:
        return {"$multiply": [self.value(expr.operand), -1]}

    def _case(self, expr: Case) -> Mongo:
        default = None if expr.default is None else self.value(expr.default)
        values = [self.value(when.value) for when in expr.whens]
        if expr.operand is None:
            tests = [self.true(when.condition) for when in expr.whens]
            return _switch(tests, values, default)
        wanted = [self.value(when.condition) for when in expr.whens]
        return _let(
            [self.value(expr.operand)],
            lambda v: _switch(
                [_all(_known(v), {"$eq": [v, w]}) for w in wanted], values, default
            ),
        )

    def _call(self, expr: Call) -> Mongo:
        first, *others = [self.value(a) for a in expr.arguments]
        if expr.name == "COALESCE":
            return {"$ifNull": [first, *others]} if others else first
        if expr.name == "ROUND":
            places = others[0]["$literal"] if others else 0
            whole = type_of(expr.arguments[0]).whole
            return first if whole and places >= 0 else _rounded(first, places)
        return _let([first], lambda v: _FUNCTIONS[expr.name](v))

    def _aggregate(self, expr: Aggregate) -> Mongo:
        objects = {"$ifNull": [self.value(expr.objects), []]}
        if expr.inner is None:
            return {"$size": objects}
        if expr.name == "COUNT":
            kept = {"input": objects, "as": "object", "cond": self.true(expr.inner)}
            return {"$size": {"$filter": kept}}
        values = {"input": objects, "as": "object", "in": self.value(expr.inner)}
        return _let([{"$map": values}], _AGGREGATES[expr.name])


def _literal(value: Any) -> Mongo:
    return {"$literal": value}


def _date(value: date) -> Mongo:
    """A date as milliseconds: FiftyOne would rewrite one inside a literal."""
    time = value if isinstance(value, datetime) else datetime(*value.timetuple()[:3])  # noqa: DTZ001
    return {"$toDate": _literal(time.replace(tzinfo=timezone.utc).timestamp() * 1000.0)}


# Conditions: when true, when false -------------------------------------------------

Truth: TypeAlias = tuple[Mongo, Mongo]


def _less(left: Expr, right: Expr, a: Mongo, b: Mongo) -> Mongo:
    """``a < b``; neither is NULL."""
    if isinstance(left, Constant):
        test = {"$gt": [b, a]}  # the field first: only so MongoDB uses its index
        return _any(test, {"$eq": [b, NAN]}) if _may_be_nan(right) else test
    test = {"$lt": [a, b]}
    if not _is_number(left, right):
        return _all(_known(a), test)
    if _may_be_nan(right):
        test = _any(test, {"$eq": [b, NAN]})
    return _all({"$gt": [a, NAN]}, test)


def _at_most(left: Expr, right: Expr, a: Mongo, b: Mongo) -> Mongo:
    """``a <= b``; neither is NULL."""
    if isinstance(left, Constant):
        test = {"$gte": [b, a]}
        return _any(test, {"$eq": [b, NAN]}) if _may_be_nan(right) else test
    test = {"$lte": [a, b]}
    if not _is_number(left, right):
        return _all(_known(a), test)
    test = _all({"$gt": [a, NAN]}, test)
    if _may_be_nan(right):
        test = _any(test, _all(_known(a), {"$eq": [b, NAN]}))
    return test


def _is_number(*exprs: Expr) -> bool:
    return any(type_of(e).kind == "number" for e in exprs)


def _may_be_nan(expr: Expr) -> bool:
    type_ = type_of(expr)
    return type_.kind == "number" and not type_.whole and not isinstance(expr, Constant)


def _equal(left: Expr, right: Expr, a: Mongo, b: Mongo) -> Truth:
    sides = [v for e, v in ((left, a), (right, b)) if not isinstance(e, Constant)]
    known = [_known(v) for v in sides]
    same = {"$eq": [a, b]}
    return (
        same if len(sides) < 2 else _all(known[0], same),
        _all(*known, {"$ne": [a, b]}),
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
    return _all(lower_[0], upper_[0]), _any(lower_[1], upper_[1])


def _in(expr: In, v: Mongo, *options: Mongo) -> Truth:
    """Equality by equality: MongoDB takes no index for its own ``$in`` here."""
    tests = [
        _compare(Compare("=", expr.operand, option), v, o)
        for option, o in zip(expr.options, options, strict=True)
    ]
    return _any(*(true for true, _ in tests)), _all(*(false for _, false in tests))


def _contains(expr: Contains, elements: Mongo, member: Mongo) -> Truth:
    if _has_null(expr.member):
        return False, False
    known = [] if isinstance(expr.member, Constant) else [_known(member)]
    found = {"$in": [member, {"$ifNull": [elements, []]}]}
    return (
        _all(*known, found),
        _all(_known(elements), *known, {"$not": [found]}),
    )


def _like(expr: Like, text: Mongo) -> Truth:
    if _has_null(expr.operand):
        return False, False
    if expr.fold:
        pattern, escape = lower(expr.pattern), lower(expr.escape)
        text = _cased(text, "lower")
    else:
        pattern, escape = expr.pattern, expr.escape
    match = {"input": text, "regex": _literal(_regex(pattern, escape)), "options": "s"}
    found = {"$regexMatch": match}
    return found, _all(_known(text), {"$not": [found]})


def _regex(pattern: str, escape: str) -> str:
    """A regular expression that never goes back over what stood before a ``%``."""
    pieces = [""]
    for character, wild in like_characters(pattern, escape):
        if wild and character == "%":
            pieces.append("")
        elif wild and character == "_":
            pieces[-1] += "."
        else:
            pieces[-1] += f"\\x{{{ord(character):x}}}"
    first, *rest = pieces
    if not rest:
        return rf"\A{first}\z"
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1] if piece)
    return rf"\A{first}{middle}.*{rest[-1]}\z"


def _null_test(_: IsNull, value: Mongo) -> Truth:
    return is_null(value), _known(value)


def _members(expr: Members) -> Truth:
    true, either = (
        {"$in": ["$_id", _literal(object_ids(ids))]}
        for ids in (expr.true, expr.true | expr.null)
    )
    return true, {"$not": [either]}


_TESTS: dict[type[Expr], Callable[..., Truth]] = {
    Compare: _compare,
    Between: _between,
    In: _in,
    Contains: _contains,
    Like: _like,
    IsNull: _null_test,
    Members: _members,
}


# Values ----------------------------------------------------------------------------


def _switch(tests: list[Mongo], values: list[Mongo], default: Mongo) -> Mongo:
    branches = [{"case": t, "then": v} for t, v in zip(tests, values, strict=True)]
    return {"$switch": {"branches": branches, "default": default}}


def _divided_by_zero(value: Mongo) -> Mongo:
    return _switch(
        [
            is_null(value),
            {"$gt": [value, 0]},
            _all({"$gt": [value, NAN]}, {"$lt": [value, 0]}),
        ],
        [None, _INFINITY, {"$multiply": [_INFINITY, -1]}],
        NAN,
    )


def _rounded(value: Mongo, places: int) -> Mongo:
    """Halves away from zero, as SQL has it."""
    scale = 10.0 ** abs(places)
    up, down = ("$multiply", "$divide") if places >= 0 else ("$divide", "$multiply")

    def of(number: Mongo, scaled: Mongo) -> Mongo:
        below = {"$floor": scaled}
        half = {"$gte": [{"$subtract": [scaled, below]}, 0.5]}
        size = {down: [{"$add": [below, _if(half, 1, 0)]}, scale]}
        signed = _if({"$lt": [number, 0]}, {"$multiply": [size, -1]}, size)
        return _if({"$lt": [scaled, _INFINITY]}, signed, number)

    return _let(
        [value],
        lambda n: _let([{up: [{"$abs": n}, scale]}], lambda s: of(n, s), name="scaled"),
    )


def _length(text: Mongo) -> Mongo:
    return {"$strLenCP": {"$ifNull": [text, ""]}}


def _cased(text: Mongo, case: str) -> Mongo:
    """``text`` in another case; letters beyond ASCII by table, which MongoDB lacks."""
    ascii_only = {"lower": "$toLower", "upper": "$toUpper"}[case]
    source, target = map("".join, zip(*table(case).items(), strict=True))
    letter = {"$substrCP": [text, "$$this", 1]}
    found = {"$indexOfCP": [_literal(source), "$$letter"]}
    changed = _if(
        {"$gte": ["$$place", 0]},
        {"$substrCP": [_literal(target), "$$place", 1]},
        {ascii_only: "$$letter"},
    )
    placed = {"$let": {"vars": {"place": found}, "in": changed}}
    each = {"$let": {"vars": {"letter": letter}, "in": placed}}
    by_letter = {
        "$reduce": {
            "input": {"$range": [0, _length(text)]},
            "initialValue": "",
            "in": {"$concat": ["$$value", each]},
        }
    }
    beyond = {"$regexMatch": {"input": text, "regex": r"[^\x00-\x7f]"}}
    cased = _if(beyond, by_letter, {ascii_only: text})
    return _if(is_null(text), None, cased)


def _least(values: Mongo) -> Mongo:
    numbers = {"input": values, "as": "number", "cond": {"$gt": ["$$number", NAN]}}
    return _let(
        [{"$filter": numbers}],
        lambda n: _if({"$gt": [{"$size": n}, 0]}, {"$min": n}, {"$max": values}),
        name="numbers",
    )


_FUNCTIONS: dict[str, Callable[[Mongo], Mongo]] = {
    "ABS": lambda v: _if({"$lt": [v, 0]}, {"$multiply": [v, -1]}, v),
    "LOWER": lambda v: _cased(v, "lower"),
    "UPPER": lambda v: _cased(v, "upper"),
    "LENGTH": lambda v: _if(is_null(v), None, _length(v)),
}
_AGGREGATES: dict[str, Callable[[Mongo], Mongo]] = {
    "ANY": lambda v: _if(
        {"$in": [True, v]}, True, _if({"$in": [None, v]}, None, False)
    ),
    "ALL": lambda v: _if(
        {"$in": [False, v]}, False, _if({"$in": [None, v]}, None, True)
    ),
    "SUM": lambda v: _if(is_null({"$max": v}), None, {"$sum": v}),
    "AVG": lambda v: {"$avg": v},
    "MIN": _least,
    "MAX": lambda v: _if({"$in": [NAN, v]}, NAN, {"$max": v}),
}
_VALUES: dict[type[Expr], Callable[[Compiler, Any], Mongo]] = {
    Constant: Compiler._constant,
    Field: Compiler._field,
    Similarity: Compiler._term,
    Rank: Compiler._term,
    And: Compiler._junction,
    Or: Compiler._junction,
    Not: Compiler._negation,
    Arithmetic: Compiler._arithmetic,
    Negative: Compiler._negative,
    Case: Compiler._case,
    Call: Compiler._call,
    Aggregate: Compiler._aggregate,
}
