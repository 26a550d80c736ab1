"""The part of the Evaluation panel that opens what went wrong."""

from __future__ import annotations

from typing import Any

from fiftyone.operators import types

import evalsets

from . import _blocks as blocks
from ._evaluation_plot import draw_plot
from ._evaluation_session import names_kept


def draw_mistakes(
    root: types.Object, panel: Any, report: evalsets.Report, population: str
) -> None:
    """Ways into the grid, and what was taken for what."""
    line = blocks.row(root, "mistakes", alignItems="flex-end", pt=1)
    blocks.dropdown(
        line,
        "about",
        "Population",
        {name: name for name in names_kept(report)},
        width=140,
        on_change=panel.choose_about,
    )
    blocks.button(
        line, "worst", "Worst samples", panel.show_worst, icon="trending_down"
    )
    baseline = report.provenance["baseline"]
    if baseline:
        blocks.button(
            line,
            "lost",
            f"{baseline} right, {report.model} wrong",
            panel.show_lost,
            icon="remove_circle_outline",
        )
        blocks.button(
            line,
            "gained",
            f"{report.model} right, {baseline} wrong",
            panel.show_gained,
            icon="add_circle_outline",
        )
    else:
        words = "Choose a baseline and evaluate to see on which samples the two differ."
        blocks.text(root, "nobaseline", words, color=blocks.QUIET)
    _confusion(root, panel, report, population)


def _confusion(
    root: types.Object, panel: Any, report: evalsets.Report, population: str
) -> None:
    if not report.details.confusion:
        return
    blocks.heading(root, "confusionhead", f"What was taken for what: {population}")
    if population not in report.details.confusion:
        words = "A report keeps this of all samples and of populations that fail."
        blocks.text(root, "noconfusion", words, color=blocks.QUIET)
        return
    words = "A click on a cell opens its samples."
    blocks.text(root, "confusionhint", words, color=blocks.QUIET, fontSize="0.85rem")
    drawn = report.plot("confusion", population).to_plotly_json()
    (heat,), layout = drawn["data"], drawn["layout"]
    heat["z"] = [[share or None for share in shares] for shares in heat["z"]]
    heat["colorscale"] = [[0, "#c9dafb"], [1, "#1f4fbf"]]
    layout["height"] = min(max(layout["height"] - 60, 200), 640)
    layout["margin"] = {"l": 10, "r": 10, "t": 8, "b": 10}
    draw_plot(root, "confusion", [heat], layout, panel.click_confusion)
