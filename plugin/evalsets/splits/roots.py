"""The paths in a ledger, where the folder that they are below is no longer the same.

A record names files by their paths below the folder that all of them had in common. That
folder is another once the files are moved, or once a sample outside it is added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from evalsets.splits.ledger import Entry, Record

_TRIED = 1000
"""Samples that tell the folder of a record, where all were below one."""


def entries_today(
    records: Sequence[Record],
    at: Mapping[str, str],
    keys: Mapping[str, str],
    separator: str,
) -> list[Entry]:
    """The entries of a ledger with the keys that would be written today.

    The folder of a record is that of the samples that are there under their ids, else
    the one below which most of its files are. Where several hold as many, it is unknown,
    and the keys stay as they are.

    Args:
        records: oldest first
        at: path of every sample, by id
        keys: key of every sample today, by path
        separator: of the parts of a path
    """
    today = {path.removesuffix(k) for path, k in keys.items() if path.endswith(k)}
    folders = [_by_id(record, at, separator) for record in records]
    unknown = [i for i, votes in enumerate(folders) if not votes]
    for i, votes in _by_path(records, unknown, keys, separator).items():
        folders[i] = votes
    contents = {key for path, key in keys.items() if not path.endswith(key)}
    found = [_most(votes, separator) for votes in folders]
    return [
        entry
        if folder is None or today == {folder}
        else _renamed(entry, folder, keys, contents)
        for record, folder in zip(records, found, strict=True)
        for entry in record["entries"]
    ]


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
    paths: Mapping[str, str],
    separator: str,
) -> dict[int, Counter[str]]:
    """How many files of some records are below each folder, by the ends of paths."""
    holders: dict[str, set[int]] = {}
    for i in unknown:
        for _, key in _pairs(records[i]):
            holders.setdefault(key, set()).add(i)
    votes: dict[int, Counter[str]] = {i: Counter() for i in unknown}
    for path in paths if holders else ():
        cut = path.find(separator)
        while cut >= 0:
            for i in holders.get(path[cut + len(separator) :], ()):
                votes[i][path[:cut]] += 1
            cut = path.find(separator, cut + 1)
    return votes


def _most(votes: Counter[str], separator: str) -> str | None:
    """The folder with the most votes, of equal ones that around the others, if any is."""
    most = max(votes.values(), default=0)
    equal = sorted(f"{name}{separator}" for name, n in votes.items() if n == most)
    first = next(iter(equal), None)
    return first if first and all(name.startswith(first) for name in equal) else None


def _renamed(
    entry: Entry, folder: str, keys: Mapping[str, str], contents: set[str]
) -> Entry:
    if "keys" not in entry:
        return entry
    today = [
        key if key in contents else keys.get(f"{folder}{key}", f"{folder}{key}")
        for key in entry["keys"]
    ]
    return {**entry, "keys": today}
