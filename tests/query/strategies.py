"""Random queries over the fields of the test dataset, and what DuckDB calls them."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from hypothesis import strategies as st

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
    Negative,
    Not,
    Or,
    Order,
    Query,
    Similarity,
    When,
    joined,
)
from evalsets.query.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    TEXT,
    TIME,
    FieldType,
    Schema,
)

BOX = {p: FieldType("number", path="bounding_box", stored_as=p) for p in "xywh"}
OBJECTS = FieldType(
    "objects",
    fields={
        "label": TEXT,
        "confidence": NUMBER,
        "index": INTEGER,
        "occluded": BOOLEAN,
        "tags": FieldType("list", item=TEXT),
    }
    | BOX
    | {"area": FieldType("number", path="bounding_box", stored_as="area")},
)
SCHEMA = Schema(
    {
        "id": FieldType("text", stored_as="object id"),
        "n": INTEGER,
        "m": INTEGER,
        "big": INTEGER,
        "huge": INTEGER,
        "f": NUMBER,
        "g": NUMBER,
        "s": TEXT,
        "u": TEXT,
        "b": BOOLEAN,
        "c": BOOLEAN,
        "d": DATE,
        "t": TIME,
        "words": FieldType("list", item=TEXT),
        "numbers": FieldType("list", item=INTEGER),
        "weather": FieldType("text", name="weather.label", path="weather.label"),
        "metadata.width": INTEGER,
        "odd name": NUMBER,
        "gt": OBJECTS,
    }
)

LETTERS = "abAÄäßİıΣſ😀%_!\\\n$.*+?^(|[{x' "
texts_of = st.text(LETTERS, max_size=4)
whole = st.integers(-4, 4)
FRACTIONS = [-2.5, -0.5, 0.0, 0.1, 0.25, 0.3, 0.5, 0.7, 1.5, 2.0, 4.0, 1e-5]
fraction = st.sampled_from(FRACTIONS)
SIMILAR = Similarity("text", ("a", "b"), against=("c",))
days = st.dates(dt.date(1969, 12, 30), dt.date(1970, 1, 3))
times = st.datetimes(
    dt.datetime.fromisoformat("1969-12-30"), dt.datetime.fromisoformat("1970-01-03")
).map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000))

KINDS = ("number", "text", "boolean", "date", "time")
COMPARISONS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def _fields(*names: str) -> st.SearchStrategy[Expr]:
    return st.sampled_from([Field(name) for name in names])


def _nullable(values: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.one_of(values, values, values, st.just(Constant(None)))


@lru_cache
def leaves(inner: bool) -> dict[str, st.SearchStrategy[Expr]]:
    """The fields and constants of each type, in a sample or in an object."""
    numbers = (
        ("confidence", "index", "x", "area", "n")
        if inner
        else ("n", "m", "big", "f", "g", "metadata.width")
    )
    texts = ("label", "s") if inner else ("s", "u", "weather", "id")
    truths = ("occluded", "b") if inner else ("b", "c")
    constants = st.one_of(whole, fraction).map(Constant)
    number = [_fields(*numbers), _nullable(constants)]
    return {
        "number": st.one_of(*number, *([] if inner else [st.just(SIMILAR)])),
        "text": st.one_of(_fields(*texts), _nullable(texts_of.map(Constant))),
        "boolean": st.one_of(_fields(*truths), _nullable(st.booleans().map(Constant))),
        "date": st.one_of(_fields("d"), _nullable(days.map(Constant))),
        "time": st.one_of(_fields("t"), _nullable(times.map(Constant))),
    }


@lru_cache
def values(kind: str, depth: int, inner: bool = False) -> st.SearchStrategy[Expr]:
    """Expressions of a type; ``depth`` bounds how deep they nest."""
    leaf = leaves(inner)[kind]
    if depth <= 0:
        return leaf
    below = {k: values(k, depth - 1, inner) for k in KINDS}
    forms = [leaf, _case(below[kind], below), _coalesce(below[kind])]
    if kind == "number":
        forms += _numbers(below, inner)
    if kind == "text":
        name = st.sampled_from(["LOWER", "UPPER"])
        forms.append(st.builds(lambda n, e: Call(n, (e,)), name, below["text"]))
    if kind == "boolean":
        forms = [conditions(depth, inner), *forms[:2]]
    return st.one_of(forms)


def _case(value, below) -> st.SearchStrategy[Expr]:
    searched = st.lists(
        st.builds(When, below["boolean"], value), min_size=1, max_size=2
    )
    simple = st.lists(st.builds(When, below["number"], value), min_size=1, max_size=2)
    default = st.one_of(st.none(), value)
    return st.one_of(
        st.builds(Case, st.none(), searched.map(tuple), default),
        st.builds(Case, below["number"], simple.map(tuple), default),
    )


def _coalesce(value) -> st.SearchStrategy[Expr]:
    arguments = st.lists(value, min_size=1, max_size=3)
    return arguments.map(lambda a: Call("COALESCE", tuple(a)))


def _numbers(below, inner: bool) -> list[st.SearchStrategy[Expr]]:
    number = below["number"]
    places = st.integers(-3, 3).map(Constant)
    forms = [
        st.builds(Arithmetic, st.sampled_from("+-*/%"), number, number),
        st.builds(Arithmetic, st.sampled_from("/%"), number, leaves(inner)["number"]),
        st.builds(Negative, _fields("n", "f")),
        number.map(lambda e: Call("ABS", (e,))),
        number.map(lambda e: Call("ROUND", (e,))),
        st.builds(lambda e, p: Call("ROUND", (e, p)), number, places),
        below["text"].map(lambda e: Call("LENGTH", (e,))),
    ]
    if not inner:
        name = st.sampled_from(["SUM", "MIN", "MAX", "AVG"])
        one = values("number", 1, True)
        forms.append(st.builds(Aggregate, name, st.just(Field("gt")), one))
        condition = st.one_of(st.none(), conditions(1, True))
        forms.append(
            st.builds(Aggregate, st.just("COUNT"), st.just(Field("gt")), condition)
        )
    return forms


@lru_cache
def conditions(depth: int, inner: bool = False) -> st.SearchStrategy[Expr]:
    """Conditions that nest at most ``depth`` deep."""
    below = {k: values(k, depth - 1, inner) for k in KINDS}
    text, condition = below["text"], below["boolean"]
    pairs = st.lists(condition, min_size=2, max_size=3).map(tuple)
    forms = [
        *(form for kind in KINDS for form in _tests(below[kind])),
        *_tests(st.one_of(below["date"], below["time"])),
        st.builds(Like, text, texts_of, st.booleans()),
        st.builds(_escaped, text, texts_of, st.booleans(), st.sampled_from("!\\%_ß😀")),
        condition.map(Not),
        pairs.map(lambda p: joined(And(p))),
        pairs.map(lambda p: joined(Or(p))),
    ]
    lists = [st.builds(Contains, _fields("tags" if inner else "words"), text)]
    forms += lists
    if not inner:
        forms.append(st.builds(Contains, st.just(Field("numbers")), below["number"]))
        quantifier = st.sampled_from(["ANY", "ALL"])
        one = conditions(1, True)
        forms.append(st.builds(Aggregate, quantifier, st.just(Field("gt")), one))
    return st.one_of(forms)


def _escaped(operand: Expr, pattern: str, fold: bool, escape: str) -> Expr:
    """A pattern in which the escape never stands alone at the end."""
    return Like(operand, pattern.replace(escape, escape * 2), fold, escape)


def _tests(value: st.SearchStrategy[Expr]) -> list[st.SearchStrategy[Expr]]:
    options = st.lists(value, min_size=1, max_size=3).map(tuple)
    return [
        st.builds(Compare, COMPARISONS, value, value),
        st.builds(Between, value, value, value),
        st.builds(In, value, options),
        st.builds(IsNull, value),
    ]


sums = st.recursive(
    st.one_of(
        _fields("f", "g", "n"), st.sampled_from([0.1, 0.3, 0.7, 3, -2]).map(Constant)
    ),
    lambda e: st.builds(Arithmetic, st.sampled_from("++**-"), e, e),
    max_leaves=8,
)
"""Arithmetic whose result depends on the order in which it is rounded."""
sums_of_objects = st.builds(
    Aggregate,
    st.sampled_from(["SUM", "AVG"]),
    st.just(Field("gt")),
    st.recursive(
        st.one_of(_fields("confidence", "area", "x", "f"), st.just(Constant(0.3))),
        lambda e: st.builds(Arithmetic, st.sampled_from("+*"), e, e),
        max_leaves=4,
    ),
)
any_values = st.one_of(sums, sums_of_objects, *(values(kind, 3) for kind in KINDS))


def _is_no_constant(expr: Expr) -> bool:
    return not isinstance(expr, Constant)


orders = st.builds(
    Order,
    st.one_of(values(kind, 1).filter(_is_no_constant) for kind in KINDS),
    st.booleans(),
    st.booleans(),
)
queries = st.builds(
    Query,
    st.one_of(st.none(), conditions(3)),
    st.lists(orders, max_size=2).map(tuple),
    st.one_of(st.none(), st.integers(0, 20)),
)
