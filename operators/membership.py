"""Tells which samples are in which population."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._tables import table
from ._verb import Verb, scope

_COLUMNS = ("population", "n")


class Membership(Verb):
    """Lists the members of every population, by sample id."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="membership",
            label="List members of populations",
            description="Which samples are in which population",
            icon="checklist",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.LOW,
        )

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        frame = evalsets.membership(scope(ctx))
        members = {name: list(frame.index[frame[name]]) for name in frame}
        rows = [{"population": n, "n": str(len(ids))} for n, ids in members.items()]
        return {"members": members, "rows": rows}

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        return table("Members", _COLUMNS)
