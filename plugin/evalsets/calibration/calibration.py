"""What was measured of a population's cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class Calibration:
    """A cut on a similarity with its measured precision and recall.

    Args:
        population: name
        term: the similarity that is cut, as the query writes it
        threshold: the cut
        wanted: precision that was asked for; the population has at least that, in 9 of
            10 calibrations or more
        precision: share of the population that belongs, as estimated
        precision_interval: of confidence 0.9 or more; its lower end is proven and
            reaches ``wanted``
        recall: share of the samples that belong that the population has, among those
            that meet the rest of its query
        recall_interval: of confidence 0.9
        n: samples of the population
        answers: judged samples that were counted
        missing: proposed samples without an answer, counted as wrong
        proposed: whether the judged samples are those that were proposed; if not, all
            of this supposes that they are like others of about their score
        before: the cut until now, and the samples that it kept
        curve: cuts that were considered, each with the samples it keeps, and the
            estimated precision and recall
    """

    population: str
    term: str
    threshold: float
    wanted: float
    precision: float
    precision_interval: tuple[float, float]
    recall: float
    recall_interval: tuple[float, float]
    n: int
    answers: int
    missing: int = 0
    proposed: bool = True
    before: tuple[float, int] | None = field(default=None, compare=False)
    curve: tuple[tuple[float, int, float, float], ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """By cut: ``threshold, n, precision, recall``."""
        return pd.DataFrame(
            self.curve, columns=["threshold", "n", "precision", "recall"]
        )

    def __str__(self) -> str:
        cut, kept = f"{self.threshold:g}", f"{self.n:,} samples"
        if self.before is not None:
            cut += f" (was {self.before[0]:g})"
            kept += f" (was {self.before[1]:,})"
        text = (
            f"'{self.population}': {self.term} cut at {cut} keeps {kept} with precision "
            f"{self.words()} and recall {_figure(self.recall, self.recall_interval)}, "
            f"from {self.answers:,} answers"
        )
        if self.missing:
            text += f"; {self.missing:,} proposed samples have none and count as wrong"
        if not self.proposed:
            text += (
                "; it supposes that the judged samples are like others of their score"
            )
        return text

    def words(self) -> str:
        """The precision with its interval: "0.95 [0.91, 0.98]"."""
        return _figure(self.precision, self.precision_interval)

    def plot(self) -> Figure:
        """Precision and recall over the cut, with the chosen cut and its intervals."""
        import plotly.graph_objects as go

        frame = self.frame
        figure = go.Figure()
        for name, value, (low, high), colour in (
            ("precision", self.precision, self.precision_interval, "#4C78A8"),
            ("recall", self.recall, self.recall_interval, "#F58518"),
        ):
            figure.add_scatter(
                x=frame["threshold"],
                y=frame[name],
                name=name,
                line={"color": colour, "shape": "hv"},
                customdata=frame[["n"]],
                hovertemplate="%{y:.0%} at %{x}, %{customdata[0]:,} samples",
            )
            figure.add_scatter(
                x=[self.threshold],
                y=[value],
                error_y={"array": [high - value], "arrayminus": [value - low]},
                mode="markers",
                marker={"color": colour, "size": 9},
                name=f"{name}, measured",
                showlegend=False,
            )
        figure.add_hline(y=self.wanted, line={"dash": "dot", "color": "#888"})
        figure.add_vline(x=self.threshold, line={"dash": "dot", "color": "#888"})
        figure.update_layout(
            template="plotly_white",
            title=f"{self.population}: {self.n:,} samples",
            xaxis_title=self.term,
            yaxis={"tickformat": ".0%", "range": [0, 1.02]},
        )
        return figure

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Calibration:
        """Reads what :meth:`to_dict` gave, also after a trip through JSON."""
        pairs = ("precision_interval", "recall_interval")
        return cls(
            **{
                **entry,
                **{name: tuple(entry[name]) for name in pairs},
                "before": entry.get("before") and tuple(entry["before"]),
                "curve": tuple(tuple(row) for row in entry["curve"]),
            }
        )


def _figure(value: float, interval: tuple[float, float]) -> str:
    return f"{value:.2f} [{interval[0]:.2f}, {interval[1]:.2f}]"
