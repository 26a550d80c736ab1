"""The paths in a ledger, where the folder that they are below is no longer the same.

A record names files by their paths below the folder that all of them had in common. That
folder is another once the files are moved, or once a sample outside it is added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from evalsets.splits.ledger import Entry, Record

_NOWHERE = "\0"
"""Below this folder no file is."""
_TRIED = 1000
"""Samples that tell the folder of a record, where all were below one."""


def entries_today(
    records: Sequence[Record],
    at: Mapping[str, str],
    keys: Mapping[str, str],
    separator: str,
) -> tuple[list[Entry], list[list[str]]]:
    """The entries of a ledger with the keys that would be written today.

    The folder of a record is that of the samples that are there under their ids, else
    the one below which most of its files are, without those that another sample of the
    ledger is known to be. Where other folders have at least half as many, an entry comes
    once for each of them, so that no file leaves test by a guess.

    Args:
        records: oldest first
        at: path of every sample, by id
        keys: key of every sample today, by path
        separator: of the parts of a path

    Returns:
        the entries, and the folders of each record that has several
    """
    found = {
        i: _leading(votes, separator)
        for i, record in enumerate(records)
        if (votes := _by_id(record, at, separator))
    }
    unknown = [i for i in range(len(records)) if i not in found]
    owner = {at[sample]: sample for sample in _samples(records) if sample in at}
    while unknown:
        by_path = _by_path(records, unknown, keys, owner, separator)
        leading = {i: _leading(votes, separator) for i, votes in by_path.items()}
        certain = {i: folders for i, folders in leading.items() if len(folders) < 2}
        for i, folders in (certain or leading).items():
            found[i] = folders
            for sample, key in _pairs(records[i]) if folders else ():
                owner.setdefault(f"{folders[0]}{key}", sample)
        unknown = [i for i in unknown if i not in found]
    today = {path.removesuffix(k) for path, k in keys.items() if path.endswith(k)}
    contents = {key for path, key in keys.items() if not path.endswith(key)}
    entries = [
        entry if today == {folder} else _below(entry, folder, keys, contents)
        for i, record in enumerate(records)
        for entry in record["entries"]
        for folder in found[i] or [_NOWHERE]
    ]
    several = {tuple(folders) for folders in found.values() if len(folders) > 1}
    return entries, [list(folders) for folders in sorted(several)]


def _samples(records: Sequence[Record]) -> Iterator[str]:
    for record in records:
        for entry in record["entries"]:
            yield from entry["samples"]


def _pairs(record: Record) -> Iterator[tuple[str, str]]:
    for entry in record["entries"]:
        yield from zip(entry["samples"], entry.get("keys", ()), strict=False)


def _by_id(record: Record, at: Mapping[str, str], separator: str) -> Counter[str]:
    """How many of some samples, known by their ids, are below each folder."""
    found = (
        at[sample_id].removesuffix(f"{separator}{key}")
        for sample_id, key in _pairs(record)
        if sample_id in at and at[sample_id].endswith(f"{separator}{key}")
    )
    return Counter(islice(found, _TRIED))


def _by_path(
    records: Sequence[Record],
    unknown: Sequence[int],
    paths: Iterable[str],
    owner: Mapping[str, str],
    separator: str,
) -> dict[int, Counter[str]]:
    """How many files of some records are below each folder, by the ends of paths."""
    holders: dict[str, list[tuple[int, str]]] = {}
    for i in unknown:
        for sample, key in _pairs(records[i]):
            holders.setdefault(key, []).append((i, sample))
    votes: dict[int, Counter[str]] = {i: Counter() for i in unknown}
    for path in paths if holders else ():
        cut = path.find(separator)
        while cut >= 0:
            for i, sample in holders.get(path[cut + len(separator) :], ()):
                if owner.get(path, sample) == sample:
                    votes[i][path[:cut]] += 1
            cut = path.find(separator, cut + 1)
    return votes


def _leading(votes: Counter[str], separator: str) -> list[str]:
    """The folders with at least half as many votes as the one with the most."""
    most = max(votes.values(), default=0)
    return sorted(f"{name}{separator}" for name, n in votes.items() if 2 * n >= most)


def _below(
    entry: Entry, folder: str, keys: Mapping[str, str], contents: set[str]
) -> Entry:
    """An entry with the keys that its files below a folder have today."""
    if "keys" not in entry:
        return entry
    today = [
        key if key in contents else keys.get(f"{folder}{key}", f"{folder}{key}")
        for key in entry["keys"]
    ]
    return {**entry, "keys": today}
