"""What the Populations panel holds between two events."""

from __future__ import annotations

import dataclasses
from typing import Any

import fiftyone.operators as foo

import evalsets
from evalsets.datasets.settings import stated_settings

from ._board import Board
from ._events import keep, kept
from ._populations_state import COUNTED, Form, PopulationsState

_FIRST: dict[str, dict[str, Any]] = {
    "cut": {"precision": 90, "term": ""},
    "release": {"note": ""},
    "compare": {"before": "", "after": ""},
}
"""What other inputs hold before anybody types."""


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
    given = {key: value for key, value in typed.items() if value is not None}
    return Form(**{"holdout": None, **given} if typed else {})  # cleared is none


def fill(ctx: foo.ExecutionContext, state: PopulationsState, form: Form) -> None:
    """Fills the inputs of a revision."""
    values = dataclasses.asdict(form)
    ctx.panel.set_state(f"find{state.revision}", {"query": values.pop("query")})
    ctx.panel.set_state(f"save{state.revision}", values)


def fill_first(ctx: foo.ExecutionContext, *names: str) -> None:
    """Has inputs hold what they do before anybody types; all of them if none is named."""
    for name in names or _FIRST:
        ctx.panel.set_state(name, dict(_FIRST[name]))


def fill_sides(ctx: foo.ExecutionContext, *, anew: bool = False) -> None:
    """Fills the form of the split with how the dataset is split.

    Args:
        ctx: of the event
        anew: also where something was typed
    """
    stated = stated_settings(ctx.dataset)
    now = {
        "val": round(100 * stated.get("val", 0.1), 6),
        "groups": stated.get("groups") or "",
    }
    ctx.panel.set_state("sides", now if anew else {**now, **_chosen(ctx)})
    keep(ctx, "filled", now)


def sides_of(ctx: foo.ExecutionContext) -> dict[str, Any]:
    """What the form of the split asks for, without what is as it was filled in."""
    chosen = _chosen(ctx)
    return {n: v / 100 if n == "val" else v for n, v in chosen.items()}


def _chosen(ctx: foo.ExecutionContext) -> dict[str, Any]:
    """What somebody changed in the form of the split."""
    filled = kept(ctx, "filled")
    typed = ctx.panel.get_state("sides") or filled
    now = {"val": typed.get("val") or 0, "groups": typed.get("groups") or ""}
    return {name: now[name] for name in filled if now[name] != filled[name]}


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
