"""Unit vectors whose cosines are exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalsets.errors import ArgumentError

_GRID = 2.0**24
_UNIT = 1e-6


def unit(vectors: ArrayLike) -> NDArray[np.float32]:
    """Vectors scaled to length one, each component a multiple of 2⁻²⁴.

    Products of such components are multiples of 2⁻⁴⁸ and their partial sums stay
    below 2, so a dot product in float64 has no rounding error at all, in whatever
    order it is summed. The grid moves a cosine by about 2·10⁻⁸, less than float32
    does. A vector that has length one already keeps it, so that
    ``unit(unit(v)) == unit(v)``.

    Args:
        vectors: ``(d,)`` or ``(n, d)``, of any scale

    Returns:
        the same shape

    Raises:
        ArgumentError: a vector is zero, or not finite
    """
    rows = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    bad = np.flatnonzero(~(np.isfinite(length) & (length > 0)))
    if bad.size:
        raise ArgumentError(
            f"Vector {bad[0]} is zero or not finite, so it has no direction; "
            "leave its sample out"
        )
    scale = np.where(np.abs(length - 1) < _UNIT, 1.0, length)
    grid: NDArray[np.float32] = (np.rint(rows / scale * _GRID) / _GRID).astype(
        np.float32
    )
    return grid
