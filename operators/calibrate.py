"""Sets the cut of a similarity population by judged samples."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import choice, given, known_only, query_only, share
from ._verb import Verb, scope


class Calibrate(Verb):
    """Shows the samples to judge; takes the answers and sets the cut."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="calibrate",
            label="Calibrate population",
            description="Sets a similarity cut that keeps a wanted precision",
            icon="straighten",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        known = list(evalsets.calibrations(ctx.dataset)) if ctx.dataset else []
        form = types.Object()
        name = choice(form, "name", known, required=True, label="Population")
        known_only(ctx, name, "name", "population with a similarity", known)
        share(form, "precision", default=0.9, label="Share that shall belong")
        form.int("n", min=1, default=100, label="Samples to judge")
        form.str("term", label="Similarity to cut, where there are several")
        answers = form.str(
            "answers",
            label="What belongs",
            description="Empty to be shown the samples to judge. Then a condition that "
            "tells which belong, for example: 'yes' IN tags",
        )
        query_only(ctx, answers, "answers")
        form.bool(
            "shown",
            default=True,
            label="Only the samples that are shown were judged",
        )
        return types.Property(form, view=types.View(label="Calibrate population"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        judged = ctx.view if ctx.params.get("shown", True) else scope(ctx)
        found = evalsets.calibrate(
            judged,
            ctx.params["name"],
            ctx.params.get("answers") or None,
            **given(ctx, "precision", "n", "term"),
        )
        if not isinstance(found, evalsets.Calibration):
            ctx.ops.set_view(found)
            return {"to_judge": found.values("id")}
        ctx.ops.reload_dataset()
        ctx.ops.notify(str(found), variant="success")
        return found.to_dict()
