"""Where every sample stands: on the side that the ledger tells, whatever a field says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalsets.errors import UnknownNameError, counted
from evalsets.splits.identity import Identity
from evalsets.splits.ledger import Entry, replay, restoration
from evalsets.splits.work import Assignment

CAME_BACK = "had this side before, under another id"
RENAMED = "had this side before, when its file had another name or content"
BY_HAND = "had this side in the field alone"
RESTORED = "restored: had this side when the ledger was replaced"
_SHOWN = 3
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
        folders: in any of which the files of a record may be
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
            f"Files of the ledger may be those below {_named(folders)}, which have the "
            "same names; all of these have the sides that it tells"
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
        if self.missing:
            files = counted(len(self.missing), "file is", "files are")
            found.append(
                f"{files} in test by the ledger and not in the dataset, "
                f"'{self.missing[0]}' for one; added again, such a file is in test"
            )
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


def _named(folders: Sequence[str]) -> str:
    more = len(folders) - _SHOWN
    shown = [repr(folder) for folder in folders[:_SHOWN]]
    return " or ".join(shown + [f"{more:,} others"] * (more > 0))


def standing(
    ledger: Sequence[Entry],
    ids: Sequence[str],
    field: Sequence[str],
    identity: Identity,
) -> Standing:
    """Where samples stand: by the ledger under their id, else as those before them.

    A sample that the ledger knows neither way has the side of its field. One that is in
    test by its field stays there unless it was retired: test only grows. One whose file
    the ledger does not know is to be entered with it.

    Args:
        ledger: verified entries, oldest first
        ids: ``(n,)``
        field: ``(n,)`` sides in the dataset; empty for none
        identity: of their files

    Raises:
        EvalsetsError: an entry is broken, or takes a sample out of test
        UnknownNameError: a field holds no side
    """
    told = replay(ledger)
    ended, sides = _ended(ledger), dict[int, str]()
    side, rule, differing = list(field), [""] * len(ids), []
    for row, sample_id in enumerate(ids):
        if sample_id in told:
            if field[row] != told[sample_id]:
                differing.append(row)
            if field[row] == "test" and told[sample_id] in _STRENGTH[:2]:
                rule[row] = BY_HAND
                continue
            side[row] = told[sample_id]
            if sample_id in identity.renamed:
                rule[row] = RENAMED
        elif had := identity.before.get(sample_id):
            held = sides.get(id(had)) or _held(had, told, ended)
            sides[id(had)] = held
            by_hand = field[row] == "test" and held in _STRENGTH[:2]
            rule[row] = BY_HAND if by_hand else CAME_BACK
            side[row] = "test" if by_hand else held
        elif field[row]:
            rule[row] = BY_HAND
            if field[row] not in _STRENGTH:
                raise UnknownNameError("side", field[row], _STRENGTH)
    lost = {i for i, side in told.items() if side == "test"}.difference(ids)
    missing = _named_last(ledger, lost - identity.there)
    return Standing(side, rule, differing, told, identity.folders, missing)


def _held(had: Sequence[str], told: Mapping[str, str], ended: set[str]) -> str:
    """The side of samples of one file, of those since one of them came to its end."""
    last = max((at for at, one in enumerate(had) if one in ended), default=0)
    return max((told[one] for one in had[last:]), key=_STRENGTH.index)


def _ended(ledger: Sequence[Entry]) -> set[str]:
    """Samples that came back and were retired: what their file was before is over."""
    back: set[str] = set()
    retired: set[str] = set()
    for entry in ledger:
        if entry.get("retire") is True:
            retired.update(entry["samples"])
        elif entry.get("rule") == CAME_BACK:
            back.update(entry["samples"])
    return back & retired


def _named_last(ledger: Sequence[Entry], samples: set[str]) -> list[str]:
    """The newest keys of samples, or their ids where none has one."""
    named: dict[str, str] = {}
    for entry in ledger if samples else ():
        pairs = zip(
            entry["samples"], entry.get("keys") or entry["samples"], strict=False
        )
        named.update((i, key) for i, key in pairs if i in samples)
    return sorted(named.values())
