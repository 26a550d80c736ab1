"""The query language as values: one frozen class a construct.

Two queries that mean the same text are equal; where a node stood in the text
(``span``) and what the checker learned about a field do not count.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple, TypeAlias

from evalsets.query.types import FieldType

MAX_DEPTH = 100
"""Deepest nesting of a query's nodes; what works on them recurses."""

Value: TypeAlias = "bool | int | float | str | date | datetime | None"


class Span(NamedTuple):
    """Offsets of a node in the text it was read from, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True)
class Expr:
    """Anything with a value for a sample."""

    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Constant(Expr):
    """A number, text, truth value, date, time or NULL."""

    value: Value


@dataclass(frozen=True)
class Field(Expr):
    """A field by its path; ``type`` and ``inner`` are the checker's findings.

    Args:
        path: names joined by dots
        type: what the schema says; None before the check
        inner: whether it is a field of an aggregate's objects; None before the check
    """

    path: str
    type: FieldType | None = field(default=None, compare=False, repr=False)
    inner: bool | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Prediction(Expr):
    """The field of a model's uploaded predictions."""

    model: str


@dataclass(frozen=True)
class Not(Expr):
    """``NOT operand``."""

    operand: Expr


@dataclass(frozen=True)
class And(Expr):
    """All of two or more conditions; never directly inside another ``And``."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True)
class Or(Expr):
    """Any of two or more conditions; never directly inside another ``Or``."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True)
class Compare(Expr):
    """``left operator right``, operator one of ``= <> < <= > >=``."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Between(Expr):
    """``operand BETWEEN low AND high``, bounds included."""

    operand: Expr
    low: Expr
    high: Expr


@dataclass(frozen=True)
class In(Expr):
    """``operand IN (options)``."""

    operand: Expr
    options: tuple[Expr, ...]


@dataclass(frozen=True)
class Contains(Expr):
    """``member IN elements`` for a list field."""

    elements: Expr
    member: Expr


@dataclass(frozen=True)
class Like(Expr):
    """``operand [I]LIKE pattern [ESCAPE escape]``."""

    operand: Expr
    pattern: str
    fold: bool = False
    escape: str = ""


@dataclass(frozen=True)
class IsNull(Expr):
    """``operand IS NULL``."""

    operand: Expr


@dataclass(frozen=True)
class Arithmetic(Expr):
    """``left operator right``, operator one of ``+ - * / %``."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Negative(Expr):
    """``-operand``."""

    operand: Expr


@dataclass(frozen=True)
class When(Expr):
    """One ``WHEN condition THEN value``; with a ``CASE operand``, a value to equal."""

    condition: Expr
    value: Expr


@dataclass(frozen=True)
class Case(Expr):
    """``CASE [operand] WHEN ... THEN ... [ELSE default] END``."""

    operand: Expr | None
    whens: tuple[When, ...]
    default: Expr | None


@dataclass(frozen=True)
class Call(Expr):
    """One of ``COALESCE ABS ROUND LOWER UPPER LENGTH``."""

    name: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True)
class Aggregate(Expr):
    """``COUNT ANY ALL SUM MIN MAX AVG`` over the objects of a label field.

    Args:
        name: of the function
        objects: a ``Field`` or ``Prediction`` that holds objects
        inner: condition or value for one object; None only for ``COUNT``
    """

    name: str
    objects: Expr
    inner: Expr | None = None


@dataclass(frozen=True)
class Similarity(Expr):
    """Cosine similarity of the sample's image to prompts or to other images.

    Several of them stand for their mean: one direction between their unit vectors.

    Args:
        kind: ``text`` or ``image``
        arguments: one or more prompts; sample ids or file paths
        against: others, whose similarity is taken away
    """

    kind: str
    arguments: tuple[str, ...]
    against: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rank(Expr):
    """Place of the sample, from 1, by falling similarity; ties by sample id."""

    similarity: Similarity


Term: TypeAlias = Similarity | Rank


@dataclass(frozen=True)
class InPopulation(Expr):
    """``population('name')``."""

    name: str


@dataclass(frozen=True)
class Members(Expr):
    """A condition that was worked out beforehand, as sample ids; it has no text form.

    Args:
        true: where it holds
        null: where it is NULL
        false: the rest, given where it is the smaller part
    """

    true: frozenset[str]
    null: frozenset[str] = frozenset()
    false: frozenset[str] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Order(Expr):
    """One key of ``ORDER BY``; NULLs come last unless asked otherwise."""

    key: Expr
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True)
class Query:
    """A whole query.

    Args:
        where: the condition; None keeps every sample
        order_by: sort keys, the most important first
        limit: greatest number of samples
        selected: fields that were named in place of ``*``; whole samples are selected
        text: as the user wrote it
    """

    where: Expr | None = None
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    selected: tuple[Field, ...] = field(default=(), compare=False, repr=False)
    text: str = field(default="", compare=False, repr=False)

    def roots(self) -> tuple[Expr, ...]:
        """The condition, if any, and the sort keys."""
        return (() if self.where is None else (self.where,)) + self.order_by


def children(expr: Expr) -> Iterator[Expr]:
    """The nodes directly below ``expr``, in order of appearance."""
    for value in vars(expr).values():
        if isinstance(value, Expr):
            yield value
        elif isinstance(value, tuple):
            yield from (v for v in value if isinstance(v, Expr))


def depth(expr: Expr) -> int:
    """How many nodes stand below each other, ``expr`` included."""
    deepest, waiting = 0, [(expr, 1)]
    while waiting:
        node, level = waiting.pop()
        deepest = max(deepest, level)
        waiting += [(child, level + 1) for child in children(node)]
    return deepest


def walk(expr: Expr) -> Iterator[Expr]:
    """``expr`` and every node below it, in order of appearance."""
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(children(node))))


def rebuild(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """``expr`` with ``change`` applied to each node directly below it."""
    changed: dict[str, Any] = {}
    for name, value in vars(expr).items():
        if isinstance(value, Expr):
            changed[name] = change(value)
        elif isinstance(value, tuple) and any(isinstance(v, Expr) for v in value):
            changed[name] = tuple(change(v) for v in value)
    return joined(dataclasses.replace(expr, **changed)) if changed else expr


def joined(expr: Expr) -> Expr:
    """``expr``; an ``And`` inside an ``And``, or ``Or`` inside ``Or``, is merged."""
    if not isinstance(expr, (And, Or)):
        return expr
    kind = type(expr)
    operands: list[Expr] = []
    for operand in expr.operands:
        operands += operand.operands if isinstance(operand, kind) else (operand,)
    return kind(tuple(operands), span=expr.span)
