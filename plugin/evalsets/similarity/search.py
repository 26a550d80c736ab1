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
_GPU_K = 2048  # as many as FAISS selects on a GPU
_GATHER = 0.1  # share of the rows up to which copying them is faster than reading all


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
    if len(matrix) <= _CHUNK:
        fill(0)
    else:
        with ThreadPoolExecutor(faiss.omp_get_max_threads()) as pool:
            list(pool.map(fill, range(0, len(matrix), _CHUNK)))
    return np.clip(found, -1, 1).astype(np.float32)


def above(matrix: Floats, query: ArrayLike, threshold: float) -> Rows:
    """Rows whose score is greater than a threshold, in row order.

    One pass in float32; the exact score decides where that is too close to tell.
    """
    query = _checked(matrix, query)
    close = matrix @ query
    found = np.flatnonzero(close >= threshold - _slack(matrix))
    unsure = np.flatnonzero(close[found] <= threshold + _slack(matrix))
    exact = scores(matrix[found[unsure]], query).astype(np.float64)
    return np.delete(found, unsure[exact <= threshold])


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
    matrix: Floats,
    query: ArrayLike,
    k: int,
    ids: ArrayLike | None = None,
    among: Rows | None = None,
) -> tuple[Rows, Floats]:
    """The ``k`` most similar rows and their exact scores, best first.

    One pass in float32 proposes candidates, by FAISS on the GPU where there is one;
    the exact score decides among them, so that the result agrees with :func:`ranks`.

    Args:
        matrix: ``(n, d)`` rows as :class:`VectorFile` stores them
        query: ``(d,)`` of any scale
        k: at least 1; more than ``n`` gives all rows
        ids: ``(n,)`` sample ids, which order equal scores; by default the row does
        among: rows to search, rising; by default all

    Returns:
        rows and scores, each ``(min(k, n),)``
    """
    if k < 1:
        raise ArgumentError(f"k is {k}; ask for at least 1 sample")
    query = _checked(matrix, query)
    rows = _candidates(matrix, query, k, among)
    exact = scores(matrix[rows], query)
    ties = rows if ids is None else np.asarray(ids)[rows]
    best = np.lexsort((ties, -exact))[:k]
    return rows[best], exact[best]


def _candidates(matrix: Floats, query: Floats, k: int, among: Rows | None) -> Rows:
    """Rows that surely hold the top k, ties included."""
    n = len(matrix) if among is None else len(among)
    if k >= n:
        return np.arange(n) if among is None else among
    if among is None and faiss.get_num_gpus() and k <= _GPU_K // 2:
        return _gpu_candidates(matrix, query, k)
    if among is None or n > len(matrix) * _GATHER:
        close = matrix @ query  # numpy reads as fast as memory can, FAISS half as fast
        close = close if among is None else close[among]
    else:
        close = matrix[among] @ query
    kth = np.partition(close, n - k)[n - k]
    found = np.flatnonzero(close >= kth - _slack(matrix))
    return found if among is None else among[found]


def _gpu_candidates(matrix: Floats, query: Floats, k: int) -> Rows:
    resources, asked = faiss.StandardGpuResources(), min(len(matrix), _GPU_K, k + 64)
    while True:
        close, rows = faiss.knn_gpu(
            resources,
            query[None],
            np.ascontiguousarray(matrix),
            asked,
            metric=faiss.METRIC_INNER_PRODUCT,
        )
        if asked == len(matrix) or close[0, -1] < close[0, k - 1] - _slack(matrix):
            return np.sort(rows[0])
        if asked == _GPU_K:  # more ties than it can select
            return np.arange(len(matrix))
        asked = min(len(matrix), _GPU_K, 4 * asked)


def _slack(matrix: Floats) -> float:
    """Twice the worst rounding error of a float32 dot product of unit vectors."""
    return float(2 * matrix.shape[1] * 2.0**-24)


def _checked(matrix: Floats, query: ArrayLike) -> Floats:
    query = np.asarray(query)
    if query.shape != matrix.shape[1:]:
        raise ArgumentError(
            f"The query has shape {query.shape}, the vectors have length "
            f"{matrix.shape[1]}; use the encoder that made the vectors"
        )
    return unit(query)
