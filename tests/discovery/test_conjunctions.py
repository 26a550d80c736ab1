from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from evalsets.discovery import Condition
from evalsets.discovery.conjunctions import LIMIT, propose_conjunctions
from evalsets.discovery.evidence import LEAST_EFFECT, WIDEST

LEAST = 8


def conditions(rng, n, k):
    """Conditions on four fields, one or two on each."""
    return [
        Condition(
            f"f{at % 4}", f"c{at}", f"c{at}", rng.random(n) < rng.uniform(0.2, 0.7)
        )
        for at in range(k)
    ]


def by_hand(given, loss):
    """The conjunction that chance is least likely to bring forth, by trying all."""
    n, best = len(loss), (LIMIT, ())
    fields = [c.field for c in given]
    inside = {
        parts: np.all([given[at].members for at in parts], axis=0)
        for depth in (1, 2, 3)
        for parts in combinations(range(len(given)), depth)
        if len({fields[at] for at in parts}) == depth
    }
    allowed = {(at,) for at in range(len(given)) if inside[at,].sum() >= LEAST}
    for depth in (1, 2, 3):
        family = {}
        for parts in (p for p in inside if len(p) == depth):
            size = inside[parts].sum()
            grown = depth == 1 or any(
                tuple(p for p in parts if p != at) in allowed
                and size <= 0.95 * inside[at,].sum()
                and size <= 0.95 * inside[tuple(p for p in parts if p != at)].sum()
                for at in parts
            )
            if grown and size >= LEAST:
                family[parts] = chance(inside[parts], loss)
        allowed |= set(family)
        for parts, p in family.items():
            best = min(best, (p * len(family) * 3, parts))
    assert n
    return best


def chance(inside, loss):
    wrong, size = loss[inside].sum(), inside.sum()
    worse = wrong / size - loss.mean()
    error = loss.std() * np.sqrt(size * (len(loss) - size) / (len(loss) - 1)) / size
    if (
        worse < LEAST_EFFECT * loss.std()
        or size > WIDEST * len(loss)
        or worse <= 2 * error
    ):
        return 1.0
    others = loss[~inside].sum()
    table = [[wrong, size - wrong], [others, len(loss) - size - others]]
    return float(fisher_exact(table, "greater").pvalue)


@given(seed=st.integers(0, 10_000), k=st.integers(2, 7), rate=st.floats(0.3, 0.9))
@settings(max_examples=40, deadline=None)
def test_the_first_is_the_best_of_all_conjunctions(seed, k, rate):
    rng = np.random.default_rng(seed)
    given_ = conditions(rng, 150, k)
    weak = given_[0].members & given_[1].members
    loss = ((rng.random(150) < 0.1) | (weak & (rng.random(150) < rate))).astype(float)
    found = propose_conjunctions(given_, loss, LEAST, 1)
    expected, parts = by_hand(given_, loss)
    if not parts:
        assert found == []
    else:
        inside = np.all([given_[at].members for at in found[0]], axis=0)
        again = np.all([given_[at].members for at in parts], axis=0)
        assert chance(inside, loss) == pytest.approx(chance(again, loss))
        assert expected <= LIMIT


def test_a_planted_conjunction_comes_once():
    rng = np.random.default_rng(0)
    given_ = conditions(rng, 1000, 8)
    weak = given_[0].members & given_[1].members
    loss = np.where(weak, rng.random(1000) < 0.9, rng.random(1000) < 0.05).astype(float)
    assert propose_conjunctions(given_, loss, LEAST, 10) == [(0, 1)]


def test_two_bounds_of_one_number_make_an_interval_and_two_of_a_kind_do_not():
    rng = np.random.default_rng(0)
    number = rng.random(2000)
    given_ = [
        Condition("x", f"x {sign} {cut}", "", (number >= cut) == low, bound)
        for cut in np.linspace(0.1, 0.9, 9)
        for sign, low, bound in ((">=", True, "low"), ("<", False, "high"))
    ]
    loss = ((number >= 0.4) & (number < 0.6)).astype(float)
    (found,) = propose_conjunctions(given_, loss, LEAST, 10)
    assert sorted(given_[at].text for at in found) == ["x < 0.6", "x >= 0.4"]


@pytest.mark.parametrize("loss", [np.zeros(100), np.ones(100)])
def test_a_model_that_never_differs_has_no_weak_spot(loss):
    given_ = conditions(np.random.default_rng(0), 100, 5)
    assert propose_conjunctions(given_, loss, LEAST, 10) == []


def test_without_conditions_there_is_nothing_to_find():
    assert propose_conjunctions([], np.arange(100) % 2.0, LEAST, 10) == []
