"""Neighbours of many vectors at once, to float32 precision.

Distances are FiftyOne's: one minus the cosine. A row counts as within a distance up to
a millionth beyond it, so that copies of one image are at distance 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import faiss
import numpy as np
from numpy.typing import NDArray

from evalsets.brain.ranking import ranked

Floats = NDArray[np.float32]
Found: TypeAlias = "tuple[NDArray[np.int64], NDArray[Any]]"
"""Rows near one vector, and their distances."""

_BLOCK = 1024
_FAISS_K = 1024  # above it, sorting everything is faster, and a GPU selects no more
_FLOAT32 = 1e-6


def nearest(
    matrix: Floats, queries: Floats, k: int | None = None, reverse: bool = False
) -> list[Found]:
    """The rows most similar to each query, best first.

    Args:
        matrix: ``(n, d)`` unit vectors
        queries: ``(m, d)`` unit vectors
        k: how many rows, by default all
        reverse: whether to give the least similar ones, the worst first
    """
    k = len(matrix) if k is None else min(k, len(matrix))
    if k > _FAISS_K:
        rows = np.arange(len(matrix))
        return [ranked(matrix, q[None], rows, k=k, reverse=reverse) for q in queries]
    sign = np.float32(-1 if reverse else 1)
    matrix, queries = np.ascontiguousarray(matrix), np.ascontiguousarray(sign * queries)
    inner = faiss.METRIC_INNER_PRODUCT
    if faiss.get_num_gpus():
        resources = faiss.StandardGpuResources()
        close, near = faiss.knn_gpu(resources, queries, matrix, k, metric=inner)
    else:
        close, near = faiss.knn(queries, matrix, k, metric=inner)
    return list(zip(near, 1 - np.clip(sign * close, -1, 1), strict=True))


def within(matrix: Floats, queries: Floats, distance: float) -> Iterator[Found]:
    """The rows at most so far from each query, nearest first."""
    for start in range(0, len(queries), _BLOCK):
        for close in queries[start : start + _BLOCK] @ matrix.T:
            rows = np.flatnonzero(close >= 1 - distance - _FLOAT32)
            rows = rows[np.argsort(-close[rows], kind="stable")]
            yield rows, 1 - np.clip(close[rows], -1, 1)


def others(found: Iterable[Found], k: int | None = None) -> Iterator[Found]:
    """Neighbours of every row of a matrix, the row itself left out."""
    for own, (rows, distances) in enumerate(found):
        other = rows != own
        yield rows[other][:k], distances[other][:k]


def distinct(matrix: Floats, distance: float) -> NDArray[np.int64]:
    """Rows that are farther than a distance from every such row before them."""
    kept = np.ones(len(matrix), dtype=bool)
    for start in range(0, len(matrix), _BLOCK):
        block = start + np.flatnonzero(kept[start : start + _BLOCK])
        near = matrix[block] @ matrix[start:].T >= 1 - distance - _FLOAT32
        for row, copies in zip(block, near, strict=True):
            if kept[row]:
                kept[row + 1 :] &= ~copies[row + 1 - start :]
    return np.flatnonzero(kept)
