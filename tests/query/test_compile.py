from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

from evalsets.errors import QueryError
from evalsets.query import (
    Members,
    check,
    column_of,
    evaluate,
    interpret,
    parse,
    replace,
    similarity_predicates,
    terms,
)

pytestmark = pytest.mark.db

HOSTILE = ["$where", "$s", "$$ROOT", '{"$gt": 1}', "$literal", "a.b", "\x00", "'; --"]


def found(dataset, text: str, columns=None) -> list[str]:
    from evalsets.datasets.compile import apply
    from evalsets.datasets.schema import read_schema

    query = check(parse(text), read_schema(dataset))
    names = apply(dataset, query, columns).values("filepath")
    return [name[1:-4] for name in names]


def add(dataset, rows: dict[str, dict]) -> dict[str, str]:
    """Adds samples by name; returns their ids."""
    import fiftyone as fo

    samples = [fo.Sample(filepath=f"/{name}.png", **row) for name, row in rows.items()]
    return dict(zip(rows, dataset.add_samples(samples), strict=True))


def test_text_that_looks_like_an_operator_stays_text(dataset):
    add(
        dataset, {str(i): {"s": text, "tags": [text]} for i, text in enumerate(HOSTILE)}
    )
    for i, text in enumerate(HOSTILE):
        quoted = "'" + text.replace("'", "''") + "'"
        assert found(dataset, f"s = {quoted}") == [str(i)]
        assert found(dataset, f"s IN ({quoted}, 'x')") == [str(i)]
        assert found(dataset, f"s LIKE {quoted}") == [str(i)]
        assert found(dataset, f"{quoted} IN tags") == [str(i)]
        assert found(dataset, f"CASE s WHEN {quoted} THEN TRUE END") == [str(i)]


def test_every_kind_of_field_can_be_asked(dataset):
    import fiftyone as fo

    boxes = [
        fo.Detection(label="person", bounding_box=[0, 0, 0.5, 0.5], confidence=0.9)
    ]
    points = [fo.Keypoint(label="nose", points=[(0.5, 0.5)])]
    row = {
        "metadata": fo.ImageMetadata(width=640, height=480),
        "weather": fo.Classification(label="sunny", confidence=0.75),
        "age": fo.Regression(value=31.0),
        "gt": fo.Detections(detections=boxes),
        "skeletons": fo.Keypoints(keypoints=points),
        "many": fo.Classifications(classifications=[fo.Classification(label="a")]),
        "day": dt.date(2024, 2, 29),
    }
    ids = add(
        dataset, {"full": row, "bare": {"weather": fo.Classification(label="rain")}}
    )
    for text in (
        "metadata.width / metadata.height > 1.3",
        "weather = 'sunny' AND weather.confidence = 0.75",
        "age BETWEEN 31 AND 32",
        "ANY(gt, label = 'person' AND area = 0.25 AND confidence > 0.8)",
        "COUNT(skeletons, label = 'nose') = 1 AND COUNT(many, label = 'a') = 1",
        "day = '2024-02-29' AND created_at > TIMESTAMP '2024-01-01 00:00:00'",
        f"id = '{ids['full']}' AND filepath LIKE '%full.png'",
        "gt IS NOT NULL AND metadata IS NOT NULL",
    ):
        assert found(dataset, text) == ["full"]
    assert found(dataset, "COUNT(gt) = 0 AND day IS NULL") == ["bare"]


def test_a_saved_condition_is_plain_json_and_takes_in_new_samples(dataset):
    import fiftyone as fo

    from evalsets.datasets.compile import apply
    from evalsets.datasets.schema import read_schema

    day = dt.date(2024, 2, 29)
    add(dataset, {"old": {"f": 1.0, "day": day}, "no": {"f": -1.0, "day": day}})
    text = "f / 0 > 0 AND MAX(gt, x) IS NULL AND day > '2024-02-01' AND ROUND(f) = 1"
    kind = {"embedded_doc_type": fo.Detections}
    dataset.add_sample_field("gt", fo.EmbeddedDocumentField, **kind)
    dataset.save_view("v", apply(dataset, check(parse(text), read_schema(dataset))))
    (stages,) = [v.view_stages for v in dataset._doc.saved_views]

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    for stage in stages:
        json.loads(stage, parse_constant=refuse)
    add(dataset, {"new": {"f": 1.25, "day": day}})
    dataset.reload()
    assert len(dataset.load_saved_view("v")) == 2


def test_equality_and_bounds_are_answered_from_an_index(dataset):
    import fiftyone as fo

    from evalsets.datasets.compile import apply
    from evalsets.datasets.schema import read_schema

    rows = {
        str(i): {
            "n": i,
            "f": i / 4,
            "tags": [f"t{i}"],
            "weather": fo.Classification(label=f"w{i}"),
        }
        for i in range(50)
    }
    add(dataset, rows)
    dataset.create_index("f")
    dataset.create_index("tags")
    dataset.create_index("weather.label")
    dataset.create_index("n")
    for text in (
        *("weather = 'w7'", "n > 45", "n <= 3", "weather IN ('w1', 'w2')"),
        *("f > 11.2", "NOT f < 11.2", "f BETWEEN 1 AND 2", "'t7' IN tags"),
        "weather = 'w7' AND n + 1 > 3 AND NOT n < 5",
    ):
        view = apply(dataset, check(parse(text), read_schema(dataset)))
        command = {
            "aggregate": dataset._sample_collection_name,
            "pipeline": view._pipeline(),
            "cursor": {},
        }
        plan = dataset._sample_collection.database.command("explain", command)
        assert "IXSCAN" in str(plan)


def test_a_similarity_reads_its_field(dataset):
    add(
        dataset,
        {"a": {"sim": 0.4}, "b": {"sim": 0.1}, "c": {"sim": None}, "d": {"sim": 0.9}},
    )
    (term,) = terms(parse("text('x') > 0"))
    columns = {term: "sim"}
    assert found(dataset, "text('x') > 0.2 ORDER BY text('x') DESC", columns) == [
        "d",
        "a",
    ]
    assert found(dataset, "NOT text('x') > 0.2", columns) == ["b"]
    assert found(dataset, "text('x') IS NULL", columns) == ["c"]


def test_found_samples_combine_with_conditions_and_are_sorted_by_score(dataset):
    from evalsets.datasets.compile import apply, compile_query
    from evalsets.datasets.schema import read_schema

    ids = add(
        dataset, {n: {"k": k} for n, k in zip("abcd", (1, 2, 3, None), strict=True)}
    )
    text = "text('x') > 0.5 OR NOT text('x') > 0.5 AND k > 1 ORDER BY text('x') DESC, k"
    query = check(parse(text), read_schema(dataset))
    (predicate,) = similarity_predicates(query)
    (term,) = terms(query)
    scores = {ids["a"]: 0.9, ids["b"]: 0.1, ids["c"]: 0.95}
    members = Members(frozenset({ids["a"], ids["c"]}), null=frozenset({ids["d"]}))
    ready = replace(query, {predicate: members})
    assert apply(dataset, ready, {term: scores}).values("id") == [ids[n] for n in "cab"]
    assert set(dataset.match(compile_query(ready)).values("id")) == {
        ids[n] for n in "abc"
    }


def test_a_query_too_deep_for_the_database_is_refused(dataset):
    add(dataset, {"a": {"n": 1, "b": True}})
    assert found(dataset, "n" + " + 0" * 40 + " = 1") == ["a"]
    with pytest.raises(QueryError, match="nested too deeply"):
        found(dataset, "n" + " + 0" * 95 + " = 1")
    chain = "b"
    for _ in range(20):
        chain = f"({chain}) = (b OR n = 2)"
    assert found(dataset, chain) == ["a"]


def test_a_query_too_large_for_the_database_is_refused(dataset, monkeypatch):
    from evalsets.datasets import compile as compiled

    add(dataset, {"a": {"s": "x"}})
    monkeypatch.setattr(compiled, "_MAX_BYTES", 500)
    assert found(dataset, "s = 'x'") == ["a"]
    with pytest.raises(QueryError, match="too large"):
        found(dataset, " OR ".join(["s = 'x'"] * 50))


def test_a_single_object_is_asked_for_its_label_and_its_box(dataset):
    import fiftyone as fo

    from evalsets.datasets.compile import read_fields
    from evalsets.datasets.schema import read_schema

    def box(label, *sides):
        return fo.Detection(label=label, bounding_box=list(sides))

    add(
        dataset,
        {
            "cat": {"one": box("cat", 0.1, 0.25, 0.5, 0.5)},
            "dog": {"one": box("dog", 0.5, 0.5, 0.25, 0.25)},
            "bare": {"one": fo.Detection(label="cat")},
            "none": {},
        },
    )
    rows = [
        {"filepath": name, "one": label and label.to_dict()}
        for name, label in zip(*dataset.values(["filepath", "one"]), strict=True)
    ]
    for text, names in {
        "one = 'cat'": ["cat", "bare"],
        "one.x < 0.3": ["cat"],
        "one.area BETWEEN 0.05 AND 0.1 AND one = 'dog'": ["dog"],
        "NOT one.w > 0.3": ["dog"],
        "one.y + one.h > 0.74 AND one.h <> 0.5": ["dog"],
        "one.x IS NULL": ["bare", "none"],
    }.items():
        query = check(parse(text), read_schema(dataset))
        assert found(dataset, text) == names
        meant = [rows[at]["filepath"][1:-4] for at in interpret(query, rows)]
        assert meant == names
        columns = read_fields(dataset.view(), [query.where])
        table = {path: column_of(values) for path, values in columns.items()}
        true, _ = evaluate(query.where, table)
        assert [rows[at]["filepath"][1:-4] for at in np.flatnonzero(true)] == names
    whole = [fo.Detections(detections=[box("cat", 0, 0, 1, 1)]) for _ in range(4)]
    dataset.set_values("many", whole)
    patches = dataset.to_patches("many")
    assert len(found(patches, "many = 'cat' AND many.area = 1")) == 4


def test_spans_of_time_are_counted_and_lists_of_dates_are_refused(dataset):
    import fiftyone as fo

    runs = [fo.TemporalDetection(label="run", support=[1, 3], confidence=0.5)]
    add(
        dataset,
        {
            "a": {"spans": fo.TemporalDetections(detections=runs)},
            "b": {"days": [dt.date(2024, 1, 2)]},
        },
    )
    assert found(dataset, "COUNT(spans, label = 'run' AND confidence > 0.4) = 1") == [
        "a"
    ]
    assert found(dataset, "COUNT(spans) = 0") == ["b"]
    with pytest.raises(QueryError, match="'days' is a list of other things than"):
        found(dataset, "'2024-01-02' IN days")


def test_members_are_the_same_wherever_they_are_worked_out(dataset, monkeypatch):
    """Here, column by column; by MongoDB; and by MongoDB where texts are too many."""
    from evalsets.datasets import populations
    from evalsets.datasets.schema import read_schema

    add(
        dataset,
        {
            name: {"weather": weather, "street": street, "n": n}
            for name, weather, street, n in (
                ("a", "fog", "Ä", 1),
                ("b", None, "fog", 2),
                ("c", "sun", None, None),
                ("d", "Fog", "sun", 0),
            )
        },
    )
    texts = {
        "equal": "weather = 'fog' AND n > 0",
        "not": "NOT weather = 'fog'",
        "null": "weather IS NULL OR n IS NULL",
        "like": "weather ILIKE 'fo%' AND NOT street LIKE '%g'",
        "order": "weather >= 'fog' OR street < 'Ä'",
        "case": "CASE WHEN weather = 'fog' THEN 'x' ELSE street END = 'x'",
        "two": "weather = street OR weather = 'sun'",
        "none": "NOT weather IN ('fog', NULL)",
    }
    schema = read_schema(dataset)
    queries = {name: check(parse(text), schema) for name, text in texts.items()}
    names = dataset.values("filepath")
    frames = [populations.members(dataset.view(), queries)]
    monkeypatch.setattr(populations, "_FEW", 2)
    frames.append(populations.members(dataset.view(), queries))
    monkeypatch.setattr(populations, "is_quick", lambda _: False)
    frames.append(populations.members(dataset.view(), queries))
    for name, text in texts.items():
        meant = found(dataset, text)
        for frame in frames:
            inside = [
                path[1:-4]
                for path, true in zip(names, frame[name], strict=True)
                if true
            ]
            assert inside == meant, name


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
def test_a_fraction_stands_to_a_constant_as_in_sql_however_large_it_is(
    dataset, operator
):
    from evalsets.datasets.schema import read_schema

    numbers = [None, np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, -0.0, 4.0, 2.0**60]
    rows = [{"x": number, "n": at} for at, number in enumerate(numbers)]
    add(dataset, {str(row["n"]): row for row in rows})
    schema = read_schema(dataset)
    for bound in ("0", "4", "-1e308", "1e308", "9007199254740993"):
        for condition in ("x + 0.5 - 0.5", "NOT n + x", "n + x"):
            text = f"{condition} {operator} {bound}"
            meant = [str(at) for at in interpret(check(parse(text), schema), rows)]
            assert found(dataset, text) == meant, text
