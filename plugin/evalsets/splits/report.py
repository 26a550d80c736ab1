"""What a split gave, against what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalsets.errors import counted
from evalsets.splits.conflicts import Conflict
from evalsets.splits.leaks import Leak, shared

PARTS = ("train", "val", "test", "quarantine")
_NAMED = 5
_COLUMNS = ("sample_id", "other_id", "cosine", "together")


@dataclass(frozen=True)
class Move:
    """A sample that changed sides.

    Args:
        sample_id: of the sample
        before: side it was on
        after: side it is on
        why: in words
        releases: those in which it was in train or val, where it was called into test
    """

    sample_id: str
    before: str
    after: str
    why: str
    releases: tuple[int, ...] = ()

    def __str__(self) -> str:
        why = self.why
        if self.releases:
            why += f"; {trained_in(self.releases)}"
        return f"{self.sample_id}: {self.before} → {self.after} ({why})"


def trained_in(releases: Sequence[int]) -> str:
    """In which releases a sample was trained on, in words."""
    noun = "release" if len(releases) == 1 else "releases"
    return f"in train or val in {noun} {', '.join(map(str, releases))}"


@dataclass(frozen=True)
class SplitReport:
    """The outcome of a split.

    Args:
        frame: by population: ``n`` samples, ``asked`` and ``got`` share in test,
            ``deviation`` = got − asked
        sizes: samples of each side
        moved: samples that changed sides, those called into test included
        conflicts: populations that are short, or above their share by more than a group
        leaks: test samples that lie in train or val too, by group or by file
        gap: memberships in test by which the total excess may be above the least there
            can be; 0 is proof
        near: pairs of images around the threshold of near-duplicates, most alike first:
            ``sample_id, other_id, cosine, together``; empty where none was given
        notes: what else a person should know, one sentence each
    """

    frame: pd.DataFrame
    sizes: dict[str, int]
    moved: list[Move]
    conflicts: list[Conflict]
    leaks: list[Leak]
    gap: int
    near: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        sizes = ", ".join(f"{n} {side}" for side, n in self.sizes.items())
        shown = self.frame.to_string(float_format="{:.3f}".format)
        table = [] if self.frame.empty else [shown]
        lines = [sizes, *table, *self.notes, *map(str, self.conflicts)]
        if self.gap:
            lines.append(
                f"The total excess may be {self.gap} memberships above the least."
            )
        if self.moved:
            lines.append(f"{counted(len(self.moved), 'sample')} changed sides")
        if len(self.near):
            lines.append("Pairs around the threshold of near-duplicates:")
            lines.append(self.near.to_string(index=False))
        if self.leaks:
            lie = counted(len(self.leaks), "test sample leaks", "test samples leak")
            lines.append(f"{lie} into train or val:")
            lines += map(str, self.leaks[:_NAMED])
        return "\n".join(lines)


def split_report(
    membership: pd.DataFrame,
    holdout: Mapping[str, float],
    *,
    before: NDArray[np.str_],
    side: NDArray[np.str_],
    rule: NDArray[np.object_],
    group: NDArray[np.int64],
    conflicts: list[Conflict],
    gap: int,
) -> SplitReport:
    """Compares what was asked with what came out.

    Args:
        membership: bool, sample id × population
        holdout: asked share by population; 0 where it is not named
        before: ``(n,)`` sides before, empty for new samples
        side: ``(n,)`` sides now
        rule: ``(n,)`` why a sample is where it is
        group: ``(n,)`` codes
        conflicts: populations that did not get what they asked for
        gap: how far the total excess may be above the least
    """
    ids = membership.index.to_numpy()
    changed = np.flatnonzero((before != "") & (before != side))
    return SplitReport(
        frame=_frame(membership, holdout, side == "test"),
        sizes={name: int((side == name).sum()) for name in PARTS},
        moved=[
            Move(str(ids[i]), str(before[i]), str(side[i]), str(rule[i]))
            for i in changed
        ],
        conflicts=conflicts,
        leaks=shared(list(ids), side, group, "same group"),
        gap=gap,
        near=pd.DataFrame(columns=list(_COLUMNS)),
        notes=_notes(membership, holdout),
    )


def _notes(membership: pd.DataFrame, holdout: Mapping[str, float]) -> tuple[str, ...]:
    """What asks in vain."""
    asking = [name for name, share in holdout.items() if share > 0]
    if not asking:
        return ("No population asks for a hold-out, so nothing new goes to test",)
    there = membership[asking].any()
    empty = [repr(name) for name in asking if not there[name]]
    if not empty:
        return ()
    more = len(empty) - _NAMED
    rest = f" and {more:,} more" if more > 0 else ""
    named = ", ".join(empty[:_NAMED]) + rest
    return (f"Without a sample to hold out: {named}",)


def near_examples(
    ids: pd.Index, examples: list[tuple[int, int, float]], threshold: float
) -> pd.DataFrame:
    """Pairs around the threshold, as a report shows them.

    Args:
        ids: sample ids by row
        examples: two rows and their cosine
        threshold: cosine from which images stay together
    """
    rows = [
        (ids[one], ids[other], cosine, cosine >= threshold - 1e-6)
        for one, other, cosine in examples
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _frame(
    membership: pd.DataFrame, holdout: Mapping[str, float], test: NDArray[np.bool_]
) -> pd.DataFrame:
    names = [str(name) for name in membership.columns]
    members = membership.to_numpy(dtype=bool)
    n, in_test = members.sum(axis=0), members[test].sum(axis=0)
    asked = np.array([holdout.get(name, 0.0) for name in names])
    got = np.divide(in_test, n, out=np.full(len(n), np.nan), where=n > 0)
    columns = {"n": n, "asked": asked, "got": got, "deviation": got - asked}
    return pd.DataFrame(columns, index=pd.Index(names, name="population"))
