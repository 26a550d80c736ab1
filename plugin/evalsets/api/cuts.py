"""The comparison of a query whose cut is calibrated."""

from __future__ import annotations

from dataclasses import dataclass, replace

from evalsets.errors import ArgumentError, SeveralCutsError
from evalsets.query import Expr, Query, Rank, Similarity, terms, to_text
from evalsets.query.syntax import And, Compare, Constant, IsNull, Not, rebuild

_DIRECTION = {">": 1, ">=": 1, "<": -1, "<=": -1}


@dataclass(frozen=True)
class Cut:
    """A condition like ``text('windy road') > 0.2``, joined to others by ``AND``.

    Args:
        condition: the whole of it, ``NOT`` included
        comparison: with a constant
        term: what is compared
        sign: 1 where greater similarities are kept, -1 where smaller ones are
        value: of the constant
    """

    condition: Expr
    comparison: Compare
    term: Similarity
    sign: int
    value: float


def find_cut(population: str, query: Query, term: str | None) -> Cut:
    """The comparison to calibrate.

    Args:
        population: name, for messages
        query: its condition, as parsed
        term: ``text('windy road')`` or the prompt alone; None where there is one only

    Raises:
        ArgumentError: no comparison can be calibrated
        SeveralCutsError: it is not clear which
    """
    cuts = [cut for part in _conjuncts(query) if (cut := _cut(part)) is not None]
    if term is not None:
        cuts = [c for c in cuts if term in (to_text(c.term), *c.term.arguments)]
    if len(cuts) == 1:
        return cuts[0]
    if term is None and cuts:
        named = [to_text(c.term) for c in cuts]
        raise SeveralCutsError(
            f"Population '{population}' cuts several similarities ({', '.join(named)}); "
            f"say which to calibrate, for example term={named[0]!r}",
            named,
        )
    raise ArgumentError(f"Population '{population}' {_why_not(query, term, len(cuts))}")


def with_cut(query: Query, cut: Cut, value: float) -> Query:
    """The query with another cut."""
    sides = (cut.comparison.left, cut.comparison.right)
    left, right = (
        Constant(value) if isinstance(side, Constant) else side for side in sides
    )
    new = Compare(cut.comparison.operator, left, right)
    return _with_condition(query, cut, _swapped(cut.condition, cut.comparison, new))


def without_cut(query: Query, cut: Cut) -> Query:
    """The query that all meet who have the similarity and meet the rest."""
    return _with_condition(query, cut, Not(IsNull(cut.term)))


def others(query: Query, cut: Cut) -> str:
    """The text of the conditions that are joined to the cut; empty where none is."""
    rest = tuple(part for part in _conjuncts(query) if part is not cut.condition)
    return to_text(And(rest) if len(rest) > 1 else rest[0]) if rest else ""


def _conjuncts(query: Query) -> tuple[Expr, ...]:
    where = query.where
    if where is None:
        return ()
    return where.operands if isinstance(where, And) else (where,)


def _cut(condition: Expr) -> Cut | None:
    inner, sign = condition, 1
    while isinstance(inner, Not):
        inner, sign = inner.operand, -sign
    if not isinstance(inner, Compare) or inner.operator not in _DIRECTION:
        return None
    sign *= _DIRECTION[inner.operator]
    term, constant = inner.left, inner.right
    if isinstance(term, Constant):
        term, constant, sign = constant, term, -sign
    if not isinstance(term, Similarity) or not isinstance(constant, Constant):
        return None
    if isinstance(constant.value, bool) or not isinstance(constant.value, (int, float)):
        return None
    return Cut(condition, inner, term, sign, float(constant.value))


def _swapped(expr: Expr, old: Expr, new: Expr) -> Expr:
    return new if expr is old else rebuild(expr, lambda e: _swapped(e, old, new))


def _with_condition(query: Query, cut: Cut, condition: Expr) -> Query:
    parts = tuple(
        condition if part is cut.condition else part for part in _conjuncts(query)
    )
    return replace(query, where=parts[0] if len(parts) == 1 else And(parts))


def _why_not(query: Query, term: str | None, found: int) -> str:
    asked = terms(query)
    if not asked:
        return (
            "has no similarity in its own query, so that there is no cut to calibrate"
        )
    named = ", ".join(map(to_text, asked))
    if term is not None:
        often = "more than once" if found else "nowhere"
        return (
            f"compares '{term}' with a number {often} by itself or joined by AND; its "
            f"similarities are {named}"
        )
    if any(isinstance(t, Rank) for t in asked):
        return (
            f"is cut by rank ({named}), which keeps a number of samples and not a "
            "precision; write text('...') > 0.2"
        )
    return (
        f"has no cut that stands by itself or joined by AND ({named} is used otherwise);"
        " write text('...') > 0.2 AND ..."
    )
