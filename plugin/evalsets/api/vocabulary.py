"""The words that a query on a dataset may use, for completion and for forms."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo

from evalsets.datasets.connect import Source, database, open_dataset
from evalsets.datasets.populations import load_recipes, schema_of
from evalsets.query import FieldType, to_text
from evalsets.query.syntax import Field
from evalsets.query.writing import MISSING, OPERATORS, PRESENT

MOST_FIELDS, MOST_VALUES, MOST_NAMES = 200, 30, 200
FUNCTIONS = (
    *("text('", "image('", "population('", "prediction('", "RANK(text('"),
    *("COUNT(", "ANY(", "ALL(", "SUM(", "MIN(", "MAX(", "AVG("),
    *("ABS(", "ROUND(", "LOWER(", "UPPER(", "LENGTH(", "COALESCE("),
)
KEYWORDS = (
    *("AND", "OR", "NOT", "IN (", "BETWEEN", "LIKE '", "ILIKE '", "CONTAINS '"),
    *("IS NULL", "IS NOT NULL", "TRUE", "FALSE"),
)
_LOOKED_AT = 2_000
_COMPLETED = 12
_INNER = ("metadata.", "created_at", "last_modified_at", "id")


@dataclass(frozen=True)
class Word:
    """A field as a query writes it.

    Args:
        name: with quotes where it needs them
        path: without
        kind: of its values
        operators: what it can be asked
        values: all of them, where there are few
    """

    name: str
    path: str
    kind: str
    operators: tuple[str, ...]
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """What a query may name.

    Args:
        fields: those of samples
        populations: names
        models: with predictions
        functions: up to where their arguments begin
        keywords: of the language
    """

    fields: tuple[Word, ...]
    populations: tuple[str, ...]
    models: tuple[str, ...]
    functions: tuple[str, ...] = FUNCTIONS
    keywords: tuple[str, ...] = KEYWORDS


def vocabulary(dataset: Source) -> Vocabulary:
    """The words that a query on a dataset may use; never more than a menu can show."""
    opened = open_dataset(dataset)
    with database():
        known = load_recipes(opened)
        schema = schema_of(opened, known)
        shown = sorted(
            (item for item in schema.fields.items() if item[1].kind != "other"),
            key=lambda item: (item[0].startswith(_INNER), "." in item[0]),
        )[:MOST_FIELDS]
        values = _values(opened, [path for path, type_ in shown if _is_text(type_)])
    words = (_word(path, type_, values.get(path, ())) for path, type_ in shown)
    return Vocabulary(
        tuple(words), tuple(known)[:MOST_NAMES], tuple(schema.models)[:MOST_NAMES]
    )


def _word(path: str, type_: FieldType, values: tuple[str, ...]) -> Word:
    asked = (*OPERATORS.get(type_.kind, ()), MISSING, PRESENT)
    return Word(to_text(Field(path)), path, type_.kind, asked, values)


def _is_text(type_: FieldType) -> bool:
    text = type_.kind == "text" and type_.stored_as == "value"
    return text or (type_.kind == "list" and type_.item is not None)


def _values(dataset: fo.Dataset, paths: list[str]) -> dict[str, tuple[str, ...]]:
    """All values of the first fields that have few of them.

    The first samples tell which fields those are, so that files and ids, of which every
    sample has another, are not gone through.
    """
    if not paths or not len(dataset):
        return {}
    first = _distinct(dataset.limit(_LOOKED_AT), paths)
    few = [path for path in paths if len(first[path]) <= MOST_VALUES]
    few = [path for path in few if first[path]][:_COMPLETED]
    if len(dataset) > _LOOKED_AT:
        first = _distinct(dataset.view(), few)
    return {path: tuple(map(str, first[path][:MOST_VALUES])) for path in few}


def _distinct(view: fo.DatasetView, paths: list[str]) -> dict[str, list[str]]:
    asked = [fo.Distinct(path) for path in paths]
    return dict(zip(paths, view.aggregate(asked), strict=True)) if asked else {}
