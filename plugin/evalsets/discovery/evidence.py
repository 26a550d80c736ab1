"""How sure it is that a model is worse on some samples than on the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Counts: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.intp]

LEAST_EFFECT = 0.3
"""Standard deviations of the loss by which a weak spot must be worse than the whole."""
WIDEST = 1 / 3
"""Share of all samples that a weak spot may hold."""

_PERMUTATIONS = 9999
_AT_ONCE = 2_000_000  # permuted losses held in memory


@dataclass(frozen=True)
class Evidence:
    """What a half says of one candidate.

    Args:
        n: samples inside
        inside: mean loss of these
        outside: mean loss of all others
        low: lower end of the two-sided 95 % interval of inside minus outside
        high: upper end
        p: of the claim that the loss inside is greater
    """

    n: int
    inside: float
    outside: float
    low: float
    high: float
    p: float


def weigh(
    members: Bools, loss: Floats, groups: Codes | None = None, seed: int = 0
) -> list[Evidence]:
    """Compares the loss inside each candidate with that outside.

    Losses of 0 and 1 take Fisher's exact test and Newcombe's interval; others a
    permutation test of the mean and Welch's interval. Samples of one group are not
    independent: the test and the interval are then of sums over groups.

    Args:
        members: ``(k, n)`` who is inside
        loss: ``(n,)`` greater is worse
        groups: ``(n,)`` code of each sample's group
        seed: of the permutations

    Returns:
        one a candidate; NaN and p = 1 where one side has fewer than two samples

    Sources:
        Newcombe 1998, *Interval estimation for the difference between independent
        proportions*, method 10; Phipson and Smyth 2010 (permutation p-values)
    """
    members = np.asarray(members, dtype=bool).reshape(-1, len(loss))
    usable = np.minimum(members.sum(axis=1), (~members).sum(axis=1)) >= 2
    if groups is not None:
        found = [_of_groups(m, loss, groups) for m in members[usable]]
    elif is_binary(loss):
        found = [_of_counts(m, loss) for m in members[usable]]
    else:
        p = _permuted(members[usable], loss, np.random.default_rng(seed))
        found = [
            _welch(m, loss, float(one))
            for m, one in zip(members[usable], p, strict=True)
        ]
    rest = iter(found)
    unknown = float("nan")
    return [
        next(rest)
        if ok
        else Evidence(int(m.sum()), unknown, unknown, unknown, unknown, 1.0)
        for ok, m in zip(usable, members, strict=True)
    ]


def is_binary(loss: Floats) -> bool:
    """Whether every sample is simply right (0) or wrong (1)."""
    return bool(np.isin(loss, (0.0, 1.0)).all())


def excess_p(n: Counts, total: Floats, loss: Floats) -> Floats:
    """One-sided p-values of many candidates, from their sums alone.

    Fisher's exact test for losses of 0 and 1, else a normal approximation of the
    permutation test.

    Args:
        n: ``(k,)`` samples inside
        total: ``(k,)`` sum of their losses
        loss: ``(m,)`` of all samples
    """
    if is_binary(loss):
        wrong = np.rint(total)
        return np.asarray(stats.hypergeom.sf(wrong - 1, len(loss), loss.sum(), n))
    return np.asarray(stats.norm.sf(excess_z(n, total, loss)))


def excess_z(n: Counts | Floats, total: Floats, loss: Floats) -> Floats:
    """Standard scores of sums of losses, against samples drawn without replacement."""
    size, spread = len(loss), float(loss.std())
    error = spread * np.sqrt(n * (size - n) / max(size - 1, 1))
    excess = total - n * loss.mean()
    z: Floats = np.divide(excess, error, out=np.zeros_like(excess), where=error > 0)
    return z


def is_spot(n: Counts | Floats, total: Floats, loss: Floats) -> Bools:
    """Which sums of losses are of few samples and clearly worse than the whole.

    A broad majority that is a little worse than a good minority is no weak spot.
    """
    worse = total - n * loss.mean() >= LEAST_EFFECT * loss.std() * n
    return np.asarray(worse & (n <= WIDEST * len(loss)))


def _of_counts(inside: Bools, loss: Floats) -> Evidence:
    from statsmodels.stats.proportion import confint_proportions_2indep

    n, wrong = int(inside.sum()), float(loss[inside].sum())
    others, elsewhere = len(loss) - n, float(loss.sum()) - wrong
    low, high = confint_proportions_2indep(
        wrong, n, elsewhere, others, method="newcomb"
    )
    p = float(excess_p(np.array([n]), np.array([wrong]), loss)[0])
    return Evidence(n, wrong / n, elsewhere / others, float(low), float(high), p)


def _welch(inside: Bools, loss: Floats, p: float) -> Evidence:
    ours, others = loss[inside], loss[~inside]
    low = high = float(ours.mean() - others.mean())
    if ours.std() or others.std():
        test = stats.ttest_ind(ours, others, equal_var=False)
        low, high = test.confidence_interval(0.95)
    return Evidence(
        len(ours), float(ours.mean()), float(others.mean()), float(low), float(high), p
    )


def _permuted(members: Bools, loss: Floats, rng: np.random.Generator) -> Floats:
    """Share of permutations in which the sum inside is at least what it is."""
    inside = members.astype(float)
    seen = inside @ loss
    at_least = np.ones(len(members))
    left = _PERMUTATIONS
    while left:
        some = min(left, max(1, _AT_ONCE // len(loss)))
        drawn = rng.permuted(np.broadcast_to(loss, (some, len(loss))), axis=1)
        sums = inside @ drawn.T
        at_least += (sums >= seen[:, None] - 1e-9).sum(axis=1)
        left -= some
    return at_least / (_PERMUTATIONS + 1)


def _of_groups(inside: Bools, loss: Floats, groups: Codes) -> Evidence:
    """A t-test with as many observations as groups, robust to clusters.

    Sources:
        Liang and Zeger 1986 (the sandwich estimator), with the degrees of freedom of
        the side with fewer groups
    """
    codes = np.unique(groups, return_inverse=True)[1]
    means, variance, degrees = [], 0.0, len(loss)
    for side in (inside, ~inside):
        mean = float(loss[side].mean())
        sums = np.bincount(codes[side], loss[side] - mean)
        held = len(np.unique(codes[side]))
        means.append(mean)
        degrees = min(degrees, held - 1)
        variance += float((sums**2).sum()) / side.sum() ** 2 * held / max(held - 1, 1)
    difference, error = means[0] - means[1], float(np.sqrt(variance))
    if degrees < 1 or not error:
        p = 1.0 if degrees < 1 or difference <= 0 else 0.0
        reach = float("inf") if degrees < 1 else 0.0
    else:
        p = float(stats.t.sf(difference / error, degrees))
        reach = float(stats.t.ppf(0.975, degrees)) * error
    low, high = difference - reach, difference + reach
    return Evidence(int(inside.sum()), means[0], means[1], low, high, p)
