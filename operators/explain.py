"""Says why a sample is where it is."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import known_sample
from ._verb import Verb


class Explain(Verb):
    """Tells what the ledger knows about a sample."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="explain",
            label="Explain the split of a sample",
            description="Every decision about it, its populations and releases",
            icon="help_outline",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        first = ctx.selected[0] if ctx.selected else None
        sample = form.str(
            "sample", required=True, default=first, label="Sample id or file path"
        )
        known_sample(ctx, sample, ctx.params.get("sample"))
        return types.Property(form, view=types.View(label="Explain"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        found = evalsets.explain(ctx.dataset, ctx.params["sample"])
        return {"text": str(found), "side": found.side}

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        output = types.Object()
        output.str("text", label="Ledger", view=types.CodeView(read_only=True))
        return types.Property(output, view=types.View(label="Explanation"))
