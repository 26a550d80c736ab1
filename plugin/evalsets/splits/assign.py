"""Which side every sample is on.

What was decided stays decided; only then come quotas, and chance last:

1. A group lies on the side of its most protected sample: test before val before train.
   Its new samples join it there. Samples that lay on another side are not moved over:
   they go to quarantine.
2. Every population gets at least its share of all its samples into test. Groups without
   a side fill the quotas. A group in train or val is called into test only for a
   population that is new or whose share was raised; otherwise growth that brings too few
   groups without a side leaves the population short, and the report says so.
3. Of the rest a share goes to val, by lot; what is left is train.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.splits.cover import Ints, cover
from evalsets.splits.priorities import Lots, priorities, redrawn
from evalsets.splits.report import SplitReport, split_report

SIDES = ("", "quarantine", "train", "val", "test")
"""From least to most protected; the first is a sample without a side."""
_NEW, _QUARANTINE, _TRAIN, _VAL, _TEST = range(5)


@dataclass(frozen=True)
class Assignment:
    """The side of every sample and why.

    Args:
        side: ``(n,)`` one of train, val, test, quarantine
        rule: ``(n,)`` why the sample got this side now; empty where nothing changed
        group: ``(n,)`` key of the sample that stands for its group
        report: what a person wants to know
    """

    side: NDArray[np.str_]
    rule: NDArray[np.object_]
    group: NDArray[np.object_]
    report: SplitReport


def assign(
    membership: pd.DataFrame,
    holdout: Mapping[str, float],
    *,
    groups: ArrayLike | None = None,
    keys: Sequence[str] | None = None,
    previous: Sequence[str] | None = None,
    holdout_before: Mapping[str, float] | None = None,
    val: float = 0.0,
    val_before: float | None = None,
    seed: int | str = 0,
) -> Assignment:
    """Divides samples into train, val and test so that hold-outs survive growth.

    The same samples, shares and seed give the same sides, whatever the order of rows
    and columns.

    Args:
        membership: bool, sample id × population
        holdout: share of each population that goes to test, in [0, 1]; a population
            that is not named, or with share 0, asks for nothing
        groups: ``(n,)`` equal codes stay together (see :func:`connected`); by default
            every sample is alone
        keys: ``(n,)`` what identifies a sample for ever, and draws its lot; by default
            the ids
        previous: ``(n,)`` side so far, empty for a new sample; by default all are new
        holdout_before: shares at the last split, without the populations that are new
            or were redefined; by default nothing was raised
        val: share of everything that is neither in test nor in quarantine
        val_before: share at the last split; by default it was not raised
        seed: of the lots

    Raises:
        ArgumentError: a share outside [0, 1], doubled ids, or lengths that do not fit
        UnknownNameError: a population or side that does not exist
    """
    keys = list(membership.index) if keys is None else list(keys)
    _check(membership, holdout, keys, groups, val)
    work = _Work(membership, holdout, keys, groups, _codes(previous, len(keys)), seed)
    work.keep_groups_together()
    raised = _raised(work.names, holdout, holdout_before)
    gap = work.fill_test(raised)
    work.fill_val(val, raised=val_before is not None and val > val_before)
    work.fill_train()
    return work.assignment(gap)


class _Work:
    """The state of one assignment, on populations that ask for something."""

    def __init__(
        self,
        membership: pd.DataFrame,
        holdout: Mapping[str, float],
        keys: list[str],
        groups: ArrayLike | None,
        before: NDArray[np.int8],
        seed: int | str,
    ) -> None:
        self.membership = membership
        self.holdout = holdout
        self.keys = np.asarray(keys, dtype=object)
        self.before = before
        self.side = before.copy()
        self.rule = np.full(len(keys), "", dtype=object)
        self.names = sorted(name for name, share in holdout.items() if share > 0)
        asking = membership[self.names].to_numpy(dtype=bool)
        self.members = csr_array(asking, dtype=np.int64)
        shares = np.array([holdout[name] for name in self.names])
        self.asked = np.ceil(shares * asking.sum(axis=0) - 1e-9).astype(np.int64)
        codes = np.arange(len(keys)) if groups is None else np.asarray(groups)
        self.group = np.unique(codes, return_inverse=True)[1]
        self.n_groups = int(self.group.max(initial=-1)) + 1
        self.lot, self.head = _drawn(priorities(keys, seed), self.group, self.n_groups)
        self.highest = np.zeros(self.n_groups, dtype=np.int8)
        np.maximum.at(self.highest, self.group, before)

    def keep_groups_together(self) -> None:
        """Gives new samples their group's side, and quarantines what touches it."""
        there = self.highest[self.group]
        anchored = there >= _VAL
        self._put(
            anchored & (self.before == _NEW), there, lambda s: f"its group is in {s}"
        )
        trained = np.isin(there, (_TRAIN, _QUARANTINE)) & (self.before == _NEW)
        self._put(trained, _TRAIN, lambda s: f"its group is in {s}")
        touches = anchored & (self.before < there)
        for side in (_VAL, _TEST):
            moved = touches & (there == side) & np.isin(self.before, (_TRAIN, _VAL))
            self._put(moved, _QUARANTINE, lambda _, s=side: f"touches {SIDES[s]}")

    def fill_test(self, raised: NDArray[np.bool_]) -> int:
        """Meets the quotas; how far the total excess may be above the least."""
        got = self.members.T @ (self.side == _TEST).astype(np.int64)
        lacking = np.maximum(self.asked - got, 0)
        free = self.highest == _NEW
        raised = raised & (lacking > 0)
        calls = (self.members @ raised.astype(np.int64) > 0) & (
            self.side != _QUARANTINE
        )
        called = np.zeros(self.n_groups, dtype=bool)
        called[self.group[calls]] = True
        called &= np.isin(self.highest, (_TRAIN, _VAL))
        counts = self._counts()
        open_to_all = counts[free].sum(axis=0)
        open_to_raised = open_to_all + counts[called].sum(axis=0)
        target = np.minimum(lacking, np.where(raised, open_to_raised, open_to_all))
        if not target.any():
            return 0
        candidates = np.flatnonzero((free | called) & (counts.sum(axis=1) > 0))
        taken, gap = _taken(counts[candidates], target, self.lot[candidates])
        self._take(candidates[taken], free, raised)
        return gap

    def fill_val(self, share: float, *, raised: bool) -> None:
        """Moves groups without a side to val, by lot, until the share is met."""
        rest = np.isin(self.side, (_NEW, _TRAIN, _VAL))
        wanted = int(np.floor(share * rest.sum() + 0.5)) - int(
            (self.side == _VAL).sum()
        )
        open_to_val = np.isin(self.side, (_NEW, _TRAIN) if raised else (_NEW,))
        size = np.bincount(self.group[open_to_val], minlength=self.n_groups)
        taken = np.zeros(self.n_groups, dtype=bool)
        candidates = np.flatnonzero(size)
        # test took the small lots: by these, val would avoid what was held out
        lot = redrawn(redrawn(self.lot[candidates]))
        for group in candidates[np.argsort(lot, kind="stable")]:
            if wanted <= 0:
                break
            if size[group] <= wanted:
                taken[group] = True
                wanted -= int(size[group])
        self._put(open_to_val & taken[self.group], _VAL, lambda _: "drawn for val")

    def fill_train(self) -> None:
        """Everything that has no side yet is for training."""
        self._put(self.side == _NEW, _TRAIN, lambda _: "not held out")

    def assignment(self, gap: int) -> Assignment:
        """The result, in words."""
        names = np.array(SIDES)
        return Assignment(
            side=names[self.side],
            rule=self.rule,
            group=self.keys[self.head][self.group],
            report=split_report(
                self.membership,
                self.holdout,
                before=names[self.before],
                side=names[self.side],
                rule=self.rule,
                group=self.group,
                gap=gap,
            ),
        )

    def _counts(self) -> csr_array:
        """Members that each group would bring into test: ``(groups, p)``."""
        usable = np.flatnonzero(self.side != _QUARANTINE)
        ones = np.ones(len(usable), dtype=np.int64)
        within = csr_array(
            (ones, (self.group[usable], usable)), shape=(self.n_groups, len(self.side))
        )
        return csr_array(within @ self.members)

    def _take(
        self, groups: Ints, free: NDArray[np.bool_], raised: NDArray[np.bool_]
    ) -> None:
        taken = np.zeros(self.n_groups, dtype=bool)
        taken[groups] = True
        inside = taken[self.group] & (self.side != _QUARANTINE)
        fresh = free[self.group]
        self._put(inside & fresh, _TEST, lambda _: "drawn for test")
        causes = [name for name, new in zip(self.names, raised, strict=True) if new]
        why = "called into test for " + ", ".join(f"'{name}'" for name in causes)
        self._put(inside & ~fresh, _TEST, lambda _: why)

    def _put(self, where: NDArray[np.bool_], side: Any, why: Any) -> None:
        self.side[where] = side if np.isscalar(side) else side[where]
        for code in np.unique(self.side[where]):
            self.rule[where & (self.side == code)] = why(SIDES[code])


def _drawn(lots: Lots, group: Ints, n_groups: int) -> tuple[Lots, Ints]:
    """A lot for every group, and the sample that stands for it.

    That sample has the smallest lot of its group: another joining leaves the group's
    lot as it was, unless the newcomer's is smaller still.
    """
    order = np.lexsort((lots, group))
    head = order[np.searchsorted(group[order], np.arange(n_groups))]
    return redrawn(lots[head]), head


def _taken(counts: csr_array, target: Ints, lot: Lots) -> tuple[NDArray[np.bool_], int]:
    """Which of the groups go to test: of every kind those with the smallest lots."""
    weigh = np.random.default_rng(0).integers(
        2**63, size=(counts.shape[1], 2), dtype=np.uint64
    )
    alike = (counts.astype(np.uint64) @ weigh).view("V16").ravel()
    order = np.argsort(lot, kind="stable")
    _, first, kind = np.unique(alike[order], return_index=True, return_inverse=True)
    place = np.argsort(np.argsort(first))  # kinds in the order of their smallest lots
    kind = place[kind]
    heads = order[np.sort(first)]
    size = np.bincount(kind)
    chance = redrawn(lot[heads]).astype(np.float64) / 2.0**64
    answer = cover(counts[heads], size, target, chance)
    nth = np.empty(len(order), dtype=np.int64)
    by_kind = np.argsort(kind, kind="stable")
    nth[by_kind] = np.arange(len(order)) - np.repeat(np.cumsum(size) - size, size)
    taken = np.zeros(len(order), dtype=bool)
    taken[order] = nth < answer.take[kind]
    return taken, answer.gap


def _raised(
    names: list[str],
    holdout: Mapping[str, float],
    before: Mapping[str, float] | None,
) -> NDArray[np.bool_]:
    if before is None:
        return np.zeros(len(names), dtype=bool)
    more = [holdout[name] > before.get(name, 0) + 1e-12 for name in names]
    return np.array(more, dtype=bool)


def _codes(previous: Sequence[str] | None, n: int) -> NDArray[np.int8]:
    if previous is None:
        return np.zeros(n, dtype=np.int8)
    if len(previous) != n:
        raise ArgumentError(f"{len(previous)} previous sides for {n} samples")
    code = {side: np.int8(i) for i, side in enumerate(SIDES)}
    unknown = set(previous) - set(code)
    if unknown:
        raise UnknownNameError("side", str(min(unknown, key=str)), SIDES[1:])
    return np.array([code[side] for side in previous], dtype=np.int8)


def _check(
    membership: pd.DataFrame,
    holdout: Mapping[str, float],
    keys: list[str],
    groups: ArrayLike | None,
    val: float,
) -> None:
    n = len(membership)
    for name, share in [*holdout.items(), ("val", val)]:
        if not 0 <= share <= 1:
            raise ArgumentError(
                f"The share of '{name}' is {share}; give one from 0 to 1"
            )
    missing = sorted(set(holdout) - set(membership.columns))
    if missing:
        raise UnknownNameError("population", missing[0], membership.columns)
    if len(keys) != n:
        raise ArgumentError(f"{len(keys)} keys for {n} samples")
    if len(set(keys)) != n:
        raise ArgumentError("Two samples have the same key; keys must be unique")
    if groups is not None and np.shape(groups) != (n,):
        raise ArgumentError(f"{np.size(groups)} group codes for {n} samples")
