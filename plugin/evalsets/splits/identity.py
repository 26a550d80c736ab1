"""Which files of today are those of a ledger, whatever ids their samples have.

A record names files by their paths below the folder that all files of the dataset had in
common, which it keeps as well, and by their content where that was known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from evalsets.splits.ledger import CAME_BACK, Entry, Record


@dataclass(frozen=True)
class Had:
    """Samples that are gone, and had one file, oldest first.

    Args:
        sure: that had it
        maybe: that had one of its name in another folder, which may be where it was
    """

    sure: Sequence[str] = ()
    maybe: Sequence[str] = ()


@dataclass(frozen=True)
class Identity:
    """How samples are related to those of a ledger by their files.

    Args:
        had: those that are gone, by file
        file: of a sample that the ledger does not know, or knows with another file, whose
            file one that is gone had: the place of that in ``had``
        missing: samples that are gone, and whose file is too, by its path; oldest first
        renamed: samples that the ledger knows by their ids, and not by all that names
            their files
        folders: those that the files of a record may be in, where that is not sure
    """

    had: Sequence[Had] = ()
    file: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    renamed: frozenset[str] = frozenset()
    folders: Sequence[Sequence[str]] = ()

    def before(self, sample: str) -> Had:
        """Those that are gone and had the file of a sample."""
        return self.had[self.file[sample]] if sample in self.file else Had()


def identify(
    records: Sequence[Record],
    paths: Mapping[str, str],
    digests: Mapping[str, str],
    separator: str,
) -> Identity:
    """Finds the files of a ledger.

    They are where they were, where their content is, or below the folders that samples of
    their record are found in by their ids. Where nothing is, the tree was moved: they may
    be below the folders whose names end as that did, and those with many of the files. A
    folder with more of them than any that is known may hold them too.

    Args:
        records: of the ledger, oldest first
        paths: of every sample there is, by id
        digests: of their content, where it is known
        separator: of the parts of a path
    """
    trees, contents = _trees(records), _contents(records, {*digests.values()})
    entries = [entry for record in records for entry in record["entries"]]
    told = {one for entry in entries for one in entry["samples"]}
    drawn = told.difference(
        *(e["samples"] for e in entries if e.get("rule") == CAME_BACK)
    )
    renamed, changed = _renamed(records, paths, digests, separator)
    found, unsure = _Found(paths), set[tuple[str, ...]]()
    taken = frozenset(paths.values())
    anything = not told <= paths.keys()
    for sample, digest in digests.items() if anything else ():
        lost = found.lost(contents, digest)
        if lost and (sample not in told or sample in changed):
            found.add(sample, (contents, digest), sure=True)
    for tree in trees if anything else ():
        hits = tree.hits(paths, separator)
        places, sought = tree.folders(hits, drawn, paths, taken, separator)
        guessed = False
        for key, sample, folder in hits:
            sure = folder in places
            if not sure and (folder not in sought or sample in drawn):
                continue
            found.lost(tree, key)
            if sample not in told or (sure and sample in changed):
                found.add(sample, (tree, key), sure)
                guessed = guessed or not sure
        if guessed:
            unsure.add(tuple(sorted(places | sought)))
    had, file = found.files()
    return Identity(
        had,
        file,
        _missing(records, found.there(), separator) if anything else {},
        renamed,
        sorted(folders for folders in unsure if len(folders) > 1),
    )


@dataclass(frozen=True, eq=False)
class _Tree:
    """The files of all records of one folder, or all whose content is known.

    Args:
        folder: that they were below; None where that was not kept
        keys: by key, samples that had it, each with its record
    """

    folder: str | None = None
    keys: dict[str, dict[str, int]] = field(default_factory=dict)

    def hits(
        self, paths: Mapping[str, str], separator: str
    ) -> list[tuple[str, str, str]]:
        """Key, sample of today, and its folder, below which it has the key."""
        gone = {k for k, had in self.keys.items() if not had.keys() <= paths.keys()}
        found: list[tuple[str, str, str]] = []
        for sample, path in paths.items() if gone else ():
            cut = path.find(separator)
            while cut >= 0:
                key = path[cut + len(separator) :]
                if key in gone:
                    found.append((key, sample, path[:cut]))
                cut = path.find(separator, cut + 1)
        return found

    def folders(
        self,
        hits: Sequence[tuple[str, str, str]],
        drawn: Container[str],
        paths: Mapping[str, str],
        taken: Container[str],
        separator: str,
    ) -> tuple[set[str], set[str]]:
        """The folders that are known to hold the files, and others that may.

        Samples that the ledger drew a side for are no evidence for the latter.
        """
        if not hits:
            return set(), set()
        signs = {(folder, key) for key, sample, folder in hits if sample not in drawn}
        votes = Counter(folder for folder, _ in signs)
        known = Counter(
            folder
            for key, had in self.keys.items()
            for folder in {
                paths[one].removesuffix(f"{separator}{key}")
                for one in had
                if one in paths and paths[one].endswith(f"{separator}{key}")
            }
        )
        if self.folder is not None:
            place = self.folder.rstrip(separator)
            n = sum(f"{place}{separator}{key}" in taken for key in self.keys)
            if n:
                known[place] = n
        if known or not votes:
            most = max(known.values(), default=0)
            return set(known), {f for f, n in votes.items() if n > most} - set(known)
        return set(), _likely(votes, self.folder or "", separator)


_Key = tuple[_Tree, str]


class _Found:
    """The files of samples that are gone, as far as they are there.

    Args:
        paths: of every sample there is, by id
    """

    def __init__(self, paths: Mapping[str, str]) -> None:
        self._paths = paths
        self._lost: dict[_Key, dict[str, int]] = {}
        self._keys: dict[str, tuple[list[_Key], list[_Key]]] = {}

    def lost(self, tree: _Tree, key: str) -> dict[str, int]:
        """The samples that had a file and are gone, each with its record."""
        if (tree, key) not in self._lost:
            had = tree.keys.get(key, {}).items()
            self._lost[tree, key] = {i: at for i, at in had if i not in self._paths}
        return self._lost[tree, key]

    def add(self, sample: str, key: _Key, sure: bool) -> None:
        """What names the file of a sample, or may."""
        self._keys.setdefault(sample, ([], []))[not sure].append(key)

    def there(self) -> set[str]:
        """Samples that are there, or whose file is."""
        return set(self._paths).union(*self._lost.values())

    def files(self) -> tuple[list[Had], dict[str, int]]:
        """Who had a file, once for all that have it now, and the file of each sample."""
        numbers: dict[tuple[tuple[_Key, ...], tuple[_Key, ...]], int] = {}
        file = {
            sample: numbers.setdefault((tuple(sure), tuple(maybe)), len(numbers))
            for sample, (sure, maybe) in self._keys.items()
        }
        return [Had(self._oldest(s), self._oldest(m)) for s, m in numbers], file

    def _oldest(self, keys: Sequence[_Key]) -> tuple[str, ...]:
        at: dict[str, int] = {}
        for key in keys:
            for one, record in self._lost[key].items():
                at[one] = max(record, at.get(one, record))
        return tuple(sorted(at, key=at.__getitem__))


def _trees(records: Sequence[Record]) -> list[_Tree]:
    trees: dict[Any, _Tree] = {}
    for i, record in enumerate(records):
        folder = record.get("folder")
        tree = trees.setdefault(i if folder is None else folder, _Tree(folder))
        for entry in record["entries"]:
            for sample, key in _keyed(entry):
                tree.keys.setdefault(key, {})[sample] = i
    return list(trees.values())


def _contents(records: Sequence[Record], digests: Container[str]) -> _Tree:
    contents = _Tree()
    for i, record in enumerate(records):
        for entry in record["entries"]:
            for sample, digest in _digested(entry):
                if digest not in digests:
                    continue
                contents.keys.setdefault(digest, {})[sample] = i
    return contents


def _keyed(entry: Entry) -> Iterator[tuple[str, str]]:
    yield from zip(entry["samples"], entry.get("keys", ()), strict=False)


def _digested(entry: Entry) -> Iterator[tuple[str, str]]:
    """Samples with their digests, which had once been among the keys."""
    digests = entry.get("digests") or entry.get("keys", ())
    pairs = zip(entry["samples"], digests, strict=False)
    yield from (pair for pair in pairs if pair[1])


def _renamed(
    records: Sequence[Record],
    paths: Mapping[str, str],
    digests: Mapping[str, str],
    separator: str,
) -> tuple[frozenset[str], set[str]]:
    """Samples that have a path or content that no record tells; those with another file.

    A file is the same where its content is, and where its path is if that is all one knows.
    """
    named, placed, compared, equal = set[str](), set[str](), set[str](), set[str]()
    for record in records:
        folder = record.get("folder", "").rstrip(separator)
        for entry in record["entries"]:
            for sample, key in _keyed(entry):
                if sample not in paths:
                    continue
                named.add(sample)
                path, end = paths[sample], f"{separator}{key}"
                if path == folder + end if "folder" in record else path.endswith(end):
                    placed.add(sample)
            for sample, digest in _digested(entry):
                if digest == digests.get(sample):
                    equal.add(sample)
                elif "digests" in entry:
                    compared.add(sample)
    unread = {sample for sample in named if not digests.get(sample)}
    same = equal | (placed & (unread | (named - compared)))
    return frozenset(named - (placed & (equal | unread))), named - same


def _missing(
    records: Sequence[Record], there: Container[str], separator: str
) -> dict[str, list[str]]:
    last: dict[str, str] = {}
    for record in records:
        folder = record.get("folder")
        start = "" if folder is None else folder.rstrip(separator) + separator
        for entry in record["entries"]:
            names = [start + key for key in entry.get("keys", ())] or entry["samples"]
            for sample, name in zip(entry["samples"], names, strict=False):
                if sample not in there:
                    last.pop(sample, None)
                    last[sample] = name
    missing: dict[str, list[str]] = {}
    for sample, name in last.items():
        missing.setdefault(name, []).append(sample)
    return missing


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
