"""The events of the Evaluation panel that propose what to look at next."""

from __future__ import annotations

import fiftyone as fo
import fiftyone.operators as foo

import evalsets
from evalsets.errors import counted

from ._evaluation_session import asked_of, show, state_of
from ._events import told

_STORE = "evalsets_evaluation"


class Propose:
    """Weak spots become populations, and labels are asked for where they settle most."""

    @told
    def discover(self, ctx: foo.ExecutionContext) -> None:
        model = asked_of(ctx).model
        show(ctx, state_of(ctx).working(f"Looking for weak spots of {model} …"))
        ctx.prompt(self.run_discover, skip_prompt=True)

    @told
    def run_discover(self, ctx: foo.ExecutionContext) -> None:
        asked = asked_of(ctx)
        found = evalsets.discover(ctx.dataset, asked.model, truth=asked.truth)
        held = {"found": [candidate.to_dict() for candidate in found]}
        ctx.store(_STORE).set(_key(asked.model), held)
        show(ctx, state_of(ctx).saying(""))

    @told
    def open_weak(self, ctx: foo.ExecutionContext) -> None:
        candidate = _clicked(ctx)
        view = evalsets.search(ctx.dataset, candidate.query)
        ctx.ops.set_view(view)
        said = f"The grid shows all samples of {candidate.query}."
        show(ctx, state_of(ctx).saying(said))

    @told
    def name_weak(self, ctx: foo.ExecutionContext) -> None:
        population = _clicked(ctx).population()
        evalsets.compose(ctx.dataset, population)
        ctx.ops.reload_dataset()
        said = (
            f"Saved population '{population.name}'. The Populations panel holds a share "
            "of it out and says what it requires."
        )
        show(ctx, state_of(ctx).saying(said))

    @told
    def label_next(self, ctx: foo.ExecutionContext) -> None:
        model = asked_of(ctx).model
        show(ctx, state_of(ctx).working(f"Choosing what to label for {model} …"))
        ctx.prompt(self.run_label_next, skip_prompt=True)

    @told
    def run_label_next(self, ctx: foo.ExecutionContext) -> None:
        asked = asked_of(ctx)
        view = evalsets.label_next(ctx.dataset, asked.model, **asked.keywords())
        n = len(view)
        if n:
            ctx.ops.set_view(view)
            ctx.ops.reload_dataset()
        said = f"The grid shows {counted(n, 'sample')} to label, the most useful first; the field label_next says why."
        nothing = "No label would change a verdict: nothing required is open or missed."
        show(ctx, state_of(ctx).saying(said if n else nothing))


def candidates(
    ctx: foo.ExecutionContext, model: str
) -> list[evalsets.Candidate] | None:
    """The weak spots that were proposed last; None before any search."""
    held = ctx.store(_STORE).get(_key(model))
    if held is None:
        return None
    return [
        evalsets.Candidate(**{**one, "samples": tuple(one["samples"])})
        for one in held["found"]
    ]


def sample_paths(
    dataset: fo.Dataset, found: list[evalsets.Candidate]
) -> dict[str, str]:
    """Files of the typical samples, by id."""
    ids = sorted({i for candidate in found for i in candidate.samples})
    if not ids:
        return {}
    return dict(zip(*dataset.select(ids).values(["id", "filepath"]), strict=True))


def _key(model: str) -> str:
    return f"weak/{model}"


def _clicked(ctx: foo.ExecutionContext) -> evalsets.Candidate:
    found = candidates(ctx, asked_of(ctx).model)
    at = int(ctx.params["number"])
    if not found or at >= len(found):
        raise evalsets.EvalsetsError(
            "These weak spots were proposed anew elsewhere; look at them again"
        )
    return found[at]
