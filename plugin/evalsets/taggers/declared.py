"""Taggers declared in YAML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.metadata import entry_points
from inspect import Parameter, signature
from pathlib import Path
from textwrap import shorten
from typing import Any

import yaml

from evalsets.errors import ArgumentError, EvalsetsError, UnknownNameError, suggest
from evalsets.taggers.disagreement import Disagreement
from evalsets.taggers.document import DocumentText
from evalsets.taggers.facts import FileFacts
from evalsets.taggers.model import AreaFraction, ObjectCount, Presence
from evalsets.taggers.sequences import Flicker, Jump
from evalsets.taggers.statistics import ImageStatistics
from evalsets.taggers.tagger import Tagger, placed
from evalsets.taggers.zero_shot import ZeroShot

Declaration = str | Path | Iterable[Any]

GROUP = "evalsets.taggers"
"""The entry points by which other packages add kinds of taggers."""


def read_taggers(
    source: Declaration, models: Mapping[str, Any] | None = None
) -> list[Tagger]:
    """The taggers of a YAML file or of a list.

    A file holds a list under ``taggers``; each entry has one key, the kind, with its
    options::

        taggers:
          - zero_shot: {field: weather, classes: {sunny: a sunny day, rain: rain}}
          - count: {model: faster-rcnn-resnet50-fpn-coco-torch, fields: {num_people: person}}
          - presence: {model: faster-rcnn-resnet50-fpn-coco-torch, fields: {has_dog: dog}}
          - area: {model: segmenter, fields: {road_pct: road}}
          - statistics: {}
          - facts: {}
          - document: {}
          - disagreement: {field: doubt, between: [pred_small, pred_teacher]}
          - flicker: {field: flicker, boxes: pred_small}
          - jump: {field: cut, of: vectors}

    A package adds kinds of its own by entry points of the group ``evalsets.taggers``:
    the kind as name, and what makes a :class:`Tagger` of the options as object.

    Args:
        source: path of the file, or a list of taggers and of entries like those above
        models: FiftyOne models by the name that entries call them; other names are
            loaded from FiftyOne's model zoo

    Raises:
        ArgumentError: the file or an entry cannot be read, or two taggers fill one field
        UnknownNameError: no such kind of tagger, or no such model
    """
    if not isinstance(source, (str, Path, Iterable)):
        raise ArgumentError(f"Taggers are a file or a list, not {source!r}")
    known = dict(models or {})
    if isinstance(source, (str, Path)):
        taggers = [_placed(at, entry, known) for at, entry in _entries(source)]
    else:
        taggers = [_tagger(entry, known) for entry in source]
    filled: dict[str, str] = {}
    for tagger in taggers:
        for field in tagger.fields:
            if field in filled:
                with placed(tagger):
                    raise ArgumentError(
                        f"Field '{field}' is filled by '{filled[field]}' and by "
                        f"'{tagger.kind}'; give one of them another field"
                    )
            filled[field] = tagger.kind
    return taggers


def _entries(path: str | Path) -> Iterator[tuple[str, Any]]:
    """Entries with their places, such as ``tags.yml:2``."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise ArgumentError(f"There is no file '{path}'; check the path")
    try:
        text = file.read_text(encoding="utf-8-sig")
        content, tree = yaml.safe_load(text), yaml.compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ArgumentError(
            f"{path}:{line}: cannot be read as YAML: {error.problem}"
        ) from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise ArgumentError(f"'{path}' cannot be read as YAML: {said}") from error
    entries = content.get("taggers") if isinstance(content, dict) else None
    if entries == []:
        raise ArgumentError(f"'{path}' declares no tagger; put some under 'taggers'")
    if not isinstance(entries, list):
        raise ArgumentError(f"'{path}' holds no list under the key 'taggers'")
    pairs = tree.value if tree else ()
    held = [found for key, found in pairs if key.value == "taggers"]
    if not held:
        raise ArgumentError(f"'{path}' merges its key 'taggers'; write the list there")
    for node, entry in zip(held[-1].value, entries, strict=True):
        yield f"{path}:{node.start_mark.line + 1}", entry


def _placed(place: str, entry: Any, models: dict[str, Any]) -> Tagger:
    try:
        tagger = _tagger(entry, models)
    except EvalsetsError as error:
        raise ArgumentError(f"{place}: {error}") from error
    tagger.place = place
    return tagger


def _tagger(entry: Any, models: dict[str, Any]) -> Tagger:
    if isinstance(entry, Tagger):
        return entry
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise ArgumentError(
            f"A tagger is one kind with its options, such as 'statistics: {{}}', "
            f"not {entry!r}"
        )
    ((kind, options),) = entry.items()
    if not isinstance(options or {}, Mapping):
        raise ArgumentError(f"Tagger '{kind}' takes options by name, not {options!r}")
    make = _kind(kind, models)
    known = _options(make)
    for name in options or {}:
        if known is not None and name not in known:
            raise ArgumentError(
                f"Tagger '{kind}' has no option '{name}'"
                f"{suggest(str(name), known, '' if known else 'it takes none')}"
            )
    lacking = [f"'{name}'" for name in _needed(make) if name not in (options or {})]
    if lacking:
        raise ArgumentError(f"Tagger '{kind}' needs {' and '.join(lacking)}")
    try:
        tagger = make(**(options or {}))
    except TypeError as error:
        raise ArgumentError(f"Tagger '{kind}': {_said(error)}") from error
    if not isinstance(tagger, Tagger):
        raise ArgumentError(
            f"Tagger '{kind}' is {type(tagger).__name__}, no evalsets.taggers.Tagger; "
            "mend or uninstall its package"
        )
    return tagger


def _options(make: Callable[..., Tagger]) -> list[str] | None:
    """What a kind of tagger can be told; None where it takes any name."""
    parameters = [*signature(make).parameters.values()]
    if isinstance(make, partial) and make.func is _with_model:  # beside the model
        parameters += signature(make.args[0]).parameters.values()
    elif any(p.kind is Parameter.VAR_KEYWORD for p in parameters):
        return None
    return [p.name for p in parameters if p.kind in _BY_NAME]


def _needed(make: Callable[..., Tagger]) -> list[str]:
    """What a kind of tagger must be told."""
    parameters = signature(make).parameters.values()
    return [p.name for p in parameters if p.kind in _BY_NAME and p.default is p.empty]


_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def _kind(kind: str, models: dict[str, Any]) -> Callable[..., Tagger]:
    """What makes a tagger of that kind: ours, else one that a package adds."""
    if kind in _OF_MODELS:
        return partial(_with_model, _OF_MODELS[kind], models)
    if kind in _PLAIN:
        return _PLAIN[kind]
    added = {point.name: point for point in entry_points(group=GROUP)}
    if kind not in added:
        raise UnknownNameError("tagger", str(kind), {*_OF_MODELS, *_PLAIN, *added})
    point = added[kind]
    try:
        made: Callable[..., Tagger] = point.load()
    except Exception as error:
        raise ArgumentError(
            f"Tagger '{point.name}' of {point.value} cannot be loaded "
            f"({type(error).__name__}: {error}); mend or uninstall its package"
        ) from error
    return made


def _with_model(
    cls: type[ObjectCount] | type[AreaFraction],
    models: dict[str, Any],
    *,
    model: str,
    field: str = "",
    label: str = "",
    fields: Mapping[str, str] | None = None,
    **options: Any,
) -> Tagger:
    if not isinstance(fields or {}, Mapping):
        raise ArgumentError(
            f"'fields' of tagger '{cls.kind}' is not a class by field: {fields!r}"
        )
    if not fields and not (field and label):
        raise ArgumentError(
            f"Tagger '{cls.kind}' fills no field; give fields: {{num_people: person}}"
        )
    if model not in models:
        models[model] = _load(model, models)
    return cls(models[model], fields or {field: label}, name=model, **options)


_OF_MODELS: dict[str, type[ObjectCount] | type[AreaFraction]] = {
    cls.kind: cls for cls in (ObjectCount, Presence, AreaFraction)
}
_PLAIN: dict[str, Callable[..., Tagger]] = {
    ZeroShot.kind: ZeroShot,
    ImageStatistics.kind: ImageStatistics,
    FileFacts.kind: FileFacts,
    DocumentText.kind: DocumentText,
    Disagreement.kind: Disagreement,
    Flicker.kind: Flicker,
    Jump.kind: Jump,
}


def _load(name: str, models: Mapping[str, Any]) -> Any:
    import fiftyone.zoo as foz

    known = foz.list_zoo_models()
    if name not in known:
        raise UnknownNameError(
            "model",
            name,
            [*models, *known],
            "name one of FiftyOne's model zoo, or give a model of your own from Python",
        )
    try:
        return foz.load_zoo_model(name)
    except Exception as error:
        raise ArgumentError(
            f"Zoo model '{name}' cannot be loaded ({_why(error)}); its weights are "
            "fetched once from the network: connect, or install what the model needs"
        ) from error


def _why(error: Exception) -> str:
    host = re.search(r"host='([^']+)'", str(error))
    if host is not None:
        return f"{host[1]} does not answer"
    return f"{type(error).__name__}: {shorten(str(error), 200, placeholder=' …')}"


def _said(error: TypeError) -> str:
    """Python's own words about the arguments, without the function's name."""
    return str(error).partition("() ")[2] or str(error)
