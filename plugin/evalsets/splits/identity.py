"""Which files of today are those of a ledger, whatever ids their samples have.

A record names files by their content or, where that was not known, by their paths below
the folder that all files of the dataset had in common, which it keeps as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from evalsets.splits.ledger import Record


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
    found in by their ids. Where nothing is, the tree was moved: they are below the
    folders whose names end as that did, and those with many of the files. A folder with
    more of them than any that is known holds them too.

    Args:
        records: of the ledger, oldest first
        paths: of every sample there is, by id
        keys: what names its file today: its content, or the end of its path
        separator: of the parts of a path
    """
    trees = _trees(records)
    told = {one for tree in trees for had in tree.keys.values() for one in had}
    met: dict[str, list[tuple[int, str]]] = {}
    there: set[str] = set()
    unsure: set[tuple[str, ...]] = set()
    gone: dict[tuple[int, str], dict[str, int]] = {}
    for number, tree in enumerate(trees if not told <= paths.keys() else ()):
        hits = tree.hits(paths, keys, separator)
        places, sought = tree.folders(hits, told, paths, separator)
        for key, sample, folder in hits:
            if (
                folder is None
                or folder in places
                or (folder in sought and sample not in told)
            ):
                pair = number, key
                if pair not in gone:
                    had = tree.keys[key].items()
                    gone[pair] = {one: i for one, i in had if one not in paths}
                    there.update(gone[pair])
                if sample not in told:
                    met.setdefault(sample, []).append(pair)
        if sought:
            unsure.add(tuple(sorted(places | sought)))
    lists: dict[tuple[tuple[int, str], ...], list[str]] = {}
    for pairs in map(tuple, met.values()):  # those of one file share theirs
        if pairs not in lists:
            befores = [one for pair in pairs for one in gone[pair].items()]
            lists[pairs] = [one for one, _ in sorted(befores, key=lambda two: two[1])]
    return Identity(
        {sample: lists[tuple(pairs)] for sample, pairs in met.items()},
        frozenset(there),
        _renamed(records, paths, keys, separator),
        sorted(folders for folders in unsure if len(folders) > 1),
    )


@dataclass(frozen=True)
class _Tree:
    """The files of all records of one folder.

    Args:
        folder: that they were below; None where that was not kept
        keys: by key, samples that had it, each with its record
    """

    folder: str | None
    keys: dict[str, dict[str, int]] = field(default_factory=dict)

    def hits(
        self, paths: Mapping[str, str], keys: Mapping[str, str], separator: str
    ) -> list[tuple[str, str, str | None]]:
        """Key, sample of today, and its folder below which it fits; None by content."""
        gone = {k for k, had in self.keys.items() if not had.keys() <= paths.keys()}
        found: list[tuple[str, str, str | None]] = []
        for sample, path in paths.items() if gone else ():
            if keys[sample] in gone and not path.endswith(keys[sample]):
                found.append((keys[sample], sample, None))
            cut = path.find(separator)
            while cut >= 0:
                key = path[cut + len(separator) :]
                if key in gone:
                    found.append((key, sample, path[:cut]))
                cut = path.find(separator, cut + 1)
        return found

    def folders(
        self,
        hits: Sequence[tuple[str, str, str | None]],
        told: Container[str],
        paths: Mapping[str, str],
        separator: str,
    ) -> tuple[set[str], set[str]]:
        """The folders that are known to hold the files, and others that may.

        Samples that the ledger knows are no evidence for the latter.
        """
        if not hits:
            return set(), set()
        new = {(folder, key) for key, sample, folder in hits if sample not in told}
        votes = Counter(folder for folder, _ in new if folder is not None)
        known: Counter[str] = Counter()
        for key, had in self.keys.items():
            for sample in had:
                if sample in paths and paths[sample].endswith(f"{separator}{key}"):
                    known[paths[sample].removesuffix(f"{separator}{key}")] += 1
        if self.folder is not None:
            there, place = set(paths.values()), self.folder.rstrip(separator)
            n = sum(f"{place}{separator}{key}" in there for key in self.keys)
            if n:
                known[place] = n
        if known or not votes:
            most = max(known.values(), default=0)
            return set(known), {f for f, n in votes.items() if n > most} - set(known)
        return set(), _likely(votes, self.folder or "", separator)


def _trees(records: Sequence[Record]) -> list[_Tree]:
    trees: dict[Any, _Tree] = {}
    for i, record in enumerate(records):
        folder = record.get("folder")
        tree = trees.setdefault(i if folder is None else folder, _Tree(folder))
        for sample, key in _pairs(record):
            tree.keys.setdefault(key, {})[sample] = i
    return list(trees.values())


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
            if same or (key == keys[sample] and not path.endswith(key)):
                right.add(sample)
    return frozenset(named - right)


def _pairs(record: Record) -> Iterator[tuple[str, str]]:
    for entry in record["entries"]:
        yield from zip(entry["samples"], entry.get("keys", ()), strict=False)


def _likely(votes: Counter[str], before: str, separator: str) -> set[str]:
    """The folders that end most as the one before, and those with the most votes.

    Of either kind those with at least half as many votes as the first.
    """
    parts = before.split(separator)[::-1]

    def alike(folder: str) -> int:
        both = zip(parts, folder.split(separator)[::-1], strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))

    likeness = {folder: alike(folder) for folder in votes}
    most_alike = max(likeness.values())
    first = max(votes.values())
    of_alike = max(n for folder, n in votes.items() if likeness[folder] == most_alike)
    return {
        folder
        for folder, n in votes.items()
        if 2 * n >= (of_alike if likeness[folder] == most_alike else first)
    }
