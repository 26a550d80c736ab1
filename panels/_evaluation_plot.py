"""The plot of the Evaluation panel."""

from __future__ import annotations

import html
from typing import Any

from fiftyone.operators import types

import evalsets

from . import _blocks as blocks

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
    drawn = report.plot(metric or None).to_plotly_json()
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
    for theirs in ("template", "font", "hoverlabel", "legend"):
        layout.pop(theirs, None)
    for axis in ("xaxis", "yaxis"):
        layout[axis].pop("gridcolor", None)
        layout[axis]["fixedrange"] = True
    layout["height"] -= layout["margin"]["t"] - 8
    layout["margin"]["t"] = 8
    layout |= {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}
    layout |= {"font": {"size": 12}, "dragmode": False, "hovermode": "closest"}
    view = types.PlotlyView(
        data=traces,
        layout=layout,
        config={"displayModeBar": False, "scrollZoom": False},
        height=f"{layout['height']}px",
        on_click=panel.click_plot,
    )
    root.define_property("plot", types.Object(), view=view)


def _toned(trace: dict[str, Any]) -> dict[str, Any]:
    """A trace in colours that a dark and a light background bear."""
    color = _TRACES.get(trace["name"], blocks.NEUTRAL)
    line = {**trace["marker"].get("line", {}), "color": color}
    toned = {**trace, "marker": {**trace["marker"], "color": color, "line": line}}
    if "error_x" in trace:
        toned["error_x"] = {**trace["error_x"], "color": color}
    return toned
