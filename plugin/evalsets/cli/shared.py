"""What the commands share: the terminal, and arguments that several take."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

console = Console()


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
