"""Writes the populations to a file."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._verb import Verb


class SaveSuite(Verb):
    """Writes every population, and how the data is split, to a YAML file."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="save_suite",
            label="Save populations to a file",
            description="A YAML file for git; comments in it stay",
            icon="save",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        form.str("path", required=True, label="File", default="suite.yml")
        return types.Property(form, view=types.View(label="Save populations"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        path = evalsets.save_suite(ctx.dataset, ctx.params["path"])
        ctx.ops.notify(f"Saved: {path}", variant="success")
        return {"path": str(path)}
