from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.errors import QueryError
from evalsets.query import (
    Members,
    Query,
    Rank,
    Schema,
    Similarity,
    check,
    evaluate,
    fields,
    inline,
    interpret,
    models,
    parse,
    references,
    renamed,
    replace,
    similarity_predicates,
    terms,
    to_text,
)
from evalsets.query.interpret import value_of
from evalsets.query.syntax import (
    And,
    Arithmetic,
    Between,
    Call,
    Case,
    Compare,
    Constant,
    Field,
    In,
    IsNull,
    Negative,
    Not,
    Or,
    When,
)
from evalsets.query.types import BOOLEAN, INTEGER, NUMBER, TEXT
from tests.query.strategies import COMPARISONS

A, B = Similarity("text", ("a",)), Similarity("text", ("b",))
SCHEMA = Schema({"n": INTEGER, "f": NUMBER, "s": TEXT, "b": BOOLEAN, "c": BOOLEAN})


def test_a_query_names_its_terms_populations_models_and_fields():
    query = parse(
        "n > text('a') AND (RANK(text('b')) < 5 OR population('trees')) "
        "AND prediction('m') = s AND text('a') > 0 ORDER BY image('c') DESC, f"
    )
    assert terms(query) == (A, Rank(B), Similarity("image", ("c",)))
    assert references(query) == {"trees"}
    assert models(query) == {"m"}
    assert fields(query) == {"n", "s", "f"}


@pytest.mark.parametrize(
    ("text", "predicates"),
    [
        ("n > 1 AND text('a') > 0.2", ["text('a') > 0.2"]),
        ("NOT (text('a') - text('b') > 0.1)", ["text('a') - text('b') > 0.1"]),
        (
            "RANK(text('a')) <= 5 OR text('a') IS NULL",
            ["RANK(text('a')) <= 5", "text('a') IS NULL"],
        ),
        ("text('a') > f AND text('a') > f", ["text('a') > f"]),
        ("(text('a') > 0.2) = b", ["text('a') > 0.2"]),
        (
            "CASE WHEN text('a') > 0.2 THEN 1 ELSE 0 END = 1 AND b",
            ["text('a') > 0.2"],
        ),
        (
            "CASE WHEN text('a') > 0.2 THEN text('b') ELSE f END > 0.1",
            ["CASE WHEN text('a') > 0.2 THEN text('b') ELSE f END > 0.1"],
        ),
        ("n > 1", []),
    ],
)
def test_the_smallest_conditions_with_a_similarity_are_found(text, predicates):
    found = similarity_predicates(check(parse(text), SCHEMA))
    assert [to_text(p) for p in found] == predicates


def test_found_members_take_the_place_of_a_predicate():
    query = check(parse("NOT text('a') > 0.2 OR n = 1"), SCHEMA)
    (predicate,) = similarity_predicates(query)
    members = Members(frozenset({"i"}), null=frozenset({"j"}))
    ready = replace(query, {predicate: members})
    rows = [{"id": "i", "n": 0}, {"id": "j", "n": 0}, {"id": "j", "n": 1}, {"id": "k"}]
    assert terms(ready) == ()
    assert interpret(ready, rows) == [2, 3]


def test_populations_are_replaced_by_their_conditions():
    known = {"a": parse("population('b') OR n = 2"), "b": parse("f > 1 AND b")}
    query = inline(parse("s = 'x' AND NOT population('a') ORDER BY n LIMIT 3"), known)
    expected = parse("s = 'x' AND NOT (f > 1 AND b OR n = 2) ORDER BY n LIMIT 3")
    assert query == expected


@pytest.mark.parametrize(
    ("known", "problem"),
    [
        ({"a": "population('b')", "b": "population('a')"}, "in a circle: a → b → a"),
        ({"a": "population('a')"}, "in a circle: a → a"),
        ({"b": "n = 1"}, "No population 'a'"),
        ({"a": "population('zebra')"}, "No population 'zebra'"),
        ({"a": "n = 1 LIMIT 5"}, "has ORDER BY or LIMIT"),
        ({"a": "n = 1 ORDER BY n"}, "has ORDER BY or LIMIT"),
    ],
)
def test_populations_that_cannot_be_replaced_are_refused(known, problem):
    with pytest.raises(QueryError, match=problem):
        inline(
            parse("n > 0 AND population('a')"), {n: parse(q) for n, q in known.items()}
        )


def test_populations_that_double_without_end_are_refused():
    known = {"p0": parse("n = 1")}
    for i in range(1, 40):
        known[f"p{i}"] = parse(f"population('p{i - 1}') = population('p{i - 1}')")
    with pytest.raises(QueryError, match="too many"):
        inline(parse("population('p39')"), known)


def test_an_error_in_a_population_points_to_where_it_is_named():
    query = inline(parse("n = 1 AND population('a')"), {"a": parse("gone = 1")})
    with pytest.raises(QueryError, match="No field 'gone'") as caught:
        check(query, SCHEMA)
    assert caught.value.position == len("n = 1 AND ")


VALUES = [-1.5, -0.5, 0.0, 0.25, 2.5]
NAMES = ("f", "g", "h")
cells = st.tuples(*(st.one_of(st.none(), st.sampled_from(VALUES)) for _ in NAMES))
leaf = st.one_of(
    st.sampled_from(NAMES).map(Field),
    st.sampled_from([*VALUES, 0, 1, None]).map(Constant),
)
numbers = st.recursive(
    leaf,
    lambda below: st.one_of(
        st.builds(Arithmetic, st.sampled_from("+-*/%"), below, below),
        st.builds(Negative, below),
        st.builds(lambda e: Call("ABS", (e,)), below),
        st.builds(
            lambda e, p: Call("ROUND", (e, Constant(p))), below, st.integers(-1, 2)
        ),
        st.builds(lambda *e: Call("COALESCE", e), below, below),
        st.builds(
            lambda o, v, w, d: Case(o, (When(v, w), When(w, v)), d),
            below,
            below,
            below,
            st.one_of(st.none(), below),
        ),
    ),
    max_leaves=6,
)
tests = st.one_of(
    st.builds(Compare, COMPARISONS, numbers, numbers),
    st.builds(Between, numbers, numbers, numbers),
    st.builds(In, numbers, st.tuples(numbers, numbers)),
    st.builds(IsNull, numbers),
)
conditions = st.recursive(
    tests,
    lambda below: st.one_of(
        st.builds(Not, below),
        st.builds(lambda *e: And(e), below, below),
        st.builds(lambda *e: Or(e), below, below),
        st.builds(lambda c, v: Case(None, (When(c, v),), None), below, below),
    ),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(conditions, st.lists(cells, min_size=1, max_size=6))
def test_whole_columns_mean_what_rows_mean(expr, cells):
    where = check(Query(expr), Schema(dict.fromkeys(NAMES, NUMBER))).where
    expected = [value_of(where, dict(zip(NAMES, row, strict=True))) for row in cells]
    lists = dict(zip(NAMES, zip(*cells, strict=True), strict=True))
    nan = {
        name: np.array([math.nan if v is None else v for v in column])
        for name, column in lists.items()
    }
    for table in (nan, {n: np.array(v, dtype=object) for n, v in lists.items()}):
        true, null = evaluate(where, table)
        assert true.tolist() == [v is True for v in expected]
        assert null.tolist() == [v is None for v in expected]


def test_a_column_of_objects_may_hold_text():
    query = check(parse("CASE s WHEN 'x' THEN text('a') ELSE f END > 0.3"), SCHEMA)
    table = {
        "s": np.array(["x", "y", None], dtype=object),
        "f": np.array([0.1, 0.5, np.nan]),
        A: np.array([0.4, 0.2, 0.9]),
    }
    true, null = evaluate(query.where, table)
    assert true.tolist() == [True, True, False]
    assert null.tolist() == [False, False, True]


def test_a_renamed_population_is_renamed_wherever_it_is_named():
    text = "x > 1 AND population ( 'it''s' ) OR NOT population('it')  -- 'it''s'"
    found = renamed(parse(text), "it's", "a 'b'")
    assert found == text.replace("population ( 'it''s' )", "population('a ''b''')", 1)
    assert renamed(parse(text), "x", "y") == text
