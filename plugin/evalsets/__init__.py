"""Test-driven development for vision models, on FiftyOne."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Coverage": "splits.coverage",
    "EvalsetsError": "errors",
    "Population": "suites.population",
    "Report": "reports.report",
    "Requirement": "suites.population",
    "SplitReport": "splits.report",
    "UploadReport": "predictions.tables",
    "compose": "api.populations",
    "coverage": "api.split",
    "embed": "api.embed",
    "evaluate": "api.evaluate",
    "history": "api.history",
    "load_report": "api.history",
    "membership": "api.populations",
    "models": "api.history",
    "populations": "api.populations",
    "refresh": "api.populations",
    "remove": "api.populations",
    "search": "api.search",
    "select": "api.split",
    "split": "api.split",
    "sync": "api.sync",
    "tag": "api.tag",
    "upload_predictions": "api.upload",
}

__all__ = [*sorted(_HOME), "__version__"]

if TYPE_CHECKING:
    from evalsets.errors import EvalsetsError as EvalsetsError


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that ``import evalsets`` is light."""
    if name not in _HOME:
        raise AttributeError(f"module 'evalsets' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"evalsets.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
