"""Test-driven development for vision models, on FiftyOne."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from evalsets.brain.registration import register_backend

__version__ = "0.1.0"

_HOME = {
    "Calibration": "calibration.calibration",
    "Coverage": "splits.coverage",
    "EvalsetsError": "errors",
    "Population": "suites.population",
    "PromptWarning": "query.advice",
    "Report": "reports.report",
    "Requirement": "suites.population",
    "SplitReport": "splits.report",
    "UploadReport": "predictions.summary",
    "calibrate": "api.calibrate",
    "calibrations": "api.calibrate",
    "advise": "api.advice",
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
    "split_settings": "api.split",
    "sync": "api.sync",
    "tag": "api.tag",
    "Release": "suites.release",
    "ReleaseDiff": "suites.difference",
    "diff": "api.releases",
    "release": "api.releases",
    "releases": "api.releases",
    "discordant": "api.discordant",
    "upload_predictions": "api.upload",
    "upload_scores": "api.upload",
}

__all__ = [*sorted(_HOME), "__version__"]

if TYPE_CHECKING:  # for type checkers and editors; the same names as in _HOME
    from evalsets.api.advice import advise as advise
    from evalsets.api.calibrate import calibrate as calibrate
    from evalsets.api.calibrate import calibrations as calibrations
    from evalsets.api.embed import embed as embed
    from evalsets.api.evaluate import evaluate as evaluate
    from evalsets.api.history import history as history
    from evalsets.api.history import load_report as load_report
    from evalsets.api.history import models as models
    from evalsets.api.populations import compose as compose
    from evalsets.api.populations import membership as membership
    from evalsets.api.populations import populations as populations
    from evalsets.api.populations import refresh as refresh
    from evalsets.api.populations import remove as remove
    from evalsets.api.releases import diff as diff
    from evalsets.api.releases import release as release
    from evalsets.api.releases import releases as releases
    from evalsets.api.search import search as search
    from evalsets.api.split import coverage as coverage
    from evalsets.api.split import select as select
    from evalsets.api.split import split as split
    from evalsets.api.split import split_settings as split_settings
    from evalsets.api.sync import sync as sync
    from evalsets.api.tag import tag as tag
    from evalsets.api.discordant import discordant as discordant
    from evalsets.api.upload import upload_predictions as upload_predictions
    from evalsets.api.upload import upload_scores as upload_scores
    from evalsets.calibration.calibration import Calibration as Calibration
    from evalsets.errors import EvalsetsError as EvalsetsError
    from evalsets.predictions.summary import UploadReport as UploadReport
    from evalsets.query.advice import PromptWarning as PromptWarning
    from evalsets.reports.report import Report as Report
    from evalsets.splits.coverage import Coverage as Coverage
    from evalsets.splits.report import SplitReport as SplitReport
    from evalsets.suites.difference import ReleaseDiff as ReleaseDiff
    from evalsets.suites.population import Population as Population
    from evalsets.suites.population import Requirement as Requirement
    from evalsets.suites.release import Release as Release


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that ``import evalsets`` is light."""
    if name not in _HOME:
        raise AttributeError(f"module 'evalsets' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"evalsets.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


register_backend()
