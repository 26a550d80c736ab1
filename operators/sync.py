"""Adds what is new in a folder of images."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import given


class Sync(foo.Operator):
    """Adds what is new in a folder to a dataset."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="sync",
            label="Sync images from a folder",
            description="Adds the images that the dataset does not have yet",
            icon="sync",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        form.str(
            "source",
            required=True,
            label="Folder",
            description="As the machine sees it that runs the App",
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
            description="CSV file with a column of paths, a label and other columns",
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
        return {"dataset": dataset.name, "n_samples": len(dataset)}
