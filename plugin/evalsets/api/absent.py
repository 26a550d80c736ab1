"""Texts that queries compare fields with and that no sample has: mostly misspellings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import fiftyone as fo

from evalsets.errors import suggest
from evalsets.query import Query, to_text
from evalsets.query.syntax import Compare, Constant, Expr, Field, In, walk

_LOOKED_AT = 2_000  # samples for what was probably meant
_FEW = 10
_LONGEST = 100  # characters of a value that are compared


def absent_texts(dataset: fo.Dataset, queries: Iterable[Query]) -> list[str]:
    """Each text that no sample has, in a sentence with what was probably meant.

    Args:
        dataset: to look in
        queries: checked against it
    """
    asked: dict[Field, set[str]] = {}
    for query in queries:
        for root in query.roots():
            for field, texts in _compared(root):
                asked.setdefault(field, set()).update(texts)
    return [
        _sentence(dataset, field, text)
        for field, texts in asked.items()
        for text in sorted(texts - _present(dataset, field, texts))
    ]


def _compared(root: Expr) -> Iterator[tuple[Field, list[str]]]:
    """Fields of text, and what they are to be equal to."""
    for node in walk(root):
        if isinstance(node, Compare) and node.operator == "=":
            sides = [(node.left, [node.right]), (node.right, [node.left])]
        elif isinstance(node, In):
            sides = [(node.operand, list(node.options))]
        else:
            continue
        for field, values in sides:
            if not isinstance(field, Field) or field.inner or field.type is None:
                continue
            if field.type.kind == "text" and field.type.stored_as == "value":
                constants = [v.value for v in values if isinstance(v, Constant)]
                yield field, [text for text in constants if isinstance(text, str)]


def _present(dataset: fo.Dataset, field: Field, texts: set[str]) -> set[str]:
    stored = field.type.path or field.path if field.type else field.path
    return set(dataset.match({stored: {"$in": sorted(texts)}}).distinct(field.path))


def _sentence(dataset: fo.Dataset, field: Field, text: str) -> str:
    begins = {"$substrCP": [fo.ViewField(field.path), 0, _LONGEST]}
    held = dataset.limit(_LOOKED_AT).values(fo.ViewExpression(begins))
    known = sorted({value for value in held if value})
    meant = suggest(text, known, "" if len(known) <= _FEW else "look at its values")
    return f"No sample has {to_text(Compare('=', field, Constant(text)))}{meant}"
