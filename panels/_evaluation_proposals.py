"""The events of the Evaluation panel that propose what to look at next."""

from __future__ import annotations

from functools import partial

import fiftyone as fo
import fiftyone.operators as foo

import evalsets
from evalsets.api.found import find
from evalsets.errors import counted

from ._evaluation_session import asked_of, show, state_of
from ._events import told
from ._work import Worker

_STORE = "evalsets_evaluation"
_NOTHING_TO_LABEL = (
    "No label would change a verdict: nothing required is open or missed."
)


class Propose(Worker):
    """Weak spots become populations, and labels are asked for where they settle most."""

    @told
    def discover(self, ctx: foo.ExecutionContext) -> None:
        asked = asked_of(ctx)
        words = f"Looking for weak spots of {asked.model}"
        search = partial(evalsets.discover, ctx.dataset, asked.model, truth=asked.truth)

        def shown(later: foo.ExecutionContext, found: list[evalsets.Candidate]) -> None:
            held = {"found": [candidate.to_dict() for candidate in found]}
            later.store(_STORE).set(_key(asked.model), held)
            show(later, state_of(later).saying(""))

        self.work(ctx, "discover", words, search, shown)

    @told
    def open_weak(self, ctx: foo.ExecutionContext) -> None:
        candidate = _clicked(ctx)
        view = find(ctx.dataset, candidate.query)
        ctx.ops.set_view(view)
        said = f"The grid shows all samples of {candidate.query}."
        show(ctx, state_of(ctx).saying(said))

    @told
    def name_weak(self, ctx: foo.ExecutionContext) -> None:
        population = _clicked(ctx).population()
        said = (
            f"Saved population '{population.name}'. The Populations panel holds a share "
            "of it out and says what it requires."
        )

        def shown(later: foo.ExecutionContext, _: fo.DatasetView) -> None:
            later.ops.reload_dataset()
            show(later, state_of(later).saying(said))

        compose = partial(evalsets.compose, ctx.dataset, population)
        self.work(ctx, "name_weak", f"Saving '{population.name}'", compose, shown)

    @told
    def label_next(self, ctx: foo.ExecutionContext) -> None:
        asked = asked_of(ctx)
        words = f"Choosing what to label for {asked.model}"
        choose = partial(
            evalsets.label_next, ctx.dataset, asked.model, **asked.keywords()
        )

        def shown(later: foo.ExecutionContext, view: fo.DatasetView) -> None:
            n = len(view)
            if not n:
                show(later, state_of(later).saying(_NOTHING_TO_LABEL))
                return
            later.ops.set_view(view)
            later.ops.reload_dataset()
            said = f"The grid shows {counted(n, 'sample')} to label, the most useful first; the field label_next says why."
            show(later, state_of(later).saying(said))

        self.work(ctx, "label_next", words, choose, shown)


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
