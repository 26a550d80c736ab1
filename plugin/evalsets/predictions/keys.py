"""From the keys of a prediction table to the samples of a dataset."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from evalsets.errors import PredictionsError, counted, suggest
from evalsets.predictions.tables import examples


@dataclass(frozen=True)
class Match:
    """Which sample each key means.

    Args:
        positions: ``(n,)`` for each key of the table its place among the known
            keys; -1 where unknown
        unknown: keys of the table that no sample has
        missing: ``(m,)`` places of known keys that the table does not have
    """

    positions: NDArray[np.intp]
    unknown: tuple[str, ...]
    missing: NDArray[np.intp]


def match_keys(
    keys: Sequence[str],
    known: Sequence[object],
    *,
    allow_unknown: bool = False,
) -> Match:
    """Finds each key among the known ones.

    Where the known keys are paths, a key may also be relative to the working
    directory, or the tail of exactly one of them (``b/c.jpg`` or ``c.jpg`` for
    ``/a/b/c.jpg``).

    Args:
        keys: of a table, without doubles
        known: the value of the key field of every sample; None where it has none
        allow_unknown: report unknown keys instead of refusing them

    Raises:
        PredictionsError: unknown keys; a tail that fits two samples; two keys
            that mean one sample; two samples with one key
    """
    at = _index(known)
    tails = _tails(at) if _are_paths(at) else None
    positions = np.array([_find(str(key), at, tails) for key in keys], np.intp)
    found = positions >= 0
    unknown = tuple(str(k) for k, ok in zip(keys, found, strict=True) if not ok)
    if unknown and not allow_unknown:
        raise PredictionsError(_unknown(unknown, len(keys), list(at)))
    _refuse_doubled(keys, positions[found], np.flatnonzero(found))
    missing = np.setdiff1d(np.arange(len(known)), positions)
    return Match(positions, unknown, missing)


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


def _tails(known: Iterable[str]) -> dict[str, list[str]]:
    by_name = defaultdict(list)
    for path in known:
        by_name[path.rpartition("/")[2]].append(path)
    return by_name


def _find(key: str, at: dict[str, int], tails: dict[str, list[str]] | None) -> int:
    if key in at or tails is None:
        return at.get(key, -1)
    path = key.replace("\\", "/")
    whole = os.path.abspath(path)  # noqa: PTH100 (no resolving of links)
    if whole in at or path.startswith("/") or "://" in path:
        return at.get(whole, -1)
    tail = str(PurePosixPath(path))
    fitting = [
        k for k in tails.get(tail.rpartition("/")[2], ()) if k.endswith(f"/{tail}")
    ]
    if len(fitting) > 1:
        raise PredictionsError(
            f"The key '{key}' fits {len(fitting)} samples: {examples(fitting)}; "
            "give more of the path"
        )
    return at[fitting[0]] if fitting else -1


def _unknown(unknown: Sequence[str], n: int, known: Sequence[str]) -> str:
    belong = "belongs" if len(unknown) == 1 else "belong"
    said = (
        f"{len(unknown):,} of {counted(n, 'key')} {belong} to no sample: "
        f"{examples(unknown)}"
    )
    if not known:
        return f"{said}; no sample has a value in the key field"
    remedy = (
        f"samples have keys like {examples(known[:2], 2)}; name as the key the field "
        "that holds yours, or leave out what is not in the dataset"
    )
    near = [] if _are_paths(known) else known[:2000]
    return said + suggest(unknown[0], near, remedy)


def _refuse_doubled(
    keys: Sequence[str], positions: NDArray[np.intp], rows: NDArray[np.intp]
) -> None:
    order = np.argsort(positions, kind="stable")
    twice = np.flatnonzero(np.diff(positions[order]) == 0)
    if len(twice):
        first, second = rows[order[twice[0]]], rows[order[twice[0] + 1]]
        raise PredictionsError(
            f"The keys '{keys[first]}' and '{keys[second]}' mean the same sample; "
            "keep one prediction a sample"
        )
