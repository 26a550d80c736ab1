from __future__ import annotations

import pytest
from hypothesis import given, settings

from evalsets.errors import ArgumentError, QueryError
from evalsets.query import parse, to_text
from evalsets.query.syntax import (
    Aggregate,
    And,
    Compare,
    Constant,
    Contains,
    Field,
    InPopulation,
    Not,
    Or,
    Order,
    Prediction,
    Rank,
    Similarity,
)
from tests.query.strategies import queries

A, B, C = (Compare("=", Field(name), Constant(1)) for name in "abc")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a = 1 OR b = 1 AND c = 1", Or((A, And((B, C))))),
        ("NOT a = 1", Not(A)),
        ("(a = 1 AND b = 1) AND c = 1", And((A, B, C))),
        ("a.b.c.d.e = 1", Compare("=", Field("a.b.c.d.e"), Constant(1))),
        ('"odd name".b = 1', Compare("=", Field("odd name.b"), Constant(1))),
        ("s = 'it''s'", Compare("=", Field("s"), Constant("it's"))),
        ("'night' IN tags", Contains(Field("tags"), Constant("night"))),
        ("tags contains 'night'", Contains(Field("tags"), Constant("night"))),
        ("'x' NOT IN tags", Not(Contains(Field("tags"), Constant("x")))),
        ("tags NOT CONTAINS 'x'", Not(Contains(Field("tags"), Constant("x")))),
        ("population('trees')", InPopulation("trees")),
        ("prediction('m') = 1", Compare("=", Prediction("m"), Constant(1))),
        ("count(gt) = 1", Compare("=", Aggregate("COUNT", Field("gt")), Constant(1))),
        ("ALL(gt, a = 1)", Aggregate("ALL", Field("gt"), A)),
        (
            "text('x', against='y') < -.5",
            Compare("<", Similarity("text", ("x",), ("y",)), Constant(-0.5)),
        ),
        (
            "RANK(image('x.jpg')) <= 200",
            Compare("<=", Rank(Similarity("image", ("x.jpg",))), Constant(200)),
        ),
        (
            "image('a', 'b', against=('c', 'd')) > 0",
            Compare(">", Similarity("image", ("a", "b"), ("c", "d")), Constant(0)),
        ),
        (
            "text('a', 'b', AGAINST=('c')) > 0",
            Compare(">", Similarity("text", ("a", "b"), ("c",)), Constant(0)),
        ),
    ],
)
def test_text_reads_as_this_tree(text, tree):
    assert parse(text).where == tree


def test_a_whole_select_has_a_condition_an_order_and_a_limit():
    query = parse("SELECT * FROM dataset WHERE a = 1 ORDER BY b DESC, c LIMIT 5")
    assert query.where == A
    assert query.order_by == (Order(Field("b"), descending=True), Order(Field("c")))
    assert query.limit == 5
    assert parse("where a = 1 order by b desc, c limit 5") == query


def test_the_least_whole_number_can_be_written():
    least = Constant(-(2**63))
    assert parse("n = -9223372036854775808").where == Compare("=", Field("n"), least)
    for text in ("- -9223372036854775808 > n", "n = -9223372036854775808"):
        assert parse(to_text(parse(text))) == parse(text)


def test_a_limit_beyond_all_datasets_is_none():
    assert parse("LIMIT 0007").limit == 7
    assert parse("LIMIT 0").limit == 0
    assert parse("LIMIT " + "9" * 5000).limit == 2**31 - 1


@settings(max_examples=200, deadline=None)
@given(queries)
def test_a_printed_query_reads_back_as_itself(query):
    assert parse(to_text(query)) == query


@pytest.mark.parametrize(
    "name", ["select", "CASE", "date", "text", "a b", 'a"b', "é", "1a"]
)
def test_a_name_that_is_no_plain_word_is_printed_in_quotes(name):
    assert parse(to_text(Field(name))).where == Field(name)


@pytest.mark.parametrize(
    ("text", "problem", "word"),
    [
        ("", "empty", ""),
        ("a = 'x", "never closed", "'"),
        ("a = 1 AND", "cannot end", "AND"),
        ("(a = 1", "')' is missing", "1"),
        ("a = = 1", "cannot be read", "="),
        ("a = 1; DROP TABLE b", "one query, not several", ";"),
        ("a IN (SELECT b)", "A query inside a query", "b"),
        ("a = 1 GROUP BY b", "GROUP BY is not part", "GROUP BY"),
        ("SELECT * FROM dataset JOIN c ON a = b", "JOIN is not part", "JOIN"),
        ("SELECT * FROM dataset, c", "JOIN is not part", "c"),
        ("a = 1 UNION SELECT 2", "UNION is not part", "UNION"),
        ("WITH x AS (SELECT 1) SELECT * FROM dataset", "WITH is not part", None),
        ("SELECT DISTINCT a FROM dataset", "DISTINCT is not part", None),
        ("SELECT a + 1 FROM dataset", "selects samples", "a + 1"),
        ("SELECT * EXCEPT (a) FROM dataset", "EXCEPT is not part", "EXCEPT"),
        ("SELECT * FROM dataset LIMIT 5%", "percent", None),
        ("SELECT * FROM dataset LIMIT 5 PERCENT", "percent", None),
        ("SELECT * FROM dataset LIMIT 5 WHERE n > 1", "WHERE comes first", "WHERE"),
        ("LIMIT 5 ORDER BY n", "then LIMIT", "ORDER BY"),
        ("SELECT * FROM road", "it is asked of; write FROM dataset", "road"),
        ("a = 1 LIMIT b", "whole number", "b"),
        ("ORDER BY " + ", ".join("abcdefghi"), "at most 8 values", "a"),
        ("a = 1 LIMIT 3 OFFSET 3", "OFFSET is not part", "OFFSET"),
        ("cuont(gt) > 1", "did you mean 'COUNT'", "cuont"),
        ("COUNT(DISTINCT gt) > 1", "DISTINCT", None),
        ("RANK(1) < 2", "RANK takes a similarity", "RANK"),
        ("text(prompt) > 1", "in single quotes", "prompt"),
        ("a = 1 AND text(a dog) > 1", "text() takes arguments in single quotes", "a"),
        ("image(left turn) > 1", "image() takes arguments in single quotes", "left"),
        ("text(2 dogs) > 1", "text() takes arguments in single quotes", "2"),
        ("a = 'text' (b = 1)", "cannot be read at '('", "("),
        ("a = 'x' AN b = 1", "did you mean AND?", "AN"),
        ("a = 1 AND AND b = 1", "cannot be read at 'AND' (at", "AND"),
        ("text('') > 1", "something to look for", None),
        ("text('a', '') > 1", "something to look for", None),
        ("text(against='a') > 1", "something to look for", None),
        ("text('a', against='b', 'c') > 1", "at the end against=", None),
        ("text('a', against=b) > 1", "in single quotes", "b"),
        ("text('a', against=()) > 1", "something to look for", None),
        ("text('a', instead='b') > 1", "in single quotes", "instead"),
        (f"image({', '.join(['1'] * 201)}) > 1", "1 to 200 arguments", None),
        ("a LIKE 'x!' ESCAPE '!'", "may not end the pattern", "'!'"),
        ("a IS TRUE", "only NULL", None),
        ("limit > 0.5", 'written "limit"', None),
        ("RANK(text('a'), 2) < 3", "takes 1 argument, not 2", "RANK"),
        ("a >> 1 = 2", ">> is not part", "a"),
        ("a SIMILAR TO 'x'", "SIMILAR TO is not part", "a"),
        ("a = 1e999", "out of range", "1e999"),
        ("a = 9223372036854775808", "out of range", "9223372036854775808"),
        ("d = DATE '2024-13-01'", "ISO 8601", "'2024-13-01'"),
        ("a::INT = 1", "CAST is not part", "a"),
        ("a[1] = 1", "[ ] is not part", None),
        ("a = 1 OR (b = 1 AND\n  c | 1)", "is not part", "c | 1"),
        (";", "cannot end with ';'", ";"),
        ("; a = 1", "cannot be read at ';' (at position 0)", ";"),
        (") = 1", "cannot be read at ')' (at position 0)", ")"),
    ],
)
def test_text_outside_the_language_is_refused_where_it_stands(text, problem, word):
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert problem in str(error)
    if word is not None:
        assert error.text[error.position :].startswith(error.word)
        assert error.word.startswith(word)


@pytest.mark.parametrize(
    ("text", "place", "shown", "caret"),
    [
        ("n | 1", "position 0", "n | 1", "^^^^^"),
        (
            "n = 1\n  AND\n\tm | 2\nAND s = 'a'",
            "position 13, line 3, column 2",
            " m | 2",
            " ^^^^^",
        ),
        ("n = 1\r\nAND (m = 2", "position 16, line 2, column 10", "AND (m = 2", None),
        ("\n\nGROUP BY\n n", "position 2, line 3, column 1", "GROUP BY", "^^^^^^^^"),
        ("s = '\x1b[31m' AND\nn OR", "position 18, line 2, column 3", "n OR", "  ^^"),
        ("s = '\x1b[31m\x07' OR | n", None, "s = ' [31m ' OR | n", None),
        ("n = 1 AND\n'é" + "x" * 90 + "' | 2", None, "'é" + "x" * 78, "^" * 80),
    ],
)
def test_the_place_of_an_error_is_told_as_editors_count(text, place, shown, caret):
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    said, line, marks = str(error).split("\n")
    assert line == f"  {shown}"
    assert caret is None or marks == f"  {caret}"
    assert place is None or said.endswith(f"(at {place})")
    before = text[: error.position].split("\n")
    assert (error.line, error.column) == (len(before), len(before[-1]) + 1)


@pytest.mark.parametrize("between", ["\n", "\r\n\t", " -- 'why'\n"])
@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("n", "=", "1", "AND", "m", "|", "2"), 4),
        (("n", "=", "1", "GROUP BY", "s"), 3),
        (("n", "=", "1", "AND", "AND", "m", "=", "2"), 4),
        (("n", ">", "1", "UNION", "SELECT", "1"), 3),
        (("n", "IN", "(", "SELECT", "1", ")"), None),
        (("LIMIT", "5", "WHERE", "n", "=", "1"), 2),
        (("n", "=", "1", ";", "m", "=", "2"), 3),
        (("n", "=", "'open"), 2),
        (("NOPE", "(", "n", ")", "=", "1"), 0),
        (("SELECT", "*", "FROM", "elsewhere"), 3),
        (("n", "=", "1", "LIMIT", "-", "1"), None),
    ],
)
def test_the_place_is_found_whatever_stands_between_the_words(words, wrong, between):
    with pytest.raises(QueryError) as flat:
        parse(" ".join(words))
    with pytest.raises(QueryError) as found:
        parse(between.join(words))
    lines = between.count("\n")
    at = len(" ".join(words[:wrong])) + 1 if wrong else 0
    if wrong is not None:
        assert flat.value.position == at
        assert found.value.line == wrong * lines + 1
    assert found.value.word.split()[:1] == flat.value.word.split()[:1]


def test_a_query_that_is_no_text_is_refused():
    with pytest.raises(ArgumentError, match="A query is text, not int"):
        parse(5)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("n > 1 UNION SELECT * FROM dataset", "UNION"),
        ("s = 'a union b' EXCEPT SELECT * FROM b", "EXCEPT"),
        ("SELECT * FROM dataset LIMIT 3 offset 2", "offset"),
        ("SELECT * FROM dataset\n WHERE n > 1\n OFFSET 2", "OFFSET"),
        ("SELECT * FROM dataset JOIN b ON a = b", "JOIN"),
        ("SELECT * FROM dataset WHERE n > 1 FOR  UPDATE", "FOR  UPDATE"),
        ("n > INTERVAL '1' DAY", "INTERVAL"),
    ],
)
def test_a_refused_keyword_is_shown_where_it_stands(text, word):
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert caught.value.word == word
    assert caught.value.position == text.index(word)
    assert " ".join(word.upper().split()) in caught.value.problem
