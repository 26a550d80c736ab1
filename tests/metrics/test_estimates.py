"""Intervals and p-values agree with references, and hold what they promise."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.proportion import proportion_confint

from evalsets.metrics.estimates import (
    PairedProportion,
    Proportion,
    Resampled,
    _constrained,
    effective_size,
    mcnemar,
)

shares = st.floats(0.01, 0.99)


@st.composite
def counts(draw):
    n = draw(st.integers(1, 300))
    return draw(st.integers(0, n)), n


@settings(max_examples=40, deadline=None)
@given(counts(), shares)
def test_a_proportion_agrees_with_scipy(count, bound):
    hits, n = count
    ours = Proportion(hits, n, n)
    exact = stats.binomtest(hits, n, bound, alternative="greater")
    assert ours.p_above(bound) == pytest.approx(exact.pvalue)
    below = stats.binomtest(hits, n, bound, alternative="less")
    assert ours.p_below(bound) == pytest.approx(below.pvalue)
    wilson = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert ours.interval(0.95) == pytest.approx((wilson.low, wilson.high), abs=1e-9)


@pytest.mark.parametrize(
    ("share", "bound", "size"), [(1, 0.9, 29), (1, 0.95, 59), (1, 0.99, 299)]
)
def test_faultless_samples_needed_follow_the_rule_of_three(share, bound, size):
    few = Proportion(10, 10, 10)
    assert math.ceil(10 * few.growth(bound, 0.05)) == size
    assert bound**size <= 0.05 < bound ** (size - 1)


@settings(max_examples=40, deadline=None)
@given(counts(), shares)
def test_the_growth_named_is_enough_and_no_more(count, bound):
    hits, n = count
    growth = Proportion(hits, n, n).growth(bound, 0.05)
    if not math.isfinite(growth):
        return
    side = "p_above" if hits / n >= bound else "p_below"
    grown = Proportion(hits / n * 1000, 1000, n * growth)
    assert getattr(grown, side)(bound) <= 0.05 + 1e-6
    if growth > 1.01:
        short = Proportion(hits / n * 1000, 1000, n * growth * 0.99)
        assert getattr(short, side)(bound) > 0.05


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_agrees_with_statsmodels(gained, lost):
    two_sided = reference_mcnemar([[0, gained], [lost, 0]], exact=True).pvalue
    ours = min(mcnemar(gained, lost), mcnemar(lost, gained))
    assert min(1, 2 * ours) == pytest.approx(two_sided)


def test_tango_gives_the_published_interval():
    # airway hyper-responsiveness of 21 patients (Bentur 2009) in Fagerland et al. 2014
    interval = PairedProportion(1, 7, 21, 21).interval(0.95)
    assert interval == pytest.approx((-0.517, -0.026), abs=0.0005)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 200))
def test_the_paired_interval_holds_its_value_and_turns_with_the_models(b, c, same):
    n = b + c + same
    low, high = PairedProportion(b, c, n, n).interval(0.95)
    assert -1 <= low <= (b - c) / n <= high <= 1
    turned = PairedProportion(c, b, n, n).interval(0.95)
    assert turned == pytest.approx((-high, -low), abs=1e-6)


def test_paired_tails_are_those_of_every_table():
    gained, lost, n, bound = 1, 3, 8, -0.1
    ours = PairedProportion(gained, lost, n, n)
    down = _constrained(gained, lost, n, bound)
    up = down + bound
    total = sum(
        stats.multinomial.pmf([b, c, n - b - c], n, [up, down, 1 - up - down])
        for b, c in itertools.product(range(n + 1), repeat=2)
        if b + c <= n and b - c >= gained - lost
    )
    assert ours.p_above(bound) == pytest.approx(total)
    assert ours.p_below(bound) + ours.p_above(bound) >= 1


def test_the_constrained_share_is_the_likeliest():
    gained, lost, n, bound = 4, 7, 50, -0.05
    grid = np.linspace(0.0501, 0.5, 20001)
    likelihood = (
        gained * np.log(grid + bound)
        + lost * np.log(grid)
        + (n - gained - lost) * np.log(1 - 2 * grid - bound + 1e-300)
    )
    best = grid[np.nanargmax(likelihood)]
    assert _constrained(gained, lost, n, bound) == pytest.approx(best, abs=1e-4)


def test_equal_groups_count_as_one_sample_each():
    groups = np.repeat(np.arange(200), 5)
    rng = np.random.default_rng(0)
    same = np.repeat(rng.random(200) < 0.8, 5).astype(float)
    assert effective_size(same, groups) == pytest.approx(200, rel=0.05)
    alone = (rng.random(1000) < 0.8).astype(float)
    assert effective_size(alone, groups) > 800
    assert effective_size(alone, None) == 1000
    assert effective_size(np.ones(1000), groups) == 200
    assert effective_size(alone, np.zeros(1000, int)) == 1


def test_nothing_seen_settles_nothing():
    nothing = Resampled(math.nan, np.array([]), 0)
    assert nothing.p_above(0.5) == nothing.p_below(0.5) == 1
    flat = Resampled(1.0, np.ones(100), 5, least_error=2 / 5, low=0, high=1)
    assert flat.p_above(0.9) > 0.05
    assert flat.interval(0.95)[0] < 0.9
    assert PairedProportion(0, 0, 0, 0).p_above(-0.1) == 1


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("n", [20, 200, 5000])
def test_wilson_covers_at_its_level(share, n):
    hits = np.arange(n + 1)
    low, high = np.array([Proportion(h, n, n).interval(0.95) for h in hits]).T
    covered = stats.binom.pmf(hits, n, share) @ ((low <= share) & (share <= high))
    assert 0.91 < covered < 0.99  # exact; Wilson's own swings at n = 20


def test_the_exact_paired_test_keeps_its_level():
    rng = np.random.default_rng(5)
    n, drop, level = 150, 0.02, 0.05
    for discordant in (0.03, 0.1):
        down = (discordant + drop) / 2
        up = down - drop
        tables = rng.multinomial(n, [up, down, 1 - up - down], 3000)
        p = [PairedProportion(b, c, n, n).p_above(-drop) for b, c, _ in tables]
        assert np.mean(np.array(p) <= level) <= level + 0.012
        p = [PairedProportion(b, c, n, n).p_below(-drop) for b, c, _ in tables]
        assert np.mean(np.array(p) <= level) <= level + 0.012


def test_proportions_take_whole_statsmodels_intervals():
    assert Proportion(8, 10, 5).interval(0.9) == pytest.approx(
        proportion_confint(4, 5, 0.1, "wilson")
    )
