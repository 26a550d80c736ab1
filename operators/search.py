"""Shows what a query finds."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import query_only
from ._verb import Verb, scope


class Search(Verb):
    """Shows the samples of a query in the grid."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="search",
            label="Search by query",
            description="Fields, text and images in one expression",
            icon="search",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        query = form.str(
            "query",
            required=True,
            label="Query",
            description="For example: num_people > 5 AND text('windy road') > 0.27",
        )
        query_only(ctx, query, "query")
        return types.Property(form, view=types.View(label="Search"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        view = evalsets.search(scope(ctx), ctx.params["query"])
        n_samples = len(view)
        ctx.ops.set_view(view)
        return {"n_samples": n_samples}
