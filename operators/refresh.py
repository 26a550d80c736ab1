"""Brings populations up to date with the data."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._progress import heard
from ._verb import Verb


class Refresh(Verb):
    """Recomputes the membership of populations made of text or images."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="refresh",
            label="Refresh populations",
            description="Lets new samples into populations made of text or images",
            icon="refresh",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        with heard(ctx):
            stale = evalsets.refresh(ctx.dataset)
        ctx.ops.reload_dataset()
        for name, reason in stale.items():
            ctx.ops.notify(f"'{name}' is stale: {reason}", variant="warning")
        return {"stale": stale}
