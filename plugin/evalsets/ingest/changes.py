"""What became of the files of a source since it was looked at last."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from evalsets.errors import EvalsetsError, counted
from evalsets.ingest.images import Facts, examine
from evalsets.ingest.listing import Listing
from evalsets.remote import fetch, is_url


@dataclass(frozen=True)
class Look:
    """A readable image: where it is on this machine, its facts, its content's hash."""

    path: str
    facts: Facts
    digest: str


@dataclass(frozen=True)
class Examined:
    """What looking into files gave, by name (path or URL).

    Args:
        looks: the readable ones that were looked at now
        skipped: why each of the others was left out, now or before
        newly_skipped: names of those left out for the first time
    """

    looks: Mapping[str, Look]
    skipped: Mapping[str, str]
    newly_skipped: Sequence[str]


@dataclass(frozen=True)
class Plan:
    """What differs between a source and a dataset, by name (path or URL).

    Args:
        new: files without a sample
        moved: new name of files whose old name is gone
        touched: files of samples whose stamp has changed
        changed: those of them whose content has
        vanished: files of samples that are gone
        returned: files that were gone and are there again
    """

    new: list[str]
    moved: dict[str, str]
    touched: list[str]
    changed: list[str]
    vanished: list[str]
    returned: list[str]


@dataclass(frozen=True)
class Synced:
    """How many files were found in each state, and the ones left out."""

    added: int
    kept: int
    changed: int
    moved: int
    vanished: int
    returned: int
    duplicates: int
    skipped: Mapping[str, str]

    def __str__(self) -> str:
        states = {
            "changed": self.changed,
            "moved": self.moved,
            "vanished": self.vanished,
            "back again": self.returned,
        }
        told = [f"{self.added:,} added", f"{self.kept:,} kept"]
        told += [f"{n:,} {state}" for state, n in states.items() if n]
        if self.duplicates:
            told.append(counted(self.duplicates, "copy of another", "copies of others"))
        told.append(f"{len(self.skipped):,} skipped")
        named = [f"\n  {path}: {why}" for path, why in list(self.skipped.items())[:10]]
        more = len(self.skipped) - len(named)
        return ", ".join(told) + "".join(
            [*named, f"\n  and {more:,} more" if more else ""]
        )


def look_at(listing: Listing, name: str) -> Look | str:
    """The image of that name, or why it cannot be read; a remote one is copied."""
    try:
        path = fetch(name, listing.stamp[name]) if is_url(name) else name
        facts = examine(path)
        if isinstance(facts, str):
            return facts
        return Look(path, facts, _digest(path))
    except (OSError, EvalsetsError) as error:
        return str(error) or type(error).__name__


def compare(listing: Listing, stored: pd.DataFrame, looks: Mapping[str, Look]) -> Plan:
    """Tells new, moved, changed and vanished files apart.

    A file has moved when its content has a new name and the old name is gone; where
    several fit, in the order of their names.

    Args:
        listing: of the source now
        stored: frame by name with ``file_digest`` and ``vanished``
        looks: into files whose stamp is not the known one
    """
    gone = sorted(
        name
        for name in stored.index
        if name not in listing.size and _is_gone(listing, name, looks, stored)
    )
    new = [name for name in looks if name not in stored.index]
    digest = dict(zip(stored.index, stored["file_digest"], strict=True))
    waiting: dict[str | None, list[str]] = {}
    for name in gone:
        waiting.setdefault(digest[name], []).append(name)
    moved = {}
    for name in sorted(new):
        if waiting.get(looks[name].digest):
            moved[waiting[looks[name].digest].pop(0)] = name
    arrived = set(moved.values())
    touched = [name for name in looks if name in stored.index]
    vanished = stored["vanished"].eq(True)
    back = [n for n in stored.index[vanished] if n in listing.size or n in moved]
    return Plan(
        new=[name for name in new if name not in arrived],
        moved=moved,
        touched=touched,
        changed=[n for n in touched if _differs(digest[n], looks[n])],
        vanished=[n for n in gone if n not in moved and not vanished[n]],
        returned=back,
    )


def _is_gone(
    listing: Listing, name: str, looks: Mapping[str, Look], stored: pd.DataFrame
) -> bool:
    """Whether a file that is not listed is gone; a list says nothing of others."""
    if listing.root is not None:
        return listing.covers(name)
    digests = {look.digest for look in looks.values()}
    return (
        stored.at[name, "file_digest"] in digests
        and not is_url(name)
        and not Path(name).exists()
    )


def _differs(digest: str | None, look: Look) -> bool:
    return digest is not None and digest != look.digest


def _digest(path: str) -> str:
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()
