"""Controls write conditions that the language reads as meant."""

import pytest

from evalsets.errors import ArgumentError, QueryError
from evalsets.query import Schema, parse, to_text
from evalsets.query.types import BOOLEAN, DATE, INTEGER, TEXT, FieldType
from evalsets.query.writing import field_condition, joined

SCHEMA = Schema(
    {
        "n": INTEGER,
        "weather": TEXT,
        "wet": BOOLEAN,
        "day": DATE,
        "odd name": TEXT,
        "tags": FieldType("list", item=TEXT),
    }
)


def written(*asked):
    return to_text(field_condition(SCHEMA, *asked))


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (("n", ">=", "3"), "n >= 3"),
        (("n", "<", "0.5"), "n < 0.5"),
        (("weather", "=", "it's"), "weather = 'it''s'"),
        (("weather", "contains", "fog"), "weather ILIKE '%fog%'"),
        (("wet", "=", "true"), "wet = TRUE"),
        (("odd name", "is missing", ""), '"odd name" IS NULL'),
        (("tags", "contains", "a"), "tags CONTAINS 'a'"),
    ],
)
def test_a_form_writes_a_condition(asked, text):
    assert parse(written(*asked)) == parse(text)


def test_a_percent_sign_that_is_typed_is_a_percent_sign():
    assert written("weather", "contains", "5%!") == "weather ILIKE '%5!%!!%' ESCAPE '!'"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("n", ">", "many"), "a number, not with 'many'"),
        (("n", ">", "nan"), "a number, not with 'nan'"),
        (("wet", "=", "maybe"), "true or false"),
        (("day", "=", "soon"), "a date such as"),
        (("wet", ">", "true"), "cannot be asked '>'"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_words(asked, said):
    with pytest.raises(ArgumentError, match=said):
        field_condition(SCHEMA, *asked)


def test_a_field_that_is_gone_is_refused():
    with pytest.raises(QueryError, match="No field 'gone'"):
        field_condition(SCHEMA, "gone", "=", "1")


def test_a_condition_joins_what_was_typed_and_leaves_it_as_it_was():
    more = field_condition(SCHEMA, "wet", "=", "true")
    assert joined("", more) == "wet = TRUE"
    assert joined("n>3", more) == "n>3 AND wet = TRUE"
    assert joined("n>3 OR n<1", more) == "(n>3 OR n<1) AND wet = TRUE"
    ranked = "SELECT * FROM dataset WHERE n > 3 ORDER BY n LIMIT 5"
    assert joined(ranked, more).endswith(
        "WHERE n > 3 AND wet = TRUE ORDER BY n LIMIT 5"
    )
