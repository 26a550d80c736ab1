"""What both panels are built of: rows, texts, buttons, tables.

Texts are plain: FiftyOne's headers, alerts and markdown would read a user's text as
markdown, ``TextView`` and table cells never do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import quote

from fiftyone.operators import types

Style: TypeAlias = Mapping[str, Any]
"""Properties of MUI's ``sx``; a key may be a nested selector."""

MONO = "'Roboto Mono', ui-monospace, Menlo, Consolas, monospace"
QUIET = "text.secondary"
GOOD, OPEN, BAD = "#30a46c", "#cc8a14", "#e5484d"
"""Legible on FiftyOne's dark and light backgrounds, as is ``NEUTRAL``."""
NEUTRAL = "#8b93a1"
_LINE = "1px solid var(--fo-palette-divider)"
_MARK = "var(--fo-palette-background-level1)"
MOST_ROWS = 100
"""A table of the App draws every row it is given."""


def page(**style: Any) -> tuple[types.Object, types.Property]:
    """The root of a panel, and what ``render`` returns."""
    root = types.Object()
    padding = {"p": 2, "pb": 6, "maxWidth": 1280, "boxSizing": "border-box"}
    view = types.GridView(
        orientation="vertical",
        gap=2,
        componentsProps={
            "container": {"sx": {**padding, **style}},
            "grid": {"sx": {"gridTemplateColumns": "minmax(0, 1fr)"}},
        },
    )
    return root, types.Property(root, view=view)


def row(parent: types.Object, name: str, **style: Any) -> types.Object:
    """Blocks beside each other, which wrap where the panel is narrow."""
    grid = {"gap": 1, "alignItems": "flex-end", **style}
    return _stack(parent, name, "2d", {"grid": {"sx": grid}})


def form(parent: types.Object, name: str, **style: Any) -> types.Object:
    """A row whose submit button is pressed by Enter in any of its fields."""
    grid = {"gap": 1, "alignItems": "flex-end", **style}
    # method "dialog" outside a dialog submits nowhere, but Enter clicks the button
    props = {"container": {"component": "form", "method": "dialog"}}
    return _stack(parent, name, "2d", {**props, "grid": {"sx": grid}})


def card(parent: types.Object, name: str, **style: Any) -> types.Object:
    """Blocks below each other, set off from the rest by ``style``."""
    box = {"borderRadius": 1, "px": 2, "py": 1.5, **style}
    grid = {"gap": 0.5, "gridTemplateColumns": "minmax(0, 1fr)"}
    props = {"container": {"sx": box}, "grid": {"sx": grid}}
    return _stack(parent, name, "vertical", props)


def _stack(
    parent: types.Object, name: str, orientation: str, props: Style
) -> types.Object:
    stack = types.Object()
    view = types.GridView(orientation=orientation, componentsProps=dict(props))
    parent.define_property(name, stack, view=view)
    return stack


def text(
    parent: types.Object,
    name: str,
    value: str,
    *,
    color: str = "text.primary",
    **style: Any,
) -> None:
    """Text of anyone, shown as it is."""
    view = types.TextView(
        title=value,
        color=color,
        padding=0,
        font_size=style.pop("fontSize", "0.95rem"),
        line_height=1.45,
        componentsProps={
            "item": {
                "sx": {"width": "auto", "maxWidth": "100%", **style.pop("item", {})}
            },
            "text": {"sx": {"overflowWrap": "anywhere", **style}},
        },
    )
    parent.str(name, view=view)


def heading(parent: types.Object, name: str, value: str) -> None:
    """The title of a part of a panel."""
    text(parent, name, value, fontSize="1.05rem", fontWeight=600)


def button(
    parent: types.Object,
    name: str,
    label: str,
    on_click: Callable[..., Any] | str,
    *,
    icon: str,
    strong: bool = False,
    submit: bool = False,
    title: str = "",
    **params: Any,
) -> None:
    """A button; a strong one is what a reader is meant to press next."""
    kind = {"type": "submit"} if submit else {}
    parent.btn(
        name,
        label=label,
        icon=icon,
        on_click=on_click,
        variant="contained" if strong else "outlined",
        params=params,
        title=title or None,
        componentsProps={
            "item": {"sx": {"width": "auto", "flex": "0 0 auto", "maxWidth": "100%"}},
            "button": {
                **kind,
                "sx": {
                    "height": 38,
                    "px": 1.75,
                    "maxWidth": "100%",
                    "& p": {
                        "whiteSpace": "nowrap",
                        "overflow": "hidden",
                        "textOverflow": "ellipsis",
                    },
                },
            },
        },
    )


def tabs(
    parent: types.Object,
    name: str,
    labels: Mapping[str, str],
    current: str,
    on_click: Callable[..., Any],
) -> types.Object:
    """Parts of a panel, of which one is shown; a click gives its key as ``part``.

    Returns:
        the row of them, which ends with whatever else is put there
    """
    line = row(parent, name, gap=0, rowGap=1, borderBottom=_LINE, alignItems="center")
    for key, label in labels.items():
        color = "var(--fo-palette-primary-main)" if key == current else "transparent"
        quiet = {} if key == current else {"color": "var(--fo-palette-text-secondary)"}
        line.btn(
            f"part_{key}",
            label=label,
            on_click=on_click,
            variant="text",
            params={"part": key},
            componentsProps={
                "item": {"sx": {"width": "auto", "flex": "0 0 auto"}},
                "button": {
                    "aria-pressed": key == current,
                    "sx": {
                        "borderRadius": 0,
                        "borderBottom": f"2px solid {color}",
                        "px": 1.5,
                        "height": 38,
                        "& p": {"fontWeight": 600, **quiet},
                    },
                },
            },
        )
    return line


def thumbnail(
    parent: types.Object,
    name: str,
    filepath: str,
    *,
    alt: str,
    on_click: Callable[..., Any],
    **params: Any,
) -> None:
    """A small picture of a sample, which can be clicked."""
    view = types.ImageView(
        alt=alt,
        height="84px",
        operator=on_click,
        params=params,
        componentsProps={
            "item": {"sx": {"width": "auto", "flex": "0 0 auto"}},
            "image": {"style": {"borderRadius": 4, "cursor": "pointer"}},
        },
    )
    source = f"/media?filepath={quote(filepath, safe='')}"
    parent.str(name, default=source, view=view)


def grow(basis: int, weight: int = 1) -> dict[str, Any]:
    """Component properties of a field that takes ``basis`` pixels, more if it can."""
    return {"item": {"sx": {"width": "auto", "flex": f"{weight} 1 {basis}px"}}}


def fixed(width: int) -> dict[str, Any]:
    """Component properties of a field of so many pixels."""
    return {"item": {"sx": {"width": width, "flex": "0 0 auto"}}}


def dropdown(
    parent: types.Object,
    name: str,
    label: str,
    choices: Mapping[str, str],
    *,
    width: int,
    on_change: Callable[..., Any] | None = None,
    none: str = "none",
    compact: bool = False,
) -> None:
    """One of several, label by value; the value ``""`` shows as ``none``."""
    view = types.DropdownView(
        label=label,
        placeholder=none,
        compact=compact,
        componentsProps={
            **(fixed(width) if compact else grow(width)),
            "select": {"sx": {".MuiSelect-select": {"py": "8px"}}},
        },
    )
    for value, shown in choices.items():
        view.add_choice(value, label=shown)
    options = {} if on_change is None else {"on_change": on_change}
    parent.enum(name, list(choices), view=view, **options)


def table(
    parent: types.Object,
    name: str,
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, str]],
    *,
    cells: Mapping[tuple[int, str], Style],
    right: Sequence[str] = (),
    tooltips: Mapping[tuple[int, str], str] | None = None,
    selected: Sequence[int] = (),
    on_click_row: Callable[..., Any] | None = None,
    actions: Sequence[Mapping[str, Any]] = (),
) -> None:
    """A table whose rows can be clicked.

    Args:
        parent: to add it to
        name: of the property
        columns: heading by key
        rows: at most ``MOST_ROWS``
        cells: style of single cells, by row and key; keys of no column are passed over
        right: keys of columns that are aligned right
        tooltips: by row and key
        selected: rows that are marked
        on_click_row: gets ``row`` in its parameters
        actions: ``name, label, icon, on_click`` of the menu at the end of a row
    """
    style = _table_style(list(columns), cells, right)
    for at in selected:
        style[f"& tbody tr:nth-of-type({at + 1}) > td"] = {"background": _MARK}
    view = types.TableView(
        size="small",
        variant="outlined",
        on_click_row=on_click_row,
        max_inline_actions=0,
        actions_label=" ",
        componentsProps={
            "table": {"sx": style},
            "tableContainer": {"sx": {"border": _LINE, "borderRadius": 1}},
        },
    )
    for key, label in columns.items():
        view.add_column(key, label=label)
    for (at, key), value in (tooltips or {}).items():
        if key in columns:
            view.add_tooltip(at, list(columns).index(key), value)
    for action in actions:
        view.add_row_action(**action)
    parent.list(name, types.Object(), default=list(rows), view=view)


def _table_style(
    columns: list[str], cells: Mapping[tuple[int, str], Style], right: Sequence[str]
) -> dict[str, Any]:
    style: dict[str, Any] = {
        "minWidth": 0,
        "& .MuiTableCell-root": {
            "px": 1,
            "py": 0.75,
            "borderBottom": _LINE,
            "fontSize": "0.9rem",
            "fontVariantNumeric": "tabular-nums",
        },
        "& tbody tr:last-of-type td": {"borderBottom": "none"},
        "& thead th": {
            "fontSize": "0.8rem !important",
            "fontWeight": "500 !important",
            "color": "var(--fo-palette-text-tertiary) !important",
            "whiteSpace": "nowrap",
        },
        "& tbody tr": {"cursor": "pointer"},
        "& tbody tr:hover > td": {"background": _MARK},
        "& td:has(button), & th:last-of-type": {
            "width": 36,
            "p": "0 !important",
            "position": "sticky",
            "right": 0,
            "background": "var(--fo-palette-background-mediaSpace)",
        },
        "& tbody .MuiIconButton-root": {"color": "var(--fo-palette-text-secondary)"},
    }
    for key in right:
        at = columns.index(key) + 1
        style[f"& tr > *:nth-of-type({at})"] = {"textAlign": "right"}
    for (row_at, key), cell in cells.items():
        if key not in columns:
            continue
        place = (
            f"tr:nth-of-type({row_at + 1}) > td:nth-of-type({columns.index(key) + 1})"
        )
        style[f"& tbody {place}"] = dict(cell)
    return style


def note(
    parent: types.Object,
    sentences: Sequence[str],
    *,
    pointer: str = "",
    color: str = GOOD,
) -> None:
    """What happened, in words, beside the part of the panel that was used."""
    box = card(parent, "note", borderLeft=f"3px solid {color}", background=f"{color}14")
    for number, sentence in enumerate(sentences):
        text(box, f"sentence{number}", sentence)
    if pointer:
        text(
            box,
            "pointer",
            pointer,
            fontFamily=MONO,
            fontSize="0.9rem",
            whiteSpace="pre",
            overflowX="auto",
            overflowWrap="normal",
        )


def signs(text: str) -> str:
    """Requirements as people write them by hand."""
    return text.replace(">=", "≥").replace("<=", "≤")


def plot(
    parent: types.Object,
    name: str,
    traces: list[dict[str, Any]],
    layout: dict[str, Any],
    on_click: Callable[..., Any] | None = None,
) -> None:
    """A Plotly figure on the panel's own ground, which nobody drags or zooms.

    Args:
        parent: to draw on
        name: of the property
        traces: of Plotly
        layout: of Plotly, with its height
        on_click: gets ``x`` and ``y`` in its parameters
    """
    clear = "rgba(0,0,0,0)"
    clicked = {} if on_click is None else {"on_click": on_click}
    view = types.PlotlyView(
        data=traces,
        layout={
            **layout,
            "paper_bgcolor": clear,
            "plot_bgcolor": clear,
            "dragmode": False,
        },
        config={"displayModeBar": False, "scrollZoom": False},
        height=f"{layout['height']}px",
        **clicked,
    )
    parent.define_property(name, types.Object(), view=view)
