"""What a dataset's fields are, as far as a query needs to know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "number", "text", "boolean", "date", "time", "list", "objects", "null", "other"
]
StoredAs: TypeAlias = Literal["value", "object id", "x", "y", "w", "h", "area"]


@dataclass(frozen=True)
class FieldType:
    """The type of a field or of a value.

    Args:
        kind: ``time`` is a date with a time of day; ``other`` can only be asked
            for ``IS NULL``
        whole: a number that is never a fraction nor NaN
        name: path of the value, if the field stands for something below it, as a
            ``Classification`` stands for its ``.label``
        path: where the database keeps it, if not under its name
        stored_as: how the database keeps it; ``x y w h area`` come from a box
        item: type of a list's elements
        fields: of the objects of a label field
    """

    kind: Kind
    whole: bool = False
    name: str = ""
    path: str = ""
    stored_as: StoredAs = "value"
    item: FieldType | None = None
    fields: Mapping[str, FieldType] = field(default_factory=dict)


NUMBER = FieldType("number")
INTEGER = FieldType("number", whole=True)
TEXT = FieldType("text")
BOOLEAN = FieldType("boolean")
DATE = FieldType("date")
TIME = FieldType("time")
NULL = FieldType("null")
OTHER = FieldType("other")


@dataclass(frozen=True)
class Schema:
    """The names that a query may use.

    Args:
        fields: type of each field by its path
        models: prediction field of each model, for ``prediction('model')``
        populations: names for ``population('name')``
    """

    fields: Mapping[str, FieldType]
    models: Mapping[str, str] = field(default_factory=dict)
    populations: Collection[str] = ()
