"""Hold-outs that survive growth: who is in train, val and test, and why."""

from evalsets.splits.assign import assign
from evalsets.splits.conflicts import Conflict
from evalsets.splits.coverage import Coverage, Facts, coverage
from evalsets.splits.groups import connected, equal
from evalsets.splits.identity import identify
from evalsets.splits.leaks import LEARNED, Leak
from evalsets.splits.leaks import near as near_leaks
from evalsets.splits.leaks import shared as shared_leaks
from evalsets.splits.ledger import (
    entries,
    history,
    replay,
    restoration,
    retirement,
    seal,
    verify,
)
from evalsets.splits.near import NearDuplicates, near_duplicates
from evalsets.splits.priorities import priorities
from evalsets.splits.report import Move, SplitReport, near_examples
from evalsets.splits.standing import Standing, standing
from evalsets.splits.work import SIDES, Assignment

__all__ = [
    "LEARNED",
    "SIDES",
    "Assignment",
    "Conflict",
    "Coverage",
    "Facts",
    "Leak",
    "Move",
    "NearDuplicates",
    "SplitReport",
    "Standing",
    "assign",
    "connected",
    "coverage",
    "entries",
    "equal",
    "history",
    "identify",
    "near_duplicates",
    "near_examples",
    "near_leaks",
    "priorities",
    "replay",
    "restoration",
    "retirement",
    "seal",
    "shared_leaks",
    "standing",
    "verify",
]
