import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsets import Population, Requirement
from evalsets.errors import ArgumentError

numbers = st.floats(0, 1e6, allow_nan=False)
requirements = st.builds(
    lambda metric, bound, number: Requirement(metric, **{bound: number}),
    st.sampled_from(["accuracy", "map50", "log_loss"]),
    st.sampled_from(["at_least", "at_most", "max_drop"]),
    numbers,
)
populations = st.builds(
    Population,
    name=st.text(min_size=1).filter(lambda s: s.strip() and s != "(all)"),
    query=st.just("x > 1"),
    holdout=st.floats(0, 1),
    require=st.lists(requirements, max_size=3).map(tuple),
    min_size=st.integers(1, 1000),
    description=st.text(),
    owner=st.text(),
)


@given(populations)
def test_a_population_survives_its_json_form(population):
    assert Population.from_dict(population.to_dict()) == population


@given(requirements)
def test_a_printed_requirement_reads_as_the_same(requirement):
    again = Requirement.parse(str(requirement))
    assert str(again) == str(requirement)


def test_only_what_differs_from_the_default_is_stored():
    assert Population("a", "x > 1").to_dict() == {"name": "a", "query": "x > 1"}


@pytest.mark.parametrize(
    "bounds",
    [
        {},
        {"at_least": 0.9, "max_drop": 0.1},
        {"at_least": float("nan")},
        {"at_most": 10**400},
        {"at_least": "0.9"},
        {"max_drop": -1},
    ],
    ids=["no bound", "two bounds", "NaN", "too large", "text", "a negative drop"],
)
def test_a_requirement_needs_one_bound_that_makes_sense(bounds):
    with pytest.raises(ArgumentError, match="accuracy"):
        Requirement("accuracy", **bounds)


@pytest.mark.parametrize("metric", [None, 5, " "])
def test_a_requirement_names_a_metric(metric):
    with pytest.raises(ArgumentError, match="names a metric"):
        Requirement(metric, at_least=0.5)


@pytest.mark.parametrize("text", ["accuracy is high", "accuracy drop >= 0.1", ""])
def test_a_requirement_that_cannot_be_read_says_how_to_write_it(text):
    with pytest.raises(ArgumentError, match=r"accuracy drop <= 0\.01"):
        Requirement.parse(text)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"name": "", "query": "x"}, "needs a name"),
        ({"name": "a", "query": " "}, "needs a query"),
        ({"name": "(all)", "query": "x"}, "choose another name"),
        ({"name": "a", "query": "x", "holdout": 20}, "share from 0 to 1"),
        ({"name": "a", "query": "x", "holdout": "0.2"}, "'0.2'; give a share"),
        ({"name": "a", "query": "x", "min_size": 0}, "at least 1"),
        ({"name": "a", "query": "x", "min_size": "9"}, "'9'; give a whole number"),
        ({"name": "a", "query": "x", "owner": 5}, "owner of 'a' is 5; give a text"),
        ({"name": "a", "query": "x", "hold_out": 1}, "Unknown key 'hold_out'"),
    ],
)
def test_a_population_that_makes_no_sense_is_refused(entry, said):
    with pytest.raises(ArgumentError, match=said):
        Population.from_dict(entry)


def test_numbers_of_numpy_are_kept_as_plain_ones():
    bound = Requirement("accuracy", at_least=np.float32(0.5))
    made = Population("a", "x > 1", np.float32(0.25), bound, min_size=np.int64(9))
    assert json.loads(json.dumps(made.to_dict())) == {
        "name": "a",
        "query": "x > 1",
        "holdout": 0.25,
        "require": [{"metric": "accuracy", "at_least": 0.5}],
        "min_size": 9,
    }
    double = Population("a", "x > 1", np.float64(0.25))
    assert type(double.holdout) is float


def test_one_requirement_may_stand_alone_and_anything_else_is_refused():
    bound = Requirement("accuracy", at_least=0.9)
    assert Population("a", "x > 1", require=bound).require == (bound,)
    with pytest.raises(ArgumentError, match=r"evalsets\.Requirement"):
        Population("a", "x > 1", require="accuracy >= 0.9")


def test_a_population_shows_the_call_that_makes_it_and_no_defaults():
    night = Population(
        "night", "time = 'night'", require=[Requirement("f1", at_least=1)]
    )
    assert repr(night) == (
        "Population('night', \"time = 'night'\", require=(Requirement('f1', at_least=1),))"
    )
    assert eval(repr(night)) == night
