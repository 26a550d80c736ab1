"""The Evaluation panel, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fiftyone.operators import types

import evalsets

from . import _blocks as blocks
from ._evaluation_mistakes import draw_mistakes
from ._evaluation_models import draw_models
from ._evaluation_plot import plot
from ._evaluation_state import (
    MISTAKES,
    MODELS,
    PARTS,
    SPLITS,
    WEAK,
    EvaluationState,
    interval,
    metrics,
    sentence,
    source,
    table_rows,
)
from ._evaluation_weak import draw_weak

_COLORS = {
    "fail": blocks.BAD,
    "inconclusive": blocks.OPEN,
    "pass": blocks.GOOD,
    "": blocks.NEUTRAL,
}
_UPLOADS = "Upload another model's predictions"
REQUIRED = "what is required"


@dataclass(frozen=True)
class Choices:
    """What can be chosen.

    Args:
        models: with uploaded predictions
        truths: fields that can hold true labels
        one_label: models that predict one label an image, so that a sample is right
            or wrong
    """

    models: Sequence[str]
    truths: Sequence[str]
    one_label: Sequence[str]


def draw_nothing(root: types.Object, panel: Any) -> None:
    """The panel before any upload."""
    box = blocks.card(
        root, "nothing", background="var(--fo-palette-background-level1)", py=2
    )
    blocks.heading(box, "title", "No predictions yet")
    words = (
        "Upload a model's predictions as CSV, parquet, JSONL or COCO results, and every "
        "population gets a figure, an interval and a verdict."
    )
    blocks.text(box, "words", words, color=blocks.QUIET)
    line = blocks.row(box, "line", pt=1)
    blocks.button(
        line,
        "upload",
        "Upload predictions",
        panel.upload,
        icon="upload_file",
        strong=True,
    )


@dataclass
class Shown:
    """What is drawn below the choices.

    Args:
        state: to show
        report: to show, if there is one
        metric: to show; empty for what is required
        about: population whose mistakes are shown
        colours: of the map of models
        trend: for that map
        weak: proposed weak spots; None before any search
        paths: of their samples, by id
        taken: names of populations by their query
        work: key of what the panel waits for; empty where it waits for nothing
    """

    state: EvaluationState
    report: evalsets.Report | None
    metric: str
    about: str
    colours: str
    trend: evalsets.Trend | None = None
    weak: Sequence[evalsets.Candidate] | None = None
    paths: Mapping[str, str] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)
    work: str = ""


def draw(root: types.Object, panel: Any, choices: Choices, shown: Shown) -> None:
    """Draws the whole panel.

    Args:
        root: to draw on
        panel: whose handlers the buttons call
        choices: to offer
        shown: below them
    """
    state, report = shown.state, shown.report
    _chooser(root, panel, choices)
    if shown.work:
        panel.draw_work(root, shown.work)
    elif state.note:
        color = blocks.BAD if state.failed else blocks.NEUTRAL
        blocks.note(root, [state.note], color=color)
    if report is not None:
        _banner(root, report)
    line = blocks.tabs(root, "parts", PARTS, state.part, panel.turn)
    blocks.button(
        line, "upload", "Upload", panel.upload, icon="upload_file", title=_UPLOADS
    )
    if state.part == WEAK:
        draw_weak(root, panel, shown.weak, shown.paths, shown.taken)
    elif report is None:
        words = "Not evaluated yet: Evaluate gives every population a verdict."
        blocks.text(root, "hint", words, color=blocks.QUIET)
    elif state.part == MISTAKES:
        draw_mistakes(root, panel, report, shown.about)
    elif state.part == MODELS and shown.trend is not None:
        draw_models(root, panel, shown.trend, state.opened, shown.colours)
    else:
        one_label = report.model in choices.one_label
        _verdicts(root, panel, report, shown, has_mistakes=one_label)


def _verdicts(
    root: types.Object,
    panel: Any,
    report: evalsets.Report,
    shown: Shown,
    *,
    has_mistakes: bool,
) -> None:
    _metric_chooser(root, panel, report)
    plot(root, panel, report, shown.metric)
    opened = shown.state.opened
    _table(root, panel, report, shown.metric, opened, has_mistakes=has_mistakes)
    _words(root, report)
    line = blocks.row(root, "exports", alignItems="center", pt=1)
    blocks.text(line, "save", "Save the report as", color=blocks.QUIET)
    for kind, label in (("html", "HTML"), ("md", "Markdown"), ("json", "JSON")):
        blocks.button(line, kind, label, panel.export, icon="download", kind=kind)


def _chooser(root: types.Object, panel: Any, choices: Choices) -> None:
    asked = blocks.row(root, "asked")
    models = {name: name for name in choices.models}
    blocks.dropdown(
        asked, "model", "Model", models, width=110, on_change=panel.choose_model
    )
    blocks.dropdown(asked, "baseline", "Baseline", {"": "none", **models}, width=110)
    blocks.dropdown(asked, "split", "Split", {name: name for name in SPLITS}, width=70)
    truths = {name: name for name in choices.truths}
    blocks.dropdown(asked, "truth", "Truth", truths, width=110)
    blocks.button(
        asked, "evaluate", "Evaluate", panel.evaluate, icon="play_arrow", strong=True
    )


def _banner(root: types.Object, report: evalsets.Report) -> None:
    color = _COLORS[report.verdict]
    box = blocks.card(
        root, "banner", borderLeft=f"4px solid {color}", background=f"{color}1f"
    )
    line = blocks.row(box, "line", alignItems="baseline", gap=1.5)
    blocks.text(
        line,
        "verdict",
        report.verdict.upper(),
        color=color,
        fontSize="1.5rem",
        fontWeight=700,
        letterSpacing="0.04em",
    )
    blocks.text(line, "model", report.model, fontSize="1.05rem", fontWeight=600)
    blocks.text(box, "sentence", sentence(report))


def _metric_chooser(root: types.Object, panel: Any, report: evalsets.Report) -> None:
    line = blocks.row(root, "metrics", alignItems="center", pt=1)
    blocks.heading(line, "title", "By population")
    known = metrics(report.rows)
    if len(known) < 2:
        return
    blocks.dropdown(
        line,
        "metric",
        "Metric",
        {"": REQUIRED, **{name: name for name in known}},
        width=190,
        on_change=panel.choose_metric,
        none=REQUIRED,
        compact=True,
    )


def _words(root: types.Object, report: evalsets.Report) -> None:
    """What a stakeholder should know."""
    box = blocks.card(root, "said", px=0, pt=1)
    if report.summary[1:]:
        blocks.heading(box, "title", "In words")
    for number, said in enumerate(report.summary[1:]):
        blocks.text(box, f"said{number}", f"•  {said}", color=blocks.QUIET)
    where = source(report.provenance)
    blocks.text(box, "source", where, color="text.tertiary", fontSize="0.85rem", pt=1)


def _table(
    root: types.Object,
    panel: Any,
    report: evalsets.Report,
    metric: str,
    opened: str,
    *,
    has_mistakes: bool,
) -> None:
    rows = table_rows(report.rows, metric)
    shown = rows[: blocks.MOST_ROWS]
    if len(shown) < len(rows):
        words = (
            f"The first {len(shown)} of {len(rows):,} rows; choose a metric to see its."
        )
        blocks.text(root, "more", words, color=blocks.QUIET)
    blocks.table(
        root,
        "verdicts",
        _columns(shown),
        [_cells(row) for row in shown],
        cells={
            (at, key): style
            for at, row in enumerate(shown)
            for key, style in _styles(row).items()
        },
        right=("n",),
        tooltips={
            (at, "verdict"): report.explain(r)
            for at, r in enumerate(shown)
            if r.verdict
        },
        selected=[at for at, row in enumerate(shown) if row.population == opened],
        on_click_row=panel.show_samples,
        actions=_actions(panel, has_mistakes=has_mistakes),
    )


def _actions(panel: Any, *, has_mistakes: bool) -> tuple[dict[str, Any], ...]:
    """The menu of a row."""
    samples, mistakes, worst = (
        {
            "name": "samples",
            "label": "Show samples",
            "icon": "visibility",
            "on_click": panel.show_samples,
        },
        {
            "name": "mistakes",
            "label": "Show mistakes",
            "icon": "error_outline",
            "on_click": panel.show_mistakes,
        },
        {
            "name": "worst",
            "label": "Show worst samples",
            "icon": "trending_down",
            "on_click": panel.show_worst,
        },
    )
    return (samples, mistakes, worst) if has_mistakes else (samples, worst)


def _columns(rows: Sequence[Any]) -> dict[str, str]:
    """Headings; the metric's is the value's where all rows have the same."""
    named = {row.metric for row in rows}
    several = {"metric": "Metric"} if len(named) > 1 else {}
    value = "Value" if several else next(iter(named))
    compared = (
        {"delta": "vs baseline"} if any(r.delta is not None for r in rows) else {}
    )
    required = {"requirement": "Required", "verdict": "Verdict"}
    asked = required if any(row.requirement for row in rows) else {}
    first = {"population": "Population", **several, "n": "n", "value": value}
    return {**first, **asked, **compared}


def _cells(row: Any) -> dict[str, str]:
    needed = f"\n{row.needed:,}\N{NO-BREAK SPACE}more" if row.needed else ""
    return {
        "population": row.population,
        "metric": row.metric,
        "n": f"{row.n:,}",
        "value": interval(row.value, row.low, row.high),
        "requirement": blocks.signs(row.requirement) or "–",
        "verdict": f"{row.verdict.upper()}{needed}" if row.verdict else "–",
        "delta": interval(row.delta, row.delta_low, row.delta_high, sign="+"),
    }


def _styles(row: Any) -> dict[str, dict[str, Any]]:
    small = {"fontSize": "0.82rem !important", "lineHeight": 1.35}
    lines = {**small, "whiteSpace": "pre"}
    quiet = {"color": "var(--fo-palette-text-tertiary)"}
    told = {**small, "whiteSpace": "pre-line", "color": _COLORS[row.verdict]}
    return {
        "population": {"fontWeight": 600, "minWidth": 90, "overflowWrap": "anywhere"},
        "value": lines,
        "delta": lines if row.delta is not None else quiet,
        "requirement": {**small, "whiteSpace": "nowrap"} if row.requirement else quiet,
        "verdict": {**told, "fontWeight": 600} if row.verdict else quiet,
    }
