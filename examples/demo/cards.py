"""Model cards whose figures a test can read back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

NAME = "MODEL_CARD.md"
Figures = Mapping[str, Mapping[str, float]]


def write_card(folder: Path, text: str, figures: Figures) -> None:
    """Writes ``text`` and the figures, as front matter and as tables."""
    rounded = {
        group: {name: round(float(value), 3) for name, value in values.items()}
        for group, values in figures.items()
    }
    front = yaml.safe_dump({"figures": rounded}, sort_keys=False)
    tables = "\n".join(_table(group, values) for group, values in rounded.items())
    (folder / NAME).write_text(f"---\n{front}---\n{text.strip()}\n\n{tables}")


def read_figures(folder: Path) -> dict[str, dict[str, float]]:
    """The figures of a card."""
    _, front, _ = (folder / NAME).read_text().split("---\n", 2)
    return yaml.safe_load(front)["figures"]


def _table(group: str, values: Mapping[str, float]) -> str:
    rows = "\n".join(f"| {name} | {value:.3f} |" for name, value in values.items())
    return f"| {group} | |\n|---|---|\n{rows}\n"
