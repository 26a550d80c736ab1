import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evalsets.discovery import weigh
from evalsets.discovery.evidence import excess_p, excess_z


def halves(rng, n, share):
    """Some inside, never all or none."""
    inside = rng.random(n) < share
    inside[:2], inside[2:4] = True, False
    return inside


def test_four_of_five_wrong_against_one_of_five():
    loss = np.array([1, 1, 1, 1, 0, 1, 0, 0, 0, 0.0])
    inside = np.arange(10) < 5
    (found,) = weigh([inside], loss)
    assert (found.n, found.inside, found.outside) == (5, 0.8, 0.2)
    # (C(5,4) C(5,1) + C(5,5) C(5,0)) / C(10,5)
    assert found.p == pytest.approx(26 / 252)
    assert found.low < 0.6 < found.high


@given(seed=st.integers(0, 10_000), n=st.integers(8, 60), rate=st.floats(0.1, 0.9))
@settings(max_examples=30, deadline=None)
def test_right_and_wrong_take_fishers_exact_test(seed, n, rate):
    rng = np.random.default_rng(seed)
    loss, inside = (rng.random(n) < rate).astype(float), halves(rng, n, 0.4)
    (found,) = weigh([inside], loss)
    wrong, others = loss[inside].sum(), loss[~inside].sum()
    table = [[wrong, inside.sum() - wrong], [others, (~inside).sum() - others]]
    assert found.p == pytest.approx(stats.fisher_exact(table, "greater").pvalue)


def test_other_losses_take_a_permutation_test():
    rng = np.random.default_rng(3)
    loss, inside = rng.gamma(0.5, size=60), halves(rng, 60, 0.3)
    loss[inside] *= 1.8
    (found,) = weigh([inside], loss)
    reference = stats.permutation_test(
        (loss[inside], loss[~inside]),
        lambda a, b: a.mean() - b.mean(),
        n_resamples=9999,
        alternative="greater",
        rng=np.random.default_rng(0),
    )
    assert found.p == pytest.approx(reference.pvalue, abs=0.015)
    welch = stats.ttest_ind(loss[inside], loss[~inside], equal_var=False)
    assert (found.low, found.high) == pytest.approx(welch.confidence_interval())


def test_samples_of_one_group_are_not_counted_as_independent():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 10)
    alone, together = [], []
    for _ in range(200):
        loss = np.repeat(rng.random(40) < 0.3, 10).astype(float)  # a scene is all wrong
        inside = np.repeat(rng.random(40) < 0.3, 10)
        if 20 <= inside.sum() <= 380:
            alone.append(weigh([inside], loss)[0].p <= 0.05)
            together.append(weigh([inside], loss, groups)[0].p <= 0.05)
    assert np.mean(alone) > 0.2
    assert np.mean(together) < 0.09


def test_one_sample_proves_nothing():
    (found,) = weigh([np.arange(5) == 0], np.array([1, 0, 0, 0, 0.0]))
    assert found.p == 1
    assert np.isnan([found.inside, found.outside, found.low, found.high]).all()


@given(seed=st.integers(0, 10_000), size=st.integers(2, 20))
@settings(max_examples=20, deadline=None)
def test_many_sums_give_the_p_values_that_samples_give(seed, size):
    rng = np.random.default_rng(seed)
    loss = (rng.random(50) < 0.3).astype(float)
    inside = np.zeros(50, bool)
    inside[rng.choice(50, size, replace=False)] = True
    n, total = np.array([size]), np.array([loss[inside].sum()])
    assert excess_p(n, total, loss)[0] == pytest.approx(weigh([inside], loss)[0].p)


def test_standard_scores_are_those_of_draws_without_replacement():
    rng = np.random.default_rng(1)
    loss = rng.random(30)
    drawn = [rng.choice(loss, 10, replace=False).sum() for _ in range(20_000)]
    z = excess_z(np.full(len(drawn), 10), np.array(drawn), loss)
    assert z.mean() == pytest.approx(0, abs=0.03)
    assert z.std() == pytest.approx(1, abs=0.03)
