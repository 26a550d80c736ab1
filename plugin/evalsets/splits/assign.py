"""Which side every sample is on.

What was decided stays decided; only then come quotas, and chance last:

1. A group lies on the side of its most protected sample: test before val before train.
   Its new samples join it there. Samples that lay on another side are not moved over:
   they go to quarantine.
2. Every population gets at least its share of all its samples into test. Groups without
   a side fill the quotas. A group in train or val is called into test only for a
   population that is new or whose share was raised; otherwise growth that brings too few
   groups without a side leaves the population short, and the report says so.
3. Of the rest a share goes to val: of all of it, and of every population; one that has
   two groups or more has at least one sample there. What is left is train.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.splits.work import SIDES, Assignment, Work


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
    work = Work(membership, holdout, keys, groups, _codes(previous, len(keys)), seed)
    work.keep_groups_together()
    raised = _raised(work.names, holdout, holdout_before)
    gap = work.fill_test(raised)
    work.fill_val(val, raised=val_before is not None and val > val_before)
    work.fill_train()
    return work.assignment(gap)


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
