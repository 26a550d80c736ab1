"""Frames as tables of the App."""

from __future__ import annotations

from typing import Any

import pandas as pd
from fiftyone.operators import types


def rows(frame: pd.DataFrame, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a frame as text; its index is its first column, if named so."""
    if frame.index.name in columns:
        frame = frame.reset_index()
    return [
        {column: _text(value) for column, value in zip(columns, row, strict=True)}
        for row in frame[list(columns)].itertuples(index=False)
    ]


def table(label: str, columns: tuple[str, ...]) -> types.Property:
    """The output of an operator whose result has ``rows``."""
    view = types.TableView()
    for column in columns:
        view.add_column(column, label=column.replace("_", " ").capitalize())
    output = types.Object()
    output.list("rows", types.Object(), view=view)
    return types.Property(output, view=types.View(label=label))


def _text(value: Any) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
