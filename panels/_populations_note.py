"""What the last event of the Populations panel has to say, beside the part it used."""

from __future__ import annotations

from typing import Any

from fiftyone.operators import types

from . import _blocks as blocks
from ._populations_state import Note, PopulationsState


def note(root: types.Object, panel: Any, state: PopulationsState, *events: str) -> None:
    """The note of the last event, if it was one of these, or how far its work is."""
    told = state.note
    if told is None or told.event not in events:
        return
    if told.work:
        panel.draw_work(root, told.work)
        return
    blocks.note(root, told.sentences, pointer=told.pointer, color=_color(told))


def _color(told: Note) -> str:
    if told.failed:
        return blocks.BAD
    return blocks.OPEN if told.warns else blocks.GOOD
