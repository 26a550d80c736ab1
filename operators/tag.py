"""Computes the fields that queries are made of."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import ENGINE, done, engine, file_only, given
from ._progress import shown
from ._verb import Verb, scope


class Tag(Verb):
    """Tags every sample as a file of taggers says."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="tag",
            label="Tag images",
            description="Computes attributes, counts, areas, statistics, text of documents",
            icon="sell",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        taggers = form.str(
            "taggers",
            required=True,
            label="File of taggers",
            description="YAML, as the machine sees it that runs the App",
        )
        file_only(ctx, taggers, "taggers")
        engine(form)
        return types.Property(form, view=types.View(label="Tag images"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        options = given(ctx, *ENGINE)
        processed = evalsets.tag(
            scope(ctx), ctx.params["taggers"], progress=shown(ctx), **options
        )
        ctx.ops.reload_dataset()
        return done(ctx, processed)
