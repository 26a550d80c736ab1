"""What the Populations panel holds between two events."""

from __future__ import annotations

import dataclasses

import fiftyone.operators as foo

import evalsets

from ._board import Board
from ._events import keep, kept
from ._populations_state import COUNTED, Form, PopulationsState


def state_of(ctx: foo.ExecutionContext) -> PopulationsState:
    """What the panel shows of the dataset it stands on."""
    held = kept(ctx, "shown")
    if not held:
        other = ctx.panel.get_state("shown") or {"revision": -1}
        return PopulationsState(revision=other["revision"] + 1)
    return PopulationsState.from_dict({**held, **kept(ctx, "counted")})


def show(ctx: foo.ExecutionContext, state: PopulationsState) -> None:
    """Keeps what to show.

    What was counted is kept apart, and written where it changed: an event that overtakes
    one that counts would put back what was counted before.
    """
    before = state_of(ctx)
    held = state.to_dict()
    counted = {name: held.pop(name) for name in COUNTED}
    changed = any(getattr(state, name) != getattr(before, name) for name in COUNTED)
    if changed or not kept(ctx, "counted"):
        keep(ctx, "counted", counted)
    keep(ctx, "shown", held)


def form_of(ctx: foo.ExecutionContext, state: PopulationsState) -> Form:
    """The inputs as typed."""
    typed = {
        **(ctx.panel.get_state(f"find{state.revision}") or {}),
        **(ctx.panel.get_state(f"save{state.revision}") or {}),
    }
    return Form(**{key: value for key, value in typed.items() if value is not None})


def fill(ctx: foo.ExecutionContext, state: PopulationsState, form: Form) -> None:
    """Fills the inputs of a revision."""
    values = dataclasses.asdict(form)
    ctx.panel.set_state(f"find{state.revision}", {"query": values.pop("query")})
    ctx.panel.set_state(f"save{state.revision}", values)


def loaded(
    ctx: foo.ExecutionContext, state: PopulationsState, counted: Board
) -> PopulationsState:
    """With the table as it was counted."""
    kept = evalsets.releases(ctx.dataset) if counted.lines else {}
    return dataclasses.replace(
        state,
        samples=len(ctx.dataset),
        lines=counted.lines,
        gaps=counted.gaps,
        releases=tuple((n, str(kept[n])) for n in sorted(kept, reverse=True)[:20]),
        overlap={},
    )
