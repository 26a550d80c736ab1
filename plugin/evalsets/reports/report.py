"""The report of one evaluation, as an immutable value."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalsets.errors import ArgumentError
from evalsets.metrics import FAIL, INCONCLUSIVE, PASS, Row, gate
from evalsets.reports import texts, words

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_EXIT_CODES = {PASS: 0, FAIL: 1, INCONCLUSIVE: 3}
Samples = Mapping[str, Sequence[tuple[str, str]]]
"""By population: file and caption of samples worth looking at."""


@dataclass(frozen=True)
class Report:
    """Figures and verdicts of one model on every population.

    Args:
        rows: as :func:`evalsets.metrics.evaluate_populations` gives them
        provenance: what was evaluated and how: ``model``, ``baseline``, ``dataset``,
            ``split``, ``truth``, ``seed``, ``alpha``, ``stale`` …; JSON values
        samples: by population, file and caption of failing samples
    """

    rows: tuple[Row, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    samples: Samples = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows))
        if not self.rows:
            raise ArgumentError("A report needs rows; nothing was evaluated")

    @property
    def verdict(self) -> str:
        """The gate: fail if any requirement fails, pass if all pass.

        Otherwise, and where nothing is required, inconclusive.
        """
        return gate(self.rows)

    @property
    def exit_code(self) -> int:
        """For a command line: 0 pass, 1 fail, 3 inconclusive."""
        return _EXIT_CODES[self.verdict]

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        return words.headline(self.rows, self.verdict, self.model)

    @property
    def model(self) -> str:
        """Name of the model."""
        return str(self.provenance.get("model", "model"))

    @property
    def summary(self) -> list[str]:
        """What a stakeholder should know, a sentence each."""
        return words.summary(self.rows, self.verdict, self.provenance)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a population, metric and requirement, with fixed columns."""
        frame = pd.DataFrame(
            [asdict(row) for row in self.rows], columns=[f.name for f in fields(Row)]
        )
        texts = ("population", "metric", "requirement", "verdict")
        kinds = {name: "float64" for name in frame.columns if name not in texts}
        return frame.astype({**kinds, "n": "int64", "needed": "Int64"})

    def explain(self, row: Row) -> str:
        """A row of this report as a sentence."""
        return words.explain(row, self.provenance)

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, color: bool = False) -> str:
        """A table for the terminal, under its headline."""
        return texts.terminal(self, color)

    def to_markdown(self) -> str:
        """For a pull request: the headline and a table of what is required."""
        return texts.markdown(self)

    def to_junit(self, path: str | Path) -> Path:
        """Writes JUnit XML, one test a requirement; an open one is an error."""
        return write_text(path, texts.junit(self))

    def plot(self, metric: str | None = None) -> Figure:
        """Value and interval of each population, coloured by verdict.

        Args:
            metric: by default the first that something is required of
        """
        from evalsets.reports.figure import interval_figure

        return interval_figure(self, metric)

    def to_html(self, path: str | Path, samples: Samples | None = None) -> Path:
        """Writes one file that opens offline.

        Args:
            path: to write
            samples: by population, file and caption of samples to show; by default
                those of the report
        """
        from evalsets.reports.page import render_page

        shown = self.samples if samples is None else samples
        return write_text(path, render_page(self, shown))

    def to_json(self) -> str:
        """All of the report as JSON; :meth:`from_json` reads it."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Reads what :meth:`to_json` wrote."""
        held = json.loads(text)
        samples = {
            name: [(str(file), str(caption)) for file, caption in shown]
            for name, shown in held["samples"].items()
        }
        return cls(tuple(Row(**r) for r in held["rows"]), held["provenance"], samples)


def write_text(path: str | Path, text: str) -> Path:
    """Writes a whole file or none; missing folders are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
