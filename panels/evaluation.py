"""The Evaluation panel: a verdict for each population, and the samples behind it."""

from __future__ import annotations

import dataclasses
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pandas as pd
from fiftyone import ViewField as F
from fiftyone.operators import types

import evalsets

from . import _blocks as blocks
from ._evaluation_page import Choices, draw, draw_nothing
from ._evaluation_state import (
    ALL,
    EVERY,
    SPLITS,
    Asked,
    EvaluationState,
    last_report,
    table_rows,
)
from ._events import drawn, told

_ONE_LABEL = "classification"
_UPLOAD = "@evalsets/evalsets/upload_predictions"


class Evaluation(foo.Panel):
    """Evaluates a model and opens the samples behind each figure."""

    @property
    def config(self) -> foo.PanelConfig:
        return foo.PanelConfig(
            name="evalsets_evaluation",
            label="Evaluation",
            icon="rule",
            category=foo.Categories.ANALYZE,
            help_markdown="A verdict per population, with intervals and the samples behind",
        )

    @told
    def on_load(self, ctx: foo.ExecutionContext) -> None:
        known = evalsets.models(ctx.dataset)
        past = evalsets.history(ctx.dataset, data=False)
        past = past[past["model"].isin(list(known))]
        if not known:
            _show(ctx, EvaluationState())
        elif len(past):
            _open_report(ctx, past, int(past.index[-1]))
        else:
            _ask(ctx, _first_choice(ctx.dataset, list(known)[-1]))
            _show(ctx, EvaluationState())

    def on_change_dataset(self, ctx: foo.ExecutionContext) -> None:
        self.on_load(ctx)

    @told
    def choose_model(self, ctx: foo.ExecutionContext) -> None:
        model = _asked(ctx).model
        past = evalsets.history(ctx.dataset, data=False)
        number = last_report(past, model)
        if number is not None:
            _open_report(ctx, past, number)
        else:
            _show(ctx, EvaluationState())

    def choose_metric(self, ctx: foo.ExecutionContext) -> None:
        """The choice is in the panel's state already; drawing it is all there is."""

    @told
    def evaluate(self, ctx: foo.ExecutionContext) -> None:
        asked = _asked(ctx)
        evalsets.evaluate(ctx.dataset, asked.model, **asked.keywords())
        ctx.panel.set_state("metric", "")
        past = evalsets.history(ctx.dataset, data=False)
        _show(ctx, EvaluationState(int(past.index[-1])))

    @told
    def show_samples(self, ctx: foo.ExecutionContext) -> None:
        _show_population(ctx, _row(ctx).population)

    @told
    def show_mistakes(self, ctx: foo.ExecutionContext) -> None:
        _show_population(ctx, _row(ctx).population, mistakes=True)

    @told
    def click_plot(self, ctx: foo.ExecutionContext) -> None:
        _show_population(ctx, ctx.params["y"])

    def upload(self, ctx: foo.ExecutionContext) -> None:
        ctx.prompt(_UPLOAD, on_success=self.on_load)

    def fail(self, ctx: foo.ExecutionContext, event: str, error: Exception) -> None:
        """Keeps what to tell above the report."""
        _show(ctx, _state(ctx).failing(error))

    @drawn
    def render(self, ctx: foo.ExecutionContext) -> types.Property:
        root, page = blocks.page()
        known = evalsets.models(ctx.dataset)
        if not known:
            draw_nothing(root, self)
            return page
        one_label = [m for m, stored in known.items() if stored.task == _ONE_LABEL]
        choices = Choices(list(known), _truths(ctx.dataset, known), one_label)
        state = _state(ctx)
        report = _report(ctx, state)
        metric = ctx.panel.get_state("metric") or ""
        draw(root, self, choices, state, report, metric)
        return page


def _state(ctx: foo.ExecutionContext) -> EvaluationState:
    return EvaluationState.from_dict(ctx.panel.get_state("shown"))


def _show(ctx: foo.ExecutionContext, state: EvaluationState) -> None:
    ctx.panel.set_state("shown", state.to_dict())


def _asked(ctx: foo.ExecutionContext) -> Asked:
    chosen = ctx.panel.get_state("asked") or {}
    return Asked(**{key: value or "" for key, value in chosen.items()})


def _ask(ctx: foo.ExecutionContext, asked: Asked) -> None:
    ctx.panel.set_state("asked", dataclasses.asdict(asked))


def _report(
    ctx: foo.ExecutionContext, state: EvaluationState
) -> evalsets.Report | None:
    if state.number is None:
        return None
    return evalsets.load_report(ctx.dataset, state.number)


def _open_report(ctx: foo.ExecutionContext, past: pd.DataFrame, number: int) -> None:
    """Shows an earlier report, and says if it holds no more."""
    report = evalsets.load_report(ctx.dataset, number)
    stale = str(past["stale"][number])
    note = f"This report is stale: {stale}; evaluate again." if stale else ""
    _ask(ctx, Asked.of(report.provenance))
    ctx.panel.set_state("metric", "")
    _show(ctx, EvaluationState(number, note))


def _shown_report(ctx: foo.ExecutionContext) -> evalsets.Report:
    report = _report(ctx, _state(ctx))
    if report is None:
        raise evalsets.EvalsetsError("There is no report yet; evaluate a model first")
    return report


def _row(ctx: foo.ExecutionContext) -> Any:
    """The row of the table that was clicked."""
    metric = ctx.panel.get_state("metric") or ""
    return table_rows(_shown_report(ctx).rows, metric)[ctx.params["row"]]


def _show_population(
    ctx: foo.ExecutionContext, population: str, *, mistakes: bool = False
) -> None:
    """Opens the evaluated samples of a population in the grid."""
    report = _shown_report(ctx)
    truth = report.provenance["truth"]
    view = evalsets.select(
        ctx.dataset,
        split=report.provenance["split"],
        population=None if population == ALL else population,
    ).exists(truth)
    if mistakes:
        predicted = evalsets.models(ctx.dataset)[report.model].field
        view = view.match(F(f"{predicted}.label") != F(_label_path(ctx.dataset, truth)))
    ctx.ops.set_view(view)
    _show(ctx, _state(ctx).opening(population))


def _label_path(dataset: fo.Dataset, truth: str) -> str:
    plain = isinstance(dataset.get_field(truth), fo.StringField)
    return truth if plain else f"{truth}.label"


def _truths(dataset: fo.Dataset, known: dict[str, Any]) -> list[str]:
    """Label fields that hold no predictions, then plain strings."""
    predicted = {stored.field for stored in known.values()}
    labels = (fo.Classification, fo.Detections)
    fields = dataset.get_field_schema(ftype=fo.EmbeddedDocumentField)
    found = [
        name
        for name, field in fields.items()
        if field.document_type in labels and name not in predicted
    ]
    strings = dataset.get_field_schema(ftype=fo.StringField)
    return found + [n for n in strings if n not in ("filepath", "split")]


def _first_choice(dataset: fo.Dataset, model: str) -> Asked:
    truths = _truths(dataset, evalsets.models(dataset))
    truth = "ground_truth" if "ground_truth" in truths else next(iter(truths), "")
    split = SPLITS[0] if dataset.has_sample_field("split") else EVERY
    return Asked(model, "", split, truth)
