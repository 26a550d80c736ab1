"""Hold-outs that survive growth: who is in train, val and test, and why."""

from evalsets.splits.assign import SIDES, Assignment, assign
from evalsets.splits.coverage import Coverage, coverage
from evalsets.splits.groups import connected, near_duplicates
from evalsets.splits.ledger import entries, history, replay, retirement, seal, verify
from evalsets.splits.priorities import priorities
from evalsets.splits.report import Conflict, Move, SplitReport, leaks

__all__ = [
    "SIDES",
    "Assignment",
    "Conflict",
    "Coverage",
    "Move",
    "SplitReport",
    "assign",
    "connected",
    "coverage",
    "entries",
    "history",
    "leaks",
    "near_duplicates",
    "priorities",
    "replay",
    "retirement",
    "seal",
    "verify",
]
