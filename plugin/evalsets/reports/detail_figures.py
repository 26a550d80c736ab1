"""Plots of what a report keeps of a population: confusions and reliability."""

from __future__ import annotations

import html
from collections import Counter
from typing import Any

import plotly.graph_objects as go

from evalsets.reports.details import Confusion, Reliability
from evalsets.reports.figure import FONT, short_label

_MOST_CLASSES = 30
_NOTHING = "(nothing)"
_INK = "#334155"


def confusion_figure(cells: Confusion, population: str) -> go.Figure:
    """What each true label was taken for, in shares of that label.

    Of many labels those with the most mistakes are drawn.

    Args:
        cells: to draw
        population: whose they are
    """
    count = {(true, predicted): n for true, predicted, n in cells}
    total: Counter[str] = Counter()
    for (true, _), n in count.items():
        total[true] += n
    known = {label for pair in count for label in pair if label}
    rows, columns = confusion_labels(cells)
    counts = [[count.get((t, p), 0) for p in columns] for t in rows]
    said = [
        [
            f"{html.escape(t)}, predicted {html.escape(p or _NOTHING)}: {n:,} of {total[t]:,}"
            for p, n in zip(columns, line, strict=True)
        ]
        for t, line in zip(rows, counts, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=[
                [n / max(total[t], 1) for n in line]
                for t, line in zip(rows, counts, strict=True)
            ],
            text=[[f"{n:,}" if n else "" for n in line] for line in counts],
            texttemplate="%{text}",
            hovertext=said,
            hoverinfo="text",
            colorscale="Blues",
            zmin=0,
            zmax=1,
            colorbar={
                "title": {"text": "share of true label", "side": "right"},
                "tickformat": ".0%",
                "thickness": 12,
            },
            xgap=1,
            ygap=1,
        )
    )
    axis: dict[str, Any] = {"tickmode": "array", "showgrid": False, "automargin": True}
    figure.update_xaxes(title_text="predicted", **axis, **_ticks(columns))
    figure.update_yaxes(title_text="true", **axis, **_ticks(rows), autorange="reversed")
    left_out = len(known) - len(rows)
    more = f", the {len(rows)} labels most confused of {len(known)}" if left_out else ""
    title = f"Confusion: {short_label(population)}{more}"
    return styled(figure, title, 190 + 26 * len(rows))


def confusion_labels(cells: Confusion) -> tuple[list[str], list[str]]:
    """The true and the predicted labels of the plot, in its order; empty for none."""
    wrong: Counter[str] = Counter()
    for true, predicted, n in cells:
        if true != predicted:
            wrong[true] += n
            wrong[predicted] += n
    known = sorted({label for cell in cells for label in cell[:2] if label})
    rows = sorted(sorted(known, key=lambda label: -wrong[label])[:_MOST_CLASSES])
    return rows, [*rows, *([""] if wrong[""] else [])]


def reliability_figure(bins: Reliability, population: str) -> go.Figure:
    """How often predictions of each confidence are right, beside the confidence."""
    most = max((n for n, _, _ in bins), default=1)
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            line={"dash": "dot", "color": "#94a3b8"},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[confidence for _, confidence, _ in bins],
            y=[right for _, _, right in bins],
            mode="lines+markers",
            marker={
                "size": [7 + 15 * (n / most) ** 0.5 for n, _, _ in bins],
                "color": "#3b6fd4",
                "line": {"width": 1, "color": "white"},
            },
            line={"color": "#9db8ea"},
            hovertext=[
                f"confidence {confidence:.3f}, right {right:.3f}, n {n:,}"
                for n, confidence, right in bins
            ],
            hoverinfo="text",
            showlegend=False,
        )
    )
    figure.update_xaxes(title_text="confidence", range=[-0.02, 1.02])
    figure.update_yaxes(title_text="share right", range=[-0.02, 1.02])
    return styled(figure, f"Reliability: {short_label(population)}", 380)


def styled(figure: go.Figure, title: str, height: int) -> go.Figure:
    """With what all plots have in common."""
    return figure.update_layout(
        template="plotly_white",
        font={"family": FONT, "size": 13, "color": _INK},
        title={"text": title, "font": {"size": 15}, "x": 0.005, "xanchor": "left"},
        height=height,
        margin={"l": 10, "r": 20, "t": 50, "b": 44},
        hoverlabel={"align": "left", "bgcolor": "white"},
    )


def _ticks(labels: list[str]) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(labels))),
        "ticktext": [short_label(label or _NOTHING) for label in labels],
    }
