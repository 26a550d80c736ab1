"""Lists the releases."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets

from ._tables import table
from ._verb import Verb

_COLUMNS = ("release", "created", "note", "populations", "train", "val", "test")


class Releases(Verb):
    """Tables what was frozen under which number."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="releases",
            label="List releases",
            description="What was frozen under which number, and when",
            icon="list",
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.LOW,
        )

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        known = evalsets.releases(ctx.dataset).values()
        return {
            "releases": [{**r.to_dict(), "checksum": r.checksum} for r in known],
            "rows": [_row(r) for r in known],
        }

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        return table("Releases", _COLUMNS)


def _row(release: evalsets.Release) -> dict[str, str]:
    sides = {
        side: f"{release.sizes.get(side, 0):,}" for side in ("train", "val", "test")
    }
    told = {
        "release": str(release.number),
        "created": release.created,
        "note": release.note,
        "populations": f"{len(release.populations):,}",
    }
    return {**told, **sides}
