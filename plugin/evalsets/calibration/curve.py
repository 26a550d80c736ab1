"""How likely a sample belongs, by its score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from evalsets.calibration.design import Answers, Counts, Floats

_DRAWS = 2000


@dataclass(frozen=True)
class Curve:
    """A step function of the score's rank that never rises.

    Args:
        answer: ``(n,)`` by falling score: 1 belongs, 0 does not, -1 nobody said
        block: ``(n,)`` step that each candidate is on
        right: answers on each step that say it belongs
        wrong: answers on each step that say it does not
    """

    answer: Answers
    block: Counts
    right: Counts
    wrong: Counts

    @classmethod
    def fit(cls, answer: Answers) -> Curve:
        """The steps that fit the answers best (isotonic regression).

        Args:
            answer: ``(n,)`` by falling score, at least one of them not -1
        """
        judged = np.flatnonzero(answer >= 0)
        fitted = isotonic_regression(answer[judged] == 1, increasing=False)
        starts = fitted.blocks[:-1]
        edges = (judged[starts[1:] - 1] + judged[starts[1:]]) // 2
        n = np.diff(fitted.blocks)
        right = np.add.reduceat((answer[judged] == 1).astype(np.int64), starts)
        block = np.searchsorted(edges, np.arange(len(answer)), side="left")
        return cls(answer, block, right, n - right)

    @property
    def belongs(self) -> Floats:
        """``(n,)`` chance of each candidate; certain where it was answered."""
        share = self.right / (self.right + self.wrong)
        return np.where(self.answer < 0, share[self.block], self.answer == 1)

    def at(self, size: Counts) -> tuple[Floats, Floats]:
        """Estimated precision and recall of cuts that keep the first ``size``.

        Args:
            size: ``(k,)`` at least 1
        """
        kept = np.cumsum(self.belongs)
        return kept[size - 1] / size, kept[size - 1] / max(kept[-1], 1e-12)

    def recall(
        self, size: int, level: float, seed: int = 0
    ) -> tuple[float, float, float]:
        """Share of all that belong that is among the first ``size``, with its interval.

        Args:
            size: how many candidates are above the cut
            level: of the two-sided interval
            seed: of the draws

        Returns:
            value, low, high; 0 where nothing belongs

        Sources:
            Jeffreys' interval for each step (Brown, Cai and DasGupta 2001), the draws
            made to fall (Lin and Dunson 2014)
        """
        unknown = self.answer < 0
        n = len(self.right)
        inside = np.bincount(self.block[:size][unknown[:size]], minlength=n)
        beyond = np.bincount(self.block[size:][unknown[size:]], minlength=n)
        kept = int((self.answer[:size] == 1).sum())
        lost = int((self.answer[size:] == 1).sum())
        random = np.random.default_rng(seed)
        share = random.beta(self.right + 0.5, self.wrong + 0.5, size=(_DRAWS, n))
        share = np.minimum.accumulate(share, axis=1)
        kept_ = kept + random.binomial(inside, share).sum(axis=1)
        lost_ = lost + random.binomial(beyond, share).sum(axis=1)
        found = kept_ / np.maximum(kept_ + lost_, 1)
        tail = (1 - level) / 2
        low, high = np.quantile(found, [tail, 1 - tail])
        _, value = self.at(np.array([size]))
        return float(np.clip(value[0], low, high)), float(low), float(high)
