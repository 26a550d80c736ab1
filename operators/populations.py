"""Lists the populations."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._tables import table
from ._verb import Verb

_COLUMNS = ("population", "query", "holdout", "requires")


class Populations(Verb):
    """Tables what the open dataset's populations are."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="populations",
            label="List populations",
            description="Their queries, hold-outs and requirements",
            icon="list",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.LOW,
        )

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        known = evalsets.populations(ctx.dataset).values()
        rows = [
            (p.name, p.query, f"{p.holdout:.0%}", ", ".join(map(str, p.require)))
            for p in known
        ]
        return {
            "populations": [p.to_dict() for p in known],
            "rows": [dict(zip(_COLUMNS, row, strict=True)) for row in rows],
        }

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        return table("Populations", _COLUMNS)
