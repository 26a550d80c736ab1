"""Where each sample's vector stands, as arrays: a million are found in a moment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


class Places:
    """The row that each id has last.

    Args:
        ids: ``(n,)`` ids of 12 bytes, in the order they were written
        rows: ``(n,)`` their rows; what is negative removes the id
    """

    def __init__(self, ids: NDArray[Any], rows: Rows) -> None:
        high, low = _halves(ids)
        order = np.lexsort((high, low))
        high, low, rows = high[order], low[order], rows[order]
        last = np.ones(len(rows), dtype=bool)
        last[:-1] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        kept = last & (rows >= 0)
        self._high, self._low, self._rows = high[kept], low[kept], rows[kept]

    def rows(self) -> Rows:
        """All rows, rising."""
        return np.sort(self._rows)

    def find(self, ids: NDArray[Any]) -> Rows:
        """The rows of some ids of 12 bytes; -1 where one has none."""
        high, low = _halves(ids)
        at = np.searchsorted(self._low, low)
        end = np.searchsorted(self._low, low, side="right")
        found = np.full(len(ids), -1, dtype=np.int64)
        while (open_ := np.flatnonzero((at < end) & (found < 0))).size:
            same = open_[self._high[at[open_]] == high[open_]]
            found[same] = self._rows[at[same]]
            at[open_] += 1
        return found


def _halves(ids: NDArray[Any]) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """The first four bytes of each id and the other eight, which alone differ nearly always."""
    octets = np.frombuffer(ids.tobytes(), np.uint8).reshape(-1, 12)
    high = np.ascontiguousarray(octets[:, :4]).view(">u4")[:, 0].astype(np.uint32)
    low = np.ascontiguousarray(octets[:, 4:]).view(">u8")[:, 0].astype(np.uint64)
    return high, low
