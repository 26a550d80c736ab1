"""What was decided about every sample, and when: entries that are only ever added.

An entry is a JSON object with one decision about many samples::

    {
        "time": "2026-01-31T12:00:00+00:00",
        "suite": 3,
        "seed": "0",
        "side": "test",
        "rule": "drawn for test",
        "samples": ["…"],
        "groups": ["…"],
    }

``groups[i]`` is the key of the sample that stands for the group of ``samples[i]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np

from evalsets.errors import EvalsetsError
from evalsets.splits.assign import SIDES, Assignment

Entry = dict[str, Any]


def entries(
    ids: Sequence[str],
    assignment: Assignment,
    suite: int,
    seed: int | str = 0,
    time: datetime | None = None,
) -> list[Entry]:
    """One entry for every side and rule that an assignment newly gave.

    Args:
        ids: ``(n,)`` sample ids, in the order of the assignment
        assignment: samples without a rule kept their side and are left out
        suite: version of the suite that asked
        seed: of the assignment
        time: by default now
    """
    when = (time or datetime.now(timezone.utc)).isoformat(timespec="seconds")
    side, rule = assignment.side, assignment.rule
    decided = np.flatnonzero(rule != "")
    found = []
    for pair in sorted({(str(side[i]), str(rule[i])) for i in decided}):
        rows = decided[(side[decided] == pair[0]) & (rule[decided] == pair[1])]
        found.append(
            {
                "time": when,
                "suite": suite,
                "seed": str(seed),
                "side": pair[0],
                "rule": pair[1],
                "samples": [str(ids[i]) for i in rows],
                "groups": [str(assignment.group[i]) for i in rows],
            }
        )
    return found


def replay(ledger: Iterable[Entry]) -> dict[str, str]:
    """Side of every sample after all entries, oldest first.

    Raises:
        EvalsetsError: an entry is broken, or takes a sample out of test
    """
    sides: dict[str, str] = {}
    for number, entry in enumerate(ledger, start=1):
        side, samples = entry.get("side"), entry.get("samples")
        if side not in SIDES[1:] or not isinstance(samples, list):
            raise EvalsetsError(
                f"Entry {number} of the split ledger is broken; restore the ledger "
                "from a copy"
            )
        for sample_id in samples:
            if sides.get(sample_id) == "test" and side != "test":
                raise EvalsetsError(
                    f"Entry {number} of the split ledger takes sample {sample_id} out "
                    "of test, which nothing may; restore the ledger from a copy"
                )
            sides[sample_id] = side
    return sides


def history(ledger: Iterable[Entry], sample_id: str) -> list[Entry]:
    """What was decided about one sample, oldest first: entries with it alone."""
    return [
        {
            **entry,
            "samples": [sample_id],
            "groups": [entry["groups"][entry["samples"].index(sample_id)]],
        }
        for entry in ledger
        if sample_id in entry["samples"]
    ]
