"""The events of the Evaluation panel that propose what to look at next."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import fiftyone as fo
import fiftyone.operators as foo

import evalsets
from evalsets.api.found import find
from evalsets.discovery import distinct
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
        uploaded = evalsets.models(ctx.dataset)[asked.model].uploaded

        def shown(later: foo.ExecutionContext, found: list[evalsets.Candidate]) -> None:
            held = {
                "found": [candidate.to_dict() for candidate in found],
                "uploaded": uploaded,
            }
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
        dataset, population = ctx.dataset, _clicked(ctx).population()

        def compose() -> str:
            """Composes it under a name that nobody has taken by now."""
            (name,) = distinct([population.name], list(evalsets.populations(dataset)))
            evalsets.compose(dataset, replace(population, name=name))
            return name

        def shown(later: foo.ExecutionContext, name: str) -> None:
            later.ops.reload_dataset()
            said = (
                f"Saved population '{name}'. The Populations panel holds a share of it "
                "out and says what it requires."
            )
            show(later, state_of(later).saying(said))

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
    """The weak spots of a model's present predictions; None where nobody looked."""
    held = ctx.store(_STORE).get(_key(model))
    known = evalsets.models(ctx.dataset)
    if held is None or model not in known:
        return None
    if held.get("uploaded") != known[model].uploaded:
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
    for candidate in candidates(ctx, asked_of(ctx).model) or ():
        if candidate.query == ctx.params["query"]:
            return candidate
    raise evalsets.EvalsetsError(
        "These weak spots were proposed anew elsewhere; look at them again"
    )
