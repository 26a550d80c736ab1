"""Takes samples out of test, on the record."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import known_sample
from ._verb import Verb


class Retire(Verb):
    """Moves the selected samples from test to quarantine, for good."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="retire",
            label="Retire samples from test",
            description="The only way out of test; the reason stays in the ledger",
            icon="archive",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.HIGH,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        if not ctx.selected:
            samples = form.list(
                "samples", types.String(), required=True, label="Samples"
            )
            for sample in ctx.params.get("samples") or ():
                known_sample(ctx, samples, sample)
        form.str("reason", required=True, label="Reason")
        return types.Property(form, view=types.View(label="Retire from test"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        samples = ctx.params.get("samples") or ctx.selected
        retired = evalsets.retire(ctx.dataset, samples, reason=ctx.params["reason"])
        ctx.ops.reload_samples()
        return {"retired": retired}
