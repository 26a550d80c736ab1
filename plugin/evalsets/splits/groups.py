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
        links.append(equal(labels))
    if edges is not None:
        links.append(np.asarray(edges, dtype=np.int64).reshape(-1, 2))
    left, right = np.concatenate(links).T
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(n, n))
    _, found = connected_components(graph, directed=False)
    return found.astype(np.int64)


def equal(values: Sequence[Any]) -> Rows:
    """Pairs of rows that connect equal values; None and NaN equal nothing.

    Returns:
        ``(m, 2)``; a value of its own makes no pair
    """
    codes, _ = pd.factorize(np.asarray(values, dtype=object))
    rows = np.flatnonzero(codes >= 0)
    _, first = np.unique(codes[rows], return_index=True)
    firsts = rows[first][codes[rows]]
    pairs: Rows = np.stack([rows, firsts], axis=1)[rows != firsts]
    return pairs
