"""Freezes the suite, its members and the split under a number."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import given
from ._verb import Verb


class Release(Verb):
    """Freezes what is tested, so that figures can be traced to samples."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="release",
            label="Release populations and split",
            description="Freezes members, sides and definitions under the next number",
            icon="new_releases",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        form.str("note", label="Note", description="What this release is for")
        return types.Property(form, view=types.View(label="Release"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        made = evalsets.release(ctx.dataset, **given(ctx, "note"))
        ctx.ops.notify(str(made), variant="success")
        return {
            "number": made.number,
            "sizes": dict(made.sizes),
            "checksum": made.checksum,
        }
