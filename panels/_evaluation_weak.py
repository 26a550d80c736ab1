"""The part of the Evaluation panel that proposes weak spots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fiftyone.operators import types

import evalsets
from evalsets.errors import counted

from . import _blocks as blocks


def draw_weak(
    root: types.Object,
    panel: Any,
    found: Sequence[evalsets.Candidate] | None,
    paths: Mapping[str, str],
    taken: Mapping[str, str],
) -> None:
    """Weak spots that nobody named yet, and what to label next.

    Args:
        root: to draw on
        panel: whose handlers the buttons call
        found: the proposals; None before any search
        paths: of their typical samples, by id
        taken: names of populations by their query
    """
    line = blocks.row(root, "weakhead", alignItems="center", pt=1)
    label = "Propose weak spots" if found is None else "Propose again"
    blocks.button(
        line,
        "discover",
        label,
        panel.discover,
        icon="troubleshoot",
        strong=found is None,
    )
    blocks.button(
        line, "label_next", "What to label next", panel.label_next, icon="new_label"
    )
    blocks.text(root, "weakwords", _words(found), color=blocks.QUIET)
    for number, candidate in enumerate(found or ()):
        _candidate(
            root, panel, number, candidate, paths, taken.get(candidate.query, "")
        )


def _words(found: Sequence[evalsets.Candidate] | None) -> str:
    if found is None:
        return (
            "Looks for conditions and regions on which the model is worse than "
            "elsewhere, in train and val; one half proposes, the other confirms."
        )
    if not found:
        return "Nothing stands out: the model is about equally good everywhere."
    sure = sum(candidate.confirmed for candidate in found)
    spots = counted(len(found), "weak spot")
    return f"{spots}, {sure} confirmed on samples that were not searched."


def _candidate(
    root: types.Object,
    panel: Any,
    number: int,
    found: evalsets.Candidate,
    paths: Mapping[str, str],
    name: str,
) -> None:
    color = blocks.BAD if found.confirmed else blocks.OPEN
    box = blocks.card(
        root, f"weak{number}", borderLeft=f"3px solid {color}", background=f"{color}14"
    )
    blocks.text(box, "query", found.query, fontFamily=blocks.MONO, fontSize="0.9rem")
    if found.description:
        blocks.text(box, "about", found.description, color=blocks.QUIET)
    blocks.text(box, "figures", _figures(found), fontSize="0.9rem")
    shown = [i for i in found.samples if i in paths]
    line = blocks.row(box, "pictures", pt=0.5)
    for place, sample in enumerate(shown):
        blocks.thumbnail(
            line,
            f"picture{place}",
            paths[sample],
            alt=f"typical mistake {place + 1}",
            on_click=panel.open_weak,
            query=found.query,
        )
    buttons = blocks.row(box, "buttons", alignItems="center", pt=0.5)
    blocks.button(
        buttons, "open", "Open", panel.open_weak, icon="visibility", query=found.query
    )
    if name:
        blocks.text(buttons, "named", f"Population '{name}'", color=blocks.GOOD)
        return
    blocks.button(
        buttons,
        "name",
        "Make it a population",
        panel.name_weak,
        icon="add_circle_outline",
        strong=found.confirmed,
        query=found.query,
    )


def _figures(found: evalsets.Candidate) -> str:
    """Support, effect and adjusted p, in a line."""
    p = f"{found.p_adjusted:.2g}" if found.p_adjusted >= 1e-4 else "< 0.0001"
    sign = "" if p.startswith("<") else "= "
    return "  ·  ".join(
        [
            "confirmed" if found.confirmed else "not confirmed",
            counted(found.n, "sample"),
            f"{found.measure} {found.value:.3f}, elsewhere {found.elsewhere:.3f}",
            f"drop {found.drop:.3f} [{found.drop_low:.3f}, {found.drop_high:.3f}]",
            f"adjusted p {sign}{p}",
        ]
    )
