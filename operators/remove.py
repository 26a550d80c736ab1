"""Removes a population."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._verb import Verb


class Remove(Verb):
    """Removes a population; its samples stay, and test samples stay in test."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="remove",
            label="Remove population",
            description="The samples stay, and those in test stay in test",
            icon="delete_outline",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        known = sorted(evalsets.populations(ctx.dataset)) if ctx.dataset else []
        form.enum("name", known, required=True, label="Population")
        return types.Property(form, view=types.View(label="Remove population"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        evalsets.remove(ctx.dataset, ctx.params["name"])
        ctx.ops.reload_dataset()
        return {"removed": ctx.params["name"]}
