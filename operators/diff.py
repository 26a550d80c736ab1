"""Shows what changed from one release to another."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._tables import rows, table
from ._verb import Verb

_COLUMNS = ("population", "n_before", "n_after", "entered", "left")


class Diff(Verb):
    """Compares two releases, or one with the dataset as it is now."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="diff",
            label="Compare releases",
            description="Which populations changed, who entered and left, and why",
            icon="difference",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        known = sorted(evalsets.releases(ctx.dataset)) if ctx.dataset else []
        form.enum("before", known, required=True, label="From release")
        form.enum("after", known, label="To release", description="Empty is now")
        return types.Property(form, view=types.View(label="Compare releases"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        found = evalsets.diff(
            ctx.dataset, ctx.params["before"], ctx.params.get("after")
        )
        return {
            "text": str(found),
            "same": found.same,
            "rows": rows(found.frame, _COLUMNS),
        }

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        output = table("What changed", _COLUMNS)
        output.type.str("text", label="In words", view=types.CodeView(read_only=True))
        return output
