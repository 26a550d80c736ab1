"""The dot-and-interval plot of a report."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from evalsets.errors import UnknownNameError
from evalsets.metrics import FAIL, INCONCLUSIVE, PASS, Row, find_metric
from evalsets.reports import words
from evalsets.suites.population import ALL

OF_ONE = ("confusion", "reliability")
"""Plots of one population, beside those of a metric."""

if TYPE_CHECKING:
    from evalsets.reports.report import Report

COLORS = {FAIL: "#c2362b", INCONCLUSIVE: "#b7791f", PASS: "#1c7c4d", "": "#64748b"}
NAMES = {
    FAIL: "FAIL",
    INCONCLUSIVE: "INCONCLUSIVE",
    PASS: "PASS",
    "": "no requirement",
}
_SYMBOLS = {FAIL: "x", INCONCLUSIVE: "diamond", PASS: "circle", "": "circle"}
_ORDER = (FAIL, INCONCLUSIVE, PASS, "")
FONT = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_WIDEST = 34


def by_severity(rows: list[Row]) -> list[Row]:
    """``(all)`` first, then failures, open ones, passes, the rest."""
    return sorted(rows, key=lambda r: (r.population != ALL, _ORDER.index(r.verdict)))


def interval_figure(report: Report, metric: str | None = None) -> go.Figure:
    """Value and interval of each population, with threshold and baseline.

    Args:
        report: to draw
        metric: by default the first that something is required of

    Raises:
        UnknownNameError: the report has no such metric
    """
    metric = metric or words.metrics_to_show(report.rows)[0]
    rows = [row for row in report.rows if row.metric == metric]
    if not rows:
        known = dict.fromkeys(row.metric for row in report.rows)
        raise UnknownNameError("plot or metric", metric, [*known, *OF_ONE])
    worst: dict[str, Row] = {}
    for row in by_severity(rows):
        worst.setdefault(row.population, row)
    figure = go.Figure()
    for verdict in _ORDER:
        shown = [row for row in worst.values() if row.verdict == verdict]
        if shown:
            figure.add_trace(_dots(report, shown, verdict))
    bounds = [(words.bound_of(row), row) for row in rows if not words.is_drop(row)]
    figure.add_trace(_ticks(bounds, "required", "#0f172a"))
    drops = [(_least(report, row), row) for row in rows if words.is_drop(row)]
    figure.add_trace(_ticks(drops, "allowed drop", "#94a3b8"))
    if any(row.baseline is not None for row in rows):
        figure.add_trace(_baselines(list(worst.values()), report))
    return _styled(figure, metric, list(worst))


def short_label(name: str) -> str:
    """A population's name as plain text for Plotly, which reads a little HTML."""
    short = name if len(name) <= _WIDEST else f"{name[: _WIDEST - 1]}…"
    return html.escape(short)


def _dots(report: Report, rows: list[Row], verdict: str) -> go.Scatter:
    known = [row for row in rows if row.value is not None]
    return go.Scatter(
        x=[row.value for row in known],
        y=[row.population for row in known],
        name=NAMES[verdict],
        mode="markers",
        marker={
            "size": 11,
            "color": COLORS[verdict],
            "symbol": _SYMBOLS[verdict],
            "line": {"width": 1, "color": "white"},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [_reach(r.value, r.high) for r in known],
            "arrayminus": [_reach(r.value, r.low) for r in known],
            "thickness": 2.4,
            "width": 0,
            "color": COLORS[verdict],
        },
        hovertext=[html.escape(report.explain(row)) for row in known],
        hoverinfo="text",
    )


def _reach(value: float | None, end: float | None) -> float:
    """From a figure to an end of its interval; nothing where that has no end."""
    return 0 if value is None or end is None else abs(end - value)


def _least(report: Report, row: Row) -> float | None:
    """The value at which the allowed drop from the baseline is used up."""
    bound = words.bound_of(row)
    if bound is None or row.baseline is None:
        return None
    falling = report.provenance.get("lower_is_better")
    higher = row.metric not in falling if falling is not None else _rises(row.metric)
    return row.baseline - bound if higher else row.baseline + bound


def _rises(metric: str) -> bool:
    return find_metric(metric, [metric]).higher_is_better


def _ticks(
    bounds: Sequence[tuple[float | None, Row]], name: str, color: str
) -> go.Scatter:
    known = [(bound, row) for bound, row in bounds if bound is not None]
    return go.Scatter(
        x=[bound for bound, _ in known],
        y=[row.population for _, row in known],
        name=name,
        mode="markers",
        marker={
            "symbol": "line-ns-open",
            "size": 20,
            "color": color,
            "line": {"width": 2.2},
        },
        hovertext=[html.escape(row.requirement) for _, row in known],
        hoverinfo="text",
        showlegend=bool(known),
    )


def _baselines(rows: list[Row], report: Report) -> go.Scatter:
    known = [row for row in rows if row.baseline is not None]
    named = short_label(str(report.provenance.get("baseline") or "baseline"))
    return go.Scatter(
        x=[row.baseline for row in known],
        y=[row.population for row in known],
        name=named if named == "baseline" else f"baseline {named}",
        mode="markers",
        marker={
            "symbol": "circle-open",
            "size": 9,
            "color": "#475569",
            "line": {"width": 1.6},
        },
        hovertext=[f"baseline {words.number(row.baseline)}" for row in known],
        hoverinfo="text",
    )


def _styled(figure: go.Figure, metric: str, names: list[str]) -> go.Figure:
    return figure.update_layout(
        template="plotly_white",
        font={"family": FONT, "size": 13, "color": "#1e293b"},
        height=110 + 30 * len(names),
        margin={"l": 10, "r": 20, "t": 46, "b": 44},
        hoverlabel={"align": "left", "bgcolor": "white"},
        legend={
            "orientation": "h",
            "xref": "container",
            "yref": "container",
            "x": 0.005,
            "y": 0.995,
            "xanchor": "left",
            "yanchor": "top",
            "font": {"size": 12},
        },
        xaxis={
            "title": {"text": html.escape(metric), "standoff": 8},
            "gridcolor": "#e8edf3",
            "zeroline": False,
        },
        yaxis={
            "autorange": "reversed",
            "categoryorder": "array",
            "categoryarray": names,
            "tickvals": names,
            "ticktext": [short_label(name) for name in names],
            "gridcolor": "#f1f5f9",
            "automargin": True,
        },
    )
