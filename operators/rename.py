"""Gives a population another name."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import refuse
from ._verb import Verb


class Rename(Verb):
    """Renames a population, in the queries that refer to it as well."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="rename",
            label="Rename population",
            description="Its hold-out, versions and calibration stay",
            icon="drive_file_rename_outline",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        known = sorted(evalsets.populations(ctx.dataset)) if ctx.dataset else []
        form.enum("name", known, required=True, label="Population")
        new = form.str("new", required=True, label="New name")
        given = ctx.params.get("new")
        if given in known and given != ctx.params.get("name"):
            refuse(new, f"There is a population '{given}' already; choose another name")
        return types.Property(form, view=types.View(label="Rename population"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        evalsets.rename(ctx.dataset, ctx.params["name"], ctx.params["new"])
        ctx.ops.reload_dataset()
        return {"name": ctx.params["new"]}
