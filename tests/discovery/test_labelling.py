import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.discovery import mend, settle

seeds = st.integers(0, 10_000)


def drawn(seed, k, m):
    rng = np.random.default_rng(seed)
    members = rng.random((k, m)) < rng.uniform(0.1, 0.7, (k, 1))
    lots = rng.integers(0, 2**63, m, dtype=np.uint64)
    return members, rng.integers(1, 15, k).tolist(), lots


def test_the_cheapest_requirement_comes_first_and_shares_count_for_both():
    members = np.array([[1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1]], bool)
    lots = np.array([5, 6, 1, 2, 3, 4], dtype=np.uint64)
    picks = settle(members, [3, 2], lots, 10)
    assert picks == [(2, 1), (3, 1), (0, 0)]


@given(seed=seeds, k=st.integers(1, 5), m=st.integers(1, 60), n=st.integers(1, 60))
@settings(max_examples=50, deadline=None)
def test_no_requirement_gets_more_than_it_lacks_nor_all_more_than_asked(seed, k, m, n):
    members, needed, lots = drawn(seed, k, m)
    picks = settle(members, needed, lots, n)
    rows = [row for row, _ in picks]
    assert len(rows) == len(set(rows)) <= n
    assert all(members[at, row] for row, at in picks)
    for at in range(k):
        assert sum(other == at for _, other in picks) <= needed[at]
    if len(picks) < n:  # then every need is met, or its samples are used up
        got = members[:, rows].sum(axis=1)
        assert (got >= np.minimum(needed, members.sum(axis=1))).all()


@given(seed=seeds, m=st.integers(5, 60), n=st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_the_chosen_are_a_simple_random_sample(seed, m, n):
    members, _, lots = drawn(seed, 1, m)
    rows = [row for row, _ in settle(members, [n], lots, n)]
    by_lot = [row for row in np.argsort(lots).tolist() if members[0, row]]
    assert rows == by_lot[:n]


def circle(*degrees):
    angle = np.radians(degrees)
    return np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32)


def test_mistakes_take_turns_and_each_picks_its_nearest():
    picks = mend(circle(0, 90), circle(20, 40, 75, 55, 180), 3)
    assert picks == [(0, 0), (2, 1), (1, 0)]


def test_what_is_nearly_the_same_is_picked_once():
    picks = mend(circle(0), circle(10, 11, 12, 60), 3)
    assert picks == [(0, 0), (3, 0)]


@given(seed=seeds, k=st.integers(1, 9), m=st.integers(1, 40), n=st.integers(1, 50))
@settings(max_examples=30, deadline=None)
def test_no_sample_is_picked_twice_nor_more_than_asked(seed, k, m, n):
    rng = np.random.default_rng(seed)
    mistakes, pool = (circle(*rng.uniform(0, 360, size)) for size in (k, m))
    rows = [row for row, _ in mend(mistakes, pool, n)]
    assert len(rows) == len(set(rows)) <= n
    chosen = pool[rows]
    close = chosen @ chosen.T - 2 * np.eye(len(rows))
    assert (close < 0.98 + 1e-6).all()


def test_without_mistakes_nothing_is_picked():
    assert mend(np.empty((0, 2), np.float32), circle(1, 2), 3) == []
