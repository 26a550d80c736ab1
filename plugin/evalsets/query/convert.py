"""sqlglot's tree → ours, one rule a construct; anything without a rule is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from sqlglot import exp

from evalsets.errors import suggest
from evalsets.query.refusal import closed, refuse, span_of
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
    Prediction,
    Rank,
    Similarity,
    Span,
    When,
    children,
    joined,
)
from evalsets.query.times import date_of, time_of

AGGREGATES = ("COUNT", "ANY", "ALL", "SUM", "MIN", "MAX", "AVG")
CALLS = {
    "COALESCE": (1, 100),
    "ABS": (1, 1),
    "ROUND": (1, 2),
    "LOWER": (1, 1),
    "UPPER": (1, 1),
    "LENGTH": (1, 1),
}
"""Functions of values, with the least and greatest number of arguments."""

_LEAST = -(2**63)
_MAX_PATTERN = 1000
_MAX_EXAMPLES = 200


def condition(node: exp.Expression, text: str) -> Expr:
    """The condition or value that ``node`` stands for.

    Raises:
        QueryError: a construct outside the language
    """
    return _Reader(text).read(node)


class _Reader:
    """Converts the nodes of one text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, node: exp.Expression) -> Expr:
        rule = _RULES.get(type(node))
        if rule is None:
            raise refuse(node, self.text)
        expr = rule(self, node)
        if expr.span:
            return expr
        span = _around(node, expr) or span_of(node)
        if span and isinstance(node, exp.Anonymous):
            span = Span(span.start, closed(self.text, span.start))
        return replace(expr, span=span)

    def read_all(self, nodes: Iterable[Any]) -> tuple[Expr, ...]:
        return tuple(self.read(node) for node in nodes)

    def paren(self, node: exp.Expression) -> Expr:
        return self.read(node.this)

    def junction(self, node: exp.Expression) -> Expr:
        kind = And if isinstance(node, exp.And) else Or
        return joined(kind(self.read_all(node.flatten())))

    def negation(self, node: exp.Expression) -> Expr:
        return Not(self.read(node.this))

    def comparison(self, node: exp.Expression) -> Expr:
        operator = _COMPARISONS[type(node)]
        return Compare(operator, self.read(node.this), self.read(node.expression))

    def arithmetic(self, node: exp.Expression) -> Expr:
        operator = _ARITHMETIC[type(node)]
        return Arithmetic(operator, self.read(node.this), self.read(node.expression))

    def negative(self, node: exp.Expression) -> Expr:
        if isinstance(node.this, exp.Literal) and not node.this.args["is_string"]:
            number = self.literal(node.this, -1)
            span = number.span or span_of(node)
            start = self.text.rfind("-", 0, span.start) if span else -1
            return replace(
                number, span=Span(start, span.end) if span and start >= 0 else span
            )
        operand = self.read(node.this)
        value = operand.value if isinstance(operand, Constant) else None
        if type(value) in (int, float) and value != _LEAST:
            return replace(operand, value=-value)  # type: ignore[call-arg,operator]
        return Negative(operand)

    def between(self, node: exp.Expression) -> Expr:
        if node.args.get("symmetric"):
            raise refuse(node, self.text, what="SYMMETRIC")
        low, high = self.read(node.args["low"]), self.read(node.args["high"])
        return Between(self.read(node.this), low, high)

    def membership(self, node: exp.Expression) -> Expr:
        member = self.read(node.this)
        if node.args.get("query"):
            raise refuse(node.args["query"], self.text)
        if node.args.get("field"):
            return Contains(self.read(node.args["field"]), member)
        if not node.expressions:
            raise refuse(
                node, self.text, problem="IN needs a list field or values: x IN (1, 2)"
            )
        return In(member, self.read_all(node.expressions))

    def contains(self, node: exp.Expression) -> Expr:
        return Contains(self.read(node.this), self.read(node.expression))

    def null_test(self, node: exp.Expression) -> Expr:
        if not isinstance(node.expression, exp.Null):
            raise refuse(
                node,
                self.text,
                problem="IS takes only NULL or NOT NULL; use = otherwise",
            )
        return IsNull(self.read(node.this))

    def like(self, node: exp.Expression, escape: str = "") -> Expr:
        pattern = self._string(node.expression, "A pattern is text in quotes")
        if len(pattern) > _MAX_PATTERN:
            problem = f"A pattern has at most {_MAX_PATTERN} characters"
            raise refuse(node.expression, self.text, problem=problem)
        like = Like(self.read(node.this), pattern, isinstance(node, exp.ILike), escape)
        return Not(like) if node.args.get("negate") else like

    def escape(self, node: exp.Expression) -> Expr:
        problem = "ESCAPE takes one character, which may not end the pattern"
        escape = self._string(node.expression, problem)
        like, negated = node.this, False
        if isinstance(like, exp.Not):
            like, negated = like.this, True
        if not isinstance(like, (exp.Like, exp.ILike)) or len(escape) != 1:
            raise refuse(node.expression, self.text, problem=problem)
        expr = self.like(like, escape)
        if _ends_escaping(like.expression.this, escape):
            raise refuse(node.expression, self.text, problem=problem)
        return Not(expr) if negated else expr

    def case(self, node: exp.Expression) -> Expr:
        whens = tuple(
            When(self.read(w.this), self.read(w.args["true"])) for w in node.args["ifs"]
        )
        operand, default = node.this, node.args.get("default")
        return Case(
            self.read(operand) if operand else None,
            whens,
            self.read(default) if default else None,
        )

    def literal(self, node: exp.Expression, sign: int = 1) -> Expr:
        if node.args.get("is_string"):
            return Constant(node.this)
        try:
            value = int(node.this) if node.this.isdecimal() else float(node.this)
        except ValueError:
            value = math.inf
        value *= sign
        whole = type(value) is int
        if not math.isfinite(value) or (whole and not _LEAST <= value < -_LEAST):
            raise refuse(node, self.text, problem="A number is out of range")
        return Constant(value)

    def boolean(self, node: exp.Expression) -> Expr:
        return Constant(bool(node.this))

    def null(self, node: exp.Expression) -> Expr:  # noqa: ARG002
        return Constant(None)

    def moment(self, node: exp.Expression) -> Expr:
        """``DATE '2024-01-31'`` and ``TIMESTAMP '2024-01-31 12:00:00'``."""
        kind = node.args["to"].this.value
        if not (isinstance(node.this, exp.Literal) and node.this.args["is_string"]):
            raise refuse(node, self.text, what="CAST")
        try:
            if kind == "DATE":
                return Constant(date_of(node.this.this))
            if kind.startswith(("TIMESTAMP", "DATETIME")):
                return Constant(time_of(node.this.this))
        except ValueError as error:
            problem = f"'{node.this.this}' {error}"
            raise refuse(node.this, self.text, problem=problem) from None
        raise refuse(node, self.text, what=kind)

    def column(self, node: exp.Expression) -> Expr:
        names, rest = [], node
        while isinstance(rest, exp.Dot):
            names.append(rest.expression)
            rest = rest.this
        if not isinstance(rest, exp.Column):
            raise refuse(node, self.text, what="A '.' after something else than a name")
        parts = [*rest.parts, *reversed(names)]
        if not all(isinstance(part, exp.Identifier) for part in parts):
            raise refuse(node, self.text, what="*")
        first, last = parts[0].meta, parts[-1].meta
        span = Span(first["start"], last["end"] + 1) if first and last else None
        return Field(".".join(part.name for part in parts), span=span)

    def function(self, node: exp.Expression) -> Expr:
        if not isinstance(node.this, str):
            raise refuse(node, self.text, what="A function in quotes")
        name = node.this.upper()
        if name in AGGREGATES:
            return self._aggregate(name, node)
        if name in CALLS:
            least, most = CALLS[name]
            self._count(node, least, most)
            return Call(name, self.read_all(node.expressions))
        if name in ("TEXT", "IMAGE"):
            return self._similarity(name.lower(), node)
        if name == "RANK":
            return self._rank(node)
        if name in ("POPULATION", "PREDICTION"):
            self._count(node, 1, 1)
            argument = self._string(
                node.expressions[0], f"{name.lower()}() takes a name in quotes"
            )
            return (
                InPopulation(argument) if name == "POPULATION" else Prediction(argument)
            )
        known = [
            *AGGREGATES,
            *CALLS,
            "text",
            "image",
            "RANK",
            "population",
            "prediction",
        ]
        problem = f"No function '{node.this}'{suggest(node.this, known)}"
        raise refuse(node, self.text, problem=problem)

    def _aggregate(self, name: str, node: exp.Expression) -> Expr:
        self._count(node, 1 if name == "COUNT" else 2, 2)
        objects, *inner = self.read_all(node.expressions)
        if not isinstance(objects, (Field, Prediction)):
            problem = f"{name} takes a label field first: {name}(ground_truth, ...)"
            raise refuse(node, self.text, problem=problem)
        return Aggregate(name, objects, inner[0] if inner else None)

    def _similarity(self, kind: str, node: exp.Expression) -> Expr:
        self._count(node, 1, _MAX_EXAMPLES)
        *wanted, last = node.expressions
        if not isinstance(last, exp.EQ) or last.this.name.lower() != "against":
            return Similarity(kind, self._examples(node, [*wanted, last]))
        named = last.expression.unnest()
        against = named.expressions if isinstance(named, exp.Tuple) else [named]
        return Similarity(
            kind, self._examples(node, wanted), self._examples(node, against)
        )

    def _examples(
        self, node: exp.Expression, given: list[exp.Expression]
    ) -> tuple[str, ...]:
        """What a similarity compares images with."""
        name = node.this.lower()
        examples = tuple(self._string(one, unquoted(name)) for one in given)
        if not examples or not all(one.strip() for one in examples):
            problem = f"{name}() needs something to look for"
            raise refuse(node, self.text, problem=problem)
        if len(examples) > _MAX_EXAMPLES:
            problem = f"{name}() compares with at most {_MAX_EXAMPLES} at once"
            raise refuse(node, self.text, problem=problem)
        return examples

    def _rank(self, node: exp.Expression) -> Expr:
        self._count(node, 1, 1)
        similarity = self.read(node.expressions[0])
        if not isinstance(similarity, Similarity):
            problem = "RANK takes a similarity: RANK(text('...')) <= 200"
            raise refuse(node, self.text, problem=problem)
        return Rank(similarity)

    def _count(self, node: exp.Expression, least: int, most: int) -> None:
        n = len(node.expressions)
        if not least <= n <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            word = "argument" if most == 1 else "arguments"
            problem = f"{node.this.upper()} takes {wanted} {word}, not {n}"
            raise refuse(node, self.text, problem=problem)

    def _string(self, node: exp.Expression, problem: str) -> str:
        if not (isinstance(node, exp.Literal) and node.args.get("is_string")):
            raise refuse(node, self.text, problem=problem)
        return str(node.this)


def unquoted(name: str) -> str:
    """What is wrong with ``text(a dog)``."""
    return f"{name.lower()}() takes arguments in single quotes, and at the end against='...'"


def _ends_escaping(pattern: str, escape: str) -> bool:
    rest = pattern.replace(escape * 2, "")
    return rest.endswith(escape)


def _around(node: exp.Expression, expr: Expr) -> Span | None:
    spans = [child.span for child in children(expr) if child.span]
    if "start" in node.meta:
        spans.append(Span(node.meta["start"], node.meta["end"] + 1))
    if not spans:
        return None
    return Span(min(s.start for s in spans), max(s.end for s in spans))


_COMPARISONS: dict[type, str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ARITHMETIC: dict[type, str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}
_RULES: dict[type, Callable[[_Reader, Any], Expr]] = {
    **dict.fromkeys(_COMPARISONS, _Reader.comparison),
    **dict.fromkeys(_ARITHMETIC, _Reader.arithmetic),
    exp.Paren: _Reader.paren,
    exp.And: _Reader.junction,
    exp.Or: _Reader.junction,
    exp.Not: _Reader.negation,
    exp.Neg: _Reader.negative,
    exp.Between: _Reader.between,
    exp.In: _Reader.membership,
    exp.ArrayContains: _Reader.contains,
    exp.Is: _Reader.null_test,
    exp.Like: _Reader.like,
    exp.ILike: _Reader.like,
    exp.Escape: _Reader.escape,
    exp.Case: _Reader.case,
    exp.Literal: _Reader.literal,
    exp.Boolean: _Reader.boolean,
    exp.Null: _Reader.null,
    exp.Cast: _Reader.moment,
    exp.Column: _Reader.column,
    exp.Dot: _Reader.column,
    exp.Anonymous: _Reader.function,
}
