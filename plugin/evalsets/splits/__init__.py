"""Hold-outs that survive growth: who is in train, val and test, and why."""

from evalsets.splits.assign import assign
from evalsets.splits.conflicts import Conflict
from evalsets.splits.coverage import Coverage, Facts, coverage
from evalsets.splits.groups import connected
from evalsets.splits.leaks import Leak
from evalsets.splits.leaks import near as near_leaks
from evalsets.splits.leaks import shared as shared_leaks
from evalsets.splits.ledger import entries, history, replay, retirement, seal, verify
from evalsets.splits.near import NearDuplicates, near_duplicates
from evalsets.splits.priorities import priorities
from evalsets.splits.report import Move, SplitReport, near_examples
from evalsets.splits.work import SIDES, Assignment

__all__ = [
    "SIDES",
    "Assignment",
    "Conflict",
    "Coverage",
    "Facts",
    "Leak",
    "Move",
    "NearDuplicates",
    "SplitReport",
    "assign",
    "connected",
    "coverage",
    "entries",
    "history",
    "near_duplicates",
    "near_examples",
    "near_leaks",
    "priorities",
    "replay",
    "retirement",
    "seal",
    "shared_leaks",
    "verify",
]
