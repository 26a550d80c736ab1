"""Boxes beside boxes, and boxes over time."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.taggers.boxes import Boxes, overlaps, pairs, vanished


def boxes(*rows, label="car", tracks=()):
    corners = np.array(rows, float).reshape(-1, 4)
    return Boxes([label] * len(corners), corners, tracks)


def test_overlap_by_hand():
    shared = overlaps(
        np.array([[0, 0, 2, 2]], float),
        np.array([[1, 1, 2, 2], [0, 0, 2, 2], [5, 5, 1, 1], [0, 0, 0, 0]], float),
    )
    assert shared[0] == pytest.approx([1 / 7, 1, 0, 0])


numbers = st.integers(0, 6).map(float)
rows = st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=4)


@settings(max_examples=60, deadline=None)
@given(rows, rows)
def test_no_other_pairing_has_more_pairs(some, others):
    one, other = boxes(*some), boxes(*others)
    found = pairs(one, other, 0.3)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
    shared = overlaps(one.corners, other.corners)
    assert all(shared[pair] >= 0.3 for pair in found)
    if len(some) > len(others):
        shared = shared.T
    small, large = sorted((len(some), len(others)))
    best = max(
        sum(shared[i, j] >= 0.3 for i, j in enumerate(choice))
        for choice in permutations(range(large), small)
    )
    assert len(found) == best


def test_boxes_of_other_classes_are_no_pair():
    assert pairs(boxes([0, 0, 1, 1]), boxes([0, 0, 1, 1], label="bus"), 0.5) == []


def test_an_object_that_vanishes_and_returns_is_missed_between():
    there = boxes([0.1, 0.1, 0.2, 0.2])
    frames = [there, boxes(), boxes(), there, there]
    assert vanished(frames, longest=2) == [0, 1, 1, 0, 0]
    assert vanished(frames, longest=1) == [0] * 5


def test_an_object_that_leaves_or_comes_is_not_missed():
    there = boxes([0.1, 0.1, 0.2, 0.2])
    elsewhere = boxes([0.7, 0.7, 0.2, 0.2])
    assert vanished([boxes(), there, boxes(), elsewhere], longest=3) == [0] * 4
    assert vanished([], longest=3) == []


def test_an_object_is_found_where_it_has_moved_to_meanwhile():
    frames = [boxes([0.06 * t, 0, 0.15, 0.5]) for t in range(8)]
    frames[5] = boxes()
    assert vanished(frames, longest=1) == [0, 0, 0, 0, 0, 1, 0, 0]


def test_numbers_of_a_tracker_go_before_places():
    frames = [
        boxes([0, 0, 0.1, 0.1], tracks=[7]),
        boxes([0, 0, 0.1, 0.1], tracks=[8]),
        boxes([0.9, 0.9, 0.1, 0.1], tracks=[7]),
    ]
    assert vanished(frames, longest=1) == [0, 1, 0]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4),
    st.lists(st.booleans(), min_size=3, max_size=12),
    st.integers(1, 3),
)
def test_boxes_dropped_from_objects_at_rest_are_all_found(n, drops, longest):
    """Each of n objects, far apart, loses its box in the frames that are drawn."""
    drops = [False, *drops, False]
    frames = [
        boxes(*([0.25 * i, 0.0, 0.1, 0.1] for i in range(n) if i or not dropped))
        for dropped in drops
    ]
    expected, run = [0] * len(drops), []
    for t, dropped in enumerate(drops):
        if dropped:
            run.append(t)
            continue
        if len(run) <= longest:
            for missed in run:
                expected[missed] = 1
        run = []
    assert vanished(frames, longest) == expected
