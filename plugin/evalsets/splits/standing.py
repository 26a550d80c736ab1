"""Where every sample stands: on the side that the ledger tells, whatever a field says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from evalsets.errors import UnknownNameError, counted
from evalsets.splits.identity import Had, Identity
from evalsets.splits.ledger import CAME_BACK, Entry, replay, restoration
from evalsets.splits.work import Assignment

RENAMED = "had this side before, under another name or content of its file"
TAKEN_OVER = "its file now is one that was in test or quarantine"
BY_HAND = "had this side in the field alone"
RESTORED = "restored: had this side when the ledger was replaced"
_SHOWN = 3
_STRENGTH = ("", "train", "val", "quarantine", "test")
"""Of samples of one file the side that holds, the last before all others."""
_LEARNED = _STRENGTH[1:3]


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
        before: by id of a sample that came back, those that are gone and had its file
    """

    side: list[str]
    rule: list[str]
    differing: list[int]
    told: dict[str, str]
    folders: Sequence[Sequence[str]] = ()
    missing: Sequence[str] = ()
    before: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def doubts(self) -> list[str]:
        """Which files were taken for those of the ledger because they may be."""
        return [
            f"Files of the ledger may be those below {_named(folders)}, which have the "
            "same names; all of these have the sides that it tells"
            for folders in self.folders
        ]

    def taken_over(self, ids: Sequence[str] | pd.Index) -> list[str]:
        """How many samples went to quarantine since their files had been held out."""
        rows = [row for row, rule in enumerate(self.rule) if rule == TAKEN_OVER]
        if not rows:
            return []
        files = counted(len(rows), "sample has now a file", "samples have now files")
        return [
            f"{files} that had been in test or quarantine under another id, and went to "
            f"quarantine: {ids[rows[0]]} for one"
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
            apart = had == "quarantine" and side[row] in _LEARNED
            if apart or rule[row] == BY_HAND:
                side[row], rule[row] = had, RESTORED
        return replace(self, side=side, rule=rule)

    def entered(self, assignment: Assignment) -> Assignment:
        """An assignment with a rule for all that the ledger does not tell yet."""
        rule = np.array(self.rule, dtype=object)
        unsaid = (assignment.rule == "") & (rule != "")
        return replace(assignment, rule=np.where(unsaid, rule, assignment.rule))

    def restored(
        self,
        ids: Sequence[str],
        keys: Sequence[str],
        digests: Sequence[str],
        suite: int,
    ) -> list[Entry]:
        """Entries of all samples with a side of which the ledger does not tell yet."""
        alike: dict[tuple[str, str], list[int]] = {}
        for row, rule in enumerate(self.rule):
            if rule:
                alike.setdefault((self.side[row], rule), []).append(row)
        return [
            restoration(
                [ids[i] for i in rows],
                [keys[i] for i in rows],
                [digests[i] for i in rows if digests],
                *pair,
                suite,
                self.before,
            )
            for pair, rows in sorted(alike.items())
        ]

    def notes(self, ids: Sequence[str] | pd.Index, field: Sequence[str]) -> list[str]:
        """Where field and ledger differed, in words; empty where they agreed."""
        differing = [r for r in self.differing if self.rule[r] != TAKEN_OVER]
        kept = [row for row in differing if self.side[row] == field[row]]
        restored = [row for row in differing if self.side[row] != field[row]]
        found = [*self.doubts, *self.taken_over(ids)]
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
    ended = _ended(ledger)
    held = [_held(had, told, ended) for had in identity.had]
    side, rule, differing = [], [], list[int]()
    for row, sample_id in enumerate(ids):
        had, now = told.get(sample_id, ""), field[row]
        before = held[identity.file[sample_id]] if sample_id in identity.file else ""
        if had and had != now:
            differing.append(row)
        if not had and not before and now not in _STRENGTH:
            raise UnknownNameError("side", now, _STRENGTH[1:])
        stands = _stands(had, before, now, sample_id in identity.renamed)
        side.append(stands[0])
        rule.append(stands[1])
    gone = identity.missing.items()
    missing = [name for name, ids in gone if _strongest(ids, told, ended) == "test"]
    came = {i for i, one in zip(ids, rule, strict=True) if one == CAME_BACK}
    whose = {i: identity.before(i) for i in came}
    past = {i: (*had.maybe, *had.sure) for i, had in whose.items()}
    return Standing(side, rule, differing, told, identity.folders, missing, past)


def _stands(told: str, before: str, field: str, renamed: bool) -> tuple[str, str]:
    """The side of a sample, and whence it is known; empty where the ledger tells it.

    Args:
        told: by the ledger
        before: side of those that are gone and had its file
        field: side in the dataset
        renamed: whether the ledger tells it of another name or content
    """
    known = told or before
    if not known:
        return field, BY_HAND if field else ""
    if field == "test" and known in _LEARNED:
        return "test", BY_HAND
    if not told:
        return before, CAME_BACK
    if told in _LEARNED and before not in ("", *_LEARNED):
        return "quarantine", TAKEN_OVER
    return told, RENAMED if renamed else ""


def _held(had: Had, told: Mapping[str, str], ended: set[str]) -> str:
    """The side of a file; what may be that of another only protects it more."""
    sure = _strongest(had.sure, told, ended)
    if sure and sure not in _LEARNED:
        return sure
    return max(sure, _strongest(had.maybe, told, ended), key=_STRENGTH.index)


def _strongest(had: Sequence[str], told: Mapping[str, str], ended: set[str]) -> str:
    """The side of samples of one file, of those since one of them came to its end."""
    last = max((at for at, one in enumerate(had) if one in ended), default=0)
    return max((told[one] for one in had[last:]), key=_STRENGTH.index, default="")


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
