"""Shows the samples whose labels would change a verdict."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import choice, fields, given, known_only, models_of
from ._verb import Verb, scope

_SPLITS = ("test", "val", "train", "all")


class LabelNext(Verb):
    """Shows unlabelled samples; their field ``label_next`` says why."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="label_next",
            label="Choose what to label next",
            description="Samples whose labels settle open verdicts or mend failed ones",
            icon="new_label",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        known = models_of(ctx)
        form = types.Object()
        model = choice(form, "model", known, required=True, label="Model")
        known_only(ctx, model, "model", "model", known)
        baseline = choice(form, "baseline", known, label="Baseline")
        known_only(ctx, baseline, "baseline", "model", known)
        form.int("n", min=1, default=100, label="Samples, at most")
        form.enum("split", _SPLITS, default="test", label="Split")
        choice(form, "truth", fields(ctx), default="ground_truth", label="Ground truth")
        return types.Property(form, view=types.View(label="Choose what to label next"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        options = given(ctx, "baseline", "n", "split", "truth")
        view = evalsets.label_next(scope(ctx), ctx.params["model"], **options)
        ctx.ops.reload_dataset()
        ctx.ops.set_view(view)
        ids, reasons = view.values(["id", "label_next"])
        return {"to_label": dict(zip(ids, reasons, strict=True))}
