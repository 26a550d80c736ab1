"""Gives a verdict for each population."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._forms import choice, fields, given, known_only, models_of
from ._progress import heard
from ._tables import rows, table
from ._verb import Verb, scope

_SPLITS = ("test", "val", "train", "quarantine", "all")
_MORE = ("release", "groups", "eval_key")
_COLUMNS = (
    "population",
    "metric",
    "n",
    "value",
    "low",
    "high",
    "requirement",
    "verdict",
    "needed",
    "baseline",
    "delta",
)


class Evaluate(Verb):
    """Scores a model on every population, against thresholds and a baseline."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="evaluate",
            label="Evaluate a model",
            description="A verdict per population, with intervals",
            icon="rule",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        known = models_of(ctx)
        model = choice(form, "model", known, required=True, label="Model")
        known_only(ctx, model, "model", "model", known)
        told = "Another model, if any"
        baseline = choice(form, "baseline", known, label="Baseline", description=told)
        known_only(ctx, baseline, "baseline", "model", known)
        form.enum("split", _SPLITS, default="test", label="Split")
        choice(form, "truth", fields(ctx), default="ground_truth", label="Ground truth")
        form.int("release", min=1, label="Release", description="By default, now")
        choice(form, "groups", fields(ctx), label="Groups of dependent samples")
        form.str("eval_key", label="Key of FiftyOne's own evaluation, to write it too")
        return types.Property(form, view=types.View(label="Evaluate"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        options = given(ctx, "baseline", "split", "truth", *_MORE)
        with heard(ctx):
            report = evalsets.evaluate(scope(ctx), ctx.params["model"], **options)
        return {"verdict": str(report.verdict), "rows": rows(report.frame, _COLUMNS)}

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        return table("Verdicts", _COLUMNS)
