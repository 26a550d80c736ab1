"""Coverage as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_COLOURS = {
    "train": "#4C78A8",
    "val": "#72B7B2",
    "test": "#F58518",
    "quarantine": "#BAB0AC",
}
_MOST_WRITTEN = 15


def bars(frame: pd.DataFrame) -> Figure:
    """Stacked bars, one a population, with a mark where its hold-out was asked.

    Args:
        frame: as of :class:`~evalsets.splits.coverage.Coverage`
    """
    import plotly.graph_objects as go

    shown = frame.iloc[::-1]  # the first population on top
    n = shown["n"].clip(lower=1)
    figure = go.Figure()
    for part in ("test", "val", "train", "quarantine"):
        if part == "quarantine" and not shown[part].any():
            continue
        figure.add_bar(
            y=shown.index,
            x=shown[part] / n,
            customdata=shown[[part, "n"]],
            orientation="h",
            name=part,
            marker_color=_COLOURS[part],
            hovertemplate="%{y}: %{customdata[0]} of %{customdata[1]} "
            f"in {part} (%{{x:.1%}})<extra></extra>",
        )
    asking = shown[shown["holdout_asked"] > 0]
    figure.add_scatter(
        y=asking.index,
        x=asking["holdout_asked"],
        mode="markers",
        name="asked",
        marker={"symbol": "line-ns", "size": 18, "line": {"width": 2.5}},
        hovertemplate="%{y}: asked %{x:.0%}<extra></extra>",
    )
    figure.update_layout(
        barmode="stack",
        template="plotly_white",
        height=120 + 34 * len(shown),
        margin={"l": 10, "r": 70, "t": 50, "b": 30},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"tickformat": ".0%", "range": [0, 1], "fixedrange": True},
        yaxis={"automargin": True, "ticksuffix": "  "},
        bargap=0.35,
    )
    for name, count in shown["n"].items():
        figure.add_annotation(
            x=1.01,
            xref="paper",
            y=name,
            text=f"{count:,}",
            showarrow=False,
            xanchor="left",
        )
    return figure


def heat_map(overlap: pd.DataFrame) -> Figure:
    """How much of each population, a row, lies in each other one, a column.

    Args:
        overlap: samples in both, population × population
    """
    import plotly.graph_objects as go

    n = np.diag(overlap).astype(float)
    share = overlap.to_numpy() / np.maximum(n, 1)[:, None]
    names = list(overlap.index)
    figure = go.Figure(
        go.Heatmap(
            z=share,
            x=names,
            y=names,
            customdata=overlap.to_numpy(),
            zmin=0,
            zmax=1,
            colorscale="Blues",
            colorbar={"tickformat": ".0%", "title": "of the row"},
            hovertemplate="%{customdata:,} of '%{y}' (%{z:.1%}) lie in '%{x}'"
            "<extra></extra>",
        )
    )
    if len(names) <= _MOST_WRITTEN:
        figure.update_traces(texttemplate="%{z:.0%}")
    figure.update_layout(
        template="plotly_white",
        height=200 + 30 * len(names),
        xaxis={"side": "top", "automargin": True, "type": "category"},
        yaxis={"autorange": "reversed", "automargin": True, "type": "category"},
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
    )
    return figure
