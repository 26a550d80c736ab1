"""Test-driven development for vision models, on FiftyOne."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from evalsets.brain.registration import register_backend

__version__ = "0.1.0"

_HOME = {
    "Calibration": "calibration.calibration",
    "Candidate": "discovery.candidate",
    "Coverage": "splits.coverage",
    "EvalsetsError": "errors",
    "Explanation": "splits.explanation",
    "Judging": "calibration.judging",
    "Leak": "splits.leaks",
    "Population": "suites.population",
    "PromptWarning": "query.advice",
    "Release": "suites.release",
    "ReleaseDiff": "suites.difference",
    "Report": "reports.report",
    "Requirement": "suites.population",
    "SplitReport": "splits.report",
    "SuitePlan": "suites.suite",
    "Trend": "reports.trend",
    "UploadReport": "predictions.summary",
    "advise": "api.advice",
    "calibrate": "api.calibrate",
    "calibrations": "api.calibrate",
    "compose": "api.populations",
    "coverage": "api.coverage",
    "diff": "api.releases",
    "discordant": "api.discordant",
    "discover": "api.discover",
    "embed": "api.embed",
    "evaluate": "api.evaluate",
    "explain": "api.ledger",
    "history": "api.history",
    "leaks": "api.leaks",
    "judging": "api.calibrate",
    "label_next": "api.label_next",
    "load_ledger": "api.ledger",
    "load_report": "api.history",
    "load_suite": "api.suite",
    "membership": "api.populations",
    "models": "api.history",
    "populations": "api.populations",
    "refresh": "api.populations",
    "release": "api.releases",
    "releases": "api.releases",
    "remove": "api.populations",
    "rename": "api.populations",
    "retire": "api.ledger",
    "save_ledger": "api.ledger",
    "save_suite": "api.suite",
    "search": "api.search",
    "select": "api.split",
    "split": "api.split",
    "split_settings": "api.split",
    "sync": "api.sync",
    "tag": "api.tag",
    "trend": "api.history",
    "upload_predictions": "api.upload",
    "upload_scores": "api.upload",
    "versions": "api.populations",
}

__all__ = [*sorted(_HOME), "__version__"]

if TYPE_CHECKING:  # for type checkers and editors; the same names as in _HOME
    from evalsets.api.advice import advise as advise
    from evalsets.api.calibrate import calibrate as calibrate
    from evalsets.api.calibrate import calibrations as calibrations
    from evalsets.api.calibrate import judging as judging
    from evalsets.api.coverage import coverage as coverage
    from evalsets.api.discordant import discordant as discordant
    from evalsets.api.discover import discover as discover
    from evalsets.api.embed import embed as embed
    from evalsets.api.evaluate import evaluate as evaluate
    from evalsets.api.history import history as history
    from evalsets.api.history import load_report as load_report
    from evalsets.api.history import models as models
    from evalsets.api.history import trend as trend
    from evalsets.api.label_next import label_next as label_next
    from evalsets.api.leaks import leaks as leaks
    from evalsets.api.ledger import explain as explain
    from evalsets.api.ledger import load_ledger as load_ledger
    from evalsets.api.ledger import retire as retire
    from evalsets.api.ledger import save_ledger as save_ledger
    from evalsets.api.populations import compose as compose
    from evalsets.api.populations import membership as membership
    from evalsets.api.populations import populations as populations
    from evalsets.api.populations import refresh as refresh
    from evalsets.api.populations import remove as remove
    from evalsets.api.populations import rename as rename
    from evalsets.api.populations import versions as versions
    from evalsets.api.releases import diff as diff
    from evalsets.api.releases import release as release
    from evalsets.api.releases import releases as releases
    from evalsets.api.search import search as search
    from evalsets.api.split import select as select
    from evalsets.api.split import split as split
    from evalsets.api.split import split_settings as split_settings
    from evalsets.api.suite import load_suite as load_suite
    from evalsets.api.suite import save_suite as save_suite
    from evalsets.api.sync import sync as sync
    from evalsets.api.tag import tag as tag
    from evalsets.api.upload import upload_predictions as upload_predictions
    from evalsets.api.upload import upload_scores as upload_scores
    from evalsets.calibration.calibration import Calibration as Calibration
    from evalsets.calibration.judging import Judging as Judging
    from evalsets.discovery.candidate import Candidate as Candidate
    from evalsets.errors import EvalsetsError as EvalsetsError
    from evalsets.predictions.summary import UploadReport as UploadReport
    from evalsets.query.advice import PromptWarning as PromptWarning
    from evalsets.reports.report import Report as Report
    from evalsets.reports.trend import Trend as Trend
    from evalsets.splits.coverage import Coverage as Coverage
    from evalsets.splits.explanation import Explanation as Explanation
    from evalsets.splits.leaks import Leak as Leak
    from evalsets.splits.report import SplitReport as SplitReport
    from evalsets.suites.difference import ReleaseDiff as ReleaseDiff
    from evalsets.suites.population import Population as Population
    from evalsets.suites.population import Requirement as Requirement
    from evalsets.suites.release import Release as Release
    from evalsets.suites.suite import SuitePlan as SuitePlan


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
