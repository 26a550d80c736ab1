"""Queries that say in the language what their prompts cannot say to an encoder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from evalsets.query.prompts import Count, Reading, read_prompt
from evalsets.query.syntax import (
    Aggregate,
    And,
    Between,
    Compare,
    Constant,
    Expr,
    Field,
    In,
    IsNull,
    Not,
    Query,
    Similarity,
    joined,
    rebuild,
    walk,
)
from evalsets.query.text import to_text
from evalsets.query.types import Schema
from evalsets.query.vacuous import meant, vacuous


class PromptWarning(UserWarning):
    """A query asks in vain: what no encoder can tell, or what tells nothing apart.

    Args:
        problem: one sentence that names the prompts or comparisons
        proposal: the whole query with these said in the language; empty where the
            fields for it are missing
    """

    def __init__(self, problem: str, proposal: str = "") -> None:
        self.problem = problem
        self.proposal = proposal
        super().__init__(f"{problem}; write: {proposal}" if proposal else problem)


def advise(query: Query, schema: Schema) -> PromptWarning | None:
    """What a query asks in vain, of its prompts or otherwise, and what to write instead.

    Args:
        query: as parsed
        schema: in whose fields things may be counted
    """
    readings = {p: read_prompt(p) for p in _prompts(query)}
    vain = {p: r for p, r in readings.items() if r.negates or r.counts}
    problems = vacuous(query)
    if not vain and not problems:
        return None
    negated = [p for p, r in vain.items() if r.negates]
    counted = [p for p, r in vain.items() if r.counts]
    if negated:
        problems.append(f"CLIP does not understand negation ({_quoted(negated)})")
    if counted:
        problems.append(f"CLIP does not count ({_quoted(counted)})")
    problem = " and ".join(problems)
    mender = _Mender(vain, schema)
    mended = mender.query(meant(query))
    if mender.missing:
        things = " and ".join(f"'{noun}'" for noun in mender.missing)
        problem += f"; no field counts {things}: tag the counts with a detector first"
    better = "" if mended is None or mended == query else to_text(mended)
    return PromptWarning(problem, better)


def _prompts(query: Query) -> Iterator[str]:
    for root in query.roots():
        for node in walk(root):
            if isinstance(node, Similarity) and node.kind == "text":
                yield from (*node.arguments, *node.against)


def _quoted(prompts: list[str]) -> str:
    short = [p if len(p) <= 60 else p[:59] + "…" for p in prompts]
    return ", ".join(f"'{p}'" for p in short)


class _VainError(Exception):
    """A prompt that nothing in the language can replace."""


class _Mender:
    """Rewrites a query.

    Args:
        vain: what the prompts to replace say
        schema: whose fields count things
    """

    def __init__(self, vain: dict[str, Reading], schema: Schema) -> None:
        self.vain = vain
        self.schema = schema
        self.missing: list[str] = []

    def query(self, query: Query) -> Query | None:
        """The query mended; None where a part of it cannot be."""
        try:
            where = None if query.where is None else self.condition(query.where)
            orders = tuple(
                replace(order, key=self.value(order.key)) for order in query.order_by
            )
        except _VainError:
            return None
        return replace(query, where=where, order_by=orders)

    def condition(self, expr: Expr) -> Expr:
        if not any(self._is_vain(node) for node in walk(expr)):
            return expr
        if isinstance(expr, Compare):
            for side, other in ((expr.left, expr.right), (expr.right, expr.left)):
                if isinstance(side, Similarity) and self._is_vain(side):
                    return self._compared(expr, side, other)
        if isinstance(expr, (Compare, Between, In, IsNull)):
            counts = [c for node in walk(expr) for c in self._counts(node)]
            return _all(rebuild(expr, self.value), *counts)
        return rebuild(expr, self.condition)

    def _compared(self, expr: Compare, vain: Similarity, cut: Expr) -> Expr:
        """``text('a without b') > cut`` as ``text('a') > cut AND NOT text('b') > cut``."""
        operator = expr.operator if vain is expr.left else _TURNED[expr.operator]
        if operator in _OPPOSITE:
            opposite = Compare(_OPPOSITE[operator], vain, cut)
            return Not(self._compared(opposite, vain, cut))
        shown, absent = self._parted(vain)
        parts: list[Expr] = []
        if shown:
            seen = replace(vain, arguments=shown, span=None)
            parts.append(Compare(operator, seen, cut))
        for thing in absent:
            counter = _number_field(thing, self.schema)
            if counter is not None:
                parts.append(Compare("=", counter, Constant(0)))
            else:
                unseen = Similarity("text", (thing,))
                parts.append(Not(Compare(operator, unseen, cut)))
        return _all(*parts, *self._counts(vain))

    def value(self, expr: Expr) -> Expr:
        """Similarities inside an expression: what is absent goes to ``against``."""
        if not (isinstance(expr, Similarity) and self._is_vain(expr)):
            return rebuild(expr, self.value)
        shown, absent = self._parted(expr)
        return replace(
            expr,
            arguments=shown or ("a photo",),
            against=(*expr.against, *absent),
            span=None,
        )

    def _parted(self, similarity: Similarity) -> tuple[tuple[str, ...], list[str]]:
        """The prompts without what is absent, and what is."""
        if any(prompt in self.vain for prompt in similarity.against):
            raise _VainError
        shown: list[str] = []
        absent: list[str] = []
        for prompt in similarity.arguments:
            reading = self.vain.get(prompt, Reading(prompt))
            if not (reading.shown or reading.absent or reading.counts):
                raise _VainError
            shown += [reading.shown] if reading.shown else []
            absent += reading.absent
        return tuple(shown), absent

    def _counts(self, node: Expr) -> list[Expr]:
        if not self._is_vain(node):
            return []
        assert isinstance(node, Similarity)  # noqa: S101 - only these are vain
        readings = [self.vain[p] for p in node.arguments if p in self.vain]
        return [
            self._counted(count) for reading in readings for count in reading.counts
        ]

    def _counted(self, count: Count) -> Expr:
        field = _number_field(count.noun, self.schema)
        counter = field or _objects(count.noun, self.schema)
        if counter is None:
            self.missing.append(count.noun)
            raise _VainError
        return Compare(count.operator, counter, Constant(count.number))

    def _is_vain(self, node: Expr) -> bool:
        if not isinstance(node, Similarity) or node.kind != "text":
            return False
        return any(p in self.vain for p in (*node.arguments, *node.against))


_TURNED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPPOSITE = {"<": ">=", "<=": ">", "<>": "="}
_MARKS = {"num", "n", "nb", "count", "counts", "number", "no", "of", "total", "the"}


def _all(*parts: Expr) -> Expr:
    return parts[0] if len(parts) == 1 else joined(And(parts))


def _number_field(noun: str, schema: Schema) -> Field | None:
    """A field such as ``num_people`` or ``car_count``, by the name of the thing."""
    wanted = {tuple(words.split()) for words in _forms(noun)}
    for path, type_ in schema.fields.items():
        words = re.findall(r"[a-z]+", path.rpartition(".")[2].lower())
        if (
            type_.kind == "number"
            and tuple(w for w in words if w not in _MARKS) in wanted
        ):
            return Field(path)
    return None


def _objects(noun: str, schema: Schema) -> Aggregate | None:
    """A count of objects in a field of boxes, true ones before predictions."""
    predicted = set(schema.models.values())
    paths = [
        path
        for path, type_ in schema.fields.items()
        if type_.kind == "objects" and {"label", "area"} <= set(type_.fields)
    ]
    if not paths or " " in noun:
        return None
    path = min(paths, key=lambda p: (p in predicted, p.count("."), p != "ground_truth"))
    label = Compare("=", Field("label"), Constant(_singular(noun)))
    return Aggregate("COUNT", Field(path), label)


_SINGULAR = {"people": "person", "persons": "person", "children": "child"} | {
    "teeth": "tooth",
    "geese": "goose",
    "mice": "mouse",
    "buses": "bus",
    "knives": "knife",
}


def _forms(noun: str) -> set[str]:
    one = _singular(noun)
    return {noun.lower(), one, f"{one}s"} | {
        m for m, o in _SINGULAR.items() if o == one
    }


def _singular(noun: str) -> str:
    noun = noun.lower()
    for ending, singular in (("men", "man"), ("ies", "y"), ("s", "")):
        if noun in _SINGULAR:
            return _SINGULAR[noun]
        if noun.endswith(ending) and not noun.endswith("ss"):
            stem = noun.removesuffix(ending)
            return (
                stem.removesuffix("e") + singular
                if _HISSES.search(stem)
                else stem + singular
            )
    return noun


_HISSES = re.compile(r"(?:s|x|ch|sh)e$")
