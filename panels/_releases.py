"""Releases, their differences and the overlap of populations in the Populations panel."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets
from evalsets.errors import EvalsetsError

from . import _blocks as blocks
from ._board import Board, board, store_of
from ._counting import Counter
from ._events import told
from ._populations_note import note
from ._populations_session import fill_first, loaded, show, state_of
from ._populations_state import PopulationsState

_EVENTS = ("release", "compare")
_MOST_LINES = 40
_ROW = 24


class Keeper(Counter):
    """Freezes the populations, compares what was frozen, shows what overlaps."""

    @told
    def release(self, ctx: foo.ExecutionContext) -> None:
        note = (ctx.panel.get_state("release") or {}).get("note") or ""
        freeze = partial(evalsets.release, ctx.dataset, note=note.strip())

        def told_of(later: foo.ExecutionContext, made: evalsets.Release) -> None:
            later.ops.reload_dataset()
            fill_first(later, "release")
            show(later, state_of(later).noted("release", str(made)))

        self.count(ctx, "release", "Freezing a release", freeze, told_of)

    @told
    def compare(self, ctx: foo.ExecutionContext) -> None:
        state = state_of(ctx).settled()
        asked = ctx.panel.get_state("compare") or {}
        known = {str(number): number for number, _ in state.releases}
        before, after = (  # 0 is none, as where the choice is of another dataset
            known.get(str(asked.get(end)), 0) for end in ("before", "after")
        )
        before = before or state.releases[0][0]
        if before == after:
            raise EvalsetsError("Choose two different releases to compare")

        def told_of(later: foo.ExecutionContext, found: evalsets.ReleaseDiff) -> None:
            lines = _few(str(found).split("\n"))
            show(later, state_of(later).settled().noted("compare", *lines))

        words = (
            f"Comparing release {before} with {f'release {after}' if after else 'now'}"
        )
        compare = partial(evalsets.diff, ctx.dataset, before, after or None)
        self.work(ctx, "compare", words, compare, told_of)

    @told
    def show_overlap(self, ctx: foo.ExecutionContext) -> None:
        state = state_of(ctx).settled()
        if state.overlap:
            show(ctx, dataclasses.replace(state, overlap={}))
            return

        def drawn(later: foo.ExecutionContext, counted: Board) -> None:
            state = loaded(later, state_of(later).settled(), counted)
            show(later, dataclasses.replace(state, overlap=dict(counted.overlap)))

        run = partial(board, ctx.dataset, store_of(ctx))
        self.work(ctx, "show_overlap", "Counting", run, drawn)

    def ask_to_sync(self, ctx: foo.ExecutionContext) -> None:
        ctx.prompt("@evalsets/evalsets/sync")


def _few(lines: list[str]) -> list[str]:
    if len(lines) <= _MOST_LINES:
        return lines
    more = f"… and {len(lines) - _MOST_LINES:,} lines more; es.diff shows all"
    return [*lines[:_MOST_LINES], more]


def draw_overlap(root: types.Object, panel: Any, state: PopulationsState) -> None:
    """A button, and below it the heat map where it is wanted."""
    label = "Hide overlap" if state.overlap else "Show overlap"
    blocks.button(root, "overlap", label, panel.show_overlap, icon="grid_on")
    if not state.overlap:
        return
    height = 170 + _ROW * len(state.overlap["data"][0]["x"])
    layout = {
        **state.overlap["layout"],
        "height": height,
        "font": {"size": 12, "color": blocks.NEUTRAL},
    }
    blocks.plot(root, "overlap_plot", state.overlap["data"], layout)


def draw_releases(root: types.Object, panel: Any, state: PopulationsState) -> None:
    """What was frozen, a form to freeze, and one to compare."""
    head = blocks.row(root, "releases_head", alignItems="center", pt=1)
    blocks.heading(head, "title", f"Releases ({len(state.releases):,})")
    if not state.releases:
        words = "A release freezes who is in which population and on which side."
        blocks.text(root, "releases_none", words, color=blocks.QUIET)
    for number, words in state.releases[:5]:
        blocks.text(root, f"release{number}", words, color=blocks.QUIET)
    made = blocks.form(root, "release")
    made.str(
        "note",
        view=types.TextFieldView(
            label="Note",
            placeholder="before the new camera",
            componentsProps=blocks.grow(180, 3),
        ),
    )
    blocks.button(
        made, "make", "Release", panel.release, icon="new_releases", submit=True
    )
    if state.releases:
        _draw_compare(root, panel, state)
    note(root, panel, state, *_EVENTS)


def _draw_compare(root: types.Object, panel: Any, state: PopulationsState) -> None:
    line = blocks.form(root, "compare")
    known = {str(number): f"release {number}" for number, _ in state.releases}
    newest = f"release {state.releases[0][0]}"
    blocks.dropdown(
        line, "before", "From", {"": newest, **known}, width=140, none=newest
    )
    blocks.dropdown(line, "after", "To", {"": "now", **known}, width=140, none="now")
    blocks.button(
        line, "show", "Compare", panel.compare, icon="difference", submit=True
    )
