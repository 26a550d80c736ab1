"""From the keys of a prediction table to the samples of a dataset."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from evalsets.errors import PredictionsError, counted, suggest
from evalsets.files import by_ending
from evalsets.predictions.tables import examples


class Keys:
    """The samples of a dataset by their keys.

    Where the known keys are paths, a key may also be relative to the working directory,
    or the tail of exactly one of them (``b/c.jpg`` or ``c.jpg`` for ``/a/b/c.jpg``).

    Args:
        known: ``(n,)`` the value of the key field of every sample; None where it has none

    Raises:
        PredictionsError: two samples with one key
    """

    def __init__(self, known: Sequence[object]) -> None:
        self.n = len(known)
        self._at = _index(known)
        self._by_depth: dict[int, dict[str, list[str]]] = {}
        self._are_paths = _are_paths(self._at)

    def find(self, keys: Iterable[str]) -> NDArray[np.intp]:
        """``(k,)`` the place of each key's sample; -1 where there is none.

        Raises:
            PredictionsError: a tail that fits several samples
        """
        return np.array([self._find(str(key)) for key in keys], np.intp)

    def all_of(self, keys: Sequence[str]) -> NDArray[np.intp]:
        """``(k,)`` the place of each key's sample.

        Raises:
            PredictionsError: a key that belongs to no sample
        """
        places = self.find(keys)
        lost = [str(key) for key, at in zip(keys, places, strict=True) if at < 0]
        if lost:
            self.refuse(lost, len(lost), len(keys))
        return places

    def _find(self, key: str) -> int:
        at = self._at
        if key in at or not self._are_paths:
            return at.get(key, -1)
        path = key.replace("\\", "/")
        whole = os.path.abspath(path)  # noqa: PTH100 (no resolving of links)
        if whole in at or path.startswith("/") or "://" in path:
            return at.get(whole, -1)
        fitting = self._ending(str(PurePosixPath(path)))
        if len(fitting) > 1:
            raise PredictionsError(
                f"The key '{key}' fits {len(fitting)} samples: {examples(fitting)}; "
                "give more of the path"
            )
        return at[fitting[0]] if fitting else -1

    def _ending(self, tail: str) -> list[str]:
        """The known paths that end with a tail."""
        depth = tail.count("/") + 1
        if depth not in self._by_depth:
            self._by_depth[depth] = by_ending(self._at, depth)
        return self._by_depth[depth].get(tail, [])

    def refuse(self, lost: Sequence[str], n_lost: int, n: int) -> None:
        """Raises for keys that belong to no sample.

        Args:
            lost: some of them
            n_lost: how many there are
            n: of how many keys
        """
        belong = "belongs" if n_lost == 1 else "belong"
        said = (
            f"{n_lost:,} of {counted(n, 'key')} {belong} to no sample: {examples(lost)}"
        )
        known = list(self._at)
        if not known:
            raise PredictionsError(
                f"{said}; no sample has a value in the key field, name another"
            )
        remedy = (
            f"samples have keys like {examples(known[:2], 2)}; name as the key the field "
            "that holds yours (option key)"
        )
        if n_lost < n:
            remedy += ", or leave the others out (option skip_unknown)"
        near = [] if self._are_paths else known[:2000]
        raise PredictionsError(said + suggest(lost[0], near, remedy))


def _index(known: Iterable[object]) -> dict[str, int]:
    at: dict[str, int] = {}
    for place, key in enumerate(known):
        if key is None:
            continue
        if at.setdefault(str(key), place) != place:
            raise PredictionsError(
                f"Two samples have the key '{key}'; use a field whose values are unique"
            )
    return at


def _are_paths(known: Iterable[str]) -> bool:
    first = next(iter(known), "")
    return os.path.isabs(first) or "://" in first  # noqa: PTH117 (URLs stay text)
