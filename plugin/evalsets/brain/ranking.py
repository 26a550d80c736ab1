"""One ranking of the rows by an exact cosine, in the order of ``RANK()``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalsets.errors import ArgumentError
from evalsets.similarity import scores, top_k

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

AGGREGATIONS: dict[str, Callable[..., Any] | None] = {
    "mean": None,
    "post-mean": np.mean,
    "post-min": np.min,
    "post-max": np.max,
}
"""How several queries become one: their mean, or a value of their distances."""


def ranked(
    matrix: Floats,
    queries: NDArray[Any],
    ids: ArrayLike,
    *,
    aggregation: str = "mean",
    k: int | None = None,
    reverse: bool = False,
    among: Rows | None = None,
) -> tuple[Rows, NDArray[np.float64]]:
    """Rows by rising distance to some queries; the smaller id first where equal.

    Args:
        matrix: ``(n, d)`` unit vectors
        queries: ``(m, d)`` of any scale
        ids: ``(n,)``
        aggregation: one of ``AGGREGATIONS``
        k: how many rows, by default all
        reverse: whether to give the end of that order, backwards
        among: rows to rank, in any order; by default all

    Returns:
        rows and their distances, one minus the cosine
    """
    if aggregation not in AGGREGATIONS:
        raise ArgumentError(
            f"Queries cannot be aggregated by '{aggregation}'; choose one of "
            f"{', '.join(AGGREGATIONS)}"
        )
    if k is not None and k < 1:
        raise ArgumentError(f"k is {k}; ask for at least 1 sample")
    combine = AGGREGATIONS[aggregation]
    if combine is None:
        queries = queries.sum(axis=0, dtype=np.float64, keepdims=True)
        if k is not None and not reverse:
            among = None if among is None else np.sort(among)
            rows, close = top_k(matrix, queries[0], k, ids, among)
            return rows, 1 - close.astype(np.float64)
    # float64, where one minus a score keeps the order that scores have
    each = 1 - np.stack([scores(matrix, query) for query in queries]).astype(np.float64)
    distance = each[0] if combine is None else combine(each, axis=0)
    rows = np.arange(len(matrix)) if among is None else among
    order = rows[np.lexsort((np.asarray(ids)[rows], distance[rows]))]
    order = (order[::-1] if reverse else order)[:k]
    return order, distance[order]
