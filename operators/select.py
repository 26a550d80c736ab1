"""Shows one split, or one population within it."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import given
from ._verb import Verb, scope

_SPLITS = ("train", "val", "test", "quarantine")


class Select(Verb):
    """Shows the samples of a split, of a population, or of both."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="select",
            label="Show a split or a population",
            description="Sets the view to what training or evaluation would get",
            icon="filter_alt",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        form.enum("split", _SPLITS, label="Split")
        known = sorted(evalsets.populations(ctx.dataset)) if ctx.dataset else []
        form.enum("population", known, label="Population")
        return types.Property(form, view=types.View(label="Show"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        view = evalsets.select(scope(ctx), **given(ctx, "split", "population"))
        n_samples = len(view)
        ctx.ops.set_view(view)
        return {"n_samples": n_samples}
