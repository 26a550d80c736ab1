"""How often the promised precision is met, on data whose truth is known."""

import numpy as np
import pytest

from evalsets.calibration import Curve, decide, draw, window


def calibrated(score, truth, rng, *, precision, rounds, start):
    """Rounds of judging until a cut is proven; how many it keeps, and the answers."""
    n = len(score)
    answer, since = np.full(n, -1, np.int8), np.zeros(n, int)
    designs, drawn = [], {0: rng.random(n)}
    for number, asked in enumerate(rounds, 1):
        lot = drawn[number] = rng.random(n)
        free = answer < 0
        places = np.cumsum(free)
        low, high = window(answer, asked, start, precision)
        ends = max(1, places[low - 1]), max(1, places[high - 1])
        designs.append(draw(score[free], lot[free], asked, ends))
        chosen = free & (lot < designs[-1].rate(score))
        answer[chosen], since[chosen] = truth[chosen], number
        found = decide(
            score, answer, since, designs, drawn.__getitem__, precision
        ).proven
        if found is not None:
            return found.size, answer
    return 0, answer


def ranked(rng, n, chances):
    """Falling scores, and truths that hold with the chance of their rank."""
    return np.linspace(1, 0, n), rng.random(n) < chances


def plateau(n):
    """A hair's breadth too bad almost everywhere: any proof would be a wrong one."""
    return np.full(n, 0.86)


def slope(n):
    return 1 / (1 + np.exp((np.arange(n) - n / 8) / (n / 40)))


def gap(n):
    """Good, then bad, then good again: the score does not order them well."""
    rank = np.arange(n) / n
    return np.where(rank < 0.05, 1, np.where(rank < 0.08, 0.4, rank < 0.2))


def misleading(n):
    """The most similar ones are wrong."""
    rank = np.arange(n) / n
    return np.where(rank < 0.01, 0.1, np.where(rank < 0.2, 0.99, 0.02))


@pytest.mark.parametrize("shape", [plateau, slope, gap, misleading])
@pytest.mark.parametrize("rounds", [(100,), (50, 50, 50, 50)])
def test_the_promise_is_kept_in_nine_of_ten_runs_on_any_shape(shape, rounds):
    rng = np.random.default_rng(8)
    kept = []
    for _ in range(60):
        score, truth = ranked(rng, 2000, shape(2000))
        start = int(rng.integers(20, 800))
        size, _ = calibrated(
            score, truth, rng, precision=0.9, rounds=rounds, start=start
        )
        kept.append(not size or truth[:size].mean() >= 0.9)
    assert np.mean(kept) >= 0.9


def test_two_rounds_of_a_hundred_find_most_of_what_can_be_had():
    rng = np.random.default_rng(9)
    got = []
    for _ in range(40):
        score, truth = ranked(rng, 3000, slope(3000))
        share = np.cumsum(truth) / np.arange(1, 3001)
        most = np.flatnonzero(share >= 0.9)[-1] + 1
        size, _ = calibrated(
            score, truth, rng, precision=0.9, rounds=(100, 100), start=500
        )
        got.append(truth[:size].sum() / truth[:most].sum())
    assert np.median(got) > 0.6


def test_the_interval_of_recall_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(10)
    held = []
    for _ in range(80):
        score, truth = ranked(rng, 2000, slope(2000))
        size, answer = calibrated(
            score, truth, rng, precision=0.8, rounds=(100, 100), start=300
        )
        _, low, high = Curve.fit(answer).recall(size, 0.9)
        held.append(low <= truth[:size].sum() / truth.sum() <= high)
    assert np.mean(held) >= 0.85
