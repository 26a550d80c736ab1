"""Releases: ``release``, ``releases``, ``diff``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import fiftyone as fo
import pandas as pd

from evalsets.api.populations import membership, refresh
from evalsets.api.standing import Files, sides_of, standing_of
from evalsets.datasets.connect import Source, open_dataset
from evalsets.datasets.ledger import read_ledger, read_records
from evalsets.datasets.locks import writing
from evalsets.datasets.populations import load_recipes, resolve
from evalsets.datasets.releases import list_releases, load_release, save_release
from evalsets.errors import ArgumentError, EvalsetsError
from evalsets.query import to_text
from evalsets.suites.difference import ReleaseDiff, compare
from evalsets.suites.release import Frozen, Release

logger = logging.getLogger(__name__)

SETTINGS = ("val", "groups", "near_duplicates", "background", "seed")
"""Options of ``split`` that a release and a suite file keep."""


def release(dataset: Source, *, note: str = "") -> Release:
    """Freezes populations, their members and the split under the next number.

    Nothing that happens to the dataset later changes a release: samples may come and go
    and populations may be redefined.

    Args:
        dataset: or its name
        note: for people

    Raises:
        ArgumentError: the dataset has no populations
        EvalsetsError: a population is stale, with the reason
    """
    if not isinstance(note, str):
        raise ArgumentError(f"note is {note!r}; give a text")
    opened = open_dataset(dataset)
    with writing(opened):
        made = save_release(opened, *capture(opened, note))
    logger.info("%s", made)
    return made


def releases(dataset: Source) -> dict[int, Release]:
    """The releases of a dataset by number, oldest first."""
    return list_releases(open_dataset(dataset))


def find_release(dataset: Source, number: int) -> Release:
    """One release, by its number.

    Raises:
        UnknownNameError: there is no such release
    """
    return load_release(open_dataset(dataset), number)[0]


def diff(dataset: Source, before: int, after: int | None = None) -> ReleaseDiff:
    """What changed from one release to another.

    Args:
        dataset: or its name
        before: number of a release
        after: number of a later one; by default the dataset as it is now

    Raises:
        UnknownNameError: there is no such release
        EvalsetsError: a release is not what was written
    """
    opened = open_dataset(dataset)
    old = load_release(opened, before)
    new = capture(opened, "") if after is None else load_release(opened, after)
    moved = not old[1].side.equals(new[1].side)
    return compare(old, new, _rules(opened, new[1].side) if moved else None)


def train_ids(dataset: Source, number: int) -> list[str]:
    """Ids of the samples that lay in train or val when a release was made."""
    _, frozen = load_release(open_dataset(dataset), number)
    return [str(i) for i in frozen.side.index[frozen.side.isin(["train", "val"])]]


def capture(dataset: fo.Dataset, note: str) -> tuple[Release, Frozen]:
    """The dataset as it is now, in the form of a release with number 0."""
    recipes = load_recipes(dataset)
    if not recipes:
        raise ArgumentError(
            f"Dataset '{dataset.name}' has no populations yet; compose some first"
        )
    for name, reason in refresh(dataset).items():
        raise EvalsetsError(f"Population '{name}' is stale: {reason}")
    known = {name: recipe.population for name, recipe in recipes.items()}
    queries, _ = resolve(dataset, known)
    records = read_records(dataset)
    frame = membership(dataset)
    frozen = Frozen.of(frame, _sides(dataset, frame.index, records))
    settings = records[-1] if records else {}
    made = Release(
        number=0,
        note=note,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        populations=tuple(known.values()),
        versions={name: recipe.version for name, recipe in recipes.items()},
        meaning={name: to_text(query) for name, query in queries.items()},
        n={str(name): int(n) for name, n in frozen.membership.sum().items()},
        sizes={str(s): int(n) for s, n in frozen.side.value_counts().items()},
        settings={k: settings[k] for k in (*SETTINGS, "hash") if k in settings},
    )
    return made, frozen


def _sides(
    dataset: fo.Dataset, ids: pd.Index, records: list[dict[str, Any]]
) -> pd.Series:
    """The side of every sample, as the ledger tells it where a field lags behind."""
    if not records:
        return pd.Series("", index=ids, dtype=object)
    files, field = Files.of(dataset, ids), sides_of(dataset, ids)
    side = standing_of(files, field, records).side
    return pd.Series(side, index=ids, dtype=object)


def _rules(dataset: fo.Dataset, side: pd.Series) -> Mapping[str, str]:
    """Why every sample came to its side, as far as the ledger tells."""
    rules: dict[tuple[str, str], str] = {}
    for entry in reversed(read_ledger(dataset)):  # the first decided, others repeat it
        rules |= dict.fromkeys(
            [(i, entry["side"]) for i in entry["samples"]], entry["rule"]
        )
    return {str(i): rules.get((str(i), s), "") for i, s in side.items()}
