"""Lists the populations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._tables import table
from ._verb import Verb

_COLUMNS = ("population", "query", "holdout", "requires", "precision")


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
        measured = evalsets.calibrations(ctx.dataset)
        rows = [(*_row(p), _precision(p.name, measured)) for p in known]
        return {
            "populations": [p.to_dict() for p in known],
            "rows": [dict(zip(_COLUMNS, row, strict=True)) for row in rows],
        }

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        return table("Populations", _COLUMNS)


def _row(p: evalsets.Population) -> tuple[str, ...]:
    return p.name, p.query, f"{p.holdout:.0%}", ", ".join(map(str, p.require))


def _precision(name: str, measured: Mapping[str, evalsets.Calibration | None]) -> str:
    found = measured.get(name)
    return found.words() if found else "uncalibrated" * (name in measured)
