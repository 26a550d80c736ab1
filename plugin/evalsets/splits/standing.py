"""Where every sample stands: on the side that the ledger tells, whatever a field says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalsets.errors import UnknownNameError, counted
from evalsets.splits.ledger import Entry, replay, restoration
from evalsets.splits.work import Assignment

CAME_BACK = "had this side before, under another id"
RENAMED = "had this side before, when its file had another name or content"
BY_HAND = "had this side in the field alone"
RESTORED = "restored: had this side when the ledger was replaced"
_STRENGTH = ("train", "val", "quarantine", "test")
"""Of samples of one file the side that holds, the last before all others."""


@dataclass(frozen=True)
class Standing:
    """The sides before a split.

    Args:
        side: ``(n,)`` side of every sample; empty for a new one
        rule: ``(n,)`` whence it is known, where the ledger does not tell it of this id
        differing: rows whose field had another side
        told: by sample id what the ledger says, also of samples that are gone
        folders: in any of which the files of some records may be
        missing: files in test by the ledger that are not there
    """

    side: list[str]
    rule: list[str]
    differing: list[int]
    told: dict[str, str]
    folders: Sequence[Sequence[str]] = ()
    missing: Sequence[str] = ()

    @property
    def doubts(self) -> list[str]:
        """Which files were taken for those of the ledger because they may be."""
        return [
            f"Files of the ledger may be those below {' or '.join(map(repr, folders))}, "
            "which have the same names; all of these have the sides that it tells"
            for folders in self.folders
        ]

    @property
    def known(self) -> bool:
        """Whether the ledger tells the side of any sample that is there."""
        return any(
            s and r != BY_HAND for s, r in zip(self.side, self.rule, strict=True)
        )

    def guarded(self, field: Sequence[str]) -> Standing:
        """The standing for a ledger that was replaced: what it lost the field alone tells.

        Samples stay in quarantine too, where the ledger has them in train or val.
        """
        side, rule = list(self.side), list(self.rule)
        for row, had in enumerate(field):
            apart = had == "quarantine" and side[row] in _STRENGTH[:2]
            if apart or rule[row] == BY_HAND:
                side[row], rule[row] = had, RESTORED
        return replace(self, side=side, rule=rule)

    def entered(self, assignment: Assignment) -> Assignment:
        """An assignment with a rule for all that the ledger does not tell yet."""
        rule = np.array(self.rule, dtype=object)
        unsaid = (assignment.rule == "") & (rule != "")
        return replace(assignment, rule=np.where(unsaid, rule, assignment.rule))

    def restored(
        self, ids: Sequence[str], keys: Sequence[str], suite: int
    ) -> list[Entry]:
        """Entries of all samples with a side of which the ledger does not tell yet."""
        alike: dict[tuple[str, str], list[int]] = {}
        for row, rule in enumerate(self.rule):
            if rule:
                alike.setdefault((self.side[row], rule), []).append(row)
        return [
            restoration([ids[i] for i in rows], [keys[i] for i in rows], *pair, suite)
            for pair, rows in sorted(alike.items())
        ]

    def notes(self, ids: Sequence[str] | pd.Index, field: Sequence[str]) -> list[str]:
        """Where field and ledger differed, in words; empty where they agreed."""
        kept = [row for row in self.differing if self.side[row] == field[row]]
        restored = [row for row in self.differing if self.side[row] != field[row]]
        found = self.doubts
        if restored:
            row = restored[0]
            had = f"'{field[row]}'" if field[row] else "nothing"
            found.append(
                f"The field 'split' of {counted(len(restored), 'sample')} did not hold "
                f"the side that the ledger tells, which was restored: sample {ids[row]} "
                f"had {had} instead of '{self.side[row]}'"
            )
        if kept:
            samples = counted(len(kept), "sample was", "samples were")
            found.append(
                f"{samples} in test by the field 'split' and elsewhere by the ledger, "
                f"and stay in test: {ids[kept[0]]} for one"
            )
        return found


def standing(
    ledger: Sequence[Entry],
    ids: Sequence[str],
    keys: Sequence[str],
    field: Sequence[str],
    folders: Sequence[Sequence[str]] = (),
) -> Standing:
    """Where samples stand: by the ledger under their id, else under the key of their file.

    A sample that the ledger knows neither way has the side of its field. One that is in
    test by its field stays there unless it was retired: test only grows. One whose file
    the ledger does not know by its key is to be entered with it.

    Args:
        ledger: verified entries, oldest first
        ids: ``(n,)``
        keys: ``(n,)`` what names the files of the samples
        field: ``(n,)`` sides in the dataset; empty for none
        folders: as in :class:`Standing`

    Raises:
        EvalsetsError: an entry is broken, or takes a sample out of test
        UnknownNameError: a field holds no side
    """
    told = replay(ledger)
    gone = _gone(ledger, told, ids)
    other = renamed(ledger, ids, keys)
    side, rule, differing = list(field), [""] * len(ids), []
    for row, sample_id in enumerate(ids):
        if sample_id in told:
            if field[row] != told[sample_id]:
                differing.append(row)
            if field[row] == "test" and told[sample_id] in _STRENGTH[:2]:
                rule[row] = BY_HAND
                continue
            side[row] = told[sample_id]
            if sample_id in other:
                rule[row] = RENAMED
        elif gone and keys[row] in gone:
            side[row], rule[row] = gone[keys[row]], CAME_BACK
        elif field[row]:
            rule[row] = BY_HAND
            if field[row] not in _STRENGTH:
                raise UnknownNameError("side", field[row], _STRENGTH)
    missing = _missing(ledger, told, ids, keys)
    return Standing(side, rule, differing, told, folders, missing)


def renamed(
    ledger: Sequence[Entry], ids: Sequence[str], keys: Sequence[str]
) -> set[str]:
    """The samples that a ledger knows by their ids, and never by the keys they have."""
    last: dict[str, str] = {}
    for entry in ledger:
        last.update(zip(entry["samples"], entry.get("keys", ()), strict=False))
    new = {i: k for i, k in zip(ids, keys, strict=True) if last.get(i, k) != k != i}
    for entry in ledger if new else ():
        for i, key in zip(entry["samples"], entry.get("keys", ()), strict=False):
            if new.get(i) == key:
                del new[i]
    return set(new)


def _gone(
    ledger: Sequence[Entry], told: dict[str, str], ids: Sequence[str]
) -> dict[str, str]:
    """Sides by key of samples that are no longer there.

    Of samples of one file the side that holds, but for one that came back and was
    retired, or came back after that: it was those before it.
    """
    absent = told.keys() - set(ids)
    sides: dict[str, str] = {}
    back, follows, retired = set[str](), set[str](), set[str]()
    for entry in ledger if absent else ():
        pairs = list(zip(entry["samples"], entry.get("keys", ()), strict=False))
        if entry.get("retire") is True:
            follows |= back.intersection(entry["samples"])
            retired.update(key for _, key in pairs)
        elif entry.get("rule") == CAME_BACK:
            back.update(entry["samples"])
            if entry["side"] == "quarantine":
                follows.update(sample_id for sample_id, key in pairs if key in retired)
        for sample_id, key in pairs:
            if sample_id in absent:
                one, other = told[sample_id], sides.get(key, _STRENGTH[0])
                alone = sample_id in follows
                sides[key] = one if alone else max(one, other, key=_STRENGTH.index)
    return sides


def _missing(
    ledger: Sequence[Entry],
    told: dict[str, str],
    ids: Sequence[str],
    keys: Sequence[str],
) -> list[str]:
    """Keys of files in test that no sample has, under its id or by its key."""
    lost = {i for i, side in told.items() if side == "test"}.difference(ids)
    there, named = set(keys), dict[str, str]()
    for entry in ledger if lost else ():
        samples = entry["samples"]
        for sample_id, key in zip(samples, entry.get("keys") or samples, strict=False):
            if sample_id in lost:
                named[sample_id] = key
                if key in there:
                    lost.remove(sample_id)
    return sorted({named[sample_id] for sample_id in lost})
