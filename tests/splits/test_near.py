import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from evalsets.splits import connected, near, near_duplicates, near_leaks, shared_leaks


def units(rng, n, d, spread=0.2) -> np.ndarray:
    """Clusters of like vectors about a common mean, as an encoder gives them."""
    centre = rng.standard_normal((max(2, n // 4), d)) + 1
    some = rng.integers(len(centre), size=n)
    vectors = centre[some] + rng.choice([0, spread], (n, 1)) * rng.standard_normal(
        (n, d)
    )
    return np.float32(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@given(st.integers(0, 500), st.integers(70, 200))
@settings(max_examples=20, deadline=None)
def test_the_bound_is_never_below_the_cosine(seed, d):
    vectors = units(np.random.default_rng(seed), 60, d)
    short = near._shortened(vectors).astype(np.float64)
    assert short.shape == (60, 64)
    wide = vectors.astype(np.float64)
    assert (short @ short.T >= wide @ wide.T - 4e-6).all()


@given(st.integers(0, 500), st.sampled_from([0.9, 0.97]))
@settings(max_examples=20, deadline=None)
def test_long_vectors_connect_what_all_pairs_connect(seed, threshold):
    vectors = units(np.random.default_rng(seed), 80, 128, spread=0.3)
    wide = vectors.astype(np.float64)
    close = np.argwhere(np.triu(wide @ wide.T >= threshold - 1e-6, k=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "_BLOCK", 16)
        found = near_duplicates(vectors, threshold)
    ours, all_pairs = (connected(80, edges=e) for e in (found.pairs, close))
    assert (ours[:, None] == ours).tolist() == (
        all_pairs[:, None] == all_pairs
    ).tolist()


def test_examples_lie_around_the_threshold_and_fall():
    angle = np.linspace(0, 1.5, 200)
    vectors = np.float32(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    threshold = float(np.cos(0.1))
    found = near_duplicates(vectors, threshold).examples
    cosines = [cosine for *_, cosine in found]
    assert cosines == sorted(cosines, reverse=True)
    assert cosines[0] >= threshold > cosines[-1]
    for one, other, cosine in found:
        assert cosine == pytest.approx(np.cos(angle[other] - angle[one]), abs=1e-6)
        assert abs(cosine - threshold) <= near.BAND


def test_samples_of_test_are_told_with_their_closest_kin():
    rng = np.random.default_rng(0)
    vectors = units(rng, 300, 100, spread=0.3)
    side = rng.choice(["train", "val", "test", "quarantine", ""], 300)
    ids = [f"s{i}" for i in range(300)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "_BLOCK", 32)
        found = {leak.test_id: leak for leak in near_leaks(ids, side, vectors, 0.9)}
    cosine = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    learned = np.isin(side, ["train", "val"])
    best = np.where(learned, cosine, -1).max(axis=1)
    expected = {ids[i] for i in np.flatnonzero((side == "test") & (best >= 0.9))}
    assert set(found) == expected
    for name, leak in found.items():
        row, other = ids.index(name), ids.index(leak.other_id)
        assert leak.side == side[other]
        assert cosine[row, other] == pytest.approx(best[row], abs=1e-7)
        assert leak.cosine == pytest.approx(best[row], abs=1e-6)


def test_equal_values_on_two_sides_leak_and_missing_ones_do_not():
    side = ["test", "test", "train", "val", "train", "quarantine", "test"]
    value = ["x", "y", "x", "x", None, "y", None]
    (leak,) = shared_leaks(list("abcdefg"), side, value, "same file")
    assert leak[:4] == ("a", "c", "train", "same file")
    assert str(leak) == "a in test, c in train (same file)"
