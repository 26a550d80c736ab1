import ast
import re
from pathlib import Path

import pytest

from evalsets.query import parse, to_text

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
TABLE = README.partition("| construct | example |")[2].partition("\n\n")[0]
QUERIES = [
    query
    for line in TABLE.splitlines()[2:]
    for query in re.findall(r"`([^`]+)`", line.split("|")[2])
    if query != "Classification"
]


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_of_the_readme_reads_and_prints_as_itself(query):
    assert parse(to_text(parse(query))) == parse(query)


def test_the_readme_shows_queries():
    assert len(QUERIES) > 15


@pytest.mark.parametrize(
    "code", re.findall(r"```python\n(.*?)```", README, re.DOTALL), ids=lambda _: "code"
)
def test_python_of_the_readme_uses_public_names_only(code):
    import evalsets

    tree = ast.parse(code)
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "es"
    }
    assert used <= set(evalsets.__all__)


def test_every_command_of_the_readme_exists():
    from evalsets.cli import app

    commands = {
        command.name or command.callback.__name__ for command in app.registered_commands
    }
    shown = set(re.findall(r"^evalsets ([a-z-]+)", README, re.MULTILINE))
    assert shown <= commands
