"""What keeps samples together: a field or an expression, and near-duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from evalsets.datasets.columns import gather_fields
from evalsets.datasets.expressions import Compiler
from evalsets.datasets.files import DIGEST
from evalsets.datasets.schema import read_schema
from evalsets.datasets.vectors import open_vectors
from evalsets.errors import ArgumentError, QueryError, UnknownNameError
from evalsets.query import Schema, check, parse, terms
from evalsets.query.parse import is_plain_name
from evalsets.splits import (
    Leak,
    connected,
    equal,
    near_duplicates,
    near_examples,
    shared_leaks,
)

Vectors = NDArray[np.float32]

_BEFORE = "SELECT * FROM dataset ORDER BY "


def group_values(dataset: fo.Dataset, ids: Sequence[str], groups: str) -> list[Any]:
    """The value that marks the group of each sample; None for one without.

    Args:
        dataset: that holds the samples
        ids: ``(n,)``
        groups: a field, where a ``Classification`` is its label, or an expression of the
            query language such as ``LOWER(camera)``

    Raises:
        UnknownNameError: no such field
        QueryError: the expression cannot be read
        ArgumentError: the field does not hold one plain value a sample
    """
    schema = read_schema(dataset)
    if groups not in schema.fields:
        if is_plain_name(groups):
            raise UnknownNameError("field", groups, dataset.get_field_schema())
        return column(dataset, ids, _compiled(groups, schema))
    if schema.fields[groups].kind in ("list", "objects", "other"):
        raise ArgumentError(
            f"Field '{groups}' holds no single value a sample to group by; give one of "
            "text or numbers, such as a scene"
        )
    return column(dataset, ids, schema.fields[groups].name)


@dataclass(frozen=True)
class Together:
    """Who stays with whom.

    Args:
        codes: ``(n,)`` of the group of every sample
        near: pairs around the threshold to look at; None without a threshold
        unseen: samples that have no vector and were not compared
    """

    codes: NDArray[np.int64]
    near: pd.DataFrame | None = None
    unseen: int = 0


def kept_together(
    dataset: fo.Dataset, ids: pd.Index, groups: str | None, threshold: float | None
) -> Together:
    """Groups of copies of one file, of equal values and of near-duplicates.

    Args:
        dataset: that holds the samples
        ids: ``(n,)``
        groups: field or expression whose equal values stay together
        threshold: cosine from which two images stay together

    Raises:
        NoVectorsError: a threshold without vectors
    """
    n = len(ids)
    labels = None if groups is None else group_values(dataset, list(ids), groups)
    copies = equal(column(dataset, ids, "filepath"))
    if dataset.has_sample_field(DIGEST):
        copies = np.concatenate([copies, equal(column(dataset, ids, DIGEST))])
    if threshold is None:
        return Together(connected(n, labels, copies))
    rows, vectors = vectors_of(dataset, ids)
    near = near_duplicates(vectors, threshold)
    together = [(int(rows[a]), int(rows[b]), close) for a, b, close in near.examples]
    return Together(
        connected(n, labels, np.concatenate([copies, rows[near.pairs]])),
        near_examples(ids, together, threshold),
        n - len(rows),
    )


def same_files(dataset: fo.Dataset, ids: pd.Index, side: ArrayLike) -> list[Leak]:
    """Test samples whose file one in train or val has too, by its path or content."""
    known = ["filepath", *[DIGEST] * dataset.has_sample_field(DIGEST)]
    found = [
        leak
        for name in known
        for leak in shared_leaks(
            list(ids), side, column(dataset, ids, name), "same file"
        )
    ]
    return list({leak.test_id: leak for leak in found}.values())


def vectors_of(dataset: fo.Dataset, ids: pd.Index) -> tuple[NDArray[np.int64], Vectors]:
    """The vectors there are of some samples, and the place of each one's id.

    Raises:
        NoVectorsError: the dataset has not been embedded
    """
    file = open_vectors(dataset)
    rows = ids.get_indexer(pd.Index(file.ids.astype(object)))
    inside = rows >= 0
    vectors = file.matrix if inside.all() else file.matrix[inside]
    return rows[inside].astype(np.int64), vectors


def column(
    source: fo.Dataset | fo.DatasetView,
    ids: Iterable[str],
    field: str | fo.ViewExpression,
) -> list[Any]:
    """One value a sample, in the order of ids."""
    if isinstance(field, str):
        known, (column,) = gather_fields(source, [field])
    else:
        known, column = source.values(["id", field])
    value = dict(zip(known, column, strict=True))
    return [value[i] for i in ids]


def _compiled(groups: str, schema: Schema) -> fo.ViewExpression:
    try:
        query = check(parse(_BEFORE + groups), schema)
    except QueryError as error:
        at = max(0, error.position - len(_BEFORE))
        raise QueryError(error.problem, groups, at, error.word) from None
    if query.limit is not None or len(query.order_by) != 1 or terms(query):
        raise ArgumentError(
            f"groups is '{groups}'; give one field or one expression over fields, such "
            "as LOWER(camera)"
        )
    compiler = Compiler({})
    key = query.order_by[0].key
    return fo.ViewExpression(compiler.closed(compiler.value(key)))
