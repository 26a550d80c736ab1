"""A text means what it means in DuckDB, and reads back as itself."""

from __future__ import annotations

import datetime as dt
from random import Random

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalsets.errors import QueryError
from evalsets.query import check, interpret, parse, to_text
from evalsets.query.interpret import value_of
from evalsets.query.syntax import Arithmetic, walk
from tests.query.duck import COLUMNS
from tests.query.examples import TEXTS
from tests.query.strategies import SCHEMA
from tests.query.texts import condition

AT_ONCE = 25
NAMES = ("n", "m", "f", "s", "u", "b", "c", "d", "t", "words")


def _rows(rng: Random) -> list[dict]:
    def row() -> dict:
        day = rng.randrange(1, 4)
        values = (
            *(rng.randrange(-3, 4), rng.randrange(-3, 4)),
            rng.choice([-1.5, 0.0, 0.5, 2.0, float("nan"), float("inf")]),
            *(rng.choice(["a", "ab", "A", "b%", "", "it's"]), rng.choice("aB")),
            *(rng.random() < 0.5, rng.random() < 0.5),
            dt.date(2024, 1, day),
            dt.datetime.fromisoformat(f"2024-01-0{day} 00:00")
            + dt.timedelta(hours=rng.choice([0, 12])),
            [rng.choice(["a", "b", None]) for _ in range(rng.randrange(3))],
        )
        return {
            name: None if rng.random() < 0.2 else value
            for name, value in zip(NAMES, values, strict=True)
        }

    return [row() for _ in range(20)]


def _duckdb(rows: list[dict]) -> duckdb.DuckDBPyConnection:
    columns = ", ".join(f"{name} {COLUMNS[name]}" for name in NAMES)
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(f"CREATE TABLE dataset (i BIGINT, {columns})")
    connection.executemany(
        f"INSERT INTO dataset VALUES (?{', ?' * len(NAMES)})",
        [[i, *row.values()] for i, row in enumerate(rows)],
    )
    return connection


def divides_by_negative_zero(query, rows):
    """Whether a divisor is -0.0 for a row; DuckDB tells it from 0, we do not."""
    divisors = [
        node.right
        for root in query.roots()
        for node in walk(root)
        if isinstance(node, Arithmetic) and node.operator in "/%"
    ]
    return any(str(value_of(d, row)) == "-0.0" for d in divisors for row in rows)


@settings(
    max_examples=TEXTS // AT_ONCE,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 2**32))
def test_a_text_means_what_it_means_in_duckdb(seed):
    rng = Random(seed)
    rows = _rows(rng)
    connection = _duckdb(rows)
    for _ in range(AT_ONCE):
        text = condition(rng, 3)
        try:
            parsed = parse(text)
            checked = check(parsed, SCHEMA)
            meant = interpret(checked, rows)
        except QueryError:
            continue
        if divides_by_negative_zero(checked, rows):
            continue
        assert parse(to_text(parsed)) == parsed, text
        sql = f"SELECT i FROM dataset WHERE {text} ORDER BY i"
        try:
            found = [row[0] for row in connection.execute(sql).fetchall()]
        except duckdb.Error:
            continue
        assert meant == found, text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("b = c IS NULL", "(b = c) IS NULL"),
        ("n < 5 IS NULL", "(n < 5) IS NULL"),
        ("NOT b = c IS NULL", "NOT ((b = c) IS NULL)"),
        ("b IS NULL = c", "(b IS NULL) = c"),
        ("n BETWEEN 1 AND 2 IS NOT NULL", "(n BETWEEN 1 AND 2) IS NOT NULL"),
        ("b = (c IS NULL)", "b = (c IS NULL)"),
        ("b AND n = 1 IS NULL", "b AND ((n = 1) IS NULL)"),
    ],
)
def test_is_null_binds_looser_than_a_comparison(text, meant):
    assert parse(text) == parse(meant)
