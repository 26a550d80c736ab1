import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from evalsets.errors import ArgumentError
from evalsets.splits import connected, near_duplicates, priorities
from evalsets.splits import near as module


def same(codes) -> set[frozenset[int]]:
    codes = np.asarray(codes)
    return {frozenset(np.flatnonzero(codes == code)) for code in codes}


def test_equal_labels_are_together_and_null_is_alone():
    codes = connected(6, labels=["a", None, "b", "a", float("nan"), "b"])
    assert same(codes) == {
        frozenset({0, 3}),
        frozenset({1}),
        frozenset({2, 5}),
        frozenset({4}),
    }


def test_labels_and_edges_chain():
    codes = connected(5, labels=[1, 1, 2, 2, 3], edges=[[1, 2]])
    assert same(codes) == {frozenset({0, 1, 2, 3}), frozenset({4})}


def test_without_links_everyone_is_alone():
    assert same(connected(3)) == {frozenset({0}), frozenset({1}), frozenset({2})}


def test_wrong_number_of_labels_is_refused():
    with pytest.raises(ArgumentError, match="2 group labels for 3 samples"):
        connected(3, labels=["a", "b"])


@given(st.integers(0, 500), st.integers(1, 40), st.sampled_from([0.3, 0.8, 0.97, 1.0]))
@settings(max_examples=40, deadline=None)
def test_near_duplicates_connect_what_all_pairs_connect(seed, n, threshold):
    rng = np.random.default_rng(seed)
    centre = rng.standard_normal((6, 5))[rng.integers(6, size=n)]
    vectors = centre + rng.choice([0, 0.2], size=(n, 1)) * rng.standard_normal((n, 5))
    vectors = np.float32(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    wide = vectors.astype(np.float64)
    close = np.argwhere(np.triu(wide @ wide.T >= threshold - 1e-6, k=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", 7)
        found = near_duplicates(vectors, threshold).pairs
    assert {tuple(pair) for pair in found} <= {tuple(pair) for pair in close}
    assert same(connected(n, edges=found)) == same(connected(n, edges=close))


def test_many_copies_give_few_pairs():
    vectors = np.float32([[1, 0]] * 500 + [[0, 1]])
    assert near_duplicates(vectors, 0.9).pairs.tolist() == [
        [0, i] for i in range(1, 500)
    ]


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01])
def test_a_threshold_that_is_no_closeness_is_refused(threshold):
    with pytest.raises(ArgumentError, match="give a cosine above 0"):
        near_duplicates(np.float32([[1, 0]]), threshold)


def test_priorities_depend_on_key_and_seed_alone():
    keys = [f"image-{i}" for i in range(1000)]
    lots = dict(zip(keys, priorities(keys, seed=1), strict=True))
    assert all(priorities(keys[::-3], seed=1) == [lots[k] for k in keys[::-3]])
    assert not set(priorities(keys, seed=2)) & set(lots.values())
    assert abs(np.mean([lot / 2**64 for lot in map(int, lots.values())]) - 0.5) < 0.05


def test_a_lot_is_the_same_on_every_machine():
    assert priorities(["a"], seed=0).tolist() == [6447294815441914385]
