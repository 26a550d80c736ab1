"""Computes the vectors that text and image search need."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import given


class Embed(foo.Operator):
    """Embeds the samples that have no vector yet."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="embed",
            label="Embed images",
            description="Computes vectors for text() and image() in queries",
            icon="scatter_plot",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        form.str(
            "encoder",
            label="Encoder",
            description=(
                "open_clip:MODEL:WEIGHTS or a local checkpoint; "
                "empty keeps the dataset's own"
            ),
        )
        return types.Property(form, view=types.View(label="Embed images"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        evalsets.embed(ctx.dataset, **given(ctx, "encoder"))
        ctx.ops.reload_dataset()
        return {"dataset": ctx.dataset.name, "n_samples": len(ctx.dataset)}
