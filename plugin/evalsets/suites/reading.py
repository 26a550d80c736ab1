"""Suite files: YAML that is checked line by line.

::

    split:
      val: 0.1
      groups: scene_id
    populations:
      - name: at night
        query: time = 'night'
        holdout: 0.2
        require:
          - accuracy >= 0.9
          - accuracy drop <= 0.01

``suite.schema.json`` beside this module is the JSON schema of such a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    NodeEvent,
    ScalarEvent,
)

from evalsets.errors import ArgumentError, suggest
from evalsets.files import path_of
from evalsets.suites.population import Population, Requirement, refuse_impossible
from evalsets.suites.suite import SEEDS, SETTINGS, Suite, two_holdouts

MAX_BYTES = 1_000_000
MAX_DEPTH = 8
MAX_ALIASES = 1_000

_TYPES: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "query": (str,),
    "holdout": (int, float),
    "require": (str, list),
    "min_size": (int,),
    "description": (str,),
    "owner": (str,),
}
_BOUNDS: dict[str, tuple[type, ...]] = {
    "metric": (str,),
    "at_least": (int, float),
    "at_most": (int, float),
    "max_drop": (int, float),
}
_WORDS: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    list: "a list",
}


@dataclass(frozen=True)
class SuiteFile:
    """A suite as a file states it.

    Args:
        path: of the file
        suite: what it says
        lines: line of each population's name and query, counted from 1
        document: the tree with its places, for rewriting
    """

    path: Path
    suite: Suite
    lines: Mapping[str, tuple[int, int]]
    document: CommentedMap

    def at(self, name: str, *, query: bool = False) -> str:
        """Where a population stands, as ``suite.yml:12``."""
        return f"{self.path}:{self.lines[name][query]}"


def read_suite(path: str | Path) -> SuiteFile:
    """Reads a suite file.

    Raises:
        ArgumentError: what is wrong with it, and in which line
    """
    file = path_of(path)
    document = load_yaml(_text(file), file)
    if not isinstance(document, CommentedMap):
        raise ArgumentError(
            f"{file}:1: no suite; it begins with the key 'populations' and a list of them"
        )
    _check_keys(document, ("populations", "split"), file, "a suite")
    entries = document.get("populations")
    if not isinstance(entries, CommentedSeq) or not entries:
        line = _line(document, "populations") if "populations" in document else 1
        raise ArgumentError(
            f"{file}:{line}: 'populations' must be a list of at least one population"
        )
    populations: list[Population] = []
    lines: dict[str, tuple[int, int]] = {}
    for at in range(len(entries)):
        line = entries.lc.item(at)[0] + 1
        population = _population(entries[at], file, line)
        if population.name in lines:
            raise ArgumentError(
                f"{file}:{line}: population '{population.name}' stands in line "
                f"{lines[population.name][0]} already"
            )
        lines[population.name] = (line, _line(entries[at], "query"))
        populations.append(population)
    _refuse_contradictions(populations, file, lines)
    suite = Suite(tuple(populations), _split(document, file))
    return SuiteFile(file, suite, lines, document)


def load_yaml(text: str, file: Path) -> Any:
    """A tree that keeps comments and places.

    Raises:
        ArgumentError: not YAML, or YAML that does more than hold plain values
    """
    try:
        _refuse_tricks(text, file)
        return YAML().load(text)
    except ArgumentError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = (error.problem or str(error)).splitlines()[0]
        raise ArgumentError(f"{file}:{line}: not YAML: {problem}") from error
    except (YAMLError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise ArgumentError(f"{file}: not YAML: {said}") from error


def _text(file: Path) -> str:
    if not file.is_file():
        raise ArgumentError(f"There is no file '{file}'; check the path")
    if file.stat().st_size > MAX_BYTES:
        raise ArgumentError(f"{file}: larger than 1 MB, which no suite is")
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(f"{file}: cannot be read as UTF-8 text") from error


def _refuse_tricks(text: str, file: Path) -> None:
    """Refuses what could run code or grow without bound, before any value is made."""
    depth = aliases = documents = 0
    for event in YAML().parse(text):
        line = event.start_mark.line + 1
        documents += isinstance(event, DocumentStartEvent)
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        aliases += isinstance(event, AliasEvent)
        tagged = isinstance(event, (CollectionStartEvent, ScalarEvent)) and (
            str(event.tag or "!") != "!"
        )
        merged = (
            isinstance(event, ScalarEvent) and event.value == "<<" and not event.style
        )
        if tagged or merged:
            what = "a merge key" if merged else f"the tag '{event.tag}'"
            raise ArgumentError(f"{file}:{line}: {what} has no place in a suite")
        if depth > MAX_DEPTH or aliases > MAX_ALIASES:
            raise ArgumentError(f"{file}:{line}: nested too deep for a suite")
        if documents > 1 and isinstance(event, NodeEvent):
            raise ArgumentError(f"{file}:{line}: a second document; a suite is one")


def _population(entry: Any, file: Path, line: int) -> Population:
    if not isinstance(entry, CommentedMap):
        raise ArgumentError(
            f"{file}:{line}: a population is a mapping with 'name' and 'query'"
        )
    _check_keys(entry, _TYPES, file, "a population")
    for key in ("name", "query"):
        if key not in entry:
            raise ArgumentError(f"{file}:{line}: this population has no '{key}'")
    plain = {k: _value(entry, k, _TYPES, file) for k in entry if k != "require"}
    known = {"name": "x", "query": "x"}
    for key, value in plain.items():
        try:
            Population(**{**known, key: value})
        except ArgumentError as error:
            said = str(error).replace("'x'", f"'{plain['name']}'")
            raise ArgumentError(f"{file}:{_line(entry, key)}: {said}") from error
    return Population(**plain, require=_requirements(entry, file))


def _requirements(entry: CommentedMap, file: Path) -> tuple[Requirement, ...]:
    if "require" not in entry:
        return ()
    given = _value(entry, "require", _TYPES, file)
    alone = isinstance(given, str)
    found: list[Requirement] = []
    for at, one in enumerate([given] if alone else given):
        line = _line(entry, "require") if alone else given.lc.item(at)[0] + 1
        try:
            found.append(_requirement(one, file, line))
            refuse_impossible(found)
        except ArgumentError as error:
            said = str(error)
            where = "" if said.startswith(f"{file}:") else f"{file}:{line}: "
            raise ArgumentError(where + said) from error
    return tuple(found)


def _requirement(one: Any, file: Path, line: int) -> Requirement:
    if isinstance(one, str):
        return Requirement.parse(one)
    if not isinstance(one, CommentedMap) or "metric" not in one:
        raise ArgumentError(
            f"{file}:{line}: a requirement reads 'accuracy >= 0.9', or is a mapping with "
            "'metric' and one bound"
        )
    _check_keys(one, _BOUNDS, file, "a requirement")
    return Requirement(**{key: _value(one, key, _BOUNDS, file) for key in one})


def _refuse_contradictions(
    populations: list[Population], file: Path, lines: Mapping[str, tuple[int, int]]
) -> None:
    """Refuses two hold-outs for the same samples."""
    for first, other in two_holdouts(populations):
        raise ArgumentError(
            f"{file}:{lines[other.name][0]}: '{other.name}' has the query of "
            f"'{first.name}' (line {lines[first.name][0]}) and another hold-out: "
            f"{other.holdout:g} and {first.holdout:g}"
        )


def _split(document: CommentedMap, file: Path) -> dict[str, Any]:
    settings = document.get("split")
    if settings is None:
        return {}
    if not isinstance(settings, CommentedMap):
        line = _line(document, "split")
        raise ArgumentError(
            f"{file}:{line}: 'split' must be a mapping such as 'val: 0.1'"
        )
    _check_keys(settings, SETTINGS, file, "split")
    found = {key: _value(settings, key, SETTINGS, file) for key in settings}
    for key, value in found.items():
        if float in SETTINGS[key] and not 0 <= value <= 1:
            raise ArgumentError(
                f"{file}:{_line(settings, key)}: {key} is {value:g}; give a number from "
                "0 to 1"
            )
    if not 0 <= found.get("seed", 0) < SEEDS:
        raise ArgumentError(
            f"{file}:{_line(settings, 'seed')}: seed is {found['seed']}; give a whole "
            "number from 0 to 2^63 - 1"
        )
    return found


def _value(
    entry: CommentedMap, key: str, types: Mapping[str, tuple[type, ...]], file: Path
) -> Any:
    """A plain value of the right type."""
    value = entry[key]
    if not isinstance(value, types[key]) or isinstance(value, bool):
        wanted = (
            " or ".join(_WORDS[t] for t in types[key] if t is not int) or _WORDS[int]
        )
        raise ArgumentError(
            f"{file}:{_line(entry, key)}: '{key}' must be {wanted}, not "
            f"{_kind(value)}{_quotes(types[key], value)}"
        )
    for plain in (str, int, float):
        if isinstance(value, plain):
            return plain(value)
    return value


def _kind(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"'{str(value)[:60]}'"


def _quotes(types: tuple[type, ...], value: Any) -> str:
    plain = value is not None and not isinstance(value, (dict, list))
    return "; put it in quotes" if str in types and plain else ""


def _check_keys(entry: CommentedMap, known: Any, file: Path, kind: str) -> None:
    for key in entry:
        if key not in known:
            raise ArgumentError(
                f"{file}:{_line(entry, key)}: unknown key '{str(key)[:60]}' in {kind}"
                f"{suggest(str(key), known)}"
            )


def _line(entry: CommentedMap, key: Any) -> int:
    return int(entry.lc.key(key)[0]) + 1
