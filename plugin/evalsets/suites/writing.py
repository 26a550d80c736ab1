"""Writes suite files; what did not change keeps its text, comments included."""

from __future__ import annotations

import io
import textwrap
from codecs import BOM_UTF8
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from evalsets.errors import ArgumentError
from evalsets.files import path_of, write_text
from evalsets.suites.population import Population, Requirement
from evalsets.suites.reading import SuiteFile, read_suite
from evalsets.suites.suite import Suite

_HEADER = """\
# Populations of the data, what is held out of each, and what a model must reach there.
# Its JSON schema: evalsets suite schema
"""


def write_suite(path: str | Path, suite: Suite) -> None:
    """Writes a suite to a new file, or into one that is there.

    In a file that is there, populations keep their order and those that did not change
    keep their text.

    Raises:
        ArgumentError: the file that is there is no suite, or cannot be written
    """
    file = path_of(path)
    if file.exists():
        read = read_suite(file)
        text = _rewritten(read, file.read_text(encoding="utf-8-sig"), suite)
        held = file.read_bytes()
        if b"\r\n" in held:
            text = text.replace("\n", "\r\n")
        if held.startswith(BOM_UTF8):
            text = f"\ufeff{text}"
    else:
        settings = [_dumped({"split": dict(suite.split)})] if suite.split else []
        text = "\n".join([_HEADER, *settings, _populations(suite)])
    write_text(file, text)


def _rewritten(read: SuiteFile, text: str, suite: Suite) -> str:
    lines = [line + "\n" for line in text.removesuffix("\n").split("\n")]
    sections = _sections(read.document, lines)
    changed = {"populations": _new_populations(read, lines, suite)}
    if suite.split and dict(suite.split) != dict(read.suite.split):
        changed["split"] = _new_split(sections.get("split"), lines, suite.split)
    parts = []
    at = 0
    if "split" in changed and "split" not in sections:
        parts.append(changed["split"] + "\n")
    for key, (start, end) in sections.items():
        parts += ["".join(lines[at:start]), changed.get(key, "".join(lines[start:end]))]
        at = end
    return "".join([*parts, *lines[at:]])


def _sections(document: CommentedMap, lines: list[str]) -> dict[str, tuple[int, int]]:
    """First line of each section and the line after it, in the order of the file."""
    starts = sorted((document.lc.key(key)[0], key) for key in document)
    ends = [_above(lines, start, 0) for start, _ in starts[1:]]
    return {
        key: (start, end)
        for (start, key), end in zip(starts, [*ends, len(lines)], strict=True)
    }


def _new_split(
    section: tuple[int, int] | None, lines: list[str], split: Mapping[str, Any]
) -> str:
    if section is None:
        return _dumped({"split": dict(split)})
    tree = YAML().load("".join(lines[slice(*section)]))
    if not isinstance(tree["split"], CommentedMap):
        tree["split"] = CommentedMap()
    _update(tree["split"], split)
    return _dumped(tree)


def _new_populations(read: SuiteFile, lines: list[str], suite: Suite) -> str:
    start, end = _sections(read.document, lines)["populations"]
    entries = read.document["populations"]
    if entries.fa.flow_style() or entries.lc.item(0)[0] == start:
        return _populations(suite)
    dashes = [_dash(lines, *entries.lc.item(at)) for at in range(len(entries))]
    column = lines[dashes[0]].index("-")
    begins = [_above(lines, line, column) for line in dashes]
    footer = _footer(lines[dashes[-1] : end], column)
    end -= len(footer)
    wanted = {p.name: p for p in suite.populations}
    parts = ["".join(lines[start : begins[0]])]
    for at, old in enumerate(read.suite.populations):
        stop = begins[at + 1] if at + 1 < len(begins) else end
        body = lines[dashes[at] : stop]
        new = wanted.pop(old.name, None)
        if new == old:
            parts += lines[begins[at] : stop]
        elif new is not None:
            parts += [*lines[begins[at] : dashes[at]], _changed(body, new, column)]
    added = [textwrap.indent(_item(p), " " * column) for p in wanted.values()]
    return "".join([*parts, *added, *footer])


def _above(lines: list[str], line: int, column: int) -> int:
    """The first of the comment lines right above a line that are about it."""
    while line > 0 and lines[line - 1].strip() and _is_outside(lines[line - 1], column):
        line -= 1
    return line


def _dash(lines: list[str], line: int, column: int) -> int:
    """The line with the dash of an item whose content begins there."""
    while not lines[line][:column].lstrip().startswith("-"):
        line -= 1
    return line


def _footer(body: list[str], column: int) -> list[str]:
    """Empty lines and comments that follow an item but are not inside it."""
    at = len(body)
    while at and _is_outside(body[at - 1], column):
        at -= 1
    return body[at:]


def _is_outside(line: str, column: int) -> bool:
    text = line.lstrip()
    return not text or (text.startswith("#") and len(line) - len(text) <= column)


def _changed(body: list[str], new: Population, column: int) -> str:
    """The text of a population whose values changed; comments inside stay."""
    footer = _footer(body, column)
    first = body[0][:column] + " " + body[0][column + 1 :]
    text = textwrap.dedent("".join([first, *body[1 : len(body) - len(footer)]]))
    try:
        tree = YAML().load(text)
    except YAMLError:  # an anchor that stands elsewhere
        tree = CommentedMap()
    _update(tree, _entry(new))
    return textwrap.indent(_dashed(_dumped(tree)), " " * column) + "".join(footer)


def _update(tree: CommentedMap, wanted: Mapping[str, Any]) -> None:
    for key in [key for key in tree if key not in wanted]:
        del tree[key]
    for key, value in wanted.items():
        if key not in tree or _plain(key, tree[key]) != _plain(key, value):
            tree[key] = value


def _plain(key: str, value: Any) -> Any:
    if key != "require":
        return value
    given = [value] if isinstance(value, str) else value
    return [
        Requirement.parse(one) if isinstance(one, str) else Requirement.from_dict(one)
        for one in given
    ]


def _populations(suite: Suite) -> str:
    items = [textwrap.indent(_item(p), "  ") for p in suite.populations]
    return "populations:\n" + "".join(items)


def _item(population: Population) -> str:
    return _dashed(_dumped(_entry(population)))


def _entry(population: Population) -> dict[str, Any]:
    entry = population.to_dict()
    for key, value in entry.items():
        if isinstance(value, str) and not value.isprintable():
            entry[key] = _quoted(value)
    if population.require:
        entry["require"] = [_printed(r) for r in population.require]
    return entry


def _quoted(value: str) -> Any:
    """Several lines as a block, as far as a block can hold them."""
    lines = value.split("\n")
    plain = all(line.isprintable() and line == line.rstrip() for line in lines)
    if plain and lines[0].strip() == lines[0] and lines[0] and lines[-1]:
        return LiteralScalarString(value)
    return DoubleQuotedScalarString(value)


def _printed(requirement: Requirement) -> str | dict[str, Any]:
    """As people write it, where that loses nothing."""
    try:
        same = Requirement.parse(str(requirement)) == requirement
    except ArgumentError:
        same = False
    return str(requirement) if same else requirement.to_dict()


def _dashed(text: str) -> str:
    return "- " + textwrap.indent(text, "  ")[2:]


def _dumped(tree: Any) -> str:
    yaml = YAML()
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(tree, out)
    return out.getvalue()
