"""The report of one evaluation, as an immutable value."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.files import write_text
from evalsets.metrics import FAIL, INCONCLUSIVE, PASS, Row, gate
from evalsets.reports import texts, words
from evalsets.reports.details import Details
from evalsets.suites.population import ALL

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from evalsets.reports.trend import Trend

_T = TypeVar("_T")
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
        details: confusions, reliability and the worst samples
    """

    rows: tuple[Row, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    samples: Samples = field(default_factory=dict)
    details: Details = field(default_factory=Details)

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
        return words.headline(self.rows, self.verdict, self.provenance)

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

    def plot(self, metric: str | None = None, population: str = ALL) -> Figure:
        """Value and interval of each population, or a plot of one population.

        Args:
            metric: by default the first that something is required of; or
                ``"confusion"`` or ``"reliability"``, for models that predict one label
            population: of those two; the report keeps them of ``(all)`` and of
                populations that fail

        Raises:
            UnknownNameError: the report has no such metric, or not of that population
        """
        from evalsets.reports import detail_figures
        from evalsets.reports.figure import interval_figure

        if metric == "confusion":
            cells = self._detail(self.details.confusion, metric, population)
            return detail_figures.confusion_figure(cells, population)
        if metric == "reliability":
            bins = self._detail(self.details.reliability, metric, population)
            return detail_figures.reliability_figure(bins, population)
        known = dict.fromkeys([ALL, *(row.population for row in self.rows)])
        if population not in known:
            raise UnknownNameError("population", population, known)
        return interval_figure(self, metric)

    def worst(self, dataset: Any, population: str = ALL) -> Any:
        """The samples of a population that went worst, the worst first.

        Args:
            dataset: the FiftyOne dataset that was evaluated, or a view of it
            population: by default all that was evaluated

        Returns:
            an ordered view; empty where nothing went wrong

        Raises:
            UnknownNameError: the report knows no worst samples of that population
            ArgumentError: these are in another dataset
        """
        ids = self._detail(self.details.worst, "worst samples", population)
        if not hasattr(dataset, "select"):
            raise ArgumentError(
                f"worst needs the FiftyOne dataset, not {type(dataset).__name__}; load it"
            )
        if ids and not len(dataset._dataset.select(list(ids))):
            raise ArgumentError(
                f"Dataset '{dataset._dataset.name}' has none of these samples; give the "
                f"one that was evaluated, '{self.provenance.get('dataset')}'"
            )
        return dataset.select(list(ids), ordered=True)

    def _detail(self, kept: Mapping[str, _T], what: str, population: str) -> _T:
        if population not in kept:
            remedy = "this report keeps none of any"
            if kept:
                known = ", ".join(f"'{name}'" for name in list(kept)[:10])
                remedy = f"known: {known}"
                if kept is not self.details.worst:
                    remedy += (
                        ", since a report keeps it of all samples and of populations "
                        "that fail"
                    )
            raise UnknownNameError(f"{what} of population", population, kept, remedy)
        return kept[population]

    def to_html(
        self,
        path: str | Path,
        samples: Samples | None = None,
        trend: Trend | None = None,
    ) -> Path:
        """Writes one file that opens offline.

        Args:
            path: to write
            samples: by population, file and caption of samples to show; by default
                those of the report
            trend: of the dataset's reports, to show how this one stands among them
        """
        from evalsets.reports.page import render_page
        from evalsets.reports.trend import Trend

        if not isinstance(trend, (Trend, NoneType)):
            raise ArgumentError(
                f"trend is {trend!r}; give what evalsets.trend(dataset) returns"
            )
        shown = self.samples if samples is None else samples
        return write_text(path, render_page(self, shown, trend))

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
        rows = tuple(Row(**r) for r in held["rows"])
        details = Details.from_dict(held.get("details", {}))
        return cls(rows, held["provenance"], samples, details)
