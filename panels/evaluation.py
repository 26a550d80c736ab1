"""The Evaluation panel: a verdict for each population, and the samples behind it."""

from __future__ import annotations

from functools import partial
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from . import _blocks as blocks
from ._evaluation_looks import Look
from ._evaluation_models import BY_VERDICT, trend_of
from ._evaluation_page import Choices, Shown, draw, draw_nothing
from ._evaluation_proposals import Propose, candidates, sample_paths
from ._evaluation_session import (
    ABOUT,
    COLOURS,
    METRIC,
    about,
    ask,
    asked_of,
    number_of,
    open_report,
    report_of,
    show,
    state_of,
)
from ._evaluation_state import (
    ALL,
    EVERY,
    MODELS,
    SPLITS,
    WEAK,
    Asked,
    EvaluationState,
    last_report,
)
from ._events import drawn, kept, told

_ONE_LABEL = "classification"
_UPLOAD = "@evalsets/evalsets/upload_predictions"


class Evaluation(Look, Propose):
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
        comes = not kept(ctx, "shown")
        if comes:
            self.forget(ctx)
        for choice, first in ((ABOUT, ALL), (COLOURS, BY_VERDICT)):
            if comes or not ctx.panel.get_state(choice):
                ctx.panel.set_state(choice, first)
        known = evalsets.models(ctx.dataset)
        past = evalsets.history(ctx.dataset, data=False)
        past = past[past["model"].isin(list(known))]
        if not known:
            show(ctx, EvaluationState())
        elif len(past):
            open_report(ctx, past, int(past.index[-1]))
        else:
            ask(ctx, _first_choice(ctx.dataset, list(known)[-1]))
            show(ctx, EvaluationState())

    @told
    def choose_model(self, ctx: foo.ExecutionContext) -> None:
        model = asked_of(ctx).model
        past = evalsets.history(ctx.dataset, data=False)
        number = last_report(past, model)
        if number is not None:
            open_report(ctx, past, number)
        else:
            show(ctx, EvaluationState(part=state_of(ctx).part))

    def choose_metric(self, ctx: foo.ExecutionContext) -> None:
        """The choice is in the panel's state already; drawing it is all there is."""

    @told
    def turn(self, ctx: foo.ExecutionContext) -> None:
        show(ctx, state_of(ctx).turned(ctx.params["part"]))

    @told
    def evaluate(self, ctx: foo.ExecutionContext) -> None:
        asked = asked_of(ctx)
        words = f"Evaluating {asked.model} on {_side(asked.split)}"
        judge = partial(evalsets.evaluate, ctx.dataset, asked.model, **asked.keywords())

        def shown(later: foo.ExecutionContext, report: evalsets.Report) -> None:
            later.panel.set_state(METRIC, "")
            number = number_of(later.dataset, report)
            show(later, EvaluationState(number, part=state_of(later).part))

        self.work(ctx, "evaluate", words, judge, shown)

    def upload(self, ctx: foo.ExecutionContext) -> None:
        ctx.prompt(_UPLOAD, on_success=self.uploaded)

    @told
    def uploaded(self, ctx: foo.ExecutionContext) -> None:
        """Shows the model that came in, and what came of its upload."""
        self.on_load(ctx)
        result = ctx.params.get("result") or {}
        if "model" in result:
            asked = _first_choice(ctx.dataset, result["model"])
            ask(ctx, asked)
            self.choose_model(ctx)
            show(ctx, state_of(ctx).saying(f"Uploaded {result['report']}."))

    def fail(self, ctx: foo.ExecutionContext, event: str, error: Exception) -> None:
        """Keeps what to tell above the report."""
        show(ctx, state_of(ctx).failing(error))

    @drawn
    def render(self, ctx: foo.ExecutionContext) -> types.Property:
        if not kept(ctx, "shown"):
            self.on_load(ctx)
        root, page = blocks.page()
        known = evalsets.models(ctx.dataset)
        if not known:
            draw_nothing(root, self)
            return page
        one_label = [m for m, stored in known.items() if stored.task == _ONE_LABEL]
        choices = Choices(list(known), _truths(ctx.dataset, known), one_label)
        shown = _shown(ctx)
        shown.work = self.waits_for(ctx)[1]
        draw(root, self, choices, shown)
        return page


def _shown(ctx: foo.ExecutionContext) -> Shown:
    """What the part that is open needs, and no more."""
    state = state_of(ctx)
    report = report_of(ctx, state)
    metric = ctx.panel.get_state(METRIC) or ""
    colours = ctx.panel.get_state(COLOURS) or ""
    shown = Shown(state, report, metric, about(ctx, report), colours)
    if state.part == MODELS and report is not None:
        shown.trend = trend_of(ctx.dataset, report, metric)
    if state.part == WEAK:
        shown.weak = candidates(ctx, asked_of(ctx).model)
        shown.paths = sample_paths(ctx.dataset, shown.weak or [])
        known = evalsets.populations(ctx.dataset)
        shown.taken = {p.query: name for name, p in known.items()}
    return shown


def _side(split: str) -> str:
    return "all samples" if split == EVERY else split


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
