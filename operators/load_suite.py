"""Makes the populations those of a file."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import file_only
from ._verb import Verb


class LoadSuite(Verb):
    """Loads a suite file, or says what loading it would change."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="load_suite",
            label="Load populations from a file",
            description="All or nothing; populations that the file lacks are removed",
            icon="upload_file",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.HIGH,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        path = form.str("path", required=True, label="File", default="suite.yml")
        file_only(ctx, path, "path")
        form.bool("plan", default=True, label="Only say what would change")
        return types.Property(form, view=types.View(label="Load populations"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        plan = bool(ctx.params.get("plan", False))
        found = evalsets.load_suite(ctx.dataset, ctx.params["path"], plan=plan)
        if not (plan or found.same):
            ctx.ops.reload_dataset()
        return {
            "text": str(found),
            "added": [p.name for p in found.added],
            "changed": list(found.changed),
            "removed": list(found.removed),
        }

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        output = types.Object()
        output.str("text", label="Changes", view=types.CodeView(read_only=True))
        return types.Property(output, view=types.View(label="Populations"))
