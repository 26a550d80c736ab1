"""Shows how every population divides over train, validation and test."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._tables import rows, table
from ._verb import Verb, scope

_COLUMNS = (
    "population",
    "n",
    "train",
    "val",
    "test",
    "quarantine",
    "holdout_asked",
    "holdout_got",
)


class Coverage(Verb):
    """Tables the populations against the splits."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="coverage",
            label="Show coverage of populations",
            description="How each population divides over train, validation and test",
            icon="grid_on",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.LOW,
        )

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        coverage = evalsets.coverage(scope(ctx))
        return {
            "rows": rows(coverage.frame, _COLUMNS),
            "gaps": list(coverage.gaps),
            "untested": coverage.untested,
        }

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        return table("Coverage", _COLUMNS)
