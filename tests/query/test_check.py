from __future__ import annotations

import datetime as dt

import pytest

from evalsets.errors import QueryError
from evalsets.query import Schema, check, parse, to_text
from evalsets.query.syntax import Compare, Constant, Field
from evalsets.query.types import DATE, OTHER, TEXT, TIME, FieldType
from tests.query.strategies import OBJECTS
from tests.query.strategies import SCHEMA as ROWS

SCHEMA = Schema(
    {
        **ROWS.fields,
        "weather": FieldType("text", name="weather.label", path="weather.label"),
        "weather.label": TEXT,
        "vector": OTHER,
        "day": DATE,
        "time": TIME,
        "gt.detections": OBJECTS,
    },
    models={"resnet": "weather"},
    populations=("trees", "night"),
)


@pytest.mark.parametrize(
    "text",
    [
        "n > 1.5 AND f / n < 2",
        "weather = 'sunny' AND weather.label <> 'rain'",
        "prediction('resnet') = 'cat'",
        "population('trees') AND NOT population('night')",
        "vector IS NULL AND gt IS NOT NULL AND words IS NULL",
        "COUNT(gt, label = s AND confidence > f) > n",
        "SUM(gt, x * w) > 1 AND ANY(gt, index = 1)",
        "day < '2024-01-01' AND time >= '2024-01-01 10:00:00'",
        "day BETWEEN '2024-01-01' AND DATE '2024-02-01' AND day < time",
        "s IN ('a', NULL) AND NULL = n AND COALESCE(n, f, 1) = 2",
        "CASE WHEN b THEN n ELSE f END > text('x') - image('y')",
        "RANK(text('x')) <= 5 ORDER BY text('x') DESC, b, day",
        '"odd name" > 1',
    ],
)
def test_what_fits_the_fields_is_accepted_and_checking_twice_changes_nothing(text):
    checked = check(parse(text), SCHEMA)
    assert check(checked, SCHEMA) == checked
    assert parse(to_text(checked)).order_by == checked.order_by


@pytest.mark.parametrize(
    ("text", "problem", "word"),
    [
        (
            "n > 1 AND wether = 'x'",
            "No field 'wether'; did you mean 'weather'?",
            "wether",
        ),
        ("split = 'test'", "No field 'split'; split the dataset first", "split"),
        ("Weather = 'x'", "did you mean 'weather'?", "Weather"),
        ('weather = "sunny"', "(text takes single quotes: 'sunny')", '"sunny"'),
        ('weather = "driver\'s"', "quotes: 'driver''s')", '"driver'),
        ("weather = sunny", "(text takes single quotes: 'sunny')", "sunny"),
        ("sunny <> weather", "(text takes single quotes: 'sunny')", "sunny"),
        ("ANY(gt, label = person)", "(text takes single quotes: 'person')", "person"),
        ("n = sunny", "No field 'sunny'; known", "sunny"),
        ("text('x')", "write text('x') > 0.2", "text('x')"),
        ("glare < 0.2", "'glare'; tag the dataset with 'statistics' first", "glare"),
        ("weather.lable = 'x'", "did you mean 'weather.label'?", "weather.lable"),
        ("population('tree')", "did you mean 'trees'?", "population"),
        ("prediction('resnt') = 'x'", "did you mean 'resnet'?", "prediction"),
        ("ANY(gt, lable = 'x')", "did you mean 'label'?", "lable"),
        ("ANY(gt, zzz)", "dataset.add_dynamic_sample_fields()", "zzz"),
        ("gt.label = 'x'", "write ANY(gt, label = ...)", "gt.label"),
        ("s = 5", "'s' is text and cannot be compared with 5, which is a number", "5"),
        ("n = 'x'", "'n' is a number", "'x'"),
        ("n IN (1, 'x')", "'n' is a number", "'x'"),
        ("n BETWEEN 1 AND 'x'", "'n' is a number", "'x'"),
        ("day = 5", "'day' is a date", "5"),
        ("day = 'soon'", "not a date", "'soon'"),
        ("time = '2024-01-01 10:00:00.123456'", "finer than the milli", "'2024"),
        ("time < '0001-01-01 00:00:00+14:00'", "outside the years 1", "'0001"),
        ("time > '9999-12-31 23:59:59-14:00'", "outside the years 1", "'9999"),
        ("n", "must be true or false, but 'n' is a number", "n"),
        ("SELECT nosuch FROM dataset", "No field 'nosuch'", "nosuch"),
        ("SELECT n, sn FROM dataset WHERE b", "No field 'sn'", "sn"),
        ("n AND b", "AND joins conditions", "n"),
        ("NOT s", "NOT joins conditions", "s"),
        ("gt > 1", "a set of objects", "gt"),
        ("words = 'x'", "a list", "words"),
        ("vector = 1", "no plain value", "vector"),
        ("5 IN words", "'words' is a list of texts, but 5 is a number", "5"),
        ("'x' IN s", "'s' is not a list", "s"),
        ("COUNT(s) > 1", "'s' does not hold objects", "s"),
        ("COUNT(gt, index) > 1", "COUNT needs a condition for each object", "index"),
        ("AVG(gt, label) > 1", "AVG needs a number for each object", "label"),
        ("ANY(gt, text('x') > 0.2)", "inside an aggregate", "text"),
        ("ANY(gt, COUNT(gt) > 1)", "inside an aggregate", "COUNT"),
        ("s + 1 > 2", "'+' works on numbers", "s"),
        ("-s = 1", "'-' works on numbers", "s"),
        ("n LIKE 'x'", "LIKE works on text", "n"),
        ("LOWER(n) = 'x'", "LOWER works on text", "n"),
        ("ROUND(f, n) = 1", "ROUND takes a whole number", "n"),
        ("COALESCE(n, s) = 1", "COALESCE mixes number, text", "s"),
        ("CASE WHEN n THEN 1 END = 1", "WHEN needs a condition", "n"),
        ("CASE WHEN b THEN 1 ELSE 'x' END = 1", "CASE mixes number, text", "'x'"),
        ("TRUE ORDER BY gt", "ORDER BY needs values", "gt"),
        ("TRUE ORDER BY n, 1 DESC", "not a constant", "1"),
    ],
)
def test_what_does_not_fit_the_fields_is_refused_where_it_stands(text, problem, word):
    with pytest.raises(QueryError) as caught:
        check(parse(text), SCHEMA)
    assert problem in str(caught.value)
    assert caught.value.word.startswith(word)
    assert caught.value.text[caught.value.position :].startswith(word)


def test_a_label_field_stands_for_its_label():
    wanted = Compare("=", Field("weather.label"), Constant("cat"))
    assert check(parse("weather = 'cat'"), SCHEMA).where == wanted
    assert check(parse("prediction('resnet') = 'cat'"), SCHEMA).where == wanted


def test_text_compared_with_a_date_becomes_a_date():
    checked = check(parse("'2024-02-29' <= day"), SCHEMA)
    assert checked.where == Compare("<=", Constant(dt.date(2024, 2, 29)), Field("day"))
    late = check(parse("day = '2024-02-29 23:00:00'"), SCHEMA)
    assert late.where == Compare("=", Field("day"), Constant(dt.date(2024, 2, 29)))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("b AND LOWER(s) = 5", "5"),
        ("b AND 5 = LOWER(s)", "LOWER(s)"),
        ("n = TRUE", "TRUE"),
        ("b AND s = -1", "-1"),
        ("n = COALESCE('(', NULL, s) ", "COALESCE('(', NULL, s)"),
    ],
)
def test_the_whole_word_is_shown(text, word):
    with pytest.raises(QueryError) as caught:
        check(parse(text), SCHEMA)
    assert caught.value.word == word
    assert caught.value.text[caught.value.position :].startswith(word)
