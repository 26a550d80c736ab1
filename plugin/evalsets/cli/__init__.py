"""The command line: one command a verb.

``check`` exits 0 when the gate passes, 1 when it fails, 3 when it is inconclusive; every
command exits 2 on a usage or data error, with one sentence on standard error; a crash
exits 2 as well, so that none reads as a failed model. ``EVALSETS_DEBUG=1`` shows where.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

import evalsets as es
from evalsets.cli import data, gate, machine, models, populations, splits
from evalsets.cli.wording import Words, is_running, sentence, spoken

logger = logging.getLogger(__name__)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"evalsets {es.__version__}")
        raise typer.Exit


app = typer.Typer(
    name="evalsets",
    help="Test-driven development for vision models, on FiftyOne.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for _panel, _commands in {
    "Data": (data.sync, data.embed, data.tag, data.search),
    "Populations": (
        populations.compose,
        populations.populations,
        populations.membership,
        populations.calibrate,
        populations.rename,
        populations.remove,
        populations.refresh,
        populations.suite,
    ),
    "Split": (
        splits.split,
        splits.coverage,
        splits.select,
        splits.leaks,
        splits.retire,
        splits.ledger,
        splits.release,
        splits.releases,
        splits.diff,
    ),
    "Models": (
        models.upload,
        gate.evaluate,
        gate.check,
        models.history,
        models.discover,
        models.label_next,
    ),
    "Machine": (machine.app, machine.doctor, machine.install_plugin),
}.items():
    for _command in _commands:
        if isinstance(_command, typer.Typer):
            app.add_typer(_command, rich_help_panel=_panel)
        else:
            app.command(rich_help_panel=_panel)(spoken(_command))


@app.callback()
def _whole(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Test-driven development for vision models, on FiftyOne."""


_INTERRUPT = 130  # what typer makes of Ctrl-C
_INTERRUPTED = (
    "Interrupted: finished batches are kept, and the same command goes on with the rest"
)


def main() -> NoReturn:
    """Runs the command line and ends the process."""
    _keep_output_clean()
    shown = logging.StreamHandler()
    shown.setFormatter(Words())
    logging.basicConfig(level=logging.WARNING, handlers=[shown])
    debug = bool(os.environ.get("EVALSETS_DEBUG"))
    logging.getLogger("evalsets").setLevel(logging.DEBUG if debug else logging.WARNING)
    logging.getLogger("eta").propagate = False  # it draws its bars itself
    warnings.simplefilter("always", es.PromptWarning)
    warnings.showwarning = _tell
    try:
        app()
    except SystemExit as end:
        if end.code == _INTERRUPT and is_running(data.embed, data.tag):
            typer.echo(_INTERRUPTED, err=True)
        raise
    except Exception as error:  # or Python would exit 1, which is a failed model
        logger.debug("Traceback", exc_info=True)
        typer.echo(f"Error: {sentence(error)}", err=True)
        sys.exit(2)
    sys.exit(0)


def _keep_output_clean() -> None:
    """Keeps what FiftyOne has to say out of what is piped into a file.

    It reads these once, when it is first imported.
    """
    os.environ.setdefault("FIFTYONE_DATABASE_VALIDATION", "false")
    if not sys.stdout.isatty():
        os.environ.setdefault("FIFTYONE_SHOW_PROGRESS_BARS", "false")


_shown = warnings.showwarning


def _tell(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
    """Our own warnings in one line; those of others as Python shows them."""
    if issubclass(category, es.PromptWarning):
        line = f"Warning: {message}"
        Console(stderr=True).print(line, markup=False, highlight=False, soft_wrap=True)
    else:
        _shown(message, category, *where, **more)
