"""The part of the Evaluation panel that sets models side by side."""

from __future__ import annotations

import dataclasses
from typing import Any

import fiftyone as fo
from fiftyone.operators import types

import evalsets

from . import _blocks as blocks
from ._evaluation_plot import draw_plot
from ._evaluation_state import ALL

BY_VERDICT, BY_VALUE = "verdict", "value"
_VERDICTS = ("fail", "inconclusive", "pass", "")
_TONES = (blocks.BAD, blocks.OPEN, blocks.GOOD, blocks.NEUTRAL)
_MOST_LINES = 6
_MOST_REPORTS = 20


def trend_of(
    dataset: fo.Dataset, report: evalsets.Report, metric: str | None = None
) -> evalsets.Trend:
    """One metric over the reports of the split of a report."""
    split = report.provenance["split"]
    return evalsets.trend(dataset, metric=metric or None, split=split, data=False)


def places(trend: evalsets.Trend) -> tuple[list[str], list[str]]:
    """The models and the populations of the map, as they stand: the worst first."""
    rows = trend.newest
    order = rows.assign(
        rest=rows["population"] != ALL, order=rows["verdict"].map(_VERDICTS.index)
    )
    worst = order.sort_values(["rest", "order"], kind="stable")["population"]
    names = list(dict.fromkeys(worst))[: blocks.MOST_ROWS]
    return list(dict.fromkeys(rows["model"])), names


def draw_models(
    root: types.Object, panel: Any, trend: evalsets.Trend, opened: str, colours: str
) -> None:
    """A map of populations against models, and lines from report to report."""
    line = blocks.row(root, "maphead", alignItems="center", pt=1)
    title = f"{trend.metric} of each model's newest report"
    blocks.heading(line, "title", title)
    blocks.dropdown(
        line,
        "colours",
        "Colours",
        {BY_VERDICT: "colours by verdict", BY_VALUE: "colours by value"},
        width=190,
        on_change=panel.choose_about,
        compact=True,
    )
    words = "A click on a cell opens its samples and the model's report."
    blocks.text(root, "maphint", words, color=blocks.QUIET, fontSize="0.85rem")
    _map(root, panel, trend, by_value=colours == BY_VALUE)
    if trend.frame["report"].nunique() > 1:
        blocks.heading(root, "lineshead", "From report to report")
        _lines(root, trend, opened)


def _map(
    root: types.Object, panel: Any, trend: evalsets.Trend, *, by_value: bool
) -> None:
    drawn = trend.heatmap(by_value=True).to_plotly_json()
    (heat,), layout = drawn["data"], drawn["layout"]
    known = list(dict.fromkeys(trend.newest["population"]))
    models, names = places(trend)
    at = [known.index(name) for name in names]
    verdict = {
        (r.model, r.population): _VERDICTS.index(r.verdict)
        for r in trend.newest.itertuples()
    }
    for key in ("z", "text", "hovertext"):
        heat[key] = [[line[column] for line in heat[key]] for column in at]
    heat.pop("colorbar")
    heat["showscale"] = False
    if not by_value:
        heat["z"] = [[verdict.get((m, name)) for m in models] for name in names]
        steps = len(_TONES)
        heat |= {
            "zmin": -0.5,
            "zmax": steps - 0.5,
            "colorscale": [
                [(step + end) / steps, tone]
                for step, tone in enumerate(_TONES)
                for end in (0, 1)
            ],
        }
    ticks = dict(zip(known, layout["xaxis"]["ticktext"], strict=True))
    columns, rows = layout["yaxis"], layout["xaxis"]
    columns.pop("autorange")
    rows |= {
        "tickvals": list(range(len(names))),
        "ticktext": [ticks[name] for name in names],
        "autorange": "reversed",
    }
    layout |= {"xaxis": {**columns, "side": "top"}, "yaxis": rows}
    layout["height"] = 40 + 30 * len(names)
    layout["margin"] = {"l": 10, "r": 10, "t": 30, "b": 4}
    draw_plot(root, "map", [heat], layout, panel.click_map)


def _lines(root: types.Object, trend: evalsets.Trend, opened: str) -> None:
    """The whole, what was opened, and what is worst: more lines nobody can read."""
    _, names = places(trend)
    first = [name for name in (ALL, opened) if name in names]
    chosen = list(dict.fromkeys([*first, *names]))[:_MOST_LINES]
    frame = trend.frame
    late = sorted(frame["report"].unique())[-_MOST_REPORTS:]
    frame = frame[frame["population"].isin(chosen) & frame["report"].isin(late)]
    drawn = dataclasses.replace(trend, frame=frame).plot().to_plotly_json()
    layout = drawn["layout"]
    layout |= {"showlegend": True, "height": 300}
    layout["margin"] = {"l": 10, "r": 10, "t": 8, "b": 30}
    layout["legend"] = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    draw_plot(root, "lines", list(drawn["data"]), layout, legend=True)
    if len(chosen) < len(names):
        words = f"{len(chosen)} of {len(names)} populations: open one to see its line."
        blocks.text(root, "lineshint", words, color=blocks.QUIET, fontSize="0.85rem")
