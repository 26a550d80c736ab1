"""Neighbours against plain numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.brain.neighbours import distinct, nearest, others, within
from evalsets.brain.ranking import AGGREGATIONS, ranked
from evalsets.errors import ArgumentError
from evalsets.similarity import unit

modest = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def rows(seed, n, dim=5):
    """Unit vectors of which every third is a copy of another."""
    found = np.random.default_rng(seed).normal(size=(n, dim))
    found[2::3] = found[: len(found[2::3])]
    return unit(found)


def distances(matrix, queries):
    return 1 - np.clip(queries.astype(float) @ matrix.T.astype(float), -1, 1)


@modest
@given(seed=seeds, n=st.integers(1, 60), k=st.integers(1, 70), reverse=st.booleans())
def test_nearest_gives_the_smallest_distances(seed, n, k, reverse):
    matrix, queries = rows(seed, n), rows(seed + 1, 4)
    expected = np.sort(distances(matrix, queries), axis=1)
    expected = (expected[:, ::-1] if reverse else expected)[:, :k]
    for query, (near, distance), wanted in zip(
        queries, nearest(matrix, queries, k, reverse), expected, strict=True
    ):
        assert len(set(near)) == len(near) == min(k, n)
        assert distance == pytest.approx(wanted, abs=1e-6)
        assert distances(matrix[near], query[None])[0] == pytest.approx(
            wanted, abs=1e-6
        )


def test_nearest_of_more_than_faiss_selects_agrees_with_sorting():
    matrix, queries = rows(1, 3000), rows(2, 2)
    expected = np.sort(distances(matrix, queries), axis=1)
    for (near, distance), wanted in zip(
        nearest(matrix, queries), expected, strict=True
    ):
        assert len(set(near)) == 3000
        assert distance == pytest.approx(wanted, abs=1e-6)


@modest
@given(seed=seeds, n=st.integers(1, 60), distance=st.floats(0, 2))
def test_within_gives_every_row_at_most_so_far(seed, n, distance):
    matrix, queries = rows(seed, n), rows(seed + 1, 3)
    expected = distances(matrix, queries)
    for found, wanted in zip(within(matrix, queries, distance), expected, strict=True):
        near, far = found[0], np.setdiff1d(np.arange(n), found[0])
        assert (wanted[near] <= distance + 2e-6).all()
        assert (wanted[far] > distance).all()
        assert found[1] == pytest.approx(np.sort(wanted[near]), abs=1e-6)


def test_a_row_is_not_its_own_neighbour_but_its_copies_are():
    matrix = unit([[1, 0], [0, 1], [1, 0]])
    found = [near.tolist() for near, _ in others(within(matrix, matrix, 0.0))]
    assert found == [[2], [], [0]]


@modest
@given(seed=seeds, n=st.integers(1, 60), distance=st.floats(0, 2))
def test_distinct_keeps_what_a_greedy_choice_keeps(seed, n, distance):
    matrix = rows(seed, n)
    apart = distances(matrix, matrix)
    if (np.abs(apart - distance) < 3e-6).any():
        distance += 1e-5
    kept = []
    for row in range(n):
        if all(apart[row, other] > distance for other in kept):
            kept.append(row)
    if not (np.abs(apart - distance) < 3e-6).any():
        assert distinct(matrix, distance).tolist() == kept


def test_distinct_compares_across_blocks():
    matrix = rows(3, 2500)
    matrix[2400] = matrix[7]
    kept = distinct(matrix, 0.0)
    assert 7 in kept
    assert 2400 not in kept
    assert len(np.unique(matrix[kept], axis=0)) == len(kept)


@modest
@given(
    seed=seeds,
    n=st.integers(1, 60),
    k=st.none() | st.integers(1, 70),
    reverse=st.booleans(),
    aggregation=st.sampled_from(list(AGGREGATIONS)),
    restricted=st.booleans(),
)
def test_a_ranking_is_sorted_by_distance_then_id(
    seed, n, k, reverse, aggregation, restricted
):
    rng = np.random.default_rng(seed)
    matrix, queries = rows(seed, n), rows(seed + 1, 3)
    ids = rng.permutation([f"{i:024x}" for i in range(n)])
    among = rng.permutation(n)[: rng.integers(1, n + 1)] if restricted else None
    found, distance = ranked(
        matrix,
        queries,
        ids,
        aggregation=aggregation,
        k=k,
        reverse=reverse,
        among=among,
    )
    single = (
        queries.mean(axis=0, dtype=float)[None] if aggregation == "mean" else queries
    )
    each = distances(matrix, single / np.linalg.norm(single, axis=1, keepdims=True))
    combine = {"post-min": np.min, "post-max": np.max}.get(aggregation, np.mean)
    wanted = combine(each, axis=0)
    assert distance == pytest.approx(wanted[found], abs=1e-6)
    allowed = np.arange(n) if among is None else among
    assert set(found) <= set(allowed.tolist())
    assert len(found) == min(len(allowed), k or n)
    pairs = list(zip(distance, ids[found], strict=True))
    assert pairs == sorted(pairs, reverse=reverse)


@modest
@given(seed=seeds, n=st.integers(1, 60), k=st.integers(1, 60))
def test_the_first_rows_are_those_of_the_whole_ranking(seed, n, k):
    matrix, query = rows(seed, n), rows(seed + 1, 1)
    whole = ranked(matrix, query, np.arange(n))
    first = ranked(matrix, query, np.arange(n), k=k)
    last = ranked(matrix, query, np.arange(n), k=k, reverse=True)
    assert first[0].tolist() == whole[0][:k].tolist()
    assert first[1].tolist() == whole[1][:k].tolist()
    assert last[0].tolist() == whole[0][::-1][:k].tolist()


def test_an_unknown_aggregation_and_a_k_of_none_are_refused():
    matrix, ids = rows(1, 5), np.arange(5)
    with pytest.raises(ArgumentError, match="post-mean"):
        ranked(matrix, matrix[:1], ids, aggregation="median")
    with pytest.raises(ArgumentError, match="at least 1"):
        ranked(matrix, matrix[:1], ids, k=0)
