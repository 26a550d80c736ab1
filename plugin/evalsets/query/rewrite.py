"""What a query asks for, and queries made from other queries."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from evalsets.errors import QueryError, suggest
from evalsets.query.infer import type_of
from evalsets.query.syntax import (
    MAX_DEPTH,
    Constant,
    Expr,
    Field,
    InPopulation,
    Members,
    Prediction,
    Query,
    Rank,
    Similarity,
    Span,
    Term,
    When,
    children,
    rebuild,
    walk,
)
from evalsets.query.text import to_text

_ARGUMENT = re.compile(r"\s*\(\s*'(?:[^']|'')*'\s*\)")  # a span ends with the word
MAX_NODES = 20_000
"""Size at which a query made of populations is refused."""


def terms(query: Query | Expr) -> tuple[Term, ...]:
    """The similarities a query needs for each sample, in order of appearance.

    A ``RANK`` stands for itself; the similarity inside it is not listed again.
    """
    return tuple(dict.fromkeys(_terms(_roots(query))))


def _terms(roots: Iterable[Expr]) -> Iterator[Term]:
    for expr in roots:
        if isinstance(expr, (Rank, Similarity)):
            yield expr
        else:
            yield from _terms(children(expr))


def references(query: Query | Expr) -> set[str]:
    """The populations a query names."""
    return {e.name for e in _walk(query) if isinstance(e, InPopulation)}


def fields(query: Query | Expr) -> set[str]:
    """The paths of the sample fields a query reads, objects' fields left out."""
    return {e.path for e in _walk(query) if isinstance(e, Field) and not e.inner}


def models(query: Query | Expr) -> set[str]:
    """The models whose predictions a query names."""
    return {e.model for e in _walk(query) if isinstance(e, Prediction)}


def _roots(query: Query | Expr) -> tuple[Expr, ...]:
    return query.roots() if isinstance(query, Query) else (query,)


def _walk(query: Query | Expr) -> Iterator[Expr]:
    for root in _roots(query):
        yield from walk(root)


def inline(query: Query, queries: Mapping[str, Query]) -> Query:
    """``query`` with each ``population('name')`` replaced by its condition.

    Args:
        query: the query
        queries: query of each population by its name

    Raises:
        QueryError: an unknown population, a cycle, or a population whose query has
            ORDER BY or LIMIT, which a condition cannot express
    """
    return _Inliner(query.text, queries).inlined(query)


class _Inliner:
    """Replaces populations; remembers those on the way, to find cycles."""

    def __init__(self, text: str, queries: Mapping[str, Query]) -> None:
        self.text = text
        self.queries = queries
        self.way: list[str] = []
        self.nodes = 0
        self.depth = 0

    def inlined(self, query: Query) -> Query:
        return _mapped(query, self.expr)

    def expr(self, expr: Expr) -> Expr:
        self.nodes += 1
        self.depth += 1
        if self.nodes > MAX_NODES or self.depth > MAX_DEPTH:
            raise QueryError("The populations that this query is made of are too many")
        whole = (
            self.population(expr)
            if isinstance(expr, InPopulation)
            else rebuild(expr, self.expr)
        )
        self.depth -= 1
        return whole

    def population(self, expr: InPopulation) -> Expr:
        query = self._found(expr)
        if query.where is None:
            return Constant(True, span=expr.span)
        self.way.append(expr.name)
        condition = self.expr(query.where)
        self.way.pop()
        return _placed(condition, expr.span)

    def _found(self, expr: InPopulation) -> Query:
        if expr.name in self.way:
            circle = " → ".join([*self.way[self.way.index(expr.name) :], expr.name])
            raise self._error(
                f"Populations refer to each other in a circle: {circle}", expr
            )
        query = self.queries.get(expr.name)
        if query is None:
            known = suggest(expr.name, sorted(self.queries))
            raise self._error(f"No population '{expr.name}'{known}", expr)
        if query.order_by or query.limit is not None:
            raise self._error(
                f"Population '{expr.name}' has ORDER BY or LIMIT and cannot be part of "
                "another query",
                expr,
            )
        return query

    def _error(self, problem: str, expr: InPopulation) -> QueryError:
        if self.way or expr.span is None:
            return QueryError(problem)
        start, end = expr.span
        return QueryError(problem, self.text, start, self.text[start:end])


def _placed(expr: Expr, span: Span | None) -> Expr:
    """``expr`` as if it all stood where its population is named."""
    whole = rebuild(expr, partial(_placed, span=span))
    return dataclasses.replace(whole, span=span)


def renamed(query: Query, name: str, new: str) -> str:
    """The text of ``query`` with another name for a population; the rest stays."""
    spans = {
        e.span
        for e in _walk(query)
        if isinstance(e, InPopulation) and e.name == name and e.span is not None
    }
    text = query.text
    for start, end in sorted(spans, reverse=True):
        named = _ARGUMENT.match(text, end)
        after = named.end() if named else end
        text = text[:start] + to_text(InPopulation(new)) + text[after:]
    return text


def replace(query: Query, members: Mapping[Expr, Members]) -> Query:
    """``query`` with parts of its conditions replaced by what was found for them."""
    return _mapped(query, partial(_replaced, members=members))


def _replaced(expr: Expr, members: Mapping[Expr, Members]) -> Expr:
    found = members.get(expr)
    return (
        rebuild(expr, partial(_replaced, members=members)) if found is None else found
    )


def _mapped(query: Query, change: Callable[[Expr], Expr]) -> Query:
    return dataclasses.replace(
        query,
        where=None if query.where is None else change(query.where),
        order_by=tuple(
            dataclasses.replace(o, key=change(o.key)) for o in query.order_by
        ),
    )


def similarity_predicates(query: Query) -> tuple[Expr, ...]:
    """The smallest conditions of the WHERE clause that contain a similarity.

    For example ``text('a') - text('b') > 0.1``; each stands once.
    """
    found, _ = _smallest(query.where) if query.where is not None else ([], False)
    return tuple(dict.fromkeys(found))


def _smallest(expr: Expr) -> tuple[list[Expr], bool]:
    """The conditions found in ``expr``, and whether a similarity is outside them."""
    if isinstance(expr, (Similarity, Rank)):
        return [], True
    parts = [_smallest(child) for child in children(expr)]
    if any(outside for _, outside in parts):
        whole = type_of(expr).kind == "boolean" and not isinstance(expr, When)
        return ([expr], False) if whole else ([p for f, _ in parts for p in f], True)
    return [p for found, _ in parts for p in found], False
