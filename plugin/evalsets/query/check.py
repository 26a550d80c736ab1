"""Does a query make sense for a dataset? Names, types and what goes where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from evalsets.errors import QueryError, suggest
from evalsets.query.infer import common_type, type_of
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
    Like,
    Negative,
    Not,
    Or,
    Prediction,
    Query,
    Rank,
    Similarity,
    rebuild,
)
from evalsets.query.text import to_text
from evalsets.query.times import date_of, time_of
from evalsets.query.types import FieldType, Schema

STATISTICS = (
    *("brightness", "contrast", "sharpness", "glare"),
    *("colourfulness", "aspect", "resolution"),
)
"""The fields that the tagger of image statistics fills."""
_UNDECLARED = (
    "if the objects have it, declare it with dataset.add_dynamic_sample_fields()"
)
_ORDERED = ("number", "text", "boolean", "date", "time")


def check(query: Query, schema: Schema) -> Query:
    """The query with every field bound to its type.

    ``prediction('model')`` becomes its field, a label field the value it stands for
    (``weather`` becomes ``weather.label``), and text that is compared with a date becomes
    a date. Checking what was checked changes nothing.

    Raises:
        QueryError: an unknown name, or an operation that its operands cannot take
    """
    checker = _Checker(query.text, schema)
    for field in query.selected:
        checker.bound(field)
    where = None
    if query.where is not None:
        where = checker.bound(query.where)
        if isinstance(where, Similarity):
            example = f"write {checker.shown(where)} > 0.2, or RANK(...) <= 20"
            raise checker.error(f"A similarity is a number; {example}", where)
        checker.want(where, "boolean", "A condition must be true or false")
    order_by = []
    for order in query.order_by:
        key = checker.bound(order.key)
        checker.want(key, _ORDERED, "ORDER BY needs values that have an order")
        if isinstance(key, Constant):
            problem = "ORDER BY takes fields and expressions, not a constant"
            raise checker.error(problem, order)
        order_by.append(replace(order, key=key))
    return replace(query, where=where, order_by=tuple(order_by))


class _Checker:
    """Checks the nodes of one text, from the leaves upwards."""

    def __init__(
        self, text: str, schema: Schema, objects: FieldType | None = None
    ) -> None:
        self.text = text
        self.schema = schema
        self.objects = objects

    def bound(self, expr: Expr) -> Expr:
        """``expr`` with its fields bound, after every rule has passed."""
        if self.objects and isinstance(expr, _NOT_OF_OBJECTS):
            raise self.error("This cannot stand inside an aggregate", expr)
        if isinstance(expr, Aggregate):
            return self.aggregate(expr)
        if isinstance(expr, Prediction):
            return self.prediction(expr)
        if isinstance(expr, Field):
            return self.field(expr)
        if isinstance(expr, Compare):
            self._refuse_bare_text(expr)
        whole = rebuild(expr, self.bound)
        rule = _RULES.get(type(expr))
        return rule(self, whole) if rule else whole

    def error(self, problem: str, expr: Expr) -> QueryError:
        if expr.span is None or not self.text:
            return QueryError(f"{problem}: {self.shown(expr)}")
        start, end = expr.span
        return QueryError(problem, self.text, start, self.text[start:end])

    def shown(self, expr: Expr) -> str:
        """``expr`` as the user wrote it."""
        text = self.text[slice(*expr.span)] if expr.span else ""
        text = text or to_text(expr)
        text = text if len(text) <= 40 else text[:39] + "…"
        return f"'{text}'" if isinstance(expr, Field) else text

    def want(self, expr: Expr, kinds: str | tuple[str, ...], why: str) -> None:
        """Refuses an ``expr`` of another kind; NULL is of every kind."""
        kind = type_of(expr).kind
        wanted = (kinds,) if isinstance(kinds, str) else kinds
        if kind not in (*wanted, "null"):
            raise self.error(f"{why}, but {self.shown(expr)} is {_ARTICLE[kind]}", expr)

    def field(self, expr: Field) -> Expr:
        if self.objects and expr.inner is not False:
            found = self.objects.fields.get(expr.path)
            if found:
                return replace(expr, type=found, inner=True)
        found = self.schema.fields.get(expr.path)
        if found:
            name = found.name or expr.path
            return replace(expr, path=name, type=found, inner=False)
        raise self.error(self._unknown(expr), expr)

    def _is_text(self, expr: Expr) -> bool | None:
        """Whether a field holds text; None where it is no field or not there."""
        if not isinstance(expr, Field):
            return None
        inner = self.objects.fields.get(expr.path) if self.objects else None
        found = inner or self.schema.fields.get(expr.path)
        return found.kind == "text" if found else None

    def _refuse_bare_text(self, expr: Compare) -> None:
        """``weather = sunny``: text lacks its quotes, or a field was misspelt."""
        for known, other in ((expr.left, expr.right), (expr.right, expr.left)):
            if (
                self._is_text(known)
                and isinstance(other, Field)
                and other.path.isidentifier()
                and self._is_text(other) is None
            ):
                raise self.error(self._unknown(other, is_text=True), other)

    def _unknown(self, expr: Field, *, is_text: bool = False) -> str:
        path = expr.path
        owner, _, rest = path.partition(".")
        there = self.schema.fields.get(owner)
        if there and there.kind == "objects":
            inner = rest.rpartition(".")[2] or "label"
            return f"'{owner}' holds several objects; write ANY({owner}, {inner} = ...)"
        if path == "split":
            return "No field 'split'; split the dataset first"
        if path in STATISTICS:
            return f"No field '{path}'; tag the dataset with 'statistics' first"
        known = {*self.schema.fields, *(self.objects.fields if self.objects else ())}
        quoted = expr.span is not None and self.text[expr.span[0] :].startswith('"')
        text = path.replace("'", "''")
        hint = f" (text takes single quotes: '{text}')" if quoted or is_text else ""
        remedy = _UNDECLARED if self.objects else ""
        return f"No field '{path}'{hint}{suggest(path, sorted(known), remedy)}"

    def prediction(self, expr: Prediction) -> Expr:
        path = self.schema.models.get(expr.model)
        if path is None:
            known = suggest(expr.model, sorted(self.schema.models))
            raise self.error(f"No predictions of a model '{expr.model}'{known}", expr)
        return self.field(Field(path, span=expr.span))

    def population(self, expr: InPopulation) -> Expr:
        if expr.name not in self.schema.populations:
            known = suggest(expr.name, sorted(self.schema.populations))
            raise self.error(f"No population '{expr.name}'{known}", expr)
        return expr

    def aggregate(self, expr: Aggregate) -> Expr:
        objects = self.bound(expr.objects)
        type_ = type_of(objects)
        if type_.kind != "objects":
            names = sorted(
                p for p, t in self.schema.fields.items() if t.kind == "objects"
            )
            there = f"; '{names[0]}' does" if names else ""
            raise self.error(
                f"{self.shown(objects)} does not hold objects{there}", objects
            )
        if expr.inner is None:
            return replace(expr, objects=objects)
        inner = _Checker(self.text, self.schema, type_).bound(expr.inner)
        kind = "boolean" if expr.name in ("COUNT", "ANY", "ALL") else "number"
        what = "a condition" if kind == "boolean" else "a number"
        self.want(inner, kind, f"{expr.name} needs {what} for each object")
        return replace(expr, objects=objects, inner=inner)

    def conditions(self, expr: Any) -> Expr:
        operands = expr.operands if isinstance(expr, (And, Or)) else (expr.operand,)
        word = type(expr).__name__.upper()
        for operand in operands:
            self.want(operand, "boolean", f"{word} joins conditions")
        return expr  # type: ignore[no-any-return]

    def comparison(self, expr: Compare) -> Expr:
        left, right = self.alike(expr.left, expr.right)
        return replace(expr, left=left, right=right)

    def between(self, expr: Between) -> Expr:
        operand, low, high = self.alike(expr.operand, expr.low, expr.high)
        return replace(expr, operand=operand, low=low, high=high)

    def membership(self, expr: In) -> Expr:
        operand, *options = self.alike(expr.operand, *expr.options)
        return replace(expr, operand=operand, options=tuple(options))

    def alike(self, *exprs: Expr) -> list[Expr]:
        """The operands of a comparison; text becomes a date where dates are compared."""
        kinds = {type_of(e).kind for e in exprs}
        if kinds & {"date", "time"}:
            read = time_of if "time" in kinds else date_of
            exprs = tuple(self._dated(e, read) for e in exprs)
        for expr in exprs:
            self.want(expr, _ORDERED, "Only single values can be compared")
            if common_type(exprs[0], expr) is None:
                first, second = type_of(exprs[0]).kind, type_of(expr).kind
                raise self.error(
                    f"{self.shown(exprs[0])} is {_ARTICLE[first]} and cannot be compared "
                    f"with {self.shown(expr)}, which is {_ARTICLE[second]}",
                    expr,
                )
        return list(exprs)

    def _dated(self, expr: Expr, read: Callable[[str], date]) -> Expr:
        if not (isinstance(expr, Constant) and isinstance(expr.value, str)):
            return expr
        try:
            return replace(expr, value=read(expr.value))
        except ValueError as error:
            raise self.error(f"{self.shown(expr)} {error}", expr) from None

    def contains(self, expr: Contains) -> Expr:
        type_ = type_of(expr.elements)
        if type_.kind != "list" or type_.item is None:
            others = "is a list of other things than numbers, text and truth values"
            problem = f"{others}: test IS NULL" if type_.item else "is not a list"
            raise self.error(f"{self.shown(expr.elements)} {problem}", expr.elements)
        held, asked = type_.item.kind, type_of(expr.member).kind
        if asked not in (held, "null"):
            elements, member = self.shown(expr.elements), self.shown(expr.member)
            raise self.error(
                f"{elements} is a list of {held}s, but {member} is {_ARTICLE[asked]}",
                expr.member,
            )
        return expr

    def like(self, expr: Like) -> Expr:
        self.want(expr.operand, "text", "LIKE works on text")
        return expr

    def arithmetic(self, expr: Arithmetic) -> Expr:
        for operand in (expr.left, expr.right):
            self.want(operand, "number", f"'{expr.operator}' works on numbers")
        return expr

    def negative(self, expr: Negative) -> Expr:
        self.want(expr.operand, "number", "'-' works on numbers")
        return expr

    def case(self, expr: Case) -> Expr:
        whens = list(expr.whens)
        operand = expr.operand
        if operand is None:
            for when in whens:
                self.want(when.condition, "boolean", "WHEN needs a condition")
        else:
            operand, *wanted = self.alike(operand, *(w.condition for w in whens))
            pairs = zip(whens, wanted, strict=True)
            whens = [replace(when, condition=c) for when, c in pairs]
        values = [w.value for w in whens] + ([expr.default] if expr.default else [])
        self._one_type("CASE", values)
        return replace(expr, operand=operand, whens=tuple(whens))

    def call(self, expr: Call) -> Expr:
        if expr.name == "COALESCE":
            self._one_type("COALESCE", list(expr.arguments))
            return expr
        kind = "text" if expr.name in ("LOWER", "UPPER", "LENGTH") else "number"
        self.want(expr.arguments[0], kind, f"{expr.name} works on {kind}s")
        if len(expr.arguments) == 2:
            places = expr.arguments[1]
            value = places.value if isinstance(places, Constant) else None
            if type(value) is not int or not -15 <= value <= 15:
                problem = "ROUND takes a whole number of decimals from -15 to 15"
                raise self.error(problem, places)
        return expr

    def _one_type(self, name: str, values: list[Expr]) -> None:
        for value in values:
            self.want(value, _ORDERED, f"{name} works on single values")
        if common_type(*values) is None:
            kinds = ", ".join(dict.fromkeys(type_of(v).kind for v in values))
            raise self.error(
                f"{name} mixes {kinds}; give values of one type", values[-1]
            )


_ARTICLE: Mapping[str, str] = {
    "number": "a number",
    "text": "text",
    "boolean": "true or false",
    "date": "a date",
    "time": "a time",
    "list": "a list",
    "objects": "a set of objects",
    "null": "NULL",
    "other": "no plain value",
}
_NOT_OF_OBJECTS = (Aggregate, Similarity, Rank, InPopulation)
_RULES: dict[type[Expr], Callable[[_Checker, Any], Expr]] = {
    And: _Checker.conditions,
    Or: _Checker.conditions,
    Not: _Checker.conditions,
    Compare: _Checker.comparison,
    Between: _Checker.between,
    In: _Checker.membership,
    Contains: _Checker.contains,
    Like: _Checker.like,
    Arithmetic: _Checker.arithmetic,
    Negative: _Checker.negative,
    Case: _Checker.case,
    Call: _Checker.call,
    InPopulation: _Checker.population,
}
