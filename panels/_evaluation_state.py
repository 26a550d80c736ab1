"""What the Evaluation panel shows, as a value; neither App nor dataset here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

import evalsets
from evalsets.errors import counted

ALL = "(all)"
"""The population of all evaluated samples."""
EVERY = "all"
"""The choice of every split at once."""
SPLITS = ("test", "val", "train", EVERY)
VERDICTS, MISTAKES, MODELS, WEAK = "verdicts", "mistakes", "models", "weak"
PARTS = {
    VERDICTS: "Verdicts",
    MISTAKES: "Mistakes",
    MODELS: "Models",
    WEAK: "Weak spots",
}
"""What the panel shows below its choices, one at a time."""
_ORDER = ("fail", "inconclusive", "pass", "")


@dataclass(frozen=True)
class Asked:
    """The choices above the report.

    Args:
        model: to evaluate
        baseline: to compare with; empty for none
        split: one of ``SPLITS``
        truth: field of the true labels
    """

    model: str = ""
    baseline: str = ""
    split: str = "test"
    truth: str = "ground_truth"

    @classmethod
    def of(cls, provenance: Mapping[str, Any]) -> Asked:
        """The choices that a report was made with."""
        return cls(
            provenance["model"],
            provenance["baseline"] or "",
            provenance["split"] or EVERY,
            provenance["truth"],
        )

    def keywords(self) -> dict[str, Any]:
        """For ``evaluate``, beside the model."""
        return {
            "baseline": self.baseline or None,
            "split": None if self.split == EVERY else self.split,
            "truth": self.truth,
        }


@dataclass(frozen=True)
class EvaluationState:
    """What the panel shows beside the choices.

    Args:
        number: of the report; None where there is none
        note: what the last event has to say
        failed: whether that is an error
        opened: population whose samples were opened last
        part: one of ``PARTS``
    """

    number: int | None = None
    note: str = ""
    failed: bool = False
    opened: str = ""
    part: str = VERDICTS

    def opening(self, population: str) -> EvaluationState:
        """With the samples of a population in the grid."""
        return replace(self, note="", failed=False, opened=population)

    def saying(self, note: str) -> EvaluationState:
        """With what the last event has to say."""
        return replace(self, note=note, failed=False)

    def turned(self, part: str) -> EvaluationState:
        """With another part of the panel."""
        return replace(self, note="", failed=False, part=part)

    def failing(self, error: Exception) -> EvaluationState:
        """With the report it has and what went wrong."""
        return replace(self, note=str(error), failed=True)

    def to_dict(self) -> dict[str, Any]:
        """As the browser keeps it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, held: Mapping[str, Any] | None) -> EvaluationState:
        """Reads what :meth:`to_dict` gave; nothing held is the state at first."""
        return cls(**held) if held else cls()


def last_report(history: pd.DataFrame, model: str) -> int | None:
    """Number of a model's newest report."""
    numbers = history.index[history["model"] == model]
    return int(numbers[-1]) if len(numbers) else None


def metrics(rows: Iterable[Any]) -> list[str]:
    """The metrics of a report, those that something is required of first."""
    found = dict.fromkeys(row.metric for row in rows)
    required = {row.metric for row in rows if row.requirement}
    return sorted(found, key=lambda metric: metric not in required)


def table_rows(rows: Sequence[Any], metric: str = "") -> list[Any]:
    """The rows of a report to list: all data, then failures, open ones, passes, others.

    Args:
        rows: of the report
        metric: to list; empty for what is required, and beside that a row of each
            population of which nothing is
    """
    if metric:
        chosen = [row for row in rows if row.metric == metric]
    else:
        chosen = [row for row in rows if row.requirement]
        first = metrics(rows)[0]
        told = {row.population for row in chosen}
        chosen += [r for r in rows if r.metric == first and r.population not in told]
    return sorted(
        chosen, key=lambda row: (row.population != ALL, _ORDER.index(row.verdict))
    )


def interval(
    value: float | None, low: float | None, high: float | None, *, sign: str = ""
) -> str:
    """A figure above its interval, "–" where it is undefined.

    Args:
        value: the figure
        low: lower end
        high: upper end
        sign: "+" for a difference
    """
    if value is None:
        return "–"
    ends = [f"{end:.3f}" for end in (low, high) if end is not None]
    figures = [f"{value:{sign}.3f}", *ends]
    return (
        figures[0]
        if len(figures) < 3
        else f"{figures[0]}\n[{figures[1]}, {figures[2]}]"
    )


def source(provenance: Mapping[str, Any]) -> str:
    """Where a report's figures come from, in a line."""
    split = provenance["split"]
    looks = provenance["looks"]
    parts = [
        f"{counted(provenance['samples'], 'sample')} of {split or 'all splits'}",
        f"truth {provenance['truth']}",
        f"against {provenance['baseline']}"
        if provenance["baseline"]
        else "no baseline",
        f"evaluation {looks} on this split",
        str(provenance["created"]).replace("T", " ")[:16] + " UTC",
    ]
    return "  ·  ".join(parts)


def sentence(report: evalsets.Report) -> str:
    """The headline of a report without its model and verdict, which stand above it."""
    prefix = f"{report.model}: {report.verdict.upper()}: "
    said = report.headline.removeprefix(prefix)
    return said[:1].upper() + said[1:] + "."
