"""Test-driven development for vision models, on FiftyOne."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "EvalsetsError": "errors",
    "Population": "suites.population",
    "Requirement": "suites.population",
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
