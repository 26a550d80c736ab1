"""Proposals, proofs and curves; the promise itself is in ``test_promise.py``."""

import json
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from evalsets.calibration import Calibration, Curve, Design, cut_after, draw, lots
from evalsets.calibration.certify import Judged, bounds, exact
from evalsets.calibration.decide import decide, level, window
from evalsets.calibration.design import implied

falling = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=300).map(
    lambda values: -np.sort(-np.asarray(values, dtype=np.float64))
)


def lots_of(n):
    return np.random.default_rng(n).random(n)


@settings(max_examples=100, deadline=None)
@given(score=falling, n=st.integers(1, 120), data=st.data())
def test_a_design_chooses_as_many_as_asked_or_all(score, n, data):
    high = data.draw(st.integers(1, len(score)))
    low = data.draw(st.integers(1, high))
    lot = lots_of(len(score))
    design = draw(score, lot, n, (low, high))
    rate = design.rate(score)
    assert (np.diff(rate) <= 1e-12).all()
    if len(np.unique(score)) == len(score):
        assert (lot < rate).sum() == min(n, len(score))


@settings(max_examples=100, deadline=None)
@given(score=falling, data=st.data())
def test_a_cut_keeps_the_first_samples_and_their_equals(score, data):
    size = data.draw(st.integers(1, len(score)))
    cut = cut_after(score, size)
    assert (score > cut).tolist() == (score >= score[size - 1]).tolist()


def test_no_rounding_adds_a_sample():
    score = -np.arange(200, dtype=float)
    for seed in range(300):
        lot = np.random.default_rng(seed).random(200)
        assert (lot < draw(score, lot, 40, (12, 90)).rate(score)).sum() == 40


def test_a_cut_has_few_digits():
    assert cut_after(np.array([0.31, 0.27213, 0.2638]), 2) == 0.27


def test_above_any_cut_the_chosen_are_a_simple_random_sample():
    """Every sample above a cut is as likely as any to be in the cut's own sample."""
    n, size = 200, 60
    score = -np.arange(n, dtype=float)
    counts = np.zeros(size)
    for seed in range(3000):
        lot = np.random.default_rng(seed).random(n)
        design = draw(score, lot, 50, (15, 120))
        at = next(i for i, cut in enumerate(design.cuts) if (score > cut).sum() >= size)
        counts += lot[:size] < design.rates[at]
    spread = counts / counts.mean()
    assert counts.mean() > 3000 * 12 / 60
    assert abs(spread - 1).max() < 0.2
    assert abs(spread[:30].mean() - spread[30:].mean()) < 0.03


def test_bounds_by_hand():
    """Of 5, 3 drawn and all right: with 3 right in all that had a chance of 1/10."""
    one = np.array([3])
    assert bounds(one, one, np.array([5]), 0.09)[0] == 3
    assert bounds(one, one, np.array([5]), 0.11)[0] == 4
    assert bounds(one, one, np.array([5]), 0.11)[1] == 5


@settings(max_examples=30, deadline=None)
@given(
    total=st.integers(1, 25), data=st.data(), chance=st.sampled_from([0.01, 0.05, 0.3])
)
def test_bounds_miss_the_truth_as_rarely_as_they_say(total, data, chance):
    """By summing over every sample that could have been drawn."""
    n = data.draw(st.integers(0, total))
    belong = data.draw(st.integers(0, total))
    drawn = np.arange(max(0, n - (total - belong)), min(n, belong) + 1)
    ways = [comb(belong, k) * comb(total - belong, n - k) for k in drawn.tolist()]
    same = np.full(len(drawn), n)
    low, high = bounds(drawn, same, np.full(len(drawn), total), chance)
    weights = np.array(ways) / sum(ways)
    assert weights[low > belong].sum() <= chance + 1e-12
    assert weights[high < belong].sum() <= chance + 1e-12
    assert (low <= high).all()


def test_bounds_of_few_among_many_are_those_of_clopper_and_pearson():
    low, high = bounds(np.array([93]), np.array([100]), np.array([10**7]), 0.05)
    theirs = binomtest(93, 100).proportion_ci(0.9, "exact")
    assert low[0] / 10**7 == pytest.approx(theirs.low, abs=1e-4)
    assert high[0] / 10**7 == pytest.approx(theirs.high, abs=1e-4)


def test_what_is_judged_throughout_is_counted_not_tested():
    answer = np.array([1, 1, 0, 1, -1, 1], dtype=np.int8)
    score = np.array([0.9, 0.8, 0.7, 0.7, 0.6, 0.5])
    found = exact(Judged(score, answer, answer > 1, score))
    assert [(b.size, b.value, b.low) for b in found] == [
        (1, 1.0, 1.0),
        (2, 1.0, 1.0),
        (4, 0.75, 0.75),
    ]


def test_with_every_answer_the_cut_is_the_widest_that_is_precise():
    rng = np.random.default_rng(3)
    score = -np.sort(-rng.random(500))
    answer = (rng.random(500) < score**0.3).astype(np.int8)
    decision = decide(
        score, answer, np.zeros(500, int), [], lambda _: lots_of(500), 0.9
    )
    share = np.cumsum(answer) / np.arange(1, 501)
    assert decision.proven.size == np.flatnonzero(share >= 0.9)[-1] + 1
    assert decision.proven.low == decision.proven.value >= 0.9


def test_answers_from_before_a_round_are_no_evidence_for_others():
    """Forty hand-picked right ones prove nothing of the rest, and are not wrong either."""
    n = 400
    score = -np.arange(n, dtype=float)
    truth = np.arange(n) < 100
    picked = np.flatnonzero(truth)[:80:2]
    answer, since = np.full(n, -1, np.int8), np.zeros(n, int)
    answer[picked] = 1
    lot = np.random.default_rng(0).random(n)
    free = answer < 0
    design = draw(score[free], lot[free], 60, (20, 150))
    chosen = free & (lot < design.rate(score))
    answer[chosen], since[chosen] = truth[chosen], 1
    decision = decide(score, answer, since, [design], lambda _: lot, 0.9)
    assert decision.proposed
    assert 60 <= decision.proven.size <= 111
    assert truth[: decision.proven.size].mean() >= 0.9


def test_proposed_samples_without_an_answer_count_as_wrong():
    n = 300
    score, lot = -np.arange(n, dtype=float), np.random.default_rng(1).random(n)
    design = draw(score, lot, 100, (30, 300))
    chosen = np.flatnonzero(lot < design.rate(score))
    sizes = []
    for left_out in (0, 5, 20):
        answer = np.full(n, -1, np.int8)
        answer[chosen[: len(chosen) - left_out]] = 1
        since = np.ones(n, int)
        decision = decide(score, answer, since, [design], lambda _: lot, 0.8)
        assert decision.missing == left_out
        sizes.append(decision.proven.size)
    assert sizes[0] > sizes[1] > sizes[2]


def test_a_round_hardly_judged_does_not_count():
    n = 300
    score, lot = -np.arange(n, dtype=float), np.random.default_rng(1).random(n)
    design = draw(score, lot, 100, (30, 300))
    answer = np.full(n, -1, np.int8)
    answer[:60] = 1
    decision = decide(score, answer, np.ones(n, int), [design], lambda _: lot, 0.9)
    assert not decision.proposed
    assert decision.proven.size == 60


def test_own_answers_count_as_densely_as_they_lie():
    """Every third of the first 300 judged, nothing beyond: no word on what is beyond."""
    n = 3000
    score, lot = -np.arange(n, dtype=float), lots_of(n)
    answer = np.full(n, -1, np.int8)
    answer[:300:3] = 1
    design, lot_ = implied(score, answer, lot)
    assert not (lot_[answer < 0] < 1).any()
    rates = dict(
        zip([(score > cut).sum() for cut in design.cuts], design.rates, strict=True)
    )
    assert max(rates.values()) == pytest.approx(1 / 3, rel=0.1)
    decision = decide(score, answer, np.zeros(n, int), [], lambda _: lot, 0.9)
    assert 150 <= decision.proven.size <= 330


def test_all_rounds_together_spend_no_more_than_one_in_ten():
    assert sum(level(r) for r in range(1, 50)) <= 0.1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=60))
def test_a_curve_never_rises_and_keeps_what_is_known(values):
    answer = np.array(values, dtype=np.int8)
    if not (answer >= 0).any():
        answer[0] = 1
    curve = Curve.fit(answer)
    unknown = curve.belongs[answer < 0]
    assert (np.diff(unknown) <= 1e-12).all()
    assert (curve.belongs[answer >= 0] == answer[answer >= 0]).all()
    value, low, high = curve.recall(max(1, len(answer) // 2), 0.9)
    assert 0 <= low <= value <= high <= 1


def test_recall_of_everything_judged_is_a_count():
    answer = np.array([1, 1, 0, 1, 0, 0, 1, 0], dtype=np.int8)
    assert Curve.fit(answer).recall(4, 0.9) == (0.75, 0.75, 0.75)


def test_the_first_window_lies_around_the_cut_and_the_next_around_the_answers():
    nobody = np.full(5000, -1, np.int8)
    low, high = window(nobody, 100, 400, 0.9)
    assert low < 400 < high < 1000
    answer = nobody.copy()
    answer[::20] = np.arange(0, 5000, 20) < 1500
    low, high = window(answer, 100, 400, 0.9)
    assert low < 1500 < high < 2200


def test_lots_are_the_same_every_time_and_uniform():
    keys = [f"sample {i}" for i in range(4000)]
    first = lots(keys, "windy road:1")
    assert (first == lots(keys, "windy road:1")).all()
    assert ((first >= 0) & (first < 1)).all()
    assert abs(np.histogram(first, 10, (0, 1))[0] - 400).max() < 80
    assert abs(np.corrcoef(first, lots(keys, "windy road:2"))[0, 1]) < 0.06


def test_a_sample_below_every_cut_is_not_chosen():
    design = Design((0.5, 0.1), (1.0, 0.2))
    assert design.rate(np.array([0.9, 0.5, 0.2, 0.1, 0.0])).tolist() == [
        1,
        0.2,
        0.2,
        0,
        0,
    ]


def test_a_calibration_survives_json():
    found = Calibration(
        "p", "text('x')", 0.2, 0.9, 0.95, (0.9, 0.99), 0.5, (0.3, 0.7), 9, 20,
        curve=((0.2, 9, 0.95, 0.5),),
    )  # fmt: skip
    assert Calibration.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert "0.95 [0.90, 0.99]" in str(found)
    assert list(found.frame) == ["threshold", "n", "precision", "recall"]
    names = [trace.name for trace in found.plot().data]
    assert names[::2] == ["precision", "recall"]


@pytest.mark.parametrize("precision", [0.9, 0.99])
def test_samples_of_equal_score_stay_together(precision):
    score = np.repeat([3.0, 2.0, 1.0], 20)
    answer = np.repeat([1, 1, 0], 20).astype(np.int8)
    decision = decide(
        score, answer, np.zeros(60, int), [], lambda _: lots_of(60), precision
    )
    assert decision.proven.size == 40
