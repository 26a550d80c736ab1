"""Which files of today are those of a ledger, whatever ids their samples have.

A record names files by their content or, where that was not known, by their paths below
the folder that all files of the dataset had in common, which it keeps as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from evalsets.splits.ledger import Record

Hit = tuple[int, str, str, str]
"""Record and sample of a ledger, and sample and folder of today that fit its key."""


@dataclass(frozen=True)
class Identity:
    """How samples are related to those of a ledger by their files.

    Args:
        before: by id of a sample that the ledger does not know, those that are gone and
            had its file, oldest first
        there: samples that are gone, and whose files are there under other ids
        renamed: samples that the ledger knows by their ids, and not by the files they have
        folders: those that the files of a record may be in, where that is not sure
    """

    before: Mapping[str, Sequence[str]] = field(default_factory=dict)
    there: frozenset[str] = frozenset()
    renamed: frozenset[str] = frozenset()
    folders: Sequence[Sequence[str]] = ()


def identify(
    records: Sequence[Record],
    paths: Mapping[str, str],
    keys: Mapping[str, str],
    separator: str,
) -> Identity:
    """Finds the files of a ledger.

    The files of a record are where they were, or below the folders that its samples are
    found in by their ids. Where nothing is, they are looked for below the folders whose
    names end as theirs did, among those with at least half as many files as the first.

    Args:
        records: of the ledger, oldest first
        paths: of every sample there is, by id
        keys: what names its file today: its content, the end of its path, or its id
            where its path is that of another as well
        separator: of the parts of a path
    """
    told = {sample for record in records for sample, _ in _pairs(record)}
    gone: dict[str, list[tuple[int, str]]] = {}
    for i, record in enumerate(records):
        for sample, key in _pairs(record):
            if sample not in paths:
                gone.setdefault(key, []).append((i, sample))
    found = [
        (i, before, sample)
        for sample, key in (keys.items() if gone else ())
        if key in gone and not paths[sample].endswith(key)
        for i, before in gone[key]
    ]
    alone = len({*paths.values()}) == len(paths)  # or content alone tells files
    hits = list(_hits(gone, paths, separator)) if alone else []
    asked = {i for i, *_ in hits}
    places = _places(records, asked, paths, separator) if asked else {}
    sought = _sought(records, [hit for hit in hits if hit[0] not in places], separator)
    for i, before, sample, folder in hits:
        if folder in (places.get(i) or sought[i]):
            found.append((i, before, sample))
    had: dict[str, list[str]] = {}
    for _, before, sample in sorted(found):
        if sample not in told:
            had.setdefault(sample, []).append(before)
    unsure = {tuple(sorted(folders)) for folders in sought.values() if len(folders) > 1}
    return Identity(
        had,
        frozenset(before for _, before, _ in found),
        _renamed(records, paths, keys, separator),
        sorted(unsure),
    )


def _renamed(
    records: Sequence[Record],
    paths: Mapping[str, str],
    keys: Mapping[str, str],
    separator: str,
) -> frozenset[str]:
    named, right = set[str](), set[str]()
    for record in records:
        folder = record.get("folder", "").rstrip(separator)
        for sample, key in _pairs(record):
            if sample not in paths:
                continue
            named.add(sample)
            path, end = paths[sample], f"{separator}{key}"
            same = path == folder + end if "folder" in record else path.endswith(end)
            content = key == keys[sample] and not path.endswith(key)
            if same or content or key == sample:
                right.add(sample)
    return frozenset(i for i in named - right if keys[i] != i)


def _pairs(record: Record) -> Iterator[tuple[str, str]]:
    for entry in record["entries"]:
        yield from zip(entry["samples"], entry.get("keys", ()), strict=False)


def _hits(
    gone: Mapping[str, Iterable[tuple[int, str]]],
    paths: Mapping[str, str],
    separator: str,
) -> Iterator[Hit]:
    """What fits by the end of a path."""
    for sample, path in paths.items():
        cut = path.find(separator)
        while cut >= 0:
            for i, before in gone.get(path[cut + len(separator) :], ()):
                yield i, before, sample, path[:cut]
            cut = path.find(separator, cut + 1)


def _places(
    records: Sequence[Record],
    asked: Iterable[int],
    paths: Mapping[str, str],
    separator: str,
) -> dict[int, set[str]]:
    """Folders that are known to hold files of records; none of one where none is."""
    there = set(paths.values())
    still: set[str] = set()
    for record in records:
        folder = record.get("folder", "").rstrip(separator)
        names = (f"{folder}{separator}{key}" for _, key in _pairs(record))
        if (
            "folder" in record
            and folder not in still
            and any(n in there for n in names)
        ):
            still.add(folder)
    places = {}
    for i in asked:
        by_id = {
            paths[sample].removesuffix(f"{separator}{key}")
            for sample, key in _pairs(records[i])
            if sample in paths and paths[sample].endswith(f"{separator}{key}")
        }
        before = {records[i].get("folder", "").rstrip(separator)} & still
        if by_id | before:
            places[i] = by_id | before
    return places


def _sought(
    records: Sequence[Record], hits: Iterable[Hit], separator: str
) -> dict[int, set[str]]:
    """The folders that may hold files of records of which nothing else is known."""
    votes: dict[int, Counter[str]] = {}
    for i, _, _, folder in hits:
        votes.setdefault(i, Counter())[folder] += 1
    return {
        i: _likely(counts, records[i].get("folder", ""), separator)
        for i, counts in votes.items()
    }


def _likely(votes: Counter[str], before: str, separator: str) -> set[str]:
    """The folders that end most as the one before, with half as many votes as the first."""
    parts = before.split(separator)[::-1]

    def alike(folder: str) -> int:
        both = zip(parts, folder.split(separator)[::-1], strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))

    most_alike = max(map(alike, votes))
    left = {folder: n for folder, n in votes.items() if alike(folder) == most_alike}
    most = max(left.values())
    return {folder for folder, n in left.items() if 2 * n >= most}
