"""One meaning, three ways: MongoDB, plain rows and DuckDB agree on every query."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import numpy as np
import pytest
from bson import ObjectId
from hypothesis import HealthCheck, example, given, note, settings

from evalsets.api.search import decide
from evalsets.query import (
    Expr,
    Members,
    Query,
    Schema,
    check,
    interpret,
    parse,
    terms,
    to_text,
)
from evalsets.query.interpret import value_of
from evalsets.query.syntax import IsNull, children
from evalsets.similarity import VectorFile
from tests.query.duck import COLUMNS, Duck
from tests.query.examples import EXAMPLES
from tests.query.strategies import FRACTIONS, LETTERS, SIMILAR, any_values, queries

pytestmark = pytest.mark.db

N_ROWS = 60
ABSENT = object()
BIG = [2**53 + 1, -(2**53) - 1, 2**60 + 1, 3_000_000_000, 0, 7]
HUGE = [2**62, 2**63 - 1, -(2**63)]
EPOCH = dt.datetime.fromisoformat("1970-01-01")


def _maybe(rng: random.Random, value, missing: bool = True):
    """A value, or NULL, or nothing at all."""
    roll = rng.random()
    return None if roll < 0.15 else ABSENT if roll < 0.25 and missing else value


def _row(rng: random.Random) -> dict:
    def text() -> str:
        return "".join(rng.choices(LETTERS, k=rng.randrange(4)))

    def number(fractions: list[float]) -> float:
        return rng.choice([*fractions, float("nan"), float("inf"), -float("inf")])

    day = dt.date(1970, 1, 1) + dt.timedelta(days=rng.randrange(-2, 3))
    time = EPOCH + dt.timedelta(milliseconds=rng.choice([-86400000, -1, 0, 1, 3600000]))
    objects = [
        {
            "label": _maybe(rng, text()),
            "confidence": _maybe(rng, number([-2.5, -0.5, 0.25, 2.0])),
            "index": _maybe(rng, rng.randrange(-3, 4)),
            "occluded": _maybe(rng, rng.random() < 0.5),
            "tags": _maybe(rng, [text() for _ in range(rng.randrange(3))]),
            "bounding_box": _maybe(
                rng, [rng.choice([0.0, 0.25, 0.5]) for _ in range(4)]
            ),
        }
        for _ in range(rng.randrange(4))
    ]
    values = {
        "n": rng.randrange(-3, 4),
        "m": rng.randrange(-3, 4),
        "big": rng.choice(BIG),
        "huge": rng.choice(HUGE),
        "sim": rng.choice([-0.5, 0.1, 0.25, 0.3, 1.0]),
        "f": number(FRACTIONS),
        "g": number(FRACTIONS),
        "s": text(),
        "u": text(),
        "b": rng.random() < 0.5,
        "c": rng.random() < 0.5,
        "d": day,
        "t": time,
        "words": [_maybe(rng, text(), False) for _ in range(rng.randrange(3))],
        "numbers": [_maybe(rng, rng.randrange(4), False) for _ in range(3)],
        "weather": _present({"label": _maybe(rng, text())}),
        "metadata": _present({"width": _maybe(rng, rng.randrange(-3, 4))}),
        "gt": {"detections": [_present(one) for one in objects]},
    }
    row = {name: _maybe(rng, value) for name, value in values.items()}
    return _present(row)


def _present(values: dict) -> dict:
    return {name: value for name, value in values.items() if value is not ABSENT}


class World:
    """The same rows three times."""

    def __init__(self, dataset: Any, schema: Schema, rows: list[dict], folder) -> None:
        self.dataset = dataset
        self.schema = schema
        self.rows = [{**row, SIMILAR: row.get("sim")} for row in rows]
        self.duck = Duck(rows)
        known = [row for row in rows if row.get("sim") is not None]
        self.file = VectorFile.create(folder, 2, "drawn", "d" * 32)
        self.file.add([row["id"] for row in known], [[1, 0]] * len(known))
        self.values = {SIMILAR: np.array([row["sim"] for row in known])}

    def meant(self, query: Query) -> list[str]:
        return [self.rows[i]["id"] for i in interpret(query, self.rows)]

    def where(self, expr: Expr, value: bool | None) -> list[str]:
        return [r["id"] for r in self.rows if value_of(expr, r) is value]

    def stored(self, value: Any) -> list:
        """What a compiled value is for each sample."""
        stages = [{"$project": {"value": value}}, {"$sort": {"_id": 1}}]
        rows = self.dataset._sample_collection.aggregate(stages)
        return [row.get("value") for row in rows]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A dataset, its schema, its rows and the same rows in DuckDB."""
    import fiftyone as fo

    from evalsets.datasets.schema import read_schema

    rng = random.Random(0)
    rows = [_row(rng) for _ in range(N_ROWS)]
    dataset = fo.Dataset()
    for name, kind in {
        "n": fo.IntField,
        "m": fo.IntField,
        "big": fo.IntField,
        "huge": fo.IntField,
        "sim": fo.FloatField,
        "f": fo.FloatField,
        "g": fo.FloatField,
        "s": fo.StringField,
        "u": fo.StringField,
        "b": fo.BooleanField,
        "c": fo.BooleanField,
        "d": fo.DateField,
        "t": fo.DateTimeField,
    }.items():
        dataset.add_sample_field(name, kind)
    dataset.add_sample_field("words", fo.ListField, subfield=fo.StringField)
    dataset.add_sample_field("numbers", fo.ListField, subfield=fo.IntField)
    for name, kind in {"gt": fo.Detections, "weather": fo.Classification}.items():
        dataset.add_sample_field(name, fo.EmbeddedDocumentField, embedded_doc_type=kind)
    dataset.add_sample_field("gt.detections.occluded", fo.BooleanField)
    dataset.add_samples([fo.Sample(filepath=f"/{i}.png") for i in range(N_ROWS)])
    ids = sorted(dataset.values("id"))
    for row, id_ in zip(rows, ids, strict=True):
        row["id"] = id_
        _write(dataset, row)
    folder = tmp_path_factory.mktemp("vectors")
    yield World(dataset, read_schema(dataset), rows, folder)
    dataset.delete()


def _write(dataset, row: dict) -> None:
    """Writes a row as it is, so that what it lacks is missing in the database."""
    stored = {k: v for k, v in row.items() if k != "id"}
    if isinstance(stored.get("d"), dt.date):
        stored["d"] = dt.datetime.combine(stored["d"], dt.time())
    absent = {name: "" for name in [*COLUMNS, "big", "huge"] if name not in stored}
    change = {"$set": stored} | ({"$unset": absent} if absent else {})
    dataset._sample_collection.update_one({"_id": ObjectId(row["id"])}, change)


often = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck)
)


@often
@given(query=queries)
@example(parse("NOT NULL IN words"))
@example(parse("NOT NULL IS NOT NULL"))
@example(parse("NOT s IN words"))
@example(parse("NOT (f > 0.5 OR s = 'a') AND NOT n IN (1, 2) OR f >= 1"))
@example(parse("f > 0.5 AND n + 1 > 2 OR s LIKE '%a' AND NOT s LIKE 'a%' OR b"))
@example(parse("NOT b AND (text('a', 'b', against='c') <= 0.5 OR b)"))
@example(parse("f <> 0.5 AND s IS NOT NULL OR f BETWEEN 0 AND 9 OR 'a' IN words"))
def test_mongodb_plain_rows_and_duckdb_agree(world, query):
    from evalsets.datasets.compile import apply, compile_query
    from evalsets.datasets.populations import members

    text = to_text(query)
    note(text)
    checked = check(parse(text), world.schema)
    meant = world.meant(checked)
    assert apply(world.dataset, checked, {SIMILAR: "sim"}).values("id") == meant
    if checked.limit is None:
        condition = compile_query(checked, {SIMILAR: "sim"})
        assert set(world.dataset.match(condition).values("id")) == set(meant)
    if checked.limit is None and not terms(checked):
        frame = members(world.dataset.view(), {"one": checked, "other": checked})
        assert frame.index[frame["one"]].tolist() == sorted(meant)
        assert (frame["one"] == frame["other"]).all()
    reference = world.duck.ids(query)
    assert reference is None or meant == reference


@often
@given(query=queries.filter(lambda query: query.where is not None))
@example(parse("n + sim < f"))
@example(parse("CASE WHEN s = '' THEN n % 0 ELSE f END IS NULL"))
@example(parse("big + 1 > big AND huge * 1 >= huge"))
@example(parse("COUNT(gt, confidence > f) > n"))
@example(parse("text('a', 'b', against='c') < f"))
def test_what_is_decided_in_memory_agrees_too(world, query):
    note(to_text(query))
    checked = check(parse(to_text(query)), world.schema)
    decided = decide(world.dataset.view(), (checked.where,), world.file, world.values)
    assert decided[checked.where] == Members(
        frozenset(world.where(checked.where, True)),
        frozenset(world.where(checked.where, None)),
    )


@often
@given(expr=any_values)
@example(parse("f + 0.1 + 0.2").where)
@example(parse("n / big").where)
@example(parse("big * big").where)
@example(parse("TIMESTAMP '1969-12-31 23:59:58.999'").where)
@example(parse("4 % CASE WHEN b THEN 0.5 ELSE n END").where)
@example(parse("ROUND(big + f)").where)
@example(parse("big % f").where)
@example(parse("f * g * (f * g)").where)
@example(parse("SUM(gt, area + area + f)").where)
@example(parse("ROUND(COALESCE(big, 0.3))").where)
@example(parse("COALESCE(ROUND(huge, -2), ABS(big))").where)
@example(parse("COALESCE(-huge, 0) / 3").where)
@example(parse("ABS(huge) % 1000").where)
@example(parse("huge * huge").where)
@example(parse("huge + huge").where)
@example(parse("huge < 9223372036854775807 AND huge > 0.5").where)
def test_every_value_is_the_same_to_the_last_bit(world, expr):
    from evalsets.datasets.expressions import Compiler

    note(to_text(expr))
    (checked,) = children(check(parse(to_text(IsNull(expr))), world.schema).where)
    meant = [_plain(value_of(checked, row)) for row in world.rows]
    compiler = Compiler({SIMILAR: "sim"})
    stored = world.stored(compiler.closed(compiler.value(checked)))
    assert list(map(_plain, stored)) == meant
    reference = world.duck.values(expr)
    assert reference is None or list(map(_plain, reference)) == meant


def _plain(value: Any) -> Any:
    """A value that is equal to itself: NaN as text, dates as times."""
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    return "NaN" if value != value else value
