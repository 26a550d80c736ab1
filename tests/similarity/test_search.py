import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from evalsets.errors import ArgumentError
from evalsets.similarity import above, ranks, scores, top_k, unit


def vectors(seed: int, n: int, dim: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((n, dim)))


shapes = {
    "seed": st.integers(0, 1000),
    "n": st.integers(1, 400),
    "dim": st.integers(1, 700),
}


def test_a_score_is_the_cosine():
    matrix = unit([[3, 4], [1, 0], [-3, -4], [4, -3]])
    assert scores(matrix, [6, 8]).tolist() == pytest.approx([1, 0.6, -1, 0], abs=1e-7)


@given(**shapes)
@settings(max_examples=40, deadline=None)
def test_scores_agree_with_float64_to_float32_precision(seed, n, dim):
    rng = np.random.default_rng(seed)
    raw, query = rng.standard_normal((n, dim)), rng.standard_normal(dim)
    cosine = raw @ query / np.linalg.norm(raw, axis=1) / np.linalg.norm(query)
    assert np.abs(scores(unit(raw), query) - cosine).max() < 3e-7


@given(**shapes, data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_score_depends_on_nothing_but_its_row(seed, n, dim, data):
    matrix = vectors(seed, n, dim)
    query = matrix[seed % n]
    whole = scores(matrix, query)
    order = np.random.default_rng(seed).permutation(n)
    assert (scores(matrix[order], query) == whole[order]).all()
    start = data.draw(st.integers(0, n - 1))
    assert (scores(matrix[start:], query) == whole[start:]).all()
    wide = np.zeros((n, dim + 3), dtype=np.float32)
    wide[:, 2:-1] = matrix  # rows that are neither aligned nor adjacent
    assert (scores(wide[:, 2:-1], query) == whole).all()
    assert (scores(np.asfortranarray(matrix), query) == whole).all()


@given(**shapes)
@settings(max_examples=30, deadline=None)
def test_a_score_does_not_depend_on_the_order_of_summation(seed, n, dim):
    matrix = vectors(seed, n, dim)
    query = matrix[0]
    by_blas = matrix.astype(np.float64) @ query.astype(np.float64)
    backwards = scores(matrix[:, ::-1], query[::-1])
    assert (scores(matrix, query) == np.clip(by_blas, -1, 1).astype("f4")).all()
    assert (scores(matrix, query) == backwards).all()


def test_threads_do_not_change_a_score(monkeypatch):
    matrix = vectors(0, 40_000, 64)
    several = scores(matrix, matrix[7])
    monkeypatch.setattr("faiss.omp_get_max_threads", lambda: 1)
    assert (scores(matrix, matrix[7]) == several).all()


@given(seed=st.integers(0, 1000), dim=st.integers(1, 1024))
def test_a_unit_vector_stays_what_it_is(seed, dim):
    once = vectors(seed, 20, dim)
    assert (unit(once) == once).all()
    assert np.abs(np.linalg.norm(once.astype("f8"), axis=1) - 1).max() < 1e-6


def test_only_greater_scores_are_above():
    matrix = unit([[1, 0], [0, 1], [1, 1]])
    assert above(matrix, [1, 0], 0.0).tolist() == [0, 2]


def test_equal_scores_rank_by_id():
    found = ranks(np.float32([0.5, 0.9, 0.5, 0.1]), ["b", "z", "a", "c"])
    assert found.tolist() == [3, 1, 2, 4]


@given(
    seed=st.integers(0, 1000),
    n=st.integers(1, 600),
    dim=st.sampled_from([2, 16, 300]),
    k=st.integers(1, 700),
    copies=st.integers(1, 300),
)
@settings(max_examples=60, deadline=None)
def test_top_k_agrees_with_ranks_even_among_copies(seed, n, dim, k, copies):
    rng = np.random.default_rng(seed)
    matrix = np.concatenate(
        [vectors(seed, n, dim), vectors(seed, 1, dim)[[0] * copies]]
    )
    ids = rng.permutation([f"{i:024x}" for i in range(len(matrix))])
    query = rng.standard_normal(dim)
    place = ranks(scores(matrix, query), ids)
    rows, found = top_k(matrix, query, k, ids)
    assert place[rows].tolist() == list(range(1, min(k, len(matrix)) + 1))
    assert (found == scores(matrix, query)[rows]).all()


@given(seed=st.integers(0, 1000), k=st.integers(1, 120), share=st.floats(0.02, 1))
@settings(max_examples=40, deadline=None)
def test_top_k_among_rows_is_the_top_k_of_those_rows(seed, k, share):
    rng = np.random.default_rng(seed)
    matrix = vectors(seed, 300, 8)
    among = np.sort(rng.permutation(300)[: max(1, int(300 * share))])
    rows, found = top_k(matrix, matrix[0], k, among=among)
    expected, exact = top_k(matrix[among], matrix[0], k)
    assert (rows == among[expected]).all()
    assert (found == exact).all()


@given(**shapes, at=st.integers(0, 399))
@settings(max_examples=60, deadline=None)
def test_above_agrees_with_the_exact_scores_at_the_cut_itself(seed, n, dim, at):
    matrix = vectors(seed, n, dim)
    query = np.random.default_rng(seed).standard_normal(dim)
    exact = scores(matrix, query)
    for cut in (exact[at % n], np.nextafter(exact[at % n], -2), 0.0):
        expected = np.flatnonzero(exact.astype("f8") > float(cut))
        assert (above(matrix, query, float(cut)) == expected).all()


def test_more_than_two_thousand_can_be_asked_for():
    matrix = vectors(0, 5000, 8)
    rows, _ = top_k(matrix, matrix[3], 3000)
    expected = np.argsort(ranks(scores(matrix, matrix[3]), np.arange(5000)))[:3000]
    assert (rows == expected).all()


def test_no_vectors_give_no_neighbours():
    none = np.empty((0, 4), dtype=np.float32)
    assert len(top_k(none, [1, 0, 0, 0], 5)[0]) == 0
    assert len(scores(none, [1, 0, 0, 0])) == 0


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ([1, 2, 3], "use the encoder that made the vectors"),
        ([0, 0], "no direction"),
        ([np.nan, 1], "no direction"),
    ],
)
def test_a_query_without_a_cosine_is_refused(query, says):
    with pytest.raises(ArgumentError, match=says):
        scores(unit([[1, 0]]), query)
