"""Computes the vectors that text and image search need."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import done, given
from ._verb import Verb, scope


class Embed(Verb):
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
            required=True,
            label="Encoder",
            description="open_clip:ARCHITECTURE:WEIGHTS, or the path of a checkpoint",
        )
        form.bool(
            "overwrite",
            default=False,
            label="Replace the vectors of another encoder",
        )
        return types.Property(form, view=types.View(label="Embed images"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        options = given(ctx, "overwrite")
        processed = evalsets.embed(scope(ctx), ctx.params["encoder"], **options)
        ctx.ops.reload_dataset()
        return done(ctx, processed)
