"""Names a query, asks for a hold-out and says what a model must reach."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import given, query_only, share
from ._verb import Verb

_BOUNDS = {
    "at_least": "At least",
    "at_most": "At most",
    "max_drop": "At most this far below the baseline",
}


class Compose(Verb):
    """Saves a query as a named population of the open dataset."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="compose",
            label="Compose population",
            description="Names a query, holds a share out, says what a model must reach",
            icon="add_circle_outline",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        form.str("name", required=True, label="Population")
        query = form.str("query", required=True, label="Query")
        query_only(ctx, query, "query")
        share(
            form,
            "holdout",
            default=0.2,
            label="Hold-out",
            description="Share of the population that goes to test, 0 to 1",
        )
        form.int("min_size", min=1, label="Fewest samples for a verdict")
        form.list("require", _requirement(), label="Requirements")
        form.str("description", label="Description")
        form.str("owner", label="Owner")
        return types.Property(form, view=types.View(label="Compose population"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        names = ("query", "holdout", "min_size", "require", "description", "owner")
        name = ctx.params["name"]
        population = evalsets.Population.from_dict({"name": name, **given(ctx, *names)})
        evalsets.compose(ctx.dataset, population)
        ctx.ops.reload_dataset()
        return population.to_dict()


def _requirement() -> types.Object:
    row = types.Object()
    row.str("metric", required=True, label="Metric", default="accuracy")
    for name, label in _BOUNDS.items():
        row.float(name, label=label)
    return row
