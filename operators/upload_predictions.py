"""Takes in one model's predictions."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import choice, fields, file_only, given, models_of, refuse
from ._progress import heard
from ._verb import Verb

_MOST_BYTES = 20_000_000
_TYPES = ".csv,.json,.jsonl,.parquet,.npz"


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
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        model = form.str("model", required=True, label="Model")
        taken = ctx.params.get("model") in models_of(ctx)
        if taken and not ctx.params.get("overwrite"):
            refuse(model, "It has predictions already; replace them, or name another")
        form.define_property(
            "file",
            types.UploadedFile(),
            label="File",
            description="CSV, JSON, JSONL, parquet, npz or COCO results, up to 20 MB",
            view=types.FileView(max_size=_MOST_BYTES, types=_TYPES),
        )
        path = form.str(
            "predictions",
            label="or its path",
            description="As the machine sees it that runs the App; of any size",
        )
        file_only(ctx, path, "predictions")
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
        form.bool("skip_unknown", default=False, label="Leave out keys of no sample")
        return types.Property(form, view=types.View(label="Upload predictions"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        model = ctx.params["model"]
        names = ("key", "classes", "task", "trained_on", "overwrite", "skip_unknown")
        with heard(ctx), _source(ctx) as path:
            report = evalsets.upload_predictions(
                ctx.dataset, model, path, **given(ctx, *names)
            )
        ctx.ops.reload_dataset()
        return {"model": model, "report": str(report), **_counts(report)}

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        output = types.Object()
        output.str("model", label="Model")
        output.int("matched", label="Samples with a prediction")
        output.str("missing", label="Samples without one")
        output.str("unknown", label="Keys of no sample, left out")
        output.str("report", label="In words")
        return types.Property(output, view=types.View(label="Predictions"))


@contextmanager
def _source(ctx: foo.ExecutionContext) -> Iterator[str]:
    """The path of what is uploaded; a file from the browser is gone afterwards."""
    file, path = ctx.params.get("file"), ctx.params.get("predictions")
    if not (file and file.get("content")):
        if not path:
            raise evalsets.EvalsetsError("Choose a file, or give the path of one")
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / f"predictions{Path(file['name']).suffix}"
        kept.write_bytes(base64.b64decode(file["content"]))
        yield str(kept)


def _counts(report: evalsets.UploadReport) -> dict[str, Any]:
    return {
        "matched": report.matched,
        "missing": _some(report.missing, report.missing_examples),
        "unknown": _some(report.unknown, report.unknown_examples),
    }


def _some(n: int, names: tuple[str, ...]) -> str:
    """How many, and some of them."""
    return f"{n:,}: {', '.join(names)}" if names else f"{n:,}"
