"""What became of the files of a source since it was looked at last."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from evalsets.errors import NoImagesError, counted
from evalsets.images import open_file
from evalsets.ingest.images import Facts, examine
from evalsets.ingest.listing import Listing
from evalsets.remote import fetch, is_url

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Look:
    """A readable image: where it is on this machine, its facts, its content's hash."""

    path: str
    facts: Facts
    digest: str


@dataclass(frozen=True)
class Refused:
    """A file that was left out: why, and the stamp that it waits to lose.

    The stamp is empty where another attempt may succeed on the same file.
    """

    why: str
    stamp: str = ""


@dataclass(frozen=True)
class Examined:
    """What looking into files gave, by name (path or URL).

    Args:
        looks: the readable ones that were looked at now
        skipped: the others, now or before
        newly_skipped: names of those that were not left out before
    """

    looks: Mapping[str, Look]
    skipped: Mapping[str, Refused]
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

    def __bool__(self) -> bool:
        return any(vars(self).values())


@dataclass(frozen=True)
class Synced:
    """How many files were found in each state, and why others were left out.

    Args:
        others: files whose names are of no image
        source: folder or URL, so that it can be synced again; empty for a list of files
        labels: file with labels, or "folders"; empty for none and for a frame
    """

    added: int
    kept: int
    changed: int
    moved: int
    vanished: int
    returned: int
    duplicates: int
    skipped: Mapping[str, str]
    others: int = 0
    source: str = ""
    labels: str = ""

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
        if self.others:
            told.append(
                counted(self.others, "file is", "files are") + " no image by name"
            )
        named = [f"\n  {path}: {why}" for path, why in list(self.skipped.items())[:10]]
        more = len(self.skipped) - len(named)
        return ", ".join(told) + "".join(
            [*named, f"\n  and {more:,} more" if more else ""]
        )


def look_at(listing: Listing, name: str) -> Look | Refused:
    """The image of that name, or why it cannot be read; a remote one is copied.

    Raises:
        SourceError: what holds the file fails
    """
    stamp = listing.stamp[name]
    try:
        path, file = fetch(name, stamp) if is_url(name) else (name, open_file(name))
        with file:
            digest, facts = _digest(file), examine(file)
    except NoImagesError:
        return Refused("it went while it was read")
    except OSError as error:
        return Refused(error.strerror or str(error))
    return (
        Refused(facts, stamp) if isinstance(facts, str) else Look(path, facts, digest)
    )


def compare(listing: Listing, stored: pd.DataFrame, looks: Mapping[str, Look]) -> Plan:
    """Tells new, moved, changed and vanished files apart.

    A file has moved when its content has a new name and the old name is gone; where
    several fit, in the order of their names.

    Args:
        listing: of the source now
        stored: frame by name with ``file_digest`` and ``vanished``
        looks: into files whose stamp is not the known one
    """
    gone = _gone(listing, stored, looks)
    digest = dict(zip(stored.index, stored["file_digest"], strict=True))
    vanished = set(stored.index[stored["vanished"].eq(True)])
    waiting: dict[str | None, list[str]] = {}
    for name in gone:
        waiting.setdefault(digest[name], []).append(name)
    moved, new = {}, []
    for name in sorted(looks.keys() - digest.keys()):
        if waiting.get(looks[name].digest):
            moved[waiting[looks[name].digest].pop(0)] = name
        else:
            new.append(name)
    touched = [name for name in looks if name in digest]
    return Plan(
        new=new,
        moved=moved,
        touched=touched,
        changed=[n for n in touched if _differs(digest[n], looks[n])],
        vanished=[n for n in gone if n not in moved and n not in vanished],
        returned=sorted(n for n in vanished if n in listing.size or n in moved),
    )


def _gone(
    listing: Listing, stored: pd.DataFrame, looks: Mapping[str, Look]
) -> list[str]:
    """Files that are gone; a list of files says nothing of others, but where one moved."""
    absent = [name for name in stored.index if name not in listing.size]
    if listing.root is not None:
        return sorted(name for name in absent if listing.covers(name))
    arrived = {look.digest for look in looks.values()}
    digest = dict(zip(stored.index, stored["file_digest"], strict=True))
    return sorted(
        name
        for name in absent
        if digest[name] in arrived and not is_url(name) and not Path(name).exists()
    )


def _differs(digest: str | None, look: Look) -> bool:
    return digest is not None and digest != look.digest


def _digest(file: BinaryIO) -> str:
    found = hashlib.blake2b(digest_size=16)
    while chunk := file.read(_CHUNK_BYTES):
        found.update(chunk)
    return found.hexdigest()
