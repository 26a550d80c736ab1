"""Taggers declared in YAML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.taggers.model import AreaFraction, ObjectCount
from evalsets.taggers.statistics import ImageStatistics
from evalsets.taggers.tagger import PixelTagger, Tagger, VectorTagger
from evalsets.taggers.zero_shot import ZeroShot

Declaration = str | Path | Iterable[Any]


def read_taggers(
    source: Declaration, models: Mapping[str, Any] | None = None
) -> list[Tagger]:
    """The taggers of a YAML file or of a list.

    A file holds a list under ``taggers``; each entry has one key, the kind::

        taggers:
          - zero_shot: {field: weather, classes: {sunny: a sunny day, rain: rain}}
          - count: {model: faster-rcnn-resnet50-fpn-coco-torch, fields: {num_people: person}}
          - area: {model: segmenter, fields: {road_pct: road}}
          - statistics: {}

    Args:
        source: path of the file, or a list of taggers and of entries like those above
        models: FiftyOne models by the name that entries call them; other names are
            loaded from FiftyOne's model zoo

    Raises:
        ArgumentError: the file or an entry cannot be read
        UnknownNameError: no such kind of tagger, or no such model
    """
    entries = _entries(source) if isinstance(source, (str, Path)) else list(source)
    return [_tagger(entry, models or {}) for entry in entries]


def _entries(path: str | Path) -> list[Any]:
    file = Path(path).expanduser()
    if not file.is_file():
        raise ArgumentError(f"There is no file '{path}'; check the path")
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise ArgumentError(f"'{path}' cannot be read as YAML: {said}") from error
    entries = content.get("taggers") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries:
        raise ArgumentError(f"'{path}' holds no list under the key 'taggers'")
    return entries


def _tagger(entry: Any, models: Mapping[str, Any]) -> Tagger:
    if isinstance(entry, (PixelTagger, VectorTagger)):
        return entry
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise ArgumentError(
            f"A tagger is one kind with its options, such as 'statistics: {{}}', "
            f"not {entry!r}"
        )
    ((kind, options),) = entry.items()
    if kind not in _KINDS:
        raise UnknownNameError("tagger", str(kind), _KINDS)
    try:
        return _KINDS[kind](models, **(options or {}))
    except TypeError as error:
        raise ArgumentError(f"Tagger '{kind}': {_said(error)}") from error


def _count(
    models: Mapping[str, Any],
    *,
    model: str,
    field: str = "",
    label: str = "",
    fields: Mapping[str, str] | None = None,
    confidence: float = 0.0,
) -> Tagger:
    wanted = fields or {field: label}
    return ObjectCount(_model(model, models), wanted, confidence, name=model)


def _area(
    models: Mapping[str, Any],
    *,
    model: str,
    field: str = "",
    label: str = "",
    fields: Mapping[str, str] | None = None,
    targets: Mapping[int, str] | None = None,
) -> Tagger:
    wanted = fields or {field: label}
    return AreaFraction(_model(model, models), wanted, targets, name=model)


def _zero_shot(
    _models: Mapping[str, Any], *, field: str, classes: Mapping[str, Any]
) -> Tagger:
    return ZeroShot(field, classes)


def _statistics(_models: Mapping[str, Any]) -> Tagger:
    return ImageStatistics()


_KINDS: dict[str, Callable[..., Tagger]] = {
    "area": _area,
    "count": _count,
    "statistics": _statistics,
    "zero_shot": _zero_shot,
}


def _model(name: str, models: Mapping[str, Any]) -> Any:
    if name in models:
        return models[name]
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
            f"Zoo model '{name}' cannot be loaded "
            f"({type(error).__name__}: {' '.join(str(error).split())[:200]}); its "
            "weights are fetched once from the network: connect, or install what the "
            "model needs"
        ) from error


def _said(error: TypeError) -> str:
    """Python's own words about the arguments, without the function's name."""
    return str(error).partition("() ")[2] or str(error)
