import json
import string
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

import evalsets.suites
from evalsets.errors import ArgumentError
from evalsets.suites import Population, Requirement
from evalsets.suites.reading import read_suite
from evalsets.suites.suite import Suite, plan
from evalsets.suites.writing import write_suite

SCHEMA = json.loads(
    Path(evalsets.suites.__file__).with_name("suite.schema.json").read_text()
)
COMMENTED = """\
# Who to ask: perception team
split:
  val: 0.1   # of the rest
  groups: scene_id

populations:
  # The dark ones.
  # They matter most.
  - name: at night
    query: >-
      time = 'night'
      AND brightness < 0.3
    holdout: 0.2  # a fifth
    require:
      - accuracy >= 0.9
      # never worse than before
      - accuracy drop <= 0.01

  # Crowds.
  - name: crowded
    query: num_people > 5   # more than a car
    owner: "perception"

# The end.
"""
NIGHT = Population(
    "at night",
    "time = 'night' AND brightness < 0.3",
    holdout=0.2,
    require=[
        Requirement("accuracy", at_least=0.9),
        Requirement("accuracy", max_drop=0.01),
    ],
)
CROWDED = Population("crowded", "num_people > 5", owner="perception")
SPLIT = {"val": 0.1, "groups": "scene_id"}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "suite.yml"
    path.write_text(COMMENTED)
    return path


def test_a_file_reads_as_its_populations(file):
    assert read_suite(file).suite == Suite((NIGHT, CROWDED), SPLIT)


def test_writing_what_is_there_changes_not_one_byte(file):
    write_suite(file, Suite((CROWDED, NIGHT), SPLIT))
    assert file.read_text() == COMMENTED


@pytest.mark.parametrize(("mark", "ends"), [(b"", b"\r\n"), (b"\xef\xbb\xbf", b"\n")])
def test_a_file_of_another_system_keeps_its_line_ends_and_its_mark(file, mark, ends):
    text = mark + file.read_bytes().replace(b"\n", ends)
    file.write_bytes(text)
    write_suite(file, read_suite(file).suite)
    assert file.read_bytes() == text
    write_suite(file, Suite((NIGHT, replace(CROWDED, owner="me")), SPLIT))
    assert file.read_bytes() == text.replace(b'"perception"', b"me")


def test_a_change_keeps_every_comment_and_every_other_line(file):
    write_suite(file, Suite((replace(NIGHT, holdout=0.3), CROWDED), SPLIT))
    before, after = COMMENTED.splitlines(), file.read_text().splitlines()
    assert [x for x in after if x not in before] == ["    holdout: 0.3  # a fifth"]
    for comment in (x[x.index("#") :] for x in before if "#" in x):
        assert comment in file.read_text()


def test_a_removed_population_takes_only_its_own_comments_along(file):
    write_suite(file, Suite((CROWDED,), SPLIT))
    text = file.read_text()
    assert "dark ones" not in text
    assert "# Crowds.\n  - name: crowded\n" in text
    assert "# Who to ask" in text
    assert text.endswith('owner: "perception"\n\n# The end.\n')
    write_suite(file, Suite((NIGHT,), SPLIT))
    assert file.read_text().endswith("# The end.\n")


def test_a_new_population_comes_last_and_new_settings_where_they_were(file):
    rain = Population("rain", "weather = 'rain'", description="wet: # or so")
    write_suite(file, Suite((NIGHT, CROWDED, rain), {"val": 0.2, "seed": 3}))
    text = file.read_text()
    assert "# The dark ones." in text
    assert text.index("crowded") < text.index("rain") < text.index("# The end.")
    assert "val: 0.2   # of the rest" in text
    read = read_suite(file).suite
    assert read == Suite((NIGHT, CROWDED, rain), {"val": 0.2, "seed": 3})


@pytest.mark.parametrize(
    "text",
    [
        "populations: [{name: at night, query: time = 'night'}]\n",
        "populations:\n- {name: at night, query: time = 'night', holdout: 0.5}\n",
        "populations:\n-\n  name: at night\n  query: x > 1",
        "populations:\n- &a\n  name: at night\n  query: x > 1\n# end",
        "populations:\n- name: at night\n  query: |\n    x > 1\n    # no\nsplit: {val: 1}",
    ],
)
def test_any_layout_can_be_rewritten(tmp_path, text):
    file = tmp_path / "suite.yml"
    file.write_text(text)
    write_suite(file, Suite((NIGHT, CROWDED), SPLIT))
    assert read_suite(file).suite == Suite((NIGHT, CROWDED), SPLIT)


def test_populations_may_share_requirements_by_an_alias(tmp_path):
    file = tmp_path / "suite.yml"
    file.write_text(
        "populations:\n"
        "- {name: a, query: x > 1, require: &same [accuracy >= 0.9]}\n"
        "- {name: b, query: x > 2, require: *same}\n"
    )
    first, second = read_suite(file).suite.populations
    assert first.require == second.require == (Requirement("accuracy", at_least=0.9),)
    write_suite(file, Suite((first, replace(second, holdout=0.5))))
    assert read_suite(file).suite.populations[1].require == first.require


names = st.text(string.printable + "äß語", min_size=1, max_size=20).filter(str.strip)
bounds = st.floats(0, 1e6)
requirements = st.builds(
    lambda metric, bound, value: Requirement(metric, **{bound: value}),
    st.sampled_from(["accuracy", "f1", "recall:a b"]),
    st.sampled_from(["at_least", "at_most", "max_drop"]),
    bounds,
)
populations = st.builds(
    Population,
    names,
    names,
    holdout=st.floats(0, 1),
    require=st.lists(requirements, max_size=1),
    min_size=st.integers(1, 10**6),
    description=st.text(string.printable, max_size=20),
    owner=st.text("ab:#-' \"", max_size=5),
)


def unlike(suite):
    queries = [" ".join(p.query.split()) for p in suite]
    return len(set(queries)) == len(queries)


suites = st.lists(
    populations, min_size=1, max_size=4, unique_by=lambda p: p.name
).filter(unlike)


@settings(max_examples=25, deadline=None)
@given(first=suites, second=suites)
def test_what_is_written_reads_as_it_was(tmp_path_factory, first, second):
    file = tmp_path_factory.mktemp("suites") / "suite.yml"
    write_suite(file, Suite(tuple(first)))
    assert read_suite(file).suite.populations == tuple(first)
    jsonschema.validate(YAML(typ="safe").load(file), SCHEMA)
    write_suite(file, Suite(tuple(second), {"val": 0.5}))
    read = read_suite(file).suite
    assert {p.name: p for p in read.populations} == {p.name: p for p in second}
    assert plan(Suite(tuple(second), {"val": 0.5}), read).same


P = "populations:\n- name: a\n  query: x > 1\n"
WRONG = {
    "unknown key": (P + "  holdut: 0.2\n", 4, "unknown key 'holdut'.*'holdout'"),
    "unknown section": (P + "model: x\n", 4, "unknown key 'model' in a suite"),
    "unknown setting": ("split: {vall: 1}\n" + P, 1, "unknown key 'vall'.*'val'"),
    "text share": (P + "  holdout: a fifth\n", 4, "must be a number, not 'a fifth'"),
    "share above 1": (P + "  holdout: 20\n", 4, "holdout of 'a' is 20"),
    "not a number": (P + "  holdout: .nan\n", 4, "holdout of 'a' is nan"),
    "yes": (P + "  min_size: true\n", 4, "must be a whole number, not 'True'"),
    "huge size": (P + "  min_size: 1" + "0" * 20 + "\n", 4, "below 2.63"),
    "no name": ("populations:\n- query: x > 1\n", 2, "has no 'name'"),
    "number as name": ("populations:\n- name: 7\n  query: x\n", 2, "in quotes"),
    "empty query": (
        "populations:\n- name: a\n  query:\n",
        3,
        "must be text, not empty",
    ),
    "reserved": ("populations:\n- name: (all)\n  query: x\n", 2, "the whole data"),
    "doubled name": (P + P[13:], 4, "'a' stands in line 2 already"),
    "doubled key": (P + "  query: y\n", 4, "duplicate key"),
    "no population": ("populations: []\n", 1, "at least one"),
    "nothing": ("", 1, "begins with the key 'populations'"),
    "a list": ("- a\n", 1, "begins with the key 'populations'"),
    "text for one": ("populations:\n- a\n", 2, "mapping with 'name' and 'query'"),
    "requirement": (P + "  require:\n  - good\n", 5, "cannot be read"),
    "bound": (P + "  require:\n  - {metric: f1, above: 1}\n", 5, "unknown key 'above'"),
    "two bounds": (
        P + "  require:\n  - {metric: f1, at_least: 1, at_most: 2}\n",
        5,
        "exactly one",
    ),
    "impossible": (
        P + "  require:\n  - mae >= 3\n  - mae <= 2\n",
        6,
        "'mae >= 3' and 'mae <= 2': no value can meet both",
    ),
    "said twice": (
        P + "  require:\n  - f1 >= 0.3\n  - f1 >= 0.4\n",
        6,
        "say one of them",
    ),
    "two hold-outs": (
        P + "  holdout: 0.2\n- name: b\n  query: x  > 1\n  holdout: 0.5\n",
        5,
        "'b' has the query of 'a' .line 2. and another hold-out: 0.5 and 0.2",
    ),
    "val": ("split:\n  val: 2\n" + P, 2, "val is 2"),
    "seed below 0": ("split:\n  seed: -1\n" + P, 2, "seed is -1; give"),
    "huge seed": ("split:\n  seed: 1" + "0" * 20 + "\n" + P, 2, "seed is 10+; give"),
    "groups": ("split:\n  groups: 3\n" + P, 2, "'groups' must be text"),
    "tag": ("populations: !!python/object:os.system [x]\n", 1, "has no place"),
    "merge": ("x: &x {a: 1}\ny: {<<: *x}\n", 2, "a merge key has no place"),
    "deep": ("x: " + "[" * 5000, 1, "nested too deep"),
    "two documents": (P + "---\na: 1\n", 5, "a second document"),
    "not yaml": (P + "  a: b: c\n", 4, "not YAML"),
    "unknown alias": ("populations: *x\n", 1, "not YAML"),
    "bomb": (
        "a: &a [x,x]\nb: &b [*a,*a]\n" + "populations: [" + "*b," * 1500 + "]\n",
        3,
        "nested too deep",
    ),
}


@pytest.mark.parametrize(("text", "line", "said"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_told_with_its_line_and_nothing_is_written(
    tmp_path, text, line, said
):
    file = tmp_path / "suite.yml"
    file.write_text(text)
    with pytest.raises(ArgumentError, match=said) as raised:
        read_suite(file)
    assert str(raised.value).startswith(f"{file}:{line}: ")
    with pytest.raises(ArgumentError):
        write_suite(file, Suite((NIGHT,)))
    assert file.read_text() == text


BY_SCHEMA = {
    "unknown key",
    "unknown section",
    "unknown setting",
    "text share",
    "share above 1",
    "yes",
    "no name",
    "number as name",
    "empty query",
    "no population",
    "a list",
    "text for one",
    "requirement",
    "bound",
    "two bounds",
    "val",
    "seed below 0",
    "huge seed",
    "huge size",
    "groups",
}


@pytest.mark.parametrize("case", sorted(BY_SCHEMA))
def test_the_schema_refuses_what_we_refuse(case):
    document = YAML(typ="safe").load(WRONG[case][0])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_the_schema_takes_what_we_take(file):
    jsonschema.validate(YAML(typ="safe").load(file), SCHEMA)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_huge_file_is_refused_unread(tmp_path):
    file = tmp_path / "suite.yml"
    file.write_text(P + "#" * 1_000_001)
    with pytest.raises(ArgumentError, match="larger than 1 MB"):
        read_suite(file)


def test_five_hundred_populations_are_read(tmp_path):
    file = tmp_path / "suite.yml"
    many = tuple(Population(f"p{n}", f"x > {n}", holdout=0.1) for n in range(500))
    write_suite(file, Suite(many))
    assert read_suite(file).suite.populations == many


def test_a_plan_says_what_changes():
    after = Suite(
        (replace(NIGHT, holdout=0.5), Population("rain", "x > 1")), {"val": 0.2}
    )
    found = plan(Suite((NIGHT, CROWDED), SPLIT), after)
    assert not found.same
    assert str(found) == (
        "+ 'rain': x > 1\n"
        "~ 'at night'\n"
        "    holdout: 0.2 → 0.5\n"
        "- 'crowded'\n"
        "~ split: val 0.1 → 0.2"
    )
