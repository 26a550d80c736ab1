"""Samples that must stay together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from evalsets.errors import ArgumentError

Rows = NDArray[np.int64]

_BLOCK = 2048
_FLOAT32 = 1e-6


def connected(
    n: int, labels: Sequence[Any] | None = None, edges: ArrayLike | None = None
) -> Rows:
    """Group of every sample: whatever a chain of equal labels and edges connects.

    Args:
        n: number of samples
        labels: ``(n,)`` scene, patient, video …; None and NaN stand for themselves
        edges: ``(m, 2)`` rows that belong together

    Returns:
        ``(n,)`` codes from 0; equal codes are one group
    """
    links = [np.empty((0, 2), dtype=np.int64)]
    if labels is not None:
        if len(labels) != n:
            raise ArgumentError(f"{len(labels)} group labels for {n} samples")
        codes, _ = pd.factorize(np.asarray(labels, dtype=object))
        rows = np.flatnonzero(codes >= 0)
        _, first = np.unique(codes[rows], return_index=True)
        links.append(np.stack([rows, rows[first][codes[rows]]], axis=1))
    if edges is not None:
        links.append(np.asarray(edges, dtype=np.int64).reshape(-1, 2))
    left, right = np.concatenate(links).T
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(n, n))
    _, found = connected_components(graph, directed=False)
    return found.astype(np.int64)


def near_duplicates(vectors: NDArray[np.float32], threshold: float) -> Rows:
    """Pairs of rows whose cosine reaches a threshold, to float32 precision.

    Every pair is compared, block by block. Equal rows are joined to the first of them
    only, so that many copies give few pairs; their connected groups are the same.

    Args:
        vectors: ``(n, d)`` of unit length
        threshold: in (0, 1]

    Returns:
        ``(m, 2)`` with the smaller row first
    """
    if not 0 < threshold <= 1:
        raise ArgumentError(
            f"near_duplicates is {threshold}; give a cosine above 0 and up to 1"
        )
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    whole = rows.view(np.dtype((np.void, rows.strides[0]))).ravel()
    _, first, copy_of = np.unique(whole, return_index=True, return_inverse=True)
    copies = np.stack([first[copy_of], np.arange(len(rows))], axis=1)
    found = [copies[copies[:, 0] < copies[:, 1]]]
    kept = np.sort(first)
    distinct = rows[kept]
    for start in range(0, len(kept), _BLOCK):
        for other in range(start, len(kept), _BLOCK):
            pairs = _close(distinct, start, other, threshold)
            found.append(kept[pairs])
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _close(rows: NDArray[np.float32], start: int, other: int, threshold: float) -> Rows:
    """Close pairs between two blocks; float32 proposes, float64 decides."""
    block, against = rows[start : start + _BLOCK], rows[other : other + _BLOCK]
    slack = rows.shape[1] * 2.0**-24
    near = block @ against.T >= threshold - slack - _FLOAT32
    if start == other:
        near = np.triu(near, k=1)
    left, right = np.nonzero(near)
    exact = np.einsum(
        "ij,ij->i", block[left].astype(np.float64), against[right].astype(np.float64)
    )
    sure = exact >= threshold - _FLOAT32
    return np.stack([left[sure] + start, right[sure] + other], axis=1)
