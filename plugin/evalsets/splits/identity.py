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

    They are where their content is, or where they were, or below the folders that samples
    of their record are found in by their ids. Where nothing is, the tree was moved: they
    may be below the folders whose names end as that did, and those with many of the
    files. A folder with more of them than any that is known may hold them too.

    Args:
        records: of the ledger, oldest first
        paths: of every sample there is, by id
        digests: of their content, where it is known
        separator: of the parts of a path
    """
    entries = [entry for record in records for entry in record["entries"]]
    told = {one for entry in entries for one in entry["samples"]}
    own = _own(records, paths, digests, separator)
    if told <= paths.keys() and not own.edited:
        return Identity(renamed=own.renamed)
    trees, contents = _trees(records), _contents(records, digests, own.edited)
    drawn = told.difference(
        *(e["samples"] for e in entries if e.get("rule") == CAME_BACK)
    )
    found, unsure = _Found(paths, records), set[tuple[str, ...]]()
    by_content = {i for i, digest in digests.items() if digest in contents.keys}
    for sample in by_content:
        if sample not in told or sample in own.changed:
            found.add(sample, contents, digests[sample])
    hits = {tree: tree.hits(paths, separator) for tree in trees}
    home = {s for tree in trees for _, s, f in hits[tree] if tree.was_at(f, separator)}
    home -= told
    taken = frozenset(paths.values())
    for tree in trees:
        some = [
            hit
            for hit in hits[tree]
            if hit[1] not in home or tree.was_at(hit[2], separator)
        ]
        places, sought = tree.folders(some, drawn, paths, taken, separator)
        guessed = False
        for key, sample, folder in some:
            exact = tree.was_at(folder, separator)
            if sample in by_content or (
                sample in told and not (exact and sample in own.moved)
            ):
                continue
            if exact or folder in places:
                found.add(sample, tree, key)
            elif folder in sought:
                found.add(sample, tree, key, sure=False)
                guessed = True
        if guessed:
            unsure.add(tuple(sorted(folder or separator for folder in places | sought)))
    had, file = found.files()
    return Identity(
        had,
        file,
        _missing(records, found.there(), taken.union(digests.values()), separator),
        own.renamed,
        sorted(folders for folders in unsure if len(folders) > 1),
    )


@dataclass(frozen=True, eq=False)
class _Tree:
    """The files of all records of one folder, or all by their content.

    Args:
        folder: that they were below; None where that was not kept
        keys: by key, samples that had it, each with its record
        edited: samples that are there and have their keys no more
    """

    folder: str | None = None
    keys: dict[str, dict[str, int]] = field(default_factory=dict)
    edited: Container[str] = ()

    def was_at(self, folder: str, separator: str) -> bool:
        """Whether its files were below a folder."""
        return self.folder is not None and self.folder.rstrip(separator) == folder

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
        records: of the ledger, oldest first
    """

    def __init__(self, paths: Mapping[str, str], records: Sequence[Record]) -> None:
        self._paths = paths
        self._lost: dict[_Key, dict[str, int]] = {}
        self._keys: dict[str, tuple[list[_Key], list[_Key]]] = {}
        self._came: list[tuple[str, Sequence[str]]] = []
        self._later: dict[str, dict[str, int]] = {}
        for i, record in enumerate(records):
            for entry in record["entries"]:
                pairs = zip(entry["samples"], entry.get("before", ()), strict=False)
                for sample, before in pairs:
                    self._came.append((sample, before))
                    for one in before:
                        self._later.setdefault(one, {})[sample] = i

    def add(self, sample: str, tree: _Tree, key: str, sure: bool = True) -> None:
        """What names the file of a sample, or may."""
        if (tree, key) not in self._lost:
            self._lost[tree, key] = {
                one: at
                for one, at in tree.keys[key].items()
                if one not in self._paths or one in tree.edited
            }
        if self._lost[tree, key]:
            keys = self._keys.setdefault(sample, ([], []))
            keys[not sure].append((tree, key))

    def there(self) -> set[str]:
        """Samples that are there, or whose file is."""
        there = set(self._paths).union(*self._lost.values())
        for sample, before in reversed(self._came):
            if sample in there:
                there.update(before)
        return there

    def files(self) -> tuple[list[Had], dict[str, int]]:
        """Who had a file, once for all that have it now, and the file of each sample."""
        numbers: dict[tuple[tuple[_Key, ...], tuple[_Key, ...]], int] = {}
        file = {
            sample: numbers.setdefault((tuple(sure), tuple(maybe)), len(numbers))
            for sample, (sure, maybe) in self._keys.items()
        }
        return [self._had(*pair) for pair in numbers], file

    def _had(self, sure: Sequence[_Key], maybe: Sequence[_Key]) -> Had:
        surely, perhaps = self._lost_by(sure), self._lost_by(maybe)
        after = [*surely]
        for one in after:  # those that came back for it, when that was a guess
            for later, at in self._later.get(one, {}).items():
                if later not in surely and later not in perhaps:
                    after.append(later)
                    if later not in self._paths:
                        perhaps[later] = at
        return Had(_by_age(surely), _by_age(perhaps))

    def _lost_by(self, keys: Sequence[_Key]) -> dict[str, int]:
        lost: dict[str, int] = {}
        for key in keys:
            for one, at in self._lost[key].items():
                lost[one] = max(at, lost.get(one, at))
        return lost


def _by_age(lost: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(lost, key=lost.__getitem__))


def _trees(records: Sequence[Record]) -> list[_Tree]:
    trees: dict[Any, _Tree] = {}
    for i, record in enumerate(records):
        folder = record.get("folder")
        tree = trees.setdefault(i if folder is None else folder, _Tree(folder))
        for entry in record["entries"]:
            for sample, key in _keyed(entry):
                tree.keys.setdefault(key, {})[sample] = i
    return list(trees.values())


def _contents(
    records: Sequence[Record], digests: Mapping[str, str], edited: Container[str]
) -> _Tree:
    today = {*digests.values()}
    contents = _Tree(edited=edited)
    for i, record in enumerate(records):
        for entry in record["entries"]:
            for sample, digest in _digested(entry):
                if digest in today:
                    contents.keys.setdefault(digest, {})[sample] = i
    return contents


def _keyed(entry: Entry) -> Iterator[tuple[str, str]]:
    yield from zip(entry["samples"], entry.get("keys", ()), strict=False)


def _digested(entry: Entry) -> Iterator[tuple[str, str]]:
    """Samples with their digests, which had once been among the keys."""
    digests = entry.get("digests") or entry.get("keys", ())
    pairs = zip(entry["samples"], digests, strict=False)
    yield from (pair for pair in pairs if pair[1])


@dataclass(frozen=True)
class _Own:
    """What samples that the ledger knows by their ids have of their files.

    Args:
        renamed: those that have a path or content that no record tells
        changed: those that have another file: another content or, where that is not
            known, another path
        moved: of these those that have another path
        edited: of these those that have another content
    """

    renamed: frozenset[str]
    changed: set[str]
    moved: set[str]
    edited: set[str]


def _own(
    records: Sequence[Record],
    paths: Mapping[str, str],
    digests: Mapping[str, str],
    separator: str,
) -> _Own:
    named, placed, compared, equal = set[str](), set[str](), set[str](), set[str]()
    for record in records:
        folder = record.get("folder")
        start = None if folder is None else folder.rstrip(separator)
        for entry in record["entries"]:
            for sample, key in _keyed(entry):
                if sample not in paths:
                    continue
                named.add(sample)
                path, end = paths[sample], f"{separator}{key}"
                if path.endswith(end) if start is None else path == start + end:
                    placed.add(sample)
            for sample, digest in _digested(entry):
                if digest == digests.get(sample):
                    equal.add(sample)
                elif "digests" in entry and sample in digests:
                    compared.add(sample)
    unread = named - digests.keys()
    changed = named - equal - (placed - compared)
    return _Own(
        renamed=frozenset(named - (placed & (equal | unread))),
        changed=changed,
        moved=changed - placed,
        edited=compared - equal,
    )


def _missing(
    records: Sequence[Record],
    there: Container[str],
    taken: Container[str],
    separator: str,
) -> dict[str, list[str]]:
    """By path, samples that are gone, where neither path nor content is there."""
    last: dict[str, str] = {}
    content: dict[str, str] = {}
    for record in records:
        folder = record.get("folder")
        start = "" if folder is None else folder.rstrip(separator) + separator
        for entry in record["entries"]:
            names = [start + key for key in entry.get("keys", ())] or entry["samples"]
            for sample, name in zip(entry["samples"], names, strict=False):
                if sample not in there:
                    last.pop(sample, None)
                    last[sample] = name
            content.update(_digested(entry))
    missing: dict[str, list[str]] = {}
    for sample, name in last.items():
        if name not in taken and content.get(sample) not in taken:
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
