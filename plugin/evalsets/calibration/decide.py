"""Rounds of judging: where to look next, and which cut the answers prove."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evalsets.calibration.certify import Bound, Judged, exact, tested
from evalsets.calibration.curve import Curve
from evalsets.calibration.design import Answers, Counts, Design, Floats, implied

CONFIDENCE = 0.9
"""Share of calibrations that keep their promise, whatever the data."""

_FIRST_SPREAD = 8
_NEXT_SPREAD = 0.5, 1.25


def level(round_: int) -> float:
    """Chance of a wrong proof in one round; all rounds together use up the rest."""
    return (1 - CONFIDENCE) * 2.0**-round_


@dataclass(frozen=True)
class Decision:
    """What the answers say.

    Args:
        proven: the widest cut that is precise enough; None where none is
        best: the cut with the greatest lower bound; None where nothing can be said
        missing: proposed samples without an answer, which count as wrong
        proposed: whether the answers are to samples that were proposed; else the
            result supposes that those judged are like others of their score
    """

    proven: Bound | None
    best: Bound | None
    missing: int
    proposed: bool


def decide(
    score: Floats,
    answer: Answers,
    since: Counts,
    designs: Sequence[Design | None],
    lots_of: Callable[[int], Floats],
    precision: float,
) -> Decision:
    """The widest cut that one of the rounds proves.

    Answers from before a round are facts in it, whoever chose the samples; only the
    samples that the round drew speak for those that nobody judged. A round with less
    than half of its samples judged does not count.

    Args:
        score: ``(n,)`` of the candidates, falling
        answer: ``(n,)``
        since: ``(n,)`` number of rounds there were when the answer was given
        designs: of each round; None where it chose by another score
        lots_of: the candidates' lots in a round
        precision: wanted, in (0, 1]
    """
    nobody = np.zeros(len(score), dtype=bool)
    seen = exact(Judged(score, answer, nobody, score))
    proven = [bound for bound in seen if bound.value >= precision]
    missing, n_rounds = 0, 0
    for round_, design in enumerate(designs, 1):
        if design is None:
            continue
        lot, known = lots_of(round_), (answer >= 0) & (since < round_)
        chosen = answer[~known & (lot < design.rate(score))]
        if 2 * (chosen >= 0).sum() < max(len(chosen), 1):
            continue
        n_rounds, missing = n_rounds + 1, int((chosen < 0).sum())
        judged = Judged(score, answer, known, lot)
        bounds = list(tested(judged, design, precision, level(round_)))
        seen += bounds
        proven += [bound for bound in bounds if bound.low >= precision]
    if not n_rounds and (answer >= 0).any():
        design, lot = implied(score, answer, lots_of(0))
        judged = Judged(score, answer, nobody, lot)
        bounds = list(tested(judged, design, precision, level(len(designs) + 1)))
        seen += bounds
        proven += [bound for bound in bounds if bound.low >= precision]
    return Decision(
        max(proven, key=lambda bound: bound.size, default=None),
        max(seen, key=lambda bound: (bound.low, bound.size), default=None),
        missing,
        n_rounds > 0,
    )


def window(answer: Answers, n: int, n_above: int, precision: float) -> tuple[int, int]:
    """How many candidates the smallest and the largest cut worth trying keep.

    Without answers it lies around the cut that there is; with answers, around the one
    that they say has the wanted precision.

    Args:
        answer: ``(m,)`` of the candidates, by falling score
        n: samples that will be judged
        n_above: candidates above the present cut
        precision: wanted, in (0, 1]
    """
    if not (answer >= 0).any():
        high = min(2 * max(n_above, n), len(answer))
        return max(1, high // _FIRST_SPREAD), high
    share = np.cumsum(Curve.fit(answer).belongs) / np.arange(1, len(answer) + 1)
    enough = np.flatnonzero(share >= precision)
    middle = int(enough[-1]) + 1 if len(enough) else n
    low, high = (round(factor * middle) for factor in _NEXT_SPREAD)
    return max(1, low), min(max(high, n // 2), len(answer))
