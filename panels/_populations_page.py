"""The Populations panel, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fiftyone.operators import types

from . import _blocks as blocks
from . import _judging, _releases
from ._editing import QUIET
from ._populations_note import note
from ._populations_state import PopulationsState, found_words
from ._populations_table import table

_OF_ROWS = (
    *("open", "edit", "duplicate", "remove", "ask_to_remove", "show_overlap"),
    *("calibrate", "belong", "others", "rest", "again", "choose_term", "end"),
)


def draw(
    root: types.Object,
    panel: Any,
    state: PopulationsState,
    fields: Sequence[str],
    proposed: Sequence[str],
) -> None:
    """Draws the whole panel.

    Args:
        root: to draw on
        panel: whose handlers the buttons call
        state: to show
        fields: whose values may hold samples together in a split
        proposed: queries to try where there is no population yet
    """
    if not state.samples:
        _nothing(root)
        return
    _finder(root, panel, state)
    _saver(root, panel, state)
    if state.lines:
        _board(root, panel, state)
        _splitter(root, panel, state, fields)
        _releases.draw_overlap(root, panel, state)
        _releases.draw_releases(root, panel, state)
    else:
        note(root, panel, state, *_OF_ROWS)
        if not state.is_waiting:
            _welcome(root, panel, proposed)


def _nothing(root: types.Object) -> None:
    box = blocks.card(root, "nothing", background="var(--fo-palette-background-level1)")
    blocks.heading(box, "title", "This dataset has no samples")
    words = "Add some with the operator “Sync”, or evalsets.sync(folder, dataset=…)."
    blocks.text(box, "words", words, color=blocks.QUIET)


def _finder(root: types.Object, panel: Any, state: PopulationsState) -> None:
    """The editor of ``panels/editor``, which asks the panel what it shows."""
    found = found_words(state.found or 0, state.samples) if state.shows_found else None
    view = types.View(
        component="EvalsetsQuery",
        composite_view=True,
        placeholder="weather = 'fog' AND text('windy road') > 0.25",
        found=found,
        clears=state.found is not None or bool(state.editing),
        search=panel.search,
        clear=panel.clear,
        **{name: getattr(panel, name) for name in QUIET},
    )
    root.define_property(f"find{state.revision}", types.Object(), view=view)
    note(root, panel, state, "search", "on_load")


def _saver(root: types.Object, panel: Any, state: PopulationsState) -> None:
    if state.editing:
        words = f"Editing '{state.editing}'; another name makes a copy."
        blocks.text(root, "editing", words, color=blocks.QUIET)
    save = blocks.form(root, f"save{state.revision}")
    save.str(
        "name",
        view=types.TextFieldView(
            label="Name", placeholder="foggy bends", componentsProps=blocks.grow(140, 3)
        ),
    )
    save.float(
        "holdout",
        min=0,
        max=100,
        view=types.TextFieldView(
            label="Hold out, %",
            componentsProps=blocks.fixed(104),
        ),
    )
    save.str(
        "require",
        view=types.TextFieldView(
            label="Require (optional)",
            placeholder="accuracy >= 0.9, accuracy drop <= 0.01",
            componentsProps=blocks.grow(190, 4),
        ),
    )
    blocks.button(save, "save", "Save", panel.save, icon="bookmark_add", submit=True)
    note(root, panel, state, "save")


def _welcome(root: types.Object, panel: Any, proposed: Sequence[str]) -> None:
    box = blocks.card(
        root, "welcome", background="var(--fo-palette-background-level1)", py=2
    )
    blocks.heading(box, "title", "No populations yet")
    words = (
        "A population is a query with a name: a part of your data on which a model must "
        "hold up. Search for one above, look at the samples, then save it."
    )
    blocks.text(box, "words", words, color=blocks.QUIET)
    if not proposed:
        return
    tries = blocks.row(box, "tries", pt=1, alignItems="center")
    blocks.text(tries, "lead", "Try", color=blocks.QUIET)
    for number, query in enumerate(proposed):
        blocks.button(
            tries, f"try{number}", query, panel.try_example, icon="search", query=query
        )


def _board(root: types.Object, panel: Any, state: PopulationsState) -> None:
    head = blocks.row(root, "head", alignItems="center", pt=1)
    blocks.heading(head, "title", f"Populations ({len(state.lines):,})")
    shown = state.lines[: blocks.MOST_ROWS]
    if len(shown) < len(state.lines):
        blocks.text(
            head, "more", f"the first {len(shown)} are shown", color=blocks.QUIET
        )
    blocks.button(head, "sync", "Sync", panel.ask_to_sync, icon="sync")
    note(root, panel, state, *_OF_ROWS)
    if state.judged:
        _judging.draw(root, panel, state.judged)
    if state.removing:
        _confirm(root, panel, state.removing)
    table(root, panel, shown, state)


def _confirm(root: types.Object, panel: Any, name: str) -> None:
    box = blocks.card(
        root,
        "confirm",
        borderLeft=f"3px solid {blocks.OPEN}",
        background=f"{blocks.OPEN}14",
    )
    line = blocks.row(box, "line", alignItems="center")
    words = f"Remove '{name}' and its saved view? Samples and their split stay."
    blocks.text(line, "words", words, item={"flex": "1 1 220px"})
    blocks.button(line, "remove", "Remove", panel.remove, icon="delete_outline")
    blocks.button(line, "keep", "Keep", panel.keep, icon="close")


def _splitter(
    root: types.Object, panel: Any, state: PopulationsState, fields: Sequence[str]
) -> None:
    sides = blocks.form(root, "sides")
    sides.float(
        "val",
        min=0,
        max=100,
        view=types.TextFieldView(
            label="Validation, %",
            componentsProps=blocks.fixed(118),
        ),
    )
    blocks.dropdown(
        sides,
        "groups",
        "Keep together",
        {"": "nothing", **{name: name for name in fields}},
        width=150,
        none="nothing",
    )
    blocks.button(sides, "preview", "Preview", panel.preview_split, icon="visibility")
    blocks.button(sides, "split", "Split", panel.split, icon="call_split", submit=True)
    note(root, panel, state, "split", "preview_split")
    if not state.is_split:
        hint = "Not split yet: Split gives each population its hold-out for test."
        blocks.text(root, "hint", hint, color=blocks.QUIET)
    elif state.gaps:
        _gaps(root, state.gaps)


def _gaps(root: types.Object, gaps: Sequence[str]) -> None:
    box = blocks.card(root, "gaps", px=0, py=0)
    blocks.heading(box, "title", "Gaps")
    for number, sentence in enumerate(gaps[: blocks.MOST_ROWS]):
        blocks.text(box, f"gap{number}", f"•  {sentence}", color=blocks.QUIET)
