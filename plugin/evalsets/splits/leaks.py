"""Samples of test that a model has seen in all but name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from evalsets.splits.near import closest

LEARNED = ("train", "val")


class Leak(NamedTuple):
    """A test sample with kin on another side.

    Args:
        test_id: of the sample in test
        other_id: of one of its kin
        side: of that one, train or val
        why: ``same group``, ``same file`` or ``near-duplicate``
        cosine: of the two; NaN where that was not looked at
    """

    test_id: str
    other_id: str
    side: str
    why: str
    cosine: float = np.nan

    def __str__(self) -> str:
        close = "" if np.isnan(self.cosine) else f", cosine {self.cosine:.3f}"
        return f"{self.test_id} in test, {self.other_id} in {self.side} ({self.why}{close})"


def shared(
    ids: Sequence[str], side: ArrayLike, values: Sequence[Any] | NDArray[Any], why: str
) -> list[Leak]:
    """Every test sample whose value a sample in train or val has too.

    Args:
        ids: ``(n,)``
        side: ``(n,)``
        values: ``(n,)`` group codes, checksums …; None and NaN equal nothing
        why: what equal values are
    """
    rows = pd.DataFrame(
        {"id": np.asarray(ids, dtype=object), "side": side, "value": values}
    ).dropna(subset="value")
    test = rows[rows["side"] == "test"]
    learned = rows[rows["side"].isin(LEARNED)].drop_duplicates("value")
    both = test.merge(learned, on="value", suffixes=("", "_other"))
    columns = (both["id"], both["id_other"], both["side_other"])
    return [
        Leak(str(test_id), str(other_id), str(side_of), why)
        for test_id, other_id, side_of in zip(*columns, strict=True)
    ]


def near(
    ids: Sequence[str],
    side: ArrayLike,
    vectors: NDArray[np.float32],
    threshold: float,
) -> list[Leak]:
    """Every test sample that comes close to one in train or val, with the closest.

    Args:
        ids: ``(n,)``
        side: ``(n,)``
        vectors: ``(n, d)`` of unit length
        threshold: cosine in (0, 1] from which two images are near-duplicates
    """
    sides = np.asarray(side, dtype=object)
    test = np.flatnonzero(sides == "test")
    learned = np.flatnonzero(np.isin(sides.astype(str), LEARNED))
    return [
        Leak(ids[row], ids[twin], str(sides[twin]), "near-duplicate", cosine)
        for row, twin, cosine in closest(vectors, test, learned, threshold)
    ]
