"""Computes the vectors that text and image search need."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import ENGINE, done, engine, file_only, given
from ._progress import shown
from ._verb import Verb, scope


class Embed(Verb):
    """Embeds the samples that have no vector yet, and tags them if asked."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="embed",
            label="Embed images",
            description="Computes vectors for text() and image() in queries",
            icon="scatter_plot",
            allow_delegated_execution=True,
            dynamic=True,
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
        taggers = form.str(
            "taggers",
            label="File of taggers",
            description="YAML, as the machine sees it that runs the App; tags the "
            "images in the same pass",
        )
        file_only(ctx, taggers, "taggers")
        engine(form)
        return types.Property(form, view=types.View(label="Embed images"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        options = given(ctx, "overwrite", "taggers", *ENGINE)
        processed = evalsets.embed(
            scope(ctx), ctx.params["encoder"], progress=shown(ctx), **options
        )
        ctx.ops.reload_dataset()
        return done(ctx, processed)
