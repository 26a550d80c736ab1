"""How much of every population lies in train, val and test."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from evalsets.errors import ArgumentError, counted

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PARTS = ("train", "val", "test", "quarantine")
_COLOURS = {
    "train": "#4C78A8",
    "val": "#72B7B2",
    "test": "#F58518",
    "quarantine": "#BAB0AC",
}


@dataclass(frozen=True)
class Coverage:
    """How populations divide over the sides of a split.

    Args:
        frame: by population: ``n, train, val, test, quarantine`` samples,
            ``holdout_asked`` and ``holdout_got`` as shares
        overlap: population × population, samples in both; ``n`` on the diagonal
        gaps: what is missing, one sentence each
    """

    frame: pd.DataFrame
    overlap: pd.DataFrame
    gaps: list[str]

    def plot(self) -> Figure:
        """Stacked bars, one a population, with a mark where its hold-out was asked."""
        import plotly.graph_objects as go

        shown = self.frame.iloc[::-1]  # the first population on top
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

    def to_text(self, width: int = 100) -> str:
        """A table for the terminal, and the gaps below it."""
        table = Table(title="Coverage", title_justify="left")
        table.add_column("population", overflow="fold")
        for column in ("n", *PARTS, "asked", "got"):
            table.add_column(column, justify="right")
        for name, row in self.frame.iterrows():
            asked, got = row["holdout_asked"], row["holdout_got"]
            short = asked > 0 and not got >= asked
            table.add_row(
                str(name),
                *(f"{int(row[column]):,}" for column in ("n", *PARTS)),
                f"{asked:.1%}" if asked else "–",
                "–" if np.isnan(got) else f"{got:.1%}",
                style="bold red" if short else "",
            )
        out = io.StringIO()
        console = Console(file=out, width=width)
        console.print(table)
        for gap in self.gaps:
            console.print(f"• {gap}", markup=False, highlight=False)
        return out.getvalue()

    def __str__(self) -> str:
        return self.to_text()


def coverage(
    membership: pd.DataFrame, side: Sequence[str], holdout: Mapping[str, float]
) -> Coverage:
    """Counts every population over the sides of a split.

    Args:
        membership: bool, sample id × population
        side: ``(n,)`` train, val, test, quarantine, or empty for a sample without one
        holdout: asked share by population; 0 where it is not named
    """
    if len(side) != len(membership):
        raise ArgumentError(f"{len(side)} sides for {len(membership)} samples")
    names = pd.Index([str(name) for name in membership.columns], name="population")
    members = membership.to_numpy(dtype=np.int64)
    sides = np.asarray(side, dtype=object)
    n = members.sum(axis=0)
    columns: dict[str, object] = {"n": n}
    for part in PARTS:
        columns[part] = members[sides == part].sum(axis=0)
    columns["holdout_asked"] = [float(holdout.get(name, 0)) for name in names]
    in_test = members[sides == "test"].sum(axis=0)
    columns["holdout_got"] = np.divide(
        in_test, n, out=np.full(len(n), np.nan), where=n > 0
    )
    frame = pd.DataFrame(columns, index=names)
    counted = members.astype(np.float32)  # exact to 2²⁴, and BLAS multiplies floats
    shared = (counted.T @ counted).astype(np.int64)
    overlap = pd.DataFrame(shared, index=names, columns=names)
    return Coverage(frame, overlap, _gaps(frame))


def _gaps(frame: pd.DataFrame) -> list[str]:
    found = []
    for name, row in frame.iterrows():
        n, asked, got = int(row["n"]), row["holdout_asked"], row["holdout_got"]
        if not n:
            found.append(f"'{name}' is empty")
            continue
        waiting = n - int(row[list(PARTS)].sum())
        if waiting:
            samples = counted(waiting, "sample")
            found.append(f"'{name}' has {samples} without a side; split again")
        elif not row["train"]:
            found.append(f"'{name}' has no training sample")
        if asked > 0 and waiting < n and row["test"] < np.ceil(asked * n - 1e-9):
            found.append(f"'{name}' asked {asked:.1%} for test, got {got:.1%}")
    return found
