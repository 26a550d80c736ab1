"""The table of the Populations panel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fiftyone.operators import types

from . import _blocks as blocks
from ._populations_state import (
    CALIBRATED,
    EMPTY,
    LIVE,
    SMALL,
    STALE,
    UNCALIBRATED,
    Line,
    PopulationsState,
)

SIDES = {
    "test": "#f58518",
    "val": "#72b7b2",
    "train": "#4c78a8",
    "quarantine": "#9aa0a6",
}
_STATES = {
    LIVE: blocks.GOOD,
    CALIBRATED: blocks.GOOD,
    UNCALIBRATED: blocks.OPEN,
    SMALL: blocks.OPEN,
    EMPTY: blocks.BAD,
    STALE: blocks.BAD,
}
_COLUMNS = {
    "name": "Population",
    "n": "Samples",
    "sides": "Test · val · train",
    "holdout": "Held out",
    "require": "Requires",
    "state": "State",
}


def table(
    root: types.Object, panel: Any, shown: Sequence[Line], state: PopulationsState
) -> None:
    """A row for each population, underlined by the shares of the split."""
    shown_columns = {
        key: label
        for key, label in _COLUMNS.items()
        if key != "sides" or state.is_split
    }
    blocks.table(
        root,
        "populations",
        shown_columns,
        [_cells(line) for line in shown],
        cells=_joined(_styles(at, line) for at, line in enumerate(shown)),
        right=("n",),
        tooltips=_joined(_tooltips(at, line) for at, line in enumerate(shown)),
        selected=[at for at, line in enumerate(shown) if line.name == state.opened],
        on_click_row=panel.open,
        actions=(
            {
                "name": "open",
                "label": "Show samples",
                "icon": "visibility",
                "on_click": panel.open,
            },
            {"name": "edit", "label": "Edit", "icon": "edit", "on_click": panel.edit},
            {
                "name": "copy",
                "label": "Duplicate",
                "icon": "content_copy",
                "on_click": panel.duplicate,
            },
            {
                "name": "calibrate",
                "label": "Calibrate",
                "icon": "straighten",
                "on_click": panel.calibrate,
            },
            {
                "name": "remove",
                "label": "Remove",
                "icon": "delete_outline",
                "on_click": panel.ask_to_remove,
            },
        ),
    )


def _cells(line: Line) -> dict[str, str]:
    asked = _percent(line.asked)
    got = _percent(line.test / line.n) if line.n else "–"
    sides = f"{line.test:,} · {line.val:,} · {line.train:,}"
    return {
        "name": line.name,
        "n": f"{line.n:,}",
        "sides": sides if line.has_sides else "–",
        "holdout": f"{got.removesuffix(' %')} / {asked}" if line.has_sides else asked,
        "require": blocks.signs(line.require).replace(", ", "\n") or "–",
        "state": _state(line),
    }


def _state(line: Line) -> str:
    if line.state == CALIBRATED and line.precision is not None:
        return f"precision {line.precision:.2f}"
    return line.state


def _tooltips(at: int, line: Line) -> dict[tuple[int, str], str]:
    counted = [f"{getattr(line, side):,} {side}" for side in SIDES]
    found = {(at, "name"): line.query, (at, "state"): line.why}
    return {**found, (at, "sides"): ", ".join(counted)} if line.has_sides else found


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _styles(at: int, line: Line) -> dict[tuple[int, str], dict[str, Any]]:
    quiet = {"color": "var(--fo-palette-text-tertiary)", "whiteSpace": "nowrap"}
    nowrap = {"whiteSpace": "nowrap"}
    return {
        (at, "name"): {"fontWeight": 600, "minWidth": 110, "overflowWrap": "anywhere"},
        (at, "sides"): _bar(line) if line.has_sides else quiet,
        (at, "holdout"): {
            **nowrap,
            **({"color": blocks.OPEN} if line.is_short else {}),
        },
        (at, "require"): {"whiteSpace": "pre"} if line.require else quiet,
        (at, "state"): {**nowrap, "color": _STATES[line.state]},
    }


def _bar(line: Line) -> dict[str, Any]:
    """A cell underlined by the shares of the sides."""
    stops, start = [], 0.0
    for side, color in SIDES.items():
        end = start + 100 * getattr(line, side) / line.n
        stops.append(f"{color} {start:.2f}% {end:.2f}%")
        start = end
    return {
        "backgroundImage": f"linear-gradient(90deg, {', '.join(stops)}, transparent {start:.2f}%)",
        "backgroundRepeat": "no-repeat",
        "backgroundSize": "calc(100% - 16px) 4px",
        "backgroundPosition": "8px calc(100% - 5px)",
        "minWidth": 90,
        "whiteSpace": "nowrap",
        "pb": "14px !important",
    }


def _joined(parts: Iterable[dict[tuple[int, str], Any]]) -> dict[tuple[int, str], Any]:
    return {place: value for part in parts for place, value in part.items()}
