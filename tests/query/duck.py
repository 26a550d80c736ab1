"""The same meaning from DuckDB: an independent reference for what is SQL."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from evalsets.query import to_text
from evalsets.query.syntax import (
    Aggregate,
    Arithmetic,
    Constant,
    Contains,
    Expr,
    Field,
    Like,
    Query,
    Similarity,
    rebuild,
)

COLUMNS = {
    "id": "VARCHAR",
    "n": "BIGINT",
    "m": "BIGINT",
    "sim": "DOUBLE",
    "f": "DOUBLE",
    "g": "DOUBLE",
    "s": "VARCHAR",
    "u": "VARCHAR",
    "b": "BOOLEAN",
    "c": "BOOLEAN",
    "d": "DATE",
    "t": "TIMESTAMP",
    "words": "VARCHAR[]",
    "numbers": "BIGINT[]",
    "weather": "STRUCT(label VARCHAR)",
    "metadata": "STRUCT(width BIGINT)",
    "gt": "STRUCT(label VARCHAR, confidence DOUBLE, index BIGINT, occluded BOOLEAN, "
    "tags VARCHAR[], x DOUBLE, y DOUBLE, w DOUBLE, h DOUBLE, area DOUBLE)[]",
}


class Duck:
    """A table with the rows of a dataset.

    Args:
        rows: as ``interpret`` takes them
    """

    def __init__(self, rows: list[dict]) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        self.connection.execute(f"CREATE TABLE dataset ({columns})")
        marks = ", ".join("?" for _ in COLUMNS)
        self.connection.executemany(
            f"INSERT INTO dataset VALUES ({marks})", [_row(row) for row in rows]
        )

    def ids(self, query: Query) -> list[str] | None:
        """The ids a query selects; None where DuckDB means something else.

        Ties are in the order of the ids.
        """
        try:
            where = "TRUE" if query.where is None else _sql(query.where)
            orders = [_sql(order.key) for order in query.order_by]
        except _MeansElseError:
            return None
        columns = [f"{key} AS k{i}" for i, key in enumerate(orders)]
        keys = [
            to_text(replace(o, key=Field(f"k{i}")))
            for i, o in enumerate(query.order_by)
        ]
        limit = "ALL" if query.limit is None else query.limit
        sql = (
            f"SELECT id FROM (SELECT {', '.join(['id', *columns])} FROM dataset "
            f"WHERE {where}) ORDER BY {', '.join([*keys, 'id'])} LIMIT {limit}"
        )
        return self._rows(sql)

    def values(self, expr: Expr) -> list | None:
        """A value for each sample in the order of the ids; None as for ``ids``."""
        try:
            sql = f"SELECT {_sql(expr)} FROM dataset ORDER BY id"
        except _MeansElseError:
            return None
        return self._rows(sql)

    def _rows(self, sql: str) -> list | None:
        try:
            return [row[0] for row in self.connection.execute(sql).fetchall()]
        except duckdb.InvalidInputException as error:
            if not any(known in str(error) for known in _NO_ANSWER):
                raise
            return None


class _MeansElseError(Exception):
    """A construct that DuckDB has with another meaning."""


# Whole numbers modulo 0, and a failure inside DuckDB 2.0 on CASE with constants.
_NO_ANSWER = ("Division by zero", "BindBuiltinScalarFunction")


def _row(row: dict) -> list:
    values = {name: row.get(name) for name in COLUMNS}
    if values["gt"] is not None:
        values["gt"] = [_object(one) for one in row["gt"]["detections"]]
    for name, inner in (("weather", "label"), ("metadata", "width")):
        if values[name] is not None:
            values[name] = {inner: values[name].get(inner)}
    return list(values.values())


def _object(one: dict) -> dict:
    box = one.get("bounding_box") or [None] * 4
    area = None if box[0] is None else box[2] * box[3]
    names = ("label", "confidence", "index", "occluded", "tags")
    known = {name: one.get(name) for name in names}
    return known | dict(zip("xywh", box, strict=True)) | {"area": area}


def _sql(expr: Expr) -> str:
    return to_text(_translated(expr))


def _translated(expr: Expr) -> Expr:
    if isinstance(expr, Similarity):
        return Field("sim")
    if isinstance(expr, Field) and expr.path == "weather":
        return Field("weather.label")
    if _means_else(expr):
        raise _MeansElseError
    if isinstance(expr, Contains):
        return _Raw(f"list_contains({_sql(expr.elements)}, {_sql(expr.member)})")
    if isinstance(expr, Aggregate):
        return _aggregate(expr)
    if isinstance(expr, Constant) and isinstance(expr.value, float):
        return _Raw(f"CAST({expr.value!r} AS DOUBLE)")
    return rebuild(expr, _translated)


def _means_else(expr: Expr) -> bool:
    """Whether DuckDB would round otherwise, or cannot take it.

    It tells -0.0 from 0.0 in a divisor, compares whole numbers as doubles, and escapes
    by one byte.
    """
    if isinstance(expr, Like):
        return not expr.escape.isascii()
    if isinstance(expr, Arithmetic) and expr.operator in "/%":
        return not isinstance(expr.right, (Constant, Field, Similarity))
    return isinstance(expr, Field) and expr.path in ("big", "huge")


def _aggregate(expr: Aggregate) -> Expr:
    inner = "TRUE" if expr.inner is None else _sql(expr.inner)
    value = {
        "COUNT": "count(*) FILTER (WHERE v)",
        "ANY": "CASE WHEN count(*) FILTER (WHERE v) > 0 THEN TRUE "
        "WHEN count(*) FILTER (WHERE v IS NULL) = 0 THEN FALSE END",
        "ALL": "CASE WHEN count(*) FILTER (WHERE NOT v) > 0 THEN FALSE "
        "WHEN count(*) FILTER (WHERE v IS NULL) = 0 THEN TRUE END",
    }.get(expr.name, f"{expr.name.lower()}(CAST(v AS DOUBLE))")
    objects = "(SELECT unnest(gt, max_depth := 2))"
    return _Raw(f"(SELECT {value} FROM (SELECT ({inner}) AS v FROM {objects}))")


class _Raw(Field):
    """A piece of SQL; prints as it is."""


@to_text.__globals__["_text"].register(_Raw)
def _(expr: _Raw) -> str:
    return expr.path
