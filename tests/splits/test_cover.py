import itertools

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from scipy.sparse import csr_array

from evalsets.splits import cover as module
from evalsets.splits.cover import cover, greedy


@st.composite
def programmes(draw):
    """A few kinds of groups and quotas that they can meet."""
    n_kinds, n_populations = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    row = st.lists(
        st.integers(0, 3), min_size=n_populations, max_size=n_populations
    ).filter(any)
    counts = np.array(draw(st.lists(row, min_size=n_kinds, max_size=n_kinds)))
    size = np.array(
        draw(st.lists(st.integers(1, 3), min_size=n_kinds, max_size=n_kinds))
    )
    target = np.array([draw(st.integers(0, int(most))) for most in size @ counts])
    lot = np.array(
        draw(st.lists(st.floats(0, 0.99), min_size=n_kinds, max_size=n_kinds))
    )
    return counts, size, target, lot


def by_hand(counts, size, target) -> int:
    """Memberships of the smallest cover, by trying all.

    Those that exceed no quota by more than a group go first.
    """
    every = map(np.array, itertools.product(*(range(most + 1) for most in size)))
    covers = [take @ counts for take in every if (take @ counts >= target).all()]
    near = [
        got for got in covers if (got - target <= np.maximum(counts.max(0), 1)).all()
    ]
    return min(int(got.sum()) for got in near or covers)


@given(programmes())
@settings(max_examples=150, deadline=None)
def test_no_cover_has_less_excess(programme):
    counts, size, target, lot = programme
    found = cover(csr_array(counts), size, target, lot)
    assert (found.take >= 0).all()
    assert (found.take <= size).all()
    assert (found.take @ counts >= target).all()
    assert (found.take @ counts).sum() == by_hand(counts, size, target)
    assert found.gap == 0


@given(programmes(), st.data())
@settings(max_examples=100, deadline=None)
def test_the_greedy_cover_meets_all_quotas_and_takes_nothing_in_vain(programme, data):
    counts, size, target, _ = programme
    start = np.array([data.draw(st.integers(0, int(most))) for most in size])
    take = greedy(csr_array(counts), size, target, start)
    assert (take >= 0).all()
    assert (take <= size).all()
    assert (take @ counts >= target).all()
    for kind in np.flatnonzero(take):
        assert ((take @ counts - counts[kind]) < target).any()


def test_different_shares_that_overlap_force_excess_once():
    # 10 samples are in both populations; one asks for 5, the other for 1
    found = cover(
        csr_array([[1, 1]]), np.array([10]), np.array([5, 1]), np.array([0.5])
    )
    assert found.take.tolist() == [5]
    assert found.gap == 0


def test_a_kind_that_costs_no_excess_is_preferred():
    counts = csr_array([[1, 0], [0, 1], [1, 1]])
    size = np.array([50, 50, 1000])
    found = cover(counts, size, np.array([500, 450]), np.full(3, 0.5))
    assert (found.take @ counts).tolist() == [500, 450]


def test_beyond_the_programme_the_gap_is_told(monkeypatch):
    rng = np.random.default_rng(0)
    counts = np.unique(rng.random((300, 8)) < 0.3, axis=0)
    counts = csr_array(counts[counts.any(axis=1)], dtype=np.int64)
    size = rng.integers(1, 5, counts.shape[0])
    target = np.ceil(size @ counts * rng.uniform(0.05, 0.5, 8)).astype(np.int64)
    lot = rng.random(len(size))
    exact = cover(counts, size, target, lot)
    monkeypatch.setattr(module, "LARGEST", 60)
    monkeypatch.setattr(module, "_SEARCHED", 60)
    quick = cover(counts, size, target, lot)
    excess = [int((answer.take @ counts).sum()) for answer in (exact, quick)]
    assert (quick.take @ counts >= target).all()
    assert excess[1] - excess[0] <= quick.gap
    assert exact.gap == 0


def test_a_large_cover_is_as_good_as_its_bound_says(monkeypatch):
    rng = np.random.default_rng(1)
    counts = csr_array(rng.random((6000, 30)) < 0.1, dtype=np.int64)
    counts = counts[counts.sum(axis=1) > 0]
    size = np.ones(counts.shape[0], dtype=np.int64)
    target = np.ceil(size @ counts * rng.choice([0.1, 0.2, 0.3], 30)).astype(np.int64)
    monkeypatch.setattr(module, "LARGEST", 9000)  # a half of the memberships
    found = cover(counts, size, target, rng.random(len(size)))
    got = found.take @ counts
    assert (got >= target).all()
    assert (got - target <= 1).all()
    assert found.gap <= 10


def test_where_no_programme_helps_all_quotas_are_met_greedily(monkeypatch):
    monkeypatch.setattr(module, "mend", lambda counts, size, target, take, due: take)
    monkeypatch.setattr(module.Programme, "linear", lambda self: None)
    rng = np.random.default_rng(2)
    counts = csr_array(rng.random((400, 9)) < 0.3, dtype=np.int64)
    counts = counts[counts.sum(axis=1) > 0]
    size = np.ones(counts.shape[0], dtype=np.int64)
    target = np.ceil(size @ counts * 0.25).astype(np.int64)
    found = cover(counts, size, target, rng.random(len(size)))
    assert (found.take @ counts >= target).all()
    assert (found.take @ counts).sum() - target.sum() <= found.gap
