"""The same meaning from DuckDB: an independent reference for what is SQL."""

from __future__ import annotations

import duckdb

from evalsets.query import to_text
from evalsets.query.syntax import (
    Aggregate,
    Constant,
    Contains,
    Expr,
    Field,
    rebuild,
)

COLUMNS = {
    "id": "VARCHAR",
    "n": "BIGINT",
    "m": "BIGINT",
    "f": "DOUBLE",
    "g": "DOUBLE",
    "s": "VARCHAR",
    "u": "VARCHAR",
    "b": "BOOLEAN",
    "c": "BOOLEAN",
    "d": "DATE",
    "t": "TIMESTAMP",
    "words": "VARCHAR[]",
    "gt": "STRUCT(label VARCHAR, confidence DOUBLE, index BIGINT, "
    "x DOUBLE, y DOUBLE, w DOUBLE, h DOUBLE, area DOUBLE)[]",
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

    def ids(self, where: Expr) -> list[str] | None:
        """The ids for which ``where`` is true; None where DuckDB gives an error."""
        sql = f"SELECT id FROM dataset WHERE {_sql(where)} ORDER BY id"
        try:
            return [row[0] for row in self.connection.execute(sql).fetchall()]
        except duckdb.InvalidInputException as error:
            if not any(known in str(error) for known in _NO_ANSWER):
                raise
            return None


# Whole numbers modulo 0, and a failure inside DuckDB 2.0 on CASE with constants.
_NO_ANSWER = ("Division by zero", "BindBuiltinScalarFunction")


def _row(row: dict) -> list:
    values = {name: row.get(name) for name in COLUMNS}
    if values["gt"] is not None:
        values["gt"] = [_object(one) for one in row["gt"]["detections"]]
    return list(values.values())


def _object(one: dict) -> dict:
    box = one.get("bounding_box") or [None] * 4
    area = None if box[0] is None else box[2] * box[3]
    known = {name: one.get(name) for name in ("label", "confidence", "index")}
    return known | dict(zip("xywh", box, strict=True)) | {"area": area}


def _sql(expr: Expr) -> str:
    return to_text(_translated(expr))


def _translated(expr: Expr) -> Expr:
    if isinstance(expr, Contains):
        return _Raw(f"list_contains({_sql(expr.elements)}, {_sql(expr.member)})")
    if isinstance(expr, Aggregate):
        return _aggregate(expr)
    if isinstance(expr, Constant) and isinstance(expr.value, float):
        return _Raw(f"CAST({expr.value!r} AS DOUBLE)")
    return rebuild(expr, _translated)


def _aggregate(expr: Aggregate) -> Expr:
    inner = "TRUE" if expr.inner is None else _sql(expr.inner)
    value = {
        "COUNT": "count(*) FILTER (WHERE v)",
        "ANY": "CASE WHEN count(*) FILTER (WHERE v) > 0 THEN TRUE "
        "WHEN count(*) FILTER (WHERE v IS NULL) = 0 THEN FALSE END",
        "ALL": "CASE WHEN count(*) FILTER (WHERE NOT v) > 0 THEN FALSE "
        "WHEN count(*) FILTER (WHERE v IS NULL) = 0 THEN TRUE END",
    }.get(expr.name, f"{expr.name.lower()}(CAST(v AS DOUBLE))")
    objects = "(SELECT unnest(gt, recursive := true))"
    return _Raw(f"(SELECT {value} FROM (SELECT ({inner}) AS v FROM {objects}))")


class _Raw(Field):
    """A piece of SQL; prints as it is."""


@to_text.__globals__["_text"].register(_Raw)
def _(expr: _Raw) -> str:
    return expr.path
