"""Makes a dataset hold what lies in a folder or bucket."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets
from evalsets.api.sync import last_sync
from evalsets.errors import UnknownNameError

from ._forms import folder_only, given
from ._progress import shown
from ._verb import Verb

STATES = ("added", "kept", "changed", "moved", "vanished", "returned", "duplicates")


class Sync(Verb):
    """Makes a dataset hold what lies in a folder or bucket."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="sync",
            label="Sync images from a folder or bucket",
            description="Adds what is new, and notices what has changed, moved or vanished",
            icon="sync",
            allow_delegated_execution=True,
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        form = types.Object()
        before = _before(ctx)
        source = form.str(
            "source",
            default=before.get("source") or None,
            required=True,
            label="Folder or URL",
            description="As the machine sees it that runs the App; s3://, gs://, az:// too",
        )
        folder_only(ctx, source, "source")
        form.str(
            "dataset",
            default=ctx.dataset.name if ctx.dataset else None,
            required=ctx.dataset is None,
            label="Dataset",
            description="Made if it does not exist",
        )
        form.str(
            "labels",
            default=before.get("labels") or None,
            label="Labels",
            description="CSV or parquet with a column of paths; COCO .json; or: folders",
        )
        return types.Property(form, view=types.View(label="Sync images"))

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        name = ctx.params.get("dataset") or ctx.dataset.name
        options = {**given(ctx, "labels"), "progress": shown(ctx)}
        dataset = evalsets.sync(ctx.params["source"], dataset=name, **options)
        if ctx.dataset is None or ctx.dataset.name != dataset.name:
            ctx.ops.open_dataset(dataset.name)
        else:
            ctx.ops.reload_dataset()
        synced = last_sync(dataset)
        variant = "warning" if synced.skipped or synced.vanished else "success"
        ctx.ops.notify(str(synced), variant=variant)
        return {
            "dataset": dataset.name,
            "n_samples": len(dataset),
            **vars(synced),
            "skipped": dict(synced.skipped),
        }

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        output = types.Object()
        output.str("dataset", label="Dataset")
        output.int("n_samples", label="Samples")
        for state in STATES:
            output.int(state, label=state.capitalize())
        output.int("others", label="No image by name")
        output.obj("skipped", label="Skipped", view=types.JSONView())
        return types.Property(output, view=types.View(label="Synced"))


def _before(ctx: foo.ExecutionContext) -> dict[str, Any]:
    """What the last sync of the open dataset found."""
    with suppress(UnknownNameError):
        return {} if ctx.dataset is None else vars(last_sync(ctx.dataset))
    return {}
