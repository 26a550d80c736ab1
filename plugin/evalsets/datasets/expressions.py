"""A checked query → MongoDB's expressions, by one rule a construct.

Three rules that call each other turn a node into a MongoDB expression: ``true`` and
``false`` give plain truth values, never null, and ``value`` gives its value or null. Each
rule compiles each operand once, so the result grows with the query and no faster. Text
of a user becomes a ``$literal``; paths come from the dataset's schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from evalsets.datasets.conditions import TESTS, by_difference
from evalsets.datasets.mongo import (
    AGGREGATES,
    FUNCTIONS,
    NAN,
    Mongo,
    all_of,
    as_double,
    choose,
    combined,
    divided_by_zero,
    is_known,
    is_null,
    let,
    literal,
    mixed_sum,
    moment,
    rounded,
    switch,
    truth,
    with_letters,
)
from evalsets.query.infer import type_of
from evalsets.query.syntax import (
    Aggregate,
    And,
    Arithmetic,
    Call,
    Case,
    Constant,
    Expr,
    Field,
    Negative,
    Not,
    Or,
    Rank,
    Similarity,
    Term,
    children,
)


class Compiler:
    """Compiles the nodes of one query.

    Args:
        columns: path of the field that holds the value of each similarity
    """

    def __init__(self, columns: Mapping[Term, Any]) -> None:
        self.columns = columns
        self.cases: set[str] = set()

    def closed(self, mongo: Mongo) -> Mongo:
        """What was compiled, with all that it refers to."""
        return with_letters(mongo, self.cases)

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
        test = by_difference(expr, self.value, holds=True)
        return self._test(expr, lambda true, _: true) if test is None else test

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
        test = by_difference(expr, self.value, holds=False)
        return self._test(expr, lambda _, false: false) if test is None else test

    def value(self, expr: Expr) -> Mongo:
        """The value of ``expr``; null or missing where it is NULL."""
        rule = _VALUES.get(type(expr))
        return rule(self, expr) if rule else self._test(expr, truth)

    def _test(self, expr: Expr, pick: Callable[[Mongo, Mongo], Mongo]) -> Mongo:
        """``pick`` of when a condition is true and when it is false."""
        rule = TESTS.get(type(expr))
        if rule is None:
            return let(
                [self.value(expr)],
                lambda v: pick(
                    {"$eq": [v, literal(True)]}, {"$eq": [v, literal(False)]}
                ),
            )
        operands = [self.value(child) for child in children(expr)]
        return let(operands, lambda *values: pick(*rule(expr, *values)))

    def _constant(self, expr: Constant) -> Mongo:
        value = expr.value
        if isinstance(value, date):
            return moment(value)
        return literal(value)

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
        return let(
            [[self.value(e) for e in expr.operands]],
            lambda v: choose(
                {"$in": [decisive, v]},
                decisive,
                choose({"$in": [None, v]}, None, not decisive),
            ),
        )

    def _negation(self, expr: Not) -> Mongo:
        return let(
            [self.value(expr.operand)],
            lambda v: choose(is_null(v), None, {"$not": [v]}),
        )

    def _arithmetic(self, expr: Arithmetic) -> Mongo:
        left, right = self.value(expr.left), self.value(expr.right)
        if expr.operator in "+%" and not type_of(expr).whole:
            wholes = [type_of(e).whole for e in (expr.left, expr.right)]
            if expr.operator == "+" and any(wholes):
                return mixed_sum(*((left, right) if wholes[0] else (right, left)))
            sides = zip((left, right), wholes, strict=True)
            left, right = [as_double(v) if whole else v for v, whole in sides]
        operator = {"+": "$add", "-": "$subtract", "*": "$multiply"}.get(expr.operator)
        if operator:
            return combined(operator, left, right)
        operator = "$divide" if expr.operator == "/" else "$mod"
        if isinstance(expr.right, Constant) and expr.right.value not in (0, None):
            return {operator: [left, right]}
        remainder = None if type_of(expr).whole else NAN

        def of(a: Mongo, b: Mongo) -> Mongo:
            by_zero = choose(is_null(a), None, remainder)
            if operator == "$divide":
                by_zero = divided_by_zero(a)
            zero = {"$eq": [b, 0]}
            return choose(zero, by_zero, {operator: [a, choose(zero, 1, b)]})

        return let([left, right], of)

    def _negative(self, expr: Negative) -> Mongo:
        return {"$multiply": [self.value(expr.operand), -1]}

    def _case(self, expr: Case) -> Mongo:
        default = None if expr.default is None else self.value(expr.default)
        values = [self.value(when.value) for when in expr.whens]
        if expr.operand is None:
            tests = [self.true(when.condition) for when in expr.whens]
            return switch(tests, values, default)
        wanted = [self.value(when.condition) for when in expr.whens]
        return let(
            [self.value(expr.operand)],
            lambda v: switch(
                [all_of(is_known(v), {"$eq": [v, w]}) for w in wanted], values, default
            ),
        )

    def _call(self, expr: Call) -> Mongo:
        first, *others = [self.value(a) for a in expr.arguments]
        if expr.name == "COALESCE":
            return {"$ifNull": [first, *others]} if others else first
        if expr.name == "ROUND":
            places = others[0]["$literal"] if others else 0
            whole = type_of(expr.arguments[0]).whole
            return first if whole and places >= 0 else rounded(first, places)
        if expr.name in ("LOWER", "UPPER"):
            self.cases.add(expr.name.lower())
        return let([first], lambda v: FUNCTIONS[expr.name](v))

    def _aggregate(self, expr: Aggregate) -> Mongo:
        objects = {"$ifNull": [self.value(expr.objects), []]}
        if expr.inner is None:
            return {"$size": objects}
        if expr.name == "COUNT":
            kept = {"input": objects, "as": "object", "cond": self.true(expr.inner)}
            return {"$size": {"$filter": kept}}
        values = {"input": objects, "as": "object", "in": self.value(expr.inner)}
        return let([{"$map": values}], AGGREGATES[expr.name])


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
