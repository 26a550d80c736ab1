"""Reports side by side: a trend per population, and models against populations."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from evalsets.metrics import FAIL, INCONCLUSIVE, PASS
from evalsets.metrics.catalog import METRICS
from evalsets.reports import words
from evalsets.reports.detail_figures import styled
from evalsets.reports.figure import COLORS, NAMES, short_label

COLUMNS = {
    "report": "int64",
    "model": "object",
    "release": "Int64",
    "created": "object",
    "stale": "object",
    "population": "object",
    "n": "int64",
    "value": "float64",
    "low": "float64",
    "high": "float64",
    "verdict": "object",
}
_SIGNS = {FAIL: "✖", INCONCLUSIVE: "?", PASS: "✔", "": ""}
_ORDER = (FAIL, INCONCLUSIVE, PASS, "")


@dataclass(frozen=True)
class Trend:
    """One metric of every population, over the reports of a dataset.

    Args:
        metric: its name
        frame: one row a report and population, oldest first: ``report, model,
            release, created, stale, population, n, value, low, high, verdict``; the
            verdict is the worst of what is required of the metric there
        higher_is_better: direction of the metric
    """

    metric: str
    frame: pd.DataFrame
    higher_is_better: bool = True

    @classmethod
    def of(
        cls, metric: str, rows: list[dict[Any, Any]], higher_is_better: bool = True
    ) -> Trend:
        """A trend from rows that may have several requirements a population."""
        frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
        by = frame["verdict"].map(_ORDER.index)
        frame = frame.assign(order=by).sort_values("order", kind="stable")
        frame = frame.drop_duplicates(["report", "population"]).sort_index()
        return cls(
            metric, frame.drop(columns="order").reset_index(drop=True), higher_is_better
        )

    def plot(self) -> go.Figure:
        """A line a population, over the reports in their order."""
        figure = go.Figure()
        reports = self.frame.drop_duplicates("report")
        place = {number: at for at, number in enumerate(reports["report"])}
        for name, rows in self.frame.groupby("population", sort=False):
            known = rows[rows["value"].notna()]
            figure.add_trace(
                go.Scatter(
                    x=known["report"].map(place),
                    y=known["value"],
                    name=short_label(str(name)),
                    mode="lines+markers",
                    error_y={
                        "type": "data",
                        "symmetric": False,
                        "array": known["high"] - known["value"],
                        "arrayminus": known["value"] - known["low"],
                        "thickness": 1,
                        "width": 0,
                    },
                    hovertext=[self._said(row) for row in known.itertuples()],
                    hoverinfo="text",
                )
            )
        figure.update_xaxes(
            tickvals=list(place.values()),
            ticktext=[_titled(row) for row in reports.itertuples()],
            automargin=True,
        )
        figure.update_yaxes(title_text=self._title)
        return styled(figure, f"{self._title} from report to report", 440)

    @property
    def newest(self) -> pd.DataFrame:
        """The rows of the newest report of each model."""
        newest = self.frame.groupby("model", sort=False)["report"].transform("max")
        return self.frame[self.frame["report"] == newest]

    def heatmap(self, *, by_value: bool = False) -> go.Figure:
        """Models against populations, by the newest report of each model.

        Args:
            by_value: take colours from the figures, over all the range that the metric
                has, as where nothing is required; else from the verdicts
        """
        rows = self.newest
        models, names = (
            list(dict.fromkeys(rows["model"])),
            list(dict.fromkeys(rows["population"])),
        )
        at = {(r.model, r.population): r for r in rows.itertuples()}
        cells = [[at.get((model, name)) for name in names] for model in models]
        coloured, colours = self._colours(not by_value and any(rows["verdict"]))
        figure = go.Figure(
            go.Heatmap(
                z=[[coloured(c) if c else None for c in line] for line in cells],
                text=[[_figure(c) if c else "" for c in line] for line in cells],
                texttemplate="%{text}",
                hovertext=[
                    [self._said(c) if c else "" for c in line] for line in cells
                ],
                hoverinfo="text",
                xgap=2,
                ygap=2,
                **colours,
            )
        )
        axis: dict[str, Any] = {"showgrid": False, "automargin": True}
        figure.update_xaxes(
            tickvals=list(range(len(names))),
            ticktext=[short_label(name) for name in names],
            **axis,
        )
        figure.update_yaxes(
            tickvals=list(range(len(models))),
            ticktext=[short_label(model) for model in models],
            autorange="reversed",
            **axis,
        )
        return styled(
            figure,
            f"{self._title} of each model's newest report",
            200 + 44 * len(models),
        )

    def _colours(self, judged: bool) -> tuple[Callable[[Any], float], dict[str, Any]]:
        """The number of a cell that its colour goes by, and what the colours are."""
        if judged:
            steps = [at / len(_ORDER) for at in range(len(_ORDER) + 1)]
            ends = zip(_ORDER, steps[:-1], steps[1:], strict=True)
            return lambda row: _ORDER.index(row.verdict), {
                "colorscale": [[e, COLORS[v]] for v, *both in ends for e in both],
                "zmin": -0.5,
                "zmax": len(_ORDER) - 0.5,
                "colorbar": {
                    "tickvals": list(range(len(_ORDER))),
                    "ticktext": [NAMES[verdict] for verdict in _ORDER],
                    "thickness": 12,
                },
            }
        entry = METRICS.get(self.metric.partition(":")[0])
        known = entry if entry and math.isfinite(entry.span) else None
        return lambda row: row.value, {
            "colorscale": "RdYlGn" if self.higher_is_better else "RdYlGn_r",
            "zmin": known.low if known else None,
            "zmax": known.high if known else None,
            "colorbar": {"title": {"text": self._title}, "thickness": 12},
        }

    @property
    def _title(self) -> str:
        """The metric, which may name a class, as plain text for Plotly."""
        return html.escape(self.metric)

    def _said(self, row: Any) -> str:
        ends = words.interval(_known(row.low), _known(row.high))
        verdict = f", {row.verdict.upper()}" if row.verdict else ""
        stale = f"; stale: {row.stale}" if row.stale else ""
        return html.escape(
            f"report {row.report}, {row.model}, {row.population}: {self.metric} "
            f"{words.number(_known(row.value))} {ends}, n {row.n:,}{verdict}{stale}"
        )


def _known(value: float) -> float | None:
    return None if pd.isna(value) else value


def _figure(row: Any) -> str:
    return f"{words.number(_known(row.value))} {_SIGNS[row.verdict]}".strip()


def _titled(row: Any) -> str:
    release = "" if pd.isna(row.release) else f", release {row.release}"
    return f"{row.report}: {short_label(row.model)}{release}"
