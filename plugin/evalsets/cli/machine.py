"""Commands about this machine: the App, what it lacks, the plugin."""

from __future__ import annotations

from typing import Annotated

import typer

from evalsets.cli.shared import Dataset


def app(
    dataset: Dataset,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 5151,
) -> None:
    """Open the FiftyOne App on a dataset, with both panels at hand."""
    import fiftyone as fo

    from evalsets.datasets.connect import open_dataset

    session = fo.launch_app(open_dataset(dataset), port=port, address="127.0.0.1")
    session.wait(-1)


def doctor(
    mend: Annotated[bool, typer.Option(help="Install what is missing.")] = False,
) -> None:
    """Say what this machine lacks, and the command that mends each thing."""
    from evalsets.doctor import examine, render
    from evalsets.doctor import mend as install_missing

    if mend:
        install_missing()
    findings = examine()
    typer.echo(render(findings))
    raise typer.Exit(0 if all(f.ok for f in findings if f.needed) else 1)


def install_plugin() -> None:
    """Put the plugin where FiftyOne finds it."""
    from evalsets.install import install_plugin as install

    typer.echo(f"Installed: {install()}")
