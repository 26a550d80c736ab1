"""Takes in one model's predictions."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import choice, fields, given
from ._verb import Verb


class UploadPredictions(Verb):
    """Checks a file of predictions and writes all of it, or nothing."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="upload_predictions",
            label="Upload predictions",
            description="Checks a file of predictions, then writes all of it",
            icon="upload_file",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        form.str("model", required=True, label="Model")
        form.str(
            "predictions",
            required=True,
            label="File",
            description="As the machine sees it that runs the App",
        )
        choice(
            form,
            "key",
            fields(ctx),
            default="filepath",
            label="Key",
            description="Field by which a prediction finds its sample",
        )
        form.str(
            "classes",
            label="Annotations",
            description="For COCO results: the file that names the categories",
        )
        form.str(
            "task",
            label="Task",
            description="multilabel, segmentation … where the form fits several",
        )
        form.int(
            "trained_on",
            label="Trained on release",
            description="Test figures leave out what the model has seen",
        )
        form.bool("overwrite", default=False, label="Replace the model's earlier ones")
        return types.Property(form, view=types.View(label="Upload predictions"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        model, path = ctx.params["model"], ctx.params["predictions"]
        names = ("key", "classes", "task", "trained_on", "overwrite")
        report = evalsets.upload_predictions(
            ctx.dataset, model, path, **given(ctx, *names)
        )
        ctx.ops.reload_dataset()
        return {"model": model, "report": str(report)}

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        output = types.Object()
        output.str("model", label="Model")
        output.str("report", label="Uploaded")
        return types.Property(output, view=types.View(label="Predictions"))
