"""Proposes weak spots of a model as queries."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
import pandas as pd
from fiftyone.operators import types

import evalsets

from ._forms import choice, fields, given, known_only, models_of, share
from ._tables import rows, table
from ._verb import Verb, scope

_ELSEWHERE = "train and val"
_SPLITS = (_ELSEWHERE, "val", "train", "test", "all")
_COLUMNS = (
    "name",
    "query",
    "n",
    "value",
    "elsewhere",
    "drop",
    "drop_low",
    "drop_high",
    "p_adjusted",
    "confirmed",
    "description",
)


class Discover(Verb):
    """Finds where a model is worse than elsewhere; makes populations of it if asked."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="discover",
            label="Discover weak spots",
            description="Queries on which a model is worse, confirmed on unsearched data",
            icon="troubleshoot",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        known = models_of(ctx)
        form = types.Object()
        model = choice(form, "model", known, required=True, label="Model")
        known_only(ctx, model, "model", "model", known)
        form.enum(
            "split",
            _SPLITS,
            default=_ELSEWHERE,
            label="Samples to look at",
            description="Looking at test counts as a look",
        )
        choice(form, "truth", fields(ctx), default="ground_truth", label="Ground truth")
        form.int("n", min=1, default=10, label="Candidates, at most")
        form.int("min_size", min=4, default=20, label="Samples of a candidate")
        form.bool("compose", default=False, label="Name what is confirmed")
        share(form, "holdout", default=0.2, label="and hold out of it")
        return types.Property(form, view=types.View(label="Discover weak spots"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        options = given(ctx, "split", "truth", "n", "min_size")
        if options.get("split") == _ELSEWHERE:
            del options["split"]
        found = evalsets.discover(scope(ctx), ctx.params["model"], **options)
        composed = []
        if ctx.params.get("compose"):
            shares = given(ctx, "holdout")
            composed = [c.population(**shares) for c in found if c.confirmed]
        if composed:
            evalsets.compose(ctx.dataset, composed)
            ctx.ops.reload_dataset()
        confirmed = sum(c.confirmed for c in found)
        ctx.ops.notify(f"{confirmed} of {len(found)} weak spots are confirmed")
        frame = pd.DataFrame([c.to_dict() for c in found], columns=list(_COLUMNS))
        return {"rows": rows(frame, _COLUMNS), "composed": [p.name for p in composed]}

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        return table("Weak spots", _COLUMNS)
