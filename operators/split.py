"""Divides the data into train, validation and test."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets
from evalsets.datasets.settings import stated_settings

from ._forms import choice, fields, given, groups_only, share
from ._progress import heard
from ._tables import rows, table
from ._verb import Verb

_COLUMNS = ("population", "n", "asked", "got", "deviation")


class Split(Verb):
    """Holds out the asked share of every population; test samples never leave test."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="split",
            label="Split into train, validation and test",
            description="Gives every population its hold-out; test never shrinks",
            icon="call_split",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        before = stated_settings(ctx.dataset)
        share(
            form,
            "val",
            default=before.get("val", 0.1),
            label="Share of the rest for validation",
        )
        groups = choice(
            form,
            "groups",
            fields(ctx),
            label="Groups",
            description="Field or expression whose samples stay together, as a scene",
        )
        groups_only(ctx, groups, "groups")
        share(
            form,
            "near_duplicates",
            label="Near-duplicates",
            description="Cosine from which images count as one; 0 is off, empty as before",
        )
        share(
            form,
            "background",
            label="Background",
            description="Share for test of the samples in no population",
        )
        return types.Property(form, view=types.View(label="Split"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        options = given(ctx, "val", "groups", "near_duplicates", "background")
        with heard(ctx):
            report = evalsets.split(ctx.dataset, **options)
        ctx.ops.reload_dataset()
        for said in (*report.notes, *report.conflicts):
            ctx.ops.notify(str(said), variant="warning")
        return {
            "sizes": dict(report.sizes),
            "moved": len(report.moved),
            "leaks": [str(leak) for leak in report.leaks],
            "rows": rows(report.frame, _COLUMNS),
        }

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        return table("Hold-outs", _COLUMNS)
