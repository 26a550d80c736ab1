"""The samples that a population's cut decides on, as far as people judged them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_BINS = 40
_ANSWERS = {True: ("belongs", "#30A46C"), False: ("does not", "#E5484D")}


@dataclass(frozen=True)
class Judging:
    """What is known of a cut before and while people judge.

    Args:
        population: name
        term: the similarity that is cut, as the query writes it
        cut: where it is cut now
        keeps_above: whether the population has what is above the cut, else below
        frame: indexed by sample id, what is kept first: ``similarity``, and ``belongs``:
            True or False as people said, None where nobody did
    """

    population: str
    term: str
    cut: float
    keeps_above: bool
    frame: pd.DataFrame

    @property
    def answers(self) -> dict[bool, int]:
        """How many samples were said to belong, and how many not to."""
        counts = self.frame["belongs"].value_counts()
        return {said: int(counts.get(said, 0)) for said in _ANSWERS}

    def plot(self) -> Figure:
        """How many samples have which similarity, the cut, and above it the answers."""
        import plotly.graph_objects as go

        similarity = self.frame["similarity"].to_numpy(float)
        counts, edges = np.histogram(similarity, _BINS)
        figure = go.Figure()
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges),
            name="samples",
            marker={"color": "#8B93A1"},
            hovertemplate="%{y:,} samples around %{x:.3f}<extra></extra>",
        )
        for said, (name, color) in _ANSWERS.items():
            judged = similarity[(self.frame["belongs"] == said).to_numpy(bool)]
            figure.add_scatter(
                x=judged,
                y=np.full(len(judged), name),
                yaxis="y2",
                name=name,
                mode="markers",
                marker={"color": color, "symbol": "line-ns-open", "size": 12},
                hovertemplate=f"{name}: %{{x:.3f}}<extra></extra>",
            )
        figure.add_vline(
            x=self.cut, line={"dash": "dot", "color": "#888"}, annotation_text="cut"
        )
        figure.update_layout(
            template="plotly_white",
            showlegend=False,
            bargap=0,
            xaxis_title=self.term,
            yaxis={"title": "samples", "domain": [0, 0.74]},
            yaxis2={
                "domain": [0.8, 1],
                "type": "category",
                "categoryarray": [name for name, _ in _ANSWERS.values()][::-1],
                "range": [-0.6, 1.6],
            },
        )
        return figure
