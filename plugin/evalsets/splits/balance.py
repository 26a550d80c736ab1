"""The rates at which groups go to test, as even as the quotas allow.

Every population has a rate, and a group goes to test at the mean rate of its
memberships. Rates are raised and lowered until every quota is met: that is the dual of

    minimise ½ Σ weight·rate² + PRICE·Σ excess
    subject to   countsᵀ·(size·rate) = target + excess,   excess ≥ 0,   0 ≤ rate ≤ 1

a smooth convex problem with one number a population, whatever the number of groups.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PRICE = 128.0
"""Of one membership above a quota; evenness is worth at most 1 a membership."""
_CLOSE = 1e-2
_MOST_STEPS = 300
_MOST_STARTS = 5


@dataclass(frozen=True)
class Balance:
    """How even a draw can be.

    Args:
        rate: ``(t,)`` share of every kind; beyond [0, 1], all the surer none or all
        least: memberships that no cover is below
    """

    rate: Floats
    least: int


def balance(counts: csr_array, size: Ints, target: Ints) -> Balance:
    """Solves for the rates of all kinds of groups.

    Args:
        counts: ``(t, p)`` members that one group of a kind has in each population;
            no kind without any
        size: ``(t,)`` groups there are of a kind
        target: ``(p,)`` members wanted, at most ``size @ counts``
    """
    numbers = counts.astype(np.float64)
    there = np.maximum(size @ numbers, 1)
    weight = np.asarray(numbers.sum(axis=1)).ravel()
    mass = size * weight
    scale = 1 / np.sqrt(there)

    def descend(scaled: Floats) -> tuple[float, Floats]:
        price = scaled * scale
        mean = numbers @ price / weight
        rate = np.clip(mean, 0, 1)
        value = mass @ (rate * (mean - rate / 2)) - target @ price
        return float(value), (numbers.T @ (size * rate) - target) * scale

    scaled = target / there / scale
    for _ in range(_MOST_STARTS):  # at a kink it stops short, and goes on when told to
        solved = minimize(
            descend,
            scaled,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-PRICE / s, None) for s in scale],
            options={"maxiter": _MOST_STEPS, "maxcor": 20, "ftol": 0, "gtol": _CLOSE},
        )
        scaled = solved.x
        held = (scaled * scale <= -PRICE * (1 - 1e-9)) & (solved.jac > 0)
        close = np.abs(solved.jac[~held]).max(initial=0) <= _CLOSE
        if close or solved.nit >= _MOST_STEPS:
            break
        short = (solved.jac < -scale / 2) & (scaled > 0)
        scaled = np.where(short, 2 * scaled, scaled)
    price = scaled * scale
    pull = numbers @ price
    # any prices prove a bound: duality of the linear programme without evenness
    excess = float(target @ price - size @ np.maximum(pull, 0)) / PRICE
    least = int(target.sum()) + max(0, math.ceil(excess - 1e-6 * (1 + abs(excess))))
    return Balance(pull / weight, least)
