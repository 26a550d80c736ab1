"""One meaning, three ways: MongoDB, plain rows and DuckDB agree on every query."""

from __future__ import annotations

import datetime as dt
import os
import random
from dataclasses import replace
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, note, settings

from evalsets.query import Query, Schema, check, interpret, parse, to_text
from tests.query.duck import Duck
from tests.query.strategies import LETTERS, queries

pytestmark = pytest.mark.db

EXAMPLES = int(os.environ.get("EVALSETS_QUERIES", "150"))
N_ROWS = 60
ABSENT = object()
EPOCH = dt.datetime.fromisoformat("1970-01-01")


def _maybe(rng: random.Random, value, missing: bool = True):
    """A value, or NULL, or nothing at all."""
    roll = rng.random()
    return None if roll < 0.15 else ABSENT if roll < 0.25 and missing else value


def _row(rng: random.Random) -> dict:
    def text() -> str:
        return "".join(rng.choices(LETTERS, k=rng.randrange(4)))

    def number() -> float:
        numbers = [
            -2.5,
            -0.5,
            0.0,
            0.25,
            1.5,
            2.0,
            float("nan"),
            float("inf"),
            -float("inf"),
        ]
        return rng.choice(numbers)

    day = dt.date(1970, 1, 1) + dt.timedelta(days=rng.randrange(-2, 3))
    time = EPOCH + dt.timedelta(milliseconds=rng.choice([-86400000, -1, 0, 1, 3600000]))
    objects = [
        {
            "label": _maybe(rng, text()),
            "confidence": _maybe(rng, number()),
            "index": _maybe(rng, rng.randrange(-3, 4)),
            "bounding_box": _maybe(
                rng, [rng.choice([0.0, 0.25, 0.5]) for _ in range(4)]
            ),
        }
        for _ in range(rng.randrange(4))
    ]
    values = {
        "n": rng.randrange(-3, 4),
        "m": rng.randrange(-3, 4),
        "f": number(),
        "g": number(),
        "s": text(),
        "u": text(),
        "b": rng.random() < 0.5,
        "c": rng.random() < 0.5,
        "d": day,
        "t": time,
        "words": [text() for _ in range(rng.randrange(3))],
        "gt": {"detections": [_present(one) for one in objects]},
    }
    row = {name: _maybe(rng, value) for name, value in values.items()}
    return _present(row)


def _present(values: dict) -> dict:
    return {name: value for name, value in values.items() if value is not ABSENT}


class World:
    """The same rows three times."""

    def __init__(self, dataset: Any, schema: Schema, rows: list[dict]) -> None:
        self.dataset = dataset
        self.schema = schema
        self.rows = rows
        self.duck = Duck(rows)

    def meant(self, query: Query) -> list[str]:
        return [self.rows[i]["id"] for i in interpret(query, self.rows)]


@pytest.fixture(scope="module")
def world():
    """A dataset, its schema, its rows and the same rows in DuckDB."""
    import fiftyone as fo

    from evalsets.datasets.schema import read_schema

    rng = random.Random(0)
    rows = [_row(rng) for _ in range(N_ROWS)]
    dataset = fo.Dataset()
    for name, kind in {
        "n": fo.IntField,
        "m": fo.IntField,
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
    dataset.add_sample_field(
        "gt", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
    )
    dataset.add_samples([fo.Sample(filepath=f"/{i}.png") for i in range(N_ROWS)])
    ids = sorted(dataset.values("id"))
    for row, id_ in zip(rows, ids, strict=True):
        row["id"] = id_
        _write(dataset, row)
    yield World(dataset, read_schema(dataset), rows)
    dataset.delete()


def _write(dataset, row: dict) -> None:
    """Writes a row as it is, so that what it lacks is missing in the database."""
    names = ["n", "m", "f", "g", "s", "u", "b", "c", "d", "t", "words", "gt"]
    stored = {k: v for k, v in row.items() if k != "id"}
    if isinstance(stored.get("d"), dt.date):
        stored["d"] = dt.datetime.combine(stored["d"], dt.time())
    absent = {name: "" for name in names if name not in stored}
    change = {"$set": stored} | ({"$unset": absent} if absent else {})
    dataset._sample_collection.update_one({"_id": ObjectId(row["id"])}, change)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(query=queries)
def test_mongodb_plain_rows_and_duckdb_agree(world, query):
    from evalsets.datasets.compile import apply

    text = to_text(query)
    note(text)
    checked = check(parse(text), world.schema)
    assert apply(world.dataset, checked).values("id") == world.meant(checked)
    if query.where is not None:
        reference = world.duck.ids(query.where)
        unlimited = replace(checked, order_by=(), limit=None)
        assert reference is None or world.meant(unlimited) == reference
