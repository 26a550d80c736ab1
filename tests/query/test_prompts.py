from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.query import Schema, advise, check, parse, to_text
from evalsets.query.prompts import Count, Reading, read_prompt
from evalsets.query.types import INTEGER, TEXT, FieldType
from tests.query.strategies import OBJECTS

COUNTED = Schema({"num_people": INTEGER, "weather": TEXT, "ground_truth": OBJECTS})
TAGGED = Schema({"stats.car_count": INTEGER, "n_people": FieldType("text")})


@pytest.mark.parametrize(
    ("prompt", "shown", "absent"),
    [
        ("windy road with no trees", "windy road", ["trees"]),
        ("a road without any cars or people", "a road", ["cars", "people"]),
        ("road with no trees, no cars and no signs in fog", "road in fog", None),
        ("no people on the beach", "the beach", ["people"]),
        ("road with no trees but mountains", "road with mountains", ["trees"]),
        ("a person not wearing a helmet", "a person", ["wearing a helmet"]),
        ("people who aren't smiling", "people", ["smiling"]),
        ("a car that is not red", "a car", ["red"]),
        ("an empty street devoid of traffic", "an empty street", ["traffic"]),
        ("a street free of cars at night", "a street at night", ["cars"]),
        ("a room lacking furniture", "a room", ["furniture"]),
        ("neither trees nor houses", "", ["trees", "houses"]),
        ("Nobody on the bridge", "the bridge", ["people"]),
        ("0 people in the room", "the room", ["people"]),
        ("a photo of no trees", "", ["trees"]),
        ("everything except cats", "", ["cats"]),
        ("not", "", []),
        ("road (no trees)", "road", ["trees"]),
        ("road (without trees or cars) at night", "road at night", ["trees", "cars"]),
    ],
)
def test_what_is_said_to_be_absent_is_read(prompt, shown, absent):
    wanted = ("trees", "cars", "signs") if absent is None else tuple(absent)
    assert read_prompt(prompt) == Reading(shown, wanted, (), negates=True)


@pytest.mark.parametrize(
    ("prompt", "shown", "noun", "operator", "number"),
    [
        ("more than five people", "", "people", ">", 5),
        ("more than 5 people in the sun", "people in the sun", "people", ">", 5),
        ("a photo of two cars", "", "cars", "=", 2),
        ("two red cars at night", "red cars at night", "red cars", "=", 2),
        ("fewer than 4 trucks", "", "trucks", "<", 4),
        ("five or more people", "", "people", ">=", 5),
        ("5+ people", "", "people", ">=", 5),
        ("no more than five people", "", "people", "<=", 5),
        ("exactly one car on the road", "car on the road", "car", "=", 1),
        ("a dozen eggs", "", "eggs", "=", 12),
        ("two people", "", "people", "=", 2),
        ("<3 cars", "", "cars", "<", 3),
        (">= 3 cars at night", "cars at night", "cars", ">=", 3),
        ("≤2 dogs", "", "dogs", "<=", 2),
        ("people >5", "", "people", ">", 5),
        ("people = 5 on a road", "people on a road", "people", "=", 5),
    ],
)
def test_how_many_is_read(prompt, shown, noun, operator, number):
    assert read_prompt(prompt) == Reading(shown, (), (Count(noun, operator, number),))


@pytest.mark.parametrize(
    "prompt",
    [
        *("windy road", "a notebook on a desk", "a knot", "snow", "a crowd of people"),
        *("no entry sign", "a no parking sign", "no dogs allowed", "do not enter"),
        *(
            "one-way street",
            "two-lane road",
            "two story house",
            "4x4 truck",
            "route 66",
        ),
        *(
            "24 hours shop",
            "cars of 1950",
            "1950 cars",
            "the number one",
            "at least one car",
        ),
        *("over the hills", "up to the top", "bus 5", "no. 7", "nothing but trees"),
        *('a sign that says "no dogs"', "a single tree", "one dog", "", "两辆车"),
    ],
)
def test_a_prompt_of_things_to_see_is_left_alone(prompt):
    assert read_prompt(prompt) == Reading(prompt)


@pytest.mark.parametrize(
    ("query", "proposal"),
    [
        (
            "text('windy road with no trees') > 0.27",
            "text('windy road') > 0.27 AND NOT text('trees') > 0.27",
        ),
        (
            "weather = 'sunny' AND 0.2 <= text('road with no people') ORDER BY weather",
            "SELECT * FROM dataset WHERE weather = 'sunny' AND text('road') >= 0.2 "
            "AND num_people = 0 ORDER BY weather",
        ),
        ("text('no cats') > 0.2", "NOT text('cats') > 0.2"),
        ("text('more than five people') > 0.2", "num_people > 5"),
        (
            "text('two cars in fog') > 0.2 OR weather = 'x'",
            "text('cars in fog') > 0.2 AND COUNT(ground_truth, label = 'car') = 2 "
            "OR weather = 'x'",
        ),
        (
            "NOT text('road without trees') > 0.3",
            "NOT (text('road') > 0.3 AND NOT text('trees') > 0.3)",
        ),
        (
            "text('road without trees') < 0.3",
            "NOT (text('road') >= 0.3 AND NOT text('trees') >= 0.3)",
        ),
        (
            "RANK(text('road without trees', 'street')) <= 9",
            "RANK(text('road', 'street', against='trees')) <= 9",
        ),
        (
            "TRUE ORDER BY text('no trees', against='fog') DESC",
            "SELECT * FROM dataset WHERE TRUE ORDER BY "
            "text('a photo', against=('fog', 'trees')) DESC",
        ),
        (
            "text('3 dogs') - text('no cats') BETWEEN 0 AND 1",
            "text('a photo') - text('a photo', against='cats') BETWEEN 0 AND 1 "
            "AND COUNT(ground_truth, label = 'dog') = 3",
        ),
        ("text('not') > 0.2", ""),
        ("text('road', against='no trees') > 0.2", ""),
    ],
)
def test_the_proposal_says_it_in_the_language(query, proposal):
    told = advise(parse(query), COUNTED)
    assert told.proposal == (to_text(parse(proposal)) if proposal else "")
    if proposal:
        assert proposal in str(told)
        check(parse(told.proposal), COUNTED)


def test_the_warning_names_the_prompt_and_what_is_wrong():
    query = parse("text('no fog') > 0 AND text('2 cars') > 0 AND text('sea') > 0")
    told = str(advise(query, COUNTED))
    assert "does not understand negation ('no fog')" in told
    assert "does not count ('2 cars')" in told
    assert "'sea'" not in told.partition("write")[0]


def test_counts_without_a_field_are_to_be_tagged_first():
    told = advise(parse("text('more than five people') > 0.2"), TAGGED)
    assert told.proposal == ""
    assert "tag the counts" in str(told)
    told = advise(parse("text('two cars') > 0.2"), TAGGED)
    assert told.proposal == "stats.car_count = 2"


@pytest.mark.parametrize(
    ("query", "problem", "proposal"),
    [
        ("weather = NULL", "weather = NULL is never true", "weather IS NULL"),
        ("NULL <> weather", "NULL <> weather is never true", "NOT weather IS NULL"),
        ("width < NULL", "width < NULL is never true", ""),
        (
            "width BETWEEN 9 AND 1",
            "width BETWEEN 9 AND 1 tells nothing apart, since the lower bound comes first",
            "width BETWEEN 1 AND 9",
        ),
        ("width BETWEEN 1 AND -1", "tells nothing apart", "width BETWEEN -1 AND 1"),
        ("width BETWEEN 1 AND NULL", "is never true, since NULL bounds nothing", ""),
        ("width NOT IN (1, NULL)", "is never true, since NULL may equal", ""),
        ("text('x') > 5", "text() is from -1 to 1, so that text('x') > 5", ""),
        ("-3 < image('x')", "image() is from -1 to 1", ""),
        ("text('x', against='y') > 2.5", "text() is from -2 to 2", ""),
        (
            "weather = NULL AND text('no fog') > 0.2",
            "weather = NULL is never true, since NULL equals nothing and CLIP does not",
            "weather IS NULL AND NOT text('fog') > 0.2",
        ),
    ],
)
def test_a_comparison_in_vain_is_told_with_what_was_meant(query, problem, proposal):
    told = advise(parse(query), COUNTED)
    assert problem in told.problem
    assert told.proposal == (to_text(parse(proposal)) if proposal else "")
    assert not proposal or advise(parse(proposal), COUNTED) is None


@pytest.mark.parametrize(
    "query",
    [
        *("text('x') > 1", "text('x', against='y') > 1.5", "width BETWEEN 1 AND 1"),
        *("weather IS NULL", "width BETWEEN 9 AND height", "RANK(text('x')) <= 20"),
        "COALESCE(weather, NULL) = 'x'",
        "width IN (1, NULL)",
    ],
)
def test_a_comparison_that_may_be_meant_is_not_told(query):
    assert advise(parse(query), COUNTED) is None


def test_other_images_and_other_text_are_not_prompts():
    query = "image('no 2 people.jpg') > 0.2 AND weather = 'no rain'"
    assert advise(parse(query), COUNTED) is None


WORDS = """
no not without two 5 more than at least people trees road with and or , on the a
"quoted" isn't nobody exactly one dozen photo of against but . in
"""
phrases = st.lists(st.sampled_from(WORDS.split())).map(" ".join)
prompts = st.one_of(st.text(), phrases)


@settings(max_examples=200, deadline=None)
@given(prompts.filter(str.strip))
def test_whatever_the_prompt_a_proposal_is_a_query_without_such_prompts(prompt):
    quoted = prompt.encode(errors="ignore").decode().replace("'", "''") or "x"
    for query in (f"text('{quoted}') > 0.2", f"RANK(text('{quoted}')) < 9"):
        told = advise(parse(query), COUNTED)
        if told is not None and told.proposal:
            check(parse(told.proposal), COUNTED)


@pytest.mark.parametrize(
    "piece", ["no ", "5 a ", "with ", "a ", ", ", "no a and ", "x" * 9]
)
def test_a_long_prompt_is_read_at_once(piece, a_second):
    with a_second():
        read_prompt(piece * (19_000 // len(piece)))
