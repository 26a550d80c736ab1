"""Makes a dataset hold what lies in a folder or bucket."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets
from evalsets.datasets.runs import load_runs

from ._forms import given
from ._verb import Verb

SHOWN = 5
"""Skipped images that are named in the App."""


class Sync(Verb):
    """Adds what is new in a folder to a dataset."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="sync",
            label="Sync images from a folder or bucket",
            description="Adds what is new, and notices what has changed, moved or vanished",
            icon="sync",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        form.str(
            "source",
            required=True,
            label="Folder or URL",
            description="As the machine sees it that runs the App; s3://, gs://, az:// too",
        )
        form.str(
            "dataset",
            default=ctx.dataset.name if ctx.dataset else None,
            required=ctx.dataset is None,
            label="Dataset",
            description="Made if it does not exist",
        )
        form.str(
            "labels",
            label="Labels",
            description="CSV or parquet with a column of paths; COCO .json; or: folders",
        )
        return types.Property(form, view=types.View(label="Sync images"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        name = ctx.params.get("dataset") or ctx.dataset.name
        options = given(ctx, "labels")
        dataset = evalsets.sync(ctx.params["source"], dataset=name, **options)
        if ctx.dataset is None or ctx.dataset.name != dataset.name:
            ctx.ops.open_dataset(dataset.name)
        else:
            ctx.ops.reload_dataset()
        recorded = load_runs(dataset, "sync").get("skipped", {})
        skipped = dict(recorded.get("files", ()))
        for path, why in list(skipped.items())[:SHOWN]:
            ctx.ops.notify(f"Skipped {path}: {why}", variant="warning")
        return {
            "dataset": dataset.name,
            "n_samples": len(dataset),
            "skipped": skipped,
        }

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        output = types.Object()
        output.str("dataset", label="Dataset")
        output.int("n_samples", label="Samples")
        output.obj("skipped", label="Skipped", view=types.JSONView())
        return types.Property(output, view=types.View(label="Synced"))
