"""What a split gave, against what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from evalsets.errors import counted


@dataclass(frozen=True)
class Move:
    """A sample that changed sides.

    Args:
        sample_id: of the sample
        before: side it was on
        after: side it is on
        why: in words
    """

    sample_id: str
    before: str
    after: str
    why: str

    def __str__(self) -> str:
        return f"{self.sample_id}: {self.before} → {self.after} ({self.why})"


@dataclass(frozen=True)
class Conflict:
    """A population that did not get what it asked for, and why.

    Args:
        population: its name
        by: the populations that force it; empty when data does
        text: one sentence
    """

    population: str
    by: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class SplitReport:
    """The outcome of a split.

    Args:
        frame: by population: ``n`` samples, ``asked`` and ``got`` share in test,
            ``deviation`` = got − asked
        sizes: samples of each side
        moved: samples that changed sides, those called into test included
        conflicts: populations that are short, or above their share by more than a group
        leaks: samples of one group on both sides of test, as pairs of ids
        gap: memberships in test by which the total excess may be above the least there
            can be; 0 is proof
    """

    frame: pd.DataFrame
    sizes: dict[str, int]
    moved: list[Move]
    conflicts: list[Conflict]
    leaks: list[tuple[str, str]]
    gap: int

    def __str__(self) -> str:
        sizes = ", ".join(f"{n} {side}" for side, n in self.sizes.items())
        shown = self.frame.to_string(float_format="{:.3f}".format)
        lines = [sizes, shown, *map(str, self.conflicts)]
        if self.gap:
            lines.append(
                f"The total excess may be {self.gap} memberships above the least."
            )
        if self.moved:
            lines.append(f"{counted(len(self.moved), 'sample')} changed sides")
        if self.leaks:
            lie = counted(len(self.leaks), "group lies", "groups lie")
            lines.append(f"{lie} on both sides of test")
        return "\n".join(lines)


def split_report(
    membership: pd.DataFrame,
    holdout: Mapping[str, float],
    *,
    before: NDArray[np.str_],
    side: NDArray[np.str_],
    rule: NDArray[np.object_],
    group: NDArray[np.int64],
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
        gap: how far the total excess may be above the least
    """
    ids = membership.index.to_numpy()
    frame = _frame(membership, holdout, side == "test")
    changed = np.flatnonzero((before != "") & (before != side))
    return SplitReport(
        frame=frame,
        sizes={
            name: int((side == name).sum())
            for name in ("train", "val", "test", "quarantine")
        },
        moved=[
            Move(str(ids[i]), str(before[i]), str(side[i]), str(rule[i]))
            for i in changed
        ],
        conflicts=_conflicts(membership, frame, before, side, group),
        leaks=leaks(ids, side, group),
        gap=gap,
    )


def leaks(
    ids: NDArray[np.object_], side: NDArray[np.str_], group: NDArray[np.int64]
) -> list[tuple[str, str]]:
    """Of every group that has samples in test and in train or val, one of each."""
    rows = pd.DataFrame({"id": ids, "group": group})
    test = rows[side == "test"].drop_duplicates("group").set_index("group")["id"]
    learned = rows[np.isin(side, ("train", "val"))].drop_duplicates("group")
    both = learned[learned["group"].isin(test.index)]
    return [
        (str(test[code]), str(other))
        for code, other in zip(both["group"], both["id"], strict=True)
    ]


def _frame(
    membership: pd.DataFrame, holdout: Mapping[str, float], test: NDArray[np.bool_]
) -> pd.DataFrame:
    names = [str(name) for name in membership.columns]
    n = membership.to_numpy(dtype=bool).sum(axis=0)
    in_test = membership.to_numpy(dtype=bool)[test].sum(axis=0)
    asked = np.array([holdout.get(name, 0.0) for name in names])
    got = np.divide(in_test, n, out=np.full(len(n), np.nan), where=n > 0)
    columns = {"n": n, "asked": asked, "got": got, "deviation": got - asked}
    return pd.DataFrame(columns, index=pd.Index(names, name="population"))


def _conflicts(
    membership: pd.DataFrame,
    frame: pd.DataFrame,
    before: NDArray[np.str_],
    side: NDArray[np.str_],
    group: NDArray[np.int64],
) -> list[Conflict]:
    asking = np.flatnonzero((frame["asked"] > 0) & (frame["n"] > 0))
    names = np.array(frame.index)[asking]
    members = membership.to_numpy(dtype=bool)[:, asking]
    test = side == "test"
    codes, inverse = np.unique(group[test], return_inverse=True)
    inside = csr_array(
        (np.ones(len(inverse), dtype=np.int64), (inverse, np.arange(len(inverse)))),
        shape=(len(codes), len(inverse)),
    )
    counts = inside @ members[test].astype(np.int64)
    kept = inside @ (before[test] == "test").astype(np.int64) > 0
    wanted = np.ceil(frame["asked"] * frame["n"] - 1e-9).to_numpy()[asking]
    spare = counts.sum(axis=0) - wanted
    # what another quota cannot spare holds a group in test
    held = counts > spare
    found = []
    for at, name in enumerate(names):
        asked, got = frame["asked"].iloc[asking[at]], frame["got"].iloc[asking[at]]
        surplus = (counts[:, at] > 0) & (counts[:, at] < spare[at])
        if spare[at] < 0:
            found.append(_short(name, asked, got, side[members[:, at]]))
        elif surplus.any():
            by = tuple(str(other) for other in names[held[surplus].any(axis=0)])
            found.extend(_above(name, asked, got, by, kept=bool(kept[surplus].any())))
    return found


def _short(name: str, asked: float, got: float, side: NDArray[np.str_]) -> Conflict:
    where, how_many = np.unique(side[side != "test"], return_counts=True)
    elsewhere = ", ".join(f"{k} in {s}" for s, k in zip(where, how_many, strict=True))
    return Conflict(
        name,
        (),
        f"'{name}' asked for {asked:.1%} in test and got {got:.1%}: its other samples "
        f"had their side before ({elsewhere}); raise its share to call them, or add data",
    )


def _above(
    name: str, asked: float, got: float, by: tuple[str, ...], *, kept: bool
) -> list[Conflict]:
    if by:
        cause = f"samples of it are needed for {', '.join(map(repr, by))}"
    elif kept:
        cause = "samples once in test stay there"
    else:
        return []
    text = f"'{name}' got {got:.1%} in test instead of {asked:.1%}, because {cause}"
    return [Conflict(name, by, text)]
