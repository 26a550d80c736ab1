import hypothesis.strategies as st
import numpy as np
from hypothesis import example, given, settings
from scipy.optimize import linprog
from scipy.sparse import csr_array

from evalsets.splits.balance import balance


@st.composite
def programmes(draw):
    """Kinds of groups and quotas that they can meet, drawn by a seed."""
    return programme_of(draw(st.integers(0, 10_000)))


def programme_of(seed: int):
    rng = np.random.default_rng(seed)
    n_kinds, n_populations = rng.integers(2, 30), rng.integers(1, 6)
    counts = rng.integers(0, 3, (n_kinds, n_populations))
    counts = counts[counts.any(axis=1)]
    if not len(counts):
        counts = np.ones((1, n_populations), dtype=np.int64)
    size = rng.integers(1, 9, len(counts))
    target = np.floor(rng.random(n_populations) * (size @ counts)).astype(np.int64)
    return counts, size, target


def least(counts, size, target) -> float:
    """Memberships of the smallest cover by divided groups."""
    bounds = [(0, most) for most in size]
    return linprog(counts.sum(axis=1), -counts.T, -target, bounds=bounds).fun


@given(programmes())
@settings(max_examples=100, deadline=None)
def test_no_cover_is_below_the_bound(programme):
    counts, size, target = programme
    found = balance(csr_array(counts), size, target)
    assert target.sum() <= found.least <= np.ceil(least(counts, size, target) - 1e-6)


@given(programmes())
@example(programme_of(31))
@example(programme_of(3621))
@example(programme_of(5760))
@settings(max_examples=100, deadline=None)
def test_rates_meet_the_quotas_with_next_to_no_needless_excess(programme):
    counts, size, target = programme
    rate = np.clip(balance(csr_array(counts), size, target).rate, 0, 1)
    got = (size * rate) @ counts
    assert (got >= target - 0.5).all()
    excess = got.sum() - least(counts, size, target)
    assert excess <= (size @ counts).sum() / 100 + 0.5


def test_disjoint_populations_have_their_own_rates():
    counts = csr_array(np.eye(3, dtype=np.int64))
    rate = balance(counts, np.array([100, 200, 50]), np.array([10, 100, 0])).rate
    np.testing.assert_allclose(rate, [0.1, 0.5, 0], atol=1e-3)


def test_equal_shares_are_drawn_at_one_rate_whatever_overlaps():
    rng = np.random.default_rng(0)
    counts = np.unique(rng.random((200, 6)) < 0.4, axis=0)
    counts = counts[counts.any(axis=1)].astype(np.int64)
    size = rng.integers(10, 99, len(counts))
    rate = balance(csr_array(counts), size, np.ceil(size @ counts * 0.2)).rate
    np.testing.assert_allclose(rate, 0.2, atol=0.01)
