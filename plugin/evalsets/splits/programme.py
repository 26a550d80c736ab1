"""The linear and the integer programme behind a cover."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, hstack

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_SWING = 500
_NODES = 200


class Programme:
    """What to take more and what less than wanted, so that all quotas are met.

    Each such change costs its memberships and a little more: all of it together stays
    below a quarter, so that of the covers with the least excess the nearest is found.

    Args:
        counts: ``(t, p)`` members that one group of a kind has in each population
        size: ``(t,)`` groups there are of a kind
        target: ``(p,)`` members wanted
        wanted: ``(t,)`` groups to take, but for the quotas
    """

    def __init__(
        self, counts: csr_array, size: Ints, target: Ints, wanted: Ints
    ) -> None:
        self.weight = np.asarray(counts.sum(axis=1)).ravel().astype(np.float64)
        little = 0.25 / size.sum()
        self.wanted = wanted
        self.cost = np.concatenate([self.weight + little, little - self.weight])
        self.most = np.concatenate([size - wanted, wanted])
        self.change = csr_array(hstack([counts.T, -counts.T]))
        self.lacking = target - wanted @ counts
        self.group = np.maximum(counts.max(axis=0).toarray().ravel(), 1.0)

    def linear(self) -> tuple[Floats, Ints, int] | None:
        """The cover if groups could be divided; None if there is none.

        Returns:
            ``(t,)`` what to take, the kinds in the order in which changing them costs
            least, divided ones first, and memberships that no cover is below
        """
        bounds = np.stack([np.zeros(len(self.most)), self.most], axis=1)
        solved = linprog(  # type: ignore[call-overload]  # the stubs know no sparse array
            self.cost,
            A_ub=-self.change,
            b_ub=-self.lacking,
            bounds=bounds,
            method="highs-ipm",
        )
        if solved.x is None:
            return None
        n = len(self.wanted)
        least = math.ceil(solved.fun + self.weight @ self.wanted - 0.25 - 1e-6)
        price = np.abs(solved.lower.marginals + solved.upper.marginals)
        whole = np.abs(solved.x - np.rint(solved.x)).reshape(2, n).max(axis=0) <= 1e-7
        order = np.lexsort((np.minimum(price[:n], price[n:]), whole))
        return self.wanted + solved.x[:n] - solved.x[n:], order, least

    def integer(self, start: Floats, order: Ints) -> tuple[Ints | None, bool]:
        """The best cover in whole groups that changes only the first kinds in order.

        Where there are any, it is one in which no quota is exceeded by more than a group.

        Returns:
            ``(t,)`` what to take, None if no cover was found, and whether none of all
            such covers is better
        """
        take, proven = self._whole(start, order, np.inf)
        if take is None:
            return None, False
        over = self.change[:, : len(take)] @ (take - self.wanted) - self.lacking
        if (over <= self.group).all():
            return take, proven
        within, within_proven = self._whole(start, order, self.group)
        return (take, proven) if within is None else (within, within_proven)

    def _whole(
        self, start: Floats, order: Ints, spare: Floats | float
    ) -> tuple[Ints | None, bool]:
        """That cover, with at most so many members to spare in each population."""
        n = len(self.wanted)
        swing = order[:_SWING]
        both = np.concatenate([swing, swing + n])
        take = np.rint(start).astype(np.int64)
        take[swing] = self.wanted[swing]
        lacking = self.lacking - self.change[:, :n] @ (take - self.wanted)
        # nodes end the search, not seconds: the answer must not depend on the machine
        solved = milp(
            self.cost[both],
            constraints=LinearConstraint(
                self.change[:, both], lb=lacking, ub=lacking + spare
            ),
            bounds=Bounds(0, self.most[both]),
            integrality=np.ones(len(both), dtype=np.int8),
            options={"node_limit": _NODES, "mip_rel_gap": 0},
        )
        if solved.x is None:
            return None, False
        more = np.rint(solved.x).astype(np.int64)
        take[swing] += more[: len(swing)] - more[len(swing) :]
        return take, bool(solved.status == 0) and len(swing) == n
