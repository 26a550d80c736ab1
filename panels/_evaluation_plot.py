"""The plot of the Evaluation panel."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Callable, Iterable
from typing import Any

from fiftyone.operators import types

import evalsets

from . import _blocks as blocks
from ._evaluation_state import table_rows

_MOST = 30
"""Populations in the plot; more would be a page to scroll through."""

_TRACES = {
    "FAIL": blocks.BAD,
    "INCONCLUSIVE": blocks.OPEN,
    "PASS": blocks.GOOD,
    "required": "#5b8def",
    "allowed drop": "#9a7be0",
}
"""By name of the plot's trace; the others are neutral."""
_MARKS = {"x": "✖", "diamond": "◆", "line-ns-open": "│", "circle-open": "○"}
"""By symbol of the plot's trace; the others are dots."""


def plot(root: types.Object, panel: Any, report: evalsets.Report, metric: str) -> None:
    """Value and interval of each population; a click opens its samples."""
    few = _first(report, metric)
    drawn = few.plot(metric or None).to_plotly_json()
    traces = [_toned(trace) for trace in drawn["data"] if len(trace["x"])]
    layout = drawn["layout"]
    legend = blocks.row(root, "legend", gap=2)
    for number, trace in enumerate(traces):
        mark = _MARKS.get(trace["marker"]["symbol"], "●")
        blocks.text(
            legend,
            f"trace{number}",
            f"{mark} {html.unescape(trace['name'])}",
            color=trace["marker"]["color"],
            fontSize="0.8rem",
        )
    layout.pop("legend", None)
    layout["height"] -= layout["margin"]["t"] - 8
    layout["margin"]["t"] = 8
    draw_plot(root, "plot", traces, layout, panel.click_plot)
    left = len(_names(report.rows)) - len(_names(few.rows))
    if left:
        words = f"{left:,} populations more are in the table, the failing ones first."
        blocks.text(root, "plotmore", words, color=blocks.QUIET, fontSize="0.85rem")


def _first(report: evalsets.Report, metric: str) -> evalsets.Report:
    """The report of the populations that stand first in the table."""
    names = _names(table_rows(report.rows, metric))[:_MOST]
    rows = tuple(row for row in report.rows if row.population in names)
    return dataclasses.replace(report, rows=rows)


def _names(rows: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(row.population for row in rows))


def draw_plot(
    root: types.Object,
    name: str,
    traces: list[dict[str, Any]],
    layout: dict[str, Any],
    on_click: Callable[..., Any] | None = None,
    *,
    legend: bool = False,
) -> None:
    """A plot of a report in the App's own colours.

    Args:
        root: to draw on
        name: of the property
        traces: of Plotly
        layout: of Plotly, of which colours and fonts are left to the App
        on_click: gets ``x`` and ``y`` in its parameters
        legend: whether Plotly draws one
    """
    for theirs in ("template", "font", "hoverlabel", "title"):
        layout.pop(theirs, None)
    for axis in ("xaxis", "yaxis"):
        layout[axis].pop("gridcolor", None)
        layout[axis] |= {"fixedrange": True, "zeroline": False}
    layout |= {"font": {"size": 12}, "hovermode": "closest"}
    if legend:
        layout["legend"] = {**layout.get("legend", {}), "font": {"color": "#8b93a1"}}
    blocks.plot(root, name, traces, layout, on_click)


def _toned(trace: dict[str, Any]) -> dict[str, Any]:
    """A trace in colours that a dark and a light background bear."""
    color = _TRACES.get(trace["name"], blocks.NEUTRAL)
    line = {**trace["marker"].get("line", {}), "color": color}
    toned = {**trace, "marker": {**trace["marker"], "color": color, "line": line}}
    if "error_x" in trace:
        toned["error_x"] = {**trace["error_x"], "color": color}
    return toned
