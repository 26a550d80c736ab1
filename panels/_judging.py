"""Calibration in the Populations panel: samples are marked in the grid, the cut follows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fiftyone.operators import types

import evalsets
from evalsets.errors import counted

from . import _blocks as blocks

_HEIGHT = 250


@dataclass(frozen=True)
class Judged:
    """What is shown of a cut that is being calibrated.

    Args:
        population: name
        term: the similarity that is cut
        terms: those that could be
        belong: samples that were said to belong
        others: samples that were said not to
        to_judge: ids of the samples that are left to judge
        said: what the answers prove so far
        proven: whether they prove a cut
        drawn: traces and layout of the plot
    """

    population: str
    term: str
    terms: tuple[str, ...]
    belong: int
    others: int
    to_judge: tuple[str, ...]
    said: str = ""
    proven: bool = False
    drawn: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> Judged:
        """Reads what the browser kept."""
        lists = ("terms", "to_judge")
        return cls(**{**held, **{name: tuple(held[name]) for name in lists}})

    @classmethod
    def of(
        cls,
        known: evalsets.Judging,
        terms: tuple[str, ...],
        to_judge: Sequence[str],
        said: str = "",
        *,
        proven: bool = False,
    ) -> Judged:
        """What is known of a cut, with what the last answers came to."""
        answers = known.answers
        drawn = json.loads(known.plot().to_json())
        return cls(
            known.population,
            known.term,
            terms,
            answers[True],
            answers[False],
            tuple(to_judge),
            said,
            proven,
            {"data": drawn["data"], "layout": drawn["layout"]},
        )


def words(found: evalsets.Calibration) -> str:
    """What a calibration measured, as the panel says it."""
    low, high = found.recall_interval
    text = (
        f"Cut at {found.threshold:.3f}: {counted(found.n, 'sample')}, precision "
        f"{found.words()}, recall {found.recall:.2f} [{low:.2f}, {high:.2f}]"
    )
    if found.missing:
        text += f"; the {counted(found.missing, 'sample')} left count as wrong"
    return text


def draw(root: types.Object, panel: Any, judged: Judged) -> None:
    """The card in which a cut is calibrated.

    Args:
        root: to draw on
        panel: whose handlers the buttons call
        judged: to show
    """
    left = len(judged.to_judge)
    color = blocks.GOOD if judged.proven else blocks.NEUTRAL
    box = blocks.card(
        root,
        "judging",
        borderLeft=f"3px solid {color}",
        background="var(--fo-palette-background-level1)",
    )
    blocks.heading(box, "title", f"Calibrate '{judged.population}'")
    task = (
        f"The grid shows {counted(left, 'sample')} to judge. Select those that "
        "belong and press Belong; then say the same of those that do not."
        if left
        else "Everything that was proposed is judged."
    )
    blocks.text(box, "task", task, color=blocks.QUIET)
    _plot(box, judged)
    state = f"{judged.belong:,} belong, {judged.others:,} do not, {left:,} left"
    blocks.text(box, "counts", state, fontWeight=600)
    if judged.said:
        blocks.text(
            box, "said", judged.said, color=color if judged.proven else blocks.QUIET
        )
    _buttons(box, panel, judged)
    _options(root, panel, judged)


def _buttons(box: types.Object, panel: Any, judged: Judged) -> None:
    line = blocks.row(box, "answers", pt=1)
    if judged.to_judge:
        blocks.button(
            line, "belong", "Belong", panel.belong, icon="thumb_up", strong=True
        )
        blocks.button(line, "others", "Do not", panel.others, icon="thumb_down")
        blocks.button(
            line, "rest", "None of the rest does", panel.rest, icon="playlist_remove"
        )
    else:
        blocks.button(
            line, "again", "Judge more", panel.again, icon="add_task", strong=True
        )
    blocks.button(line, "end", "Done", panel.end, icon="check")


def _options(root: types.Object, panel: Any, judged: Judged) -> None:
    line = blocks.row(root, "cut")
    line.float(
        "precision",
        min=1,
        max=100,
        view=types.TextFieldView(
            label="Precision, %", componentsProps=blocks.fixed(118)
        ),
    )
    if len(judged.terms) > 1:
        blocks.dropdown(
            line,
            "term",
            "Similarity to cut",
            {term: term for term in judged.terms},
            width=180,
            on_change=panel.choose_term,
        )


def _plot(box: types.Object, judged: Judged) -> None:
    layout = {**judged.drawn["layout"]}
    layout.pop("template", None)
    for axis in ("xaxis", "yaxis", "yaxis2"):
        layout[axis] = {**layout[axis], "fixedrange": True, "zeroline": False}
        layout[axis]["showgrid"] = False
    layout |= {
        "height": _HEIGHT,
        "margin": {"t": 18, "b": 44, "l": 62, "r": 12},
        "font": {"size": 12, "color": blocks.NEUTRAL},
    }
    blocks.plot(box, "plot", judged.drawn["data"], layout)
