"""Takes in a score per sample, such as a loss."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import choice, fields, file_only, given
from ._progress import heard
from ._verb import Verb


class UploadScores(Verb):
    """Checks a file of scores and writes all of it, or nothing."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="upload_scores",
            label="Upload scores",
            description="Checks a file of one number a sample, then writes all of it",
            icon="upload_file",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        form.str("model", required=True, label="Model")
        scores = form.str(
            "scores",
            required=True,
            label="File",
            description="As the machine sees it that runs the App",
        )
        file_only(ctx, scores, "scores")
        form.str("metric", required=True, default="score", label="Name of the score")
        form.bool("higher_is_better", default=True, label="Higher is better")
        choice(
            form,
            "key",
            fields(ctx),
            default="filepath",
            label="Key",
            description="Field by which a score finds its sample",
        )
        form.int(
            "trained_on",
            label="Trained on release",
            description="Test figures leave out what the model has seen",
        )
        form.bool("overwrite", default=False, label="Replace the model's earlier ones")
        return types.Property(form, view=types.View(label="Upload scores"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        model, scores = ctx.params["model"], ctx.params["scores"]
        names = ("metric", "higher_is_better", "key", "trained_on", "overwrite")
        with heard(ctx):
            report = evalsets.upload_scores(
                ctx.dataset, model, scores, **given(ctx, *names)
            )
        ctx.ops.reload_dataset()
        return {"model": model, "report": str(report)}

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        output = types.Object()
        output.str("model", label="Model")
        output.str("report", label="Uploaded")
        return types.Property(output, view=types.View(label="Scores"))
