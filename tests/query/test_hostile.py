"""Whatever is typed: a result or one clear error, soon, and never a command."""

from __future__ import annotations

import contextlib
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.errors import EvalsetsError
from evalsets.query import Query, check, parse, terms
from evalsets.query.syntax import Constant, Expr, Like, rebuild
from tests.query.strategies import SCHEMA, conditions


def filled(piece: str, between: str = " OR ", length: int = 19_900) -> str:
    """A piece of a query as often as it may stand in one text."""
    return between.join([piece] * ((length + len(between)) // len(piece + between)))


ACCEPTED = [
    filled("s ILIKE '%ß%'"),
    filled("UPPER(s) = 'a'"),
    filled("UPPER(LOWER(s)) = LOWER(u)"),
    f"n IN ({filled('1', ',', 19_800)})",
    f"s IN ({filled('UPPER(u)', ',', 19_800)})",
    filled("b", " AND "),
    filled("NOT b", " AND "),
    filled("f / g > ROUND(f, 2)"),
    filled("COUNT(gt, label ILIKE 'a') = 1"),
    filled("s LIKE '%_%_%_%_%_%_%_%_%'"),
    f"s LIKE '{'%a' * 490}'",
    f"CASE {filled('WHEN f > g THEN 1', ' ')} END = 1",
    "CASE WHEN b THEN " * 30 + "1" + " END" * 30 + " = 1",
    filled("text('a', 'b', against='c') > 0"),
    "NOT " * 90 + "b",
    f"s = '{'$' * 19_000}'",
    f"b --{'-' * 19_000}",
    f"b {'/* */' * 3_800}",
    f"n = 0.{'9' * 19_000}",
    f"TRUE LIMIT {'9' * 19_000}",
    f"TRUE ORDER BY {', '.join([f'ROUND({chr(40) * 20}f{chr(41) * 20})'] * 8)}",
]
REFUSED = [
    "(" * 10_000,
    "(" * 1_000_000,
    "(" * 500_000 + "b" + ")" * 500_000,
    "((a" + "(" * 57 + "a = 1" + ")" * 59,
    filled("b", " AND ", 900_000),
    f"n IN ({', '.join(map(str, range(100_000)))})",
    f"s = '{'a' * 1_000_000}'",
    "x" * 1_000_000,
    "x" * 19_000 + " = 1",
    "x" * 19_000 + "(1) = 1",
    f"population('{'x' * 19_000}')",
    "NOT " * 10_000 + "b",
    "NOT " * 4_900 + "b",
    "CASE WHEN b THEN " * 10_000,
    "CASE WHEN " * 1_900,
    "1" + " + 1" * 4_900 + " > 1",
    "1" + " = 1" * 4_900,
    "x IN (" * 3_000,
    "a." * 9_000,
    ".".join("a" * 9_000) + " = 1",
    "- " * 9_000 + "1 > 1",
    f"n = {'-' * 19_000}1",
    f"n = {'9' * 19_000}",
    f"n = 1e{'9' * 19_000}",
    f"n = 1{'::int' * 3_900}",
    f"n IN ({',' * 19_000})",
    f"s = {'a ' * 4_900}",
    f"s{' LIKE 1' * 2_400}",
    f"b{' IS NULL' * 2_400}",
    f"a{'[1]' * 6_000}",
    f"a{'->b' * 6_000}",
    f"b{' UNION SELECT 1' * 1_200}",
    f"SELECT * FROM dataset{' JOIN a ON b' * 1_500}",
    f"TRUE ORDER BY {filled('n', ', ')}",
    "WITH a AS (SELECT 1) " * 900,
    "EXISTS(" * 2_800,
    "SELECT " * 2_800,
    "LOWER(" * 3_000,
    "a BETWEEN " * 1_900,
    "INTERVAL " * 2_000,
    "x -> " * 3_900,
    "/*" * 9_000,
    "{{" + "{%" * 5_000,
    *(mark * 19_000 for mark in "[{'\"@?:;,$\\ ­\u202e￿"),
]
"""Also those that end in the middle, and marks that SQL has no use for."""
MONSTERS = [*ACCEPTED, *REFUSED]


def answered(text: str) -> bool:
    """Whether a text is a query; anything but that or one of our errors goes through."""
    try:
        check(parse(text), SCHEMA)
    except EvalsetsError:
        return False
    return True


@pytest.mark.parametrize("text", MONSTERS, ids=lambda t: f"{t[:12]!r}…{len(t)}")
def test_a_monstrous_query_is_answered_within_a_second(text, a_second):
    with a_second():
        assert answered(text) is (text in ACCEPTED)


def test_no_query_takes_much_memory():
    for text in (*ACCEPTED[::4], *(t for t in REFUSED if len(t) > 20_000)):
        tracemalloc.start()
        answered(text)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 40e6, text[:40]


WORDS = """
a n f s b gt words ( ) ( ) , . = <> < AND OR NOT IN BETWEEN LIKE ESCAPE IS NULL CASE WHEN
THEN ELSE END COUNT ANY text image against RANK population SELECT * FROM dataset WHERE ORDER
BY LIMIT CONTAINS 1 -2.5 1e5 'x' '$where' '{"$ne":1}' $where "$f" {$gt:1} $$ROOT -- /* */ ;
[ ] : :: @ ? % + - / | || ~ ^ \\ é ＝ ʼ ‘ ѕ DATE '2024-01-01' UNION JOIN OVER FILTER EXISTS
INTERVAL LATERAL VALUES TRUE ROUND COALESCE LOWER 0x1F b'1' 1_0 E'a' N'a' $$a$$ CAST AS
"""
words = st.lists(st.sampled_from([*WORDS.split(), "\x00", "\ud800", "\n"]), max_size=14)
texts = st.one_of(st.text(max_size=60), words.map(" ".join))


@settings(max_examples=400, deadline=2000)
@given(texts)
def test_any_text_is_a_query_or_one_clear_error(text):
    answered(text)


def shape(mongo):
    """A compiled condition without its constants."""
    if isinstance(mongo, list):
        return [shape(one) for one in mongo]
    if isinstance(mongo, dict):
        return {k: k == "$literal" or shape(v) for k, v in mongo.items()}
    return mongo


def worded(expr: Expr) -> Expr:
    """The same condition with harmless words in place of the user's."""
    if isinstance(expr, Constant) and isinstance(expr.value, str):
        return Constant("x")
    whole = rebuild(expr, worded)
    if isinstance(whole, Like):
        return Like(whole.operand, "x", whole.fold)
    return whole


@pytest.mark.db
@settings(max_examples=150, deadline=None)
@given(conditions(3))
def test_what_reaches_mongodb_has_the_same_shape_whatever_the_text(condition):
    from evalsets.datasets.expressions import Compiler

    def compiled(expr):
        columns = dict.fromkeys(terms(expr), "sim")
        compiler = Compiler(columns)
        return shape(compiler.closed(compiler.true(check(Query(expr), SCHEMA).where)))

    assert compiled(condition) == compiled(worded(condition))


HOSTILE = [
    *("$where", "$s", "$$ROOT", "$literal", "a.b", "$", "'; --", "' OR '1'='1", "\x00"),
    *('{"$gt": ""}', '{"$where": "sleep(1000)"}', "function() { return true }", "//"),
    *("ѕ", "＇", "\u202e", "\ufeff", "a\u0301", "á", "😀", "\n", "\\", "%", "_", ""),
]


@pytest.fixture(scope="module")
def hostile():
    """A dataset whose texts are hostile, and its schema."""
    import fiftyone as fo

    from evalsets.datasets.schema import read_schema

    dataset = fo.Dataset()
    dataset.add_samples(
        fo.Sample(
            f"/{i}.png",
            s=text,
            u=text,
            n=i,
            f=i / 2,
            g=0.5,
            b=False,
            tags=[text],
            gt=fo.Detections(detections=[fo.Detection(label=text)]),
        )
        for i, text in enumerate(HOSTILE)
    )
    yield dataset, read_schema(dataset)
    dataset.delete()


def found(hostile, text: str) -> list[int]:
    from evalsets.datasets.compile import apply

    dataset, schema = hostile
    query = check(parse(text), schema)
    return apply(dataset, query, dict.fromkeys(terms(query), "f")).values("n")


@pytest.mark.db
@pytest.mark.parametrize("i", range(len(HOSTILE)), ids=lambda i: repr(HOSTILE[i]))
def test_hostile_text_is_found_as_the_text_it_is(hostile, i):
    text = "'" + HOSTILE[i].replace("'", "''") + "'"
    for condition in (
        f"s = {text}",
        f"s IN ({text}, 'x')",
        f"s BETWEEN {text} AND {text}",
        f"{text} IN tags",
        f"ANY(gt, label = {text})",
        f"CASE s WHEN {text} THEN TRUE END",
        f"COALESCE(s, {text}) = {text}",
    ):
        assert found(hostile, condition) == [i]
    if HOSTILE[i] not in ("%", "_"):
        assert found(hostile, f"s LIKE {text}") == [i]


@pytest.mark.db
@settings(max_examples=150, deadline=None)
@given(text=st.one_of(texts, texts.map(lambda t: f"s = '{t}' OR {t}")))
def test_any_text_gets_an_answer_from_the_database(hostile, text):
    with contextlib.suppress(EvalsetsError):
        found(hostile, text)


@pytest.mark.db
@pytest.mark.parametrize("text", ACCEPTED, ids=lambda t: f"{t[:12]!r}…{len(t)}")
def test_the_longest_queries_are_answered_by_the_database_too(hostile, text):
    start = time.perf_counter()
    found(hostile, text)
    assert time.perf_counter() - start < 10  # of a machine that does other things too
