"""One assignment, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from evalsets.splits.conflicts import Conflict, Drawing, conflicts
from evalsets.splits.cover import Ints
from evalsets.splits.draw import draw
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


class Work:
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
        inside = membership[sorted(membership.columns)].to_numpy(dtype=bool)
        self.everyone = _with_all(inside)
        asking = np.isin(sorted(membership.columns), self.names)
        self.members = self.everyone[:, np.flatnonzero(asking)]
        shares = np.array([holdout[name] for name in self.names])
        n = self.members.sum(axis=0)
        self.asked = np.ceil(shares * n - 1e-9).astype(np.int64)
        codes = np.arange(len(keys)) if groups is None else np.asarray(groups)
        self.group = np.unique(codes, return_inverse=True)[1]
        self.n_groups = int(self.group.max(initial=-1)) + 1
        self.lot, self.head = _drawn(priorities(keys, seed), self.group, self.n_groups)
        self.highest = np.zeros(self.n_groups, dtype=np.int8)
        np.maximum.at(self.highest, self.group, before)
        self.open = self.highest == _NEW

    def keep_groups_together(self) -> None:
        """Gives new samples their group's side, and quarantines what touches it."""
        there = self.highest[self.group]
        joins = (there > _NEW) & (self.before == _NEW)
        self._put(joins, there, lambda s: f"its group is in {s}")
        anchored = there >= _VAL
        touches = anchored & (self.before < there)
        for side in (_VAL, _TEST):
            moved = touches & (there == side) & np.isin(self.before, (_TRAIN, _VAL))
            self._put(moved, _QUARANTINE, lambda _, s=side: f"touches {SIDES[s]}")

    def fill_test(self, raised: NDArray[np.bool_]) -> int:
        """Meets the quotas; how far the total excess may be above the least.

        Groups are called for what was raised first. They count for every quota, so that
        groups without a side may be left for the quotas that they did not meet.
        """
        gap = self._draw_for_test(raised)
        return gap + self._draw_for_test(np.zeros_like(raised))

    def _draw_for_test(self, raised: NDArray[np.bool_]) -> int:
        got = self.members.T @ (self.side == _TEST).astype(np.int64)
        lacking = np.maximum(self.asked - got, 0)
        if not lacking.any():
            return 0
        free = self.highest == _NEW
        raised = raised & (lacking > 0)
        calls = (self.members @ raised.astype(np.int64) > 0) & (
            self.side != _QUARANTINE
        )
        called = np.zeros(self.n_groups, dtype=bool)
        called[self.group[calls]] = True
        called &= np.isin(self.highest, (_TRAIN, _VAL))
        self.open |= free | called
        counts = self._counts(self.members, self.side != _QUARANTINE)
        open_to_all = counts[free].sum(axis=0)
        open_to_raised = open_to_all + counts[called].sum(axis=0)
        target = np.minimum(lacking, np.where(raised, open_to_raised, open_to_all))
        if not target.any():
            return 0
        candidates = np.flatnonzero((free | called) & (counts.sum(axis=1) > 0))
        taken, gap = draw(counts[candidates], target, self.lot[candidates])
        self._take(candidates[taken], free, raised)
        return gap

    def fill_val(self, share: float, *, raised: bool) -> None:
        """Meets the share of the rest, and of every population's rest, by lot."""
        rest = np.isin(self.side, (_NEW, _TRAIN, _VAL))
        open_to_val = np.isin(self.side, (_NEW, _TRAIN) if raised else (_NEW,))
        open_to_val &= self._not_most(rest)
        counts = self._counts(self.everyone, open_to_val)
        target = np.floor(share * (self.everyone.T @ rest.astype(float)) + 1e-9)
        several = np.diff(counts.tocsc().indptr) > 1
        target = np.maximum(target, several & (share > 0)).astype(np.int64)
        target[-1] = np.floor(share * rest.sum() + 0.5)
        lacking = target - self.everyone.T @ (self.side == _VAL).astype(np.int64)
        target = np.clip(lacking, 0, counts.sum(axis=0))
        if not target.any():
            return
        candidates = np.flatnonzero(counts.sum(axis=1))
        # test took the small lots: by these, val would avoid what was held out
        lot = redrawn(redrawn(self.lot[candidates]))
        taken = np.zeros(self.n_groups, dtype=bool)
        taken[candidates] = draw(counts[candidates], target, lot)[0]
        self._put(open_to_val & taken[self.group], _VAL, lambda _: "drawn for val")

    def _not_most(self, rest: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Samples whose group is at most half of the rest: val must not empty train."""
        size = np.bincount(self.group[rest], minlength=self.n_groups)
        small: NDArray[np.bool_] = 2 * size <= rest.sum()
        return small[self.group]

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
                conflicts=self._conflicts(),
                gap=gap,
            ),
        )

    def _conflicts(self) -> list[Conflict]:
        """What the quotas could not have, of the groups that they could choose from."""
        in_test = self.side == _TEST
        usable = in_test | (self.open[self.group] & (self.side != _QUARANTINE))
        counts = self._counts(self.members, usable)
        taken, fixed = (np.zeros(self.n_groups, dtype=bool) for _ in range(2))
        taken[self.group[in_test]] = True
        fixed[self.group[self.before == _TEST]] = True
        there = np.flatnonzero(np.diff(counts.indptr))
        members = self.members.tocsc()
        elsewhere = {}
        for at, name in enumerate(self.names):
            rows = members.indices[members.indptr[at] : members.indptr[at + 1]]
            sides = np.bincount(self.side[rows], minlength=len(SIDES))
            elsewhere[name] = {
                SIDES[s]: int(sides[s]) for s in range(1, _TEST) if sides[s]
            }
        drawing = Drawing(
            names=self.names,
            counts=counts[there],
            fixed=fixed[there],
            taken=taken[there],
            n=np.diff(members.indptr),
            share=np.array([self.holdout[name] for name in self.names]),
            asked=self.asked,
        )
        return conflicts(drawing, elsewhere)

    def _counts(self, members: csr_array, usable: NDArray[np.bool_]) -> csr_array:
        """Usable members that each group has in each population: ``(groups, p)``."""
        rows = np.flatnonzero(usable)
        ones = np.ones(len(rows), dtype=np.int64)
        within = csr_array(
            (ones, (self.group[rows], rows)), shape=(self.n_groups, len(self.side))
        )
        counts = csr_array(within @ members)
        counts.sort_indices()  # sums of fractions must not depend on the order of rows
        return counts

    def _take(
        self, groups: Ints, free: NDArray[np.bool_], raised: NDArray[np.bool_]
    ) -> None:
        taken = np.zeros(self.n_groups, dtype=bool)
        taken[groups] = True
        inside = taken[self.group] & (self.side != _QUARANTINE)
        fresh = free[self.group]
        called = np.flatnonzero(inside & ~fresh)
        if len(called):
            self.rule[called] = self._causes(raised)[self.group[called]]
        self.side[called] = _TEST
        self._put(inside & fresh, _TEST, lambda _: "drawn for test")
        self.highest[groups] = _TEST

    def _causes(self, raised: NDArray[np.bool_]) -> NDArray[np.object_]:
        """``(groups,)`` why each could be called: the rarest raised population it is in."""
        rarest = np.argsort(self.members.sum(axis=0), kind="stable")
        rarest = rarest[raised[rarest]]
        counts = self._counts(self.members[:, rarest], self.side != _QUARANTINE)
        inside = np.flatnonzero(np.diff(counts.indptr))
        why = np.full(self.n_groups, "", dtype=object)
        texts = [f"called into test for '{self.names[at]}'" for at in rarest]
        first = counts.indices[counts.indptr[inside]]
        why[inside] = np.array(texts, dtype=object)[first]
        return why

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


def _with_all(inside: NDArray[np.bool_]) -> csr_array:
    """Memberships as a sparse matrix, with everyone as the last population."""
    n, p = inside.shape
    rows, columns = np.nonzero(np.column_stack([inside, np.ones(n, dtype=bool)]))
    starts = np.searchsorted(rows, np.arange(n + 1))
    ones = np.ones(len(rows), dtype=np.int64)
    return csr_array((ones, columns, starts), shape=(n, p + 1))
