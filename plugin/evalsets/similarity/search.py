"""Exact search by cosine.

Membership of a population is decided by these numbers, so they must not depend on
anything but the two vectors: not on the number of rows, a row's place, threads or the
processor. Float32 BLAS and FAISS do depend on those; float64 over the grid of
:func:`~evalsets.similarity.unit.unit` does not.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalsets.errors import ArgumentError
from evalsets.similarity.unit import unit

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

_CHUNK = 16_384


def scores(matrix: Floats, query: ArrayLike) -> Floats:
    """Cosine of every row to a query, in [-1, 1], bit for bit reproducible.

    Args:
        matrix: ``(n, d)`` rows as :class:`VectorFile` stores them
        query: ``(d,)`` of any scale

    Returns:
        ``(n,)`` the exact value, rounded once to float32

    Raises:
        ArgumentError: the query has another length, is zero or not finite
    """
    wide = _checked(matrix, query).astype(np.float64)
    found = np.empty(len(matrix), dtype=np.float64)

    def fill(start: int) -> None:
        rows = np.s_[start : start + _CHUNK]
        np.einsum("ij,j->i", matrix[rows], wide, out=found[rows])

    # einsum converts to float64 as it goes, without a copy, and lets threads run
    with ThreadPoolExecutor(faiss.omp_get_max_threads()) as pool:
        list(pool.map(fill, range(0, len(matrix), _CHUNK)))
    return np.clip(found, -1, 1).astype(np.float32)


def above(matrix: Floats, query: ArrayLike, threshold: float) -> Rows:
    """Rows whose score is greater than a threshold, in row order."""
    return np.flatnonzero(scores(matrix, query).astype(np.float64) > threshold)


def ranks(scores: Floats, ids: ArrayLike) -> Rows:
    """Place of every sample in the order of falling score; 1 is the most similar.

    Args:
        scores: ``(n,)``
        ids: ``(n,)`` sample ids; the smaller one goes first among equal scores
    """
    order = np.lexsort((np.asarray(ids), -scores))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(1, len(order) + 1)
    return place


def top_k(
    matrix: Floats, query: ArrayLike, k: int, ids: ArrayLike | None = None
) -> tuple[Rows, Floats]:
    """The ``k`` most similar rows and their exact scores, best first.

    FAISS proposes candidates in float32, on the GPU where there is one; the exact
    score decides among them, so that the result agrees with :func:`ranks`.

    Args:
        matrix: ``(n, d)`` rows as :class:`VectorFile` stores them
        query: ``(d,)`` of any scale
        k: at least 1; more than ``n`` gives all rows
        ids: ``(n,)`` sample ids, which order equal scores; by default the row does

    Returns:
        rows and scores, each ``(min(k, n),)``
    """
    if k < 1:
        raise ArgumentError(f"k is {k}; ask for at least 1 sample")
    query = _checked(matrix, query)
    k = min(k, len(matrix))
    if not k:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    rows = _candidates(matrix, query, k)
    exact = scores(matrix[rows], query)
    ties = rows if ids is None else np.asarray(ids)[rows]
    best = np.lexsort((ties, -exact))[:k]
    return rows[best], exact[best]


def _candidates(matrix: Floats, query: Floats, k: int) -> Rows:
    """Rows that surely hold the top k, ties included."""
    # twice the worst rounding error of a float32 dot product of unit vectors
    slack = 2 * matrix.shape[1] * 2.0**-24
    n = len(matrix)
    asked = min(n, k + 64)
    while True:
        close, rows = _knn(matrix, query, asked)
        if asked == n or close[-1] < close[k - 1] - slack:
            return np.sort(rows)
        asked = min(n, 4 * asked)


def _knn(matrix: Floats, query: Floats, k: int) -> tuple[Floats, Rows]:
    matrix = np.ascontiguousarray(matrix)
    if k > 2048:  # what the GPU can select, and where sorting is faster on the CPU
        close = matrix @ query
        rows = np.argsort(-close, kind="stable")[:k]
        return close[rows], rows
    if faiss.get_num_gpus():
        close, rows = faiss.knn_gpu(
            faiss.StandardGpuResources(),
            query[None],
            matrix,
            k,
            metric=faiss.METRIC_INNER_PRODUCT,
        )
    else:
        close, rows = faiss.knn(
            query[None], matrix, k, metric=faiss.METRIC_INNER_PRODUCT
        )
    return close[0], rows[0]


def _checked(matrix: Floats, query: ArrayLike) -> Floats:
    query = np.asarray(query)
    if query.shape != matrix.shape[1:]:
        raise ArgumentError(
            f"The query has shape {query.shape}, the vectors have length "
            f"{matrix.shape[1]}; use the encoder that made the vectors"
        )
    return unit(query)
