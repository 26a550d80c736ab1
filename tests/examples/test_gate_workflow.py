"""The workflow that people copy calls commands that exist, on files that it has."""

import shlex
from pathlib import Path

import pytest
import typer
import yaml

from evalsets.cli import app

WORKFLOW = Path(__file__).parents[2] / "examples" / "ci" / "gate.yml"


@pytest.fixture(scope="module")
def jobs():
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]


def commands(job):
    lines = [line for s in job["steps"] for line in s.get("run", "").splitlines()]
    return [line for line in lines if line.startswith("evalsets ")]


def parsed(line):
    """The name and options of a command, as the command line takes them."""
    command, words, names = typer.main.get_command(app), shlex.split(line)[1:], []
    while hasattr(command, "commands"):
        name, *words = words
        command = command.commands[name]
        names.append(name)
    return " ".join(names), command.make_context(names[-1], words).params


def test_every_command_is_one_that_the_command_line_takes(jobs):
    called = {job: [parsed(line) for line in commands(jobs[job])] for job in jobs}
    names = {job: [name for name, _ in lines] for job, lines in called.items()}
    assert names == {"suite": ["suite load"], "gate": ["upload", "check"]}
    (_, check) = called["gate"][-1]
    assert (check["gate"], check["dataset"]) == ("suite.yml", "road")
    assert check["markdown"] == Path("gate.md")


def test_a_suite_is_loaded_only_when_it_is_merged(jobs):
    events = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))[True]  # "on"
    assert events["push"] == {"branches": ["main"], "paths": ["suite.yml"]}
    assert jobs["suite"]["if"] == "github.event_name == 'push'"
    assert jobs["gate"]["if"] == "github.event_name == 'pull_request'"


def test_the_comment_is_posted_whatever_the_verdict(jobs):
    (comment,) = [
        s for s in jobs["gate"]["steps"] if "gh pr comment" in s.get("run", "")
    ]
    assert comment["if"].startswith("always()")
    assert "--body-file gate.md" in comment["run"]
