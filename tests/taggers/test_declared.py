import re
from pathlib import Path

import fiftyone.zoo as foz
import pytest

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.query.check import STATISTICS
from evalsets.taggers import read_taggers


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(ArgumentError) as error:
        read_taggers("gone.yml")
    assert str(error.value) == "There is no file 'gone.yml'; check the path"


def test_a_file_that_is_no_yaml_says_where_in_one_line(tmp_path):
    path = tmp_path / "tags.yml"
    path.write_text("taggers: [\n")
    with pytest.raises(
        ArgumentError, match=r"tags.yml:2: cannot be read as YAML"
    ) as error:
        read_taggers(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("taggers: []", "tags.yml' declares no tagger; put some under 'taggers'"),
        ("taggers: {}", "tags.yml' holds no list under the key 'taggers'"),
        (
            "taggers:\n  - zero_shot: {field: f}",
            "tags.yml:2: Tagger 'zero_shot' needs 'classes'",
        ),
        (
            "taggers:\n  - statistics: {}\n  - disagreement: {}",
            "tags.yml:3: Tagger 'disagreement' needs 'field' and 'between'",
        ),
        (
            "taggers:\n  - count: {fields: {n: person}}",
            "tags.yml:2: Tagger 'count' needs 'model'",
        ),
        (
            "taggers:\n  - statistics: {}\n  - statistics: {}",
            "tags.yml:3: Field 'brightness' is filled by 'statistics' and by",
        ),
    ],
)
def test_what_a_file_lacks_is_told(tmp_path, text, said):
    path = tmp_path / "tags.yml"
    path.write_text(text)
    with pytest.raises(ArgumentError) as error:
        read_taggers(path)
    assert said in str(error.value)


def test_a_model_that_nobody_knows_is_told_in_words_of_a_file():
    entry = {"count": {"model": "seer-9000", "field": "n", "label": "person"}}
    with pytest.raises(UnknownNameError, match="model zoo") as error:
        read_taggers([entry])
    assert "=" not in str(error.value)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("zero_shoot: {field: f}", "No tagger 'zero_shoot'; did you mean 'zero_shot'?"),
        (
            "zero_shot: {field: f, clases: {a: b}}",
            "no option 'clases'; did you mean 'cl",
        ),
        ("count: {modle: m, fields: {n: person}}", "'modle'; did you mean 'model'?"),
        ("count: {model: m, fields: {n: person}, confidense: 1}", "mean 'confidence'?"),
        ("statistics", "one kind with its options"),
    ],
)
def test_a_mistake_in_a_file_has_its_line_and_what_was_meant(tmp_path, entry, said):
    path = tmp_path / "tags.yml"
    path.write_text(f"taggers:\n  - facts: {{}}\n\n  - {entry}\n")
    with pytest.raises(ArgumentError) as error:
        read_taggers(path, {"m": object()})
    assert str(error.value).startswith(f"{path}:4: ")
    assert said in str(error.value)


def test_queries_know_which_fields_the_statistics_fill():
    (tagger,) = read_taggers([{"statistics": {}}])
    assert tuple(tagger.fields) == STATISTICS


def test_models_that_the_documentation_names_need_nothing_else_installed():
    readme = Path(__file__).parents[2] / "README.md"
    text = readme.read_text(encoding="utf-8") + read_taggers.__doc__
    named = set(re.findall(r"[\w-]+-torch\b", text))
    assert named
    for name in named:
        foz.ensure_zoo_model_requirements(name, error_level=0)


def test_two_taggers_of_one_field_are_refused():
    with pytest.raises(ArgumentError, match="'brightness' is filled by"):
        read_taggers([{"statistics": {}}, {"statistics": {}}])


def test_options_must_have_names():
    with pytest.raises(ArgumentError, match="by name"):
        read_taggers([{"document": [0.5]}])
    with pytest.raises(ArgumentError, match="fills no field"):
        read_taggers([{"count": {"model": "m"}}], {"m": object()})
    with pytest.raises(ArgumentError, match="class by field"):
        read_taggers([{"count": {"model": "m", "fields": ["n"]}}], {"m": object()})
    with pytest.raises(ArgumentError, match="prompt"):
        read_taggers([{"zero_shot": {"field": "f", "classes": ["a", "b"]}}])
