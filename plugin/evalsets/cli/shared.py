"""What the commands share: the terminal, and arguments that several take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from evalsets.files import write_text

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

console = Console()


def save(path: Path | None, text: Callable[[], str]) -> None:
    """Writes a file that is asked for, and says where."""
    if path is not None:
        say_saved(write_text(path, text()))


def say_saved(path: Path) -> None:
    """Says where a file is, in one line."""
    typer.echo(f"Saved: {path}")


def save_figure(path: Path | None, figure: Callable[[], Figure], title: str) -> None:
    """Writes a plot that is asked for as a page of its own, and says where."""
    from evalsets.reports.page import figure_page

    save(path, lambda: figure_page(figure(), title))


def load_fiftyone(value: str | None) -> str | None:
    """Hands on an argument, once FiftyOne is loaded; the terminal says so meanwhile."""
    with Console(stderr=True).status("Loading FiftyOne"):
        import evalsets.datasets.connect  # noqa: F401
    return value


Dataset = Annotated[
    str, typer.Argument(help="Name of the dataset.", callback=load_fiftyone)
]
Model = Annotated[str, typer.Argument(help="Name of a prediction set.")]

Baseline = Annotated[str | None, typer.Option(help="Prediction set to compare with.")]

Split = Annotated[str, typer.Option(help="Side to evaluate on; 'all' for all samples.")]

Truth = Annotated[str, typer.Option(help="Field of the true labels.")]
