"""Commands for populations, and for suites as files."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

import evalsets as es
from evalsets.cli.shared import (
    Dataset,
    console,
    say_saved,
)
from evalsets.errors import ArgumentError, counted


def compose(
    dataset: Dataset,
    name: Annotated[str, typer.Argument(help="Name of the population.")],
    query: Annotated[str, typer.Argument(help="A condition.")],
    holdout: Annotated[float, typer.Option(help="Share that goes to test.")] = 0.0,
    require: Annotated[
        list[str] | None,
        typer.Option(help="'accuracy >= 0.9' or 'accuracy drop <= 0.01'; repeatable."),
    ] = None,
    min_size: Annotated[int, typer.Option(min=1)] = 1,
    description: Annotated[str, typer.Option()] = "",
) -> None:
    """Name a query: a population that new samples enter by themselves."""
    population = es.Population(
        name,
        query,
        holdout=holdout,
        require=tuple(es.Requirement.parse(text) for text in require or ()),
        min_size=min_size,
        description=description,
    )
    before = es.populations(dataset).get(name)
    view = es.compose(dataset, population)
    samples = counted(len(view), "sample")
    console.print(f"Population '{name}' has {samples}", markup=False)
    if before is not None and before != population:
        console.print(f"It replaces: {_defined(before)}", markup=False)


def populations(dataset: Dataset) -> None:
    """List the populations of a dataset."""
    known = es.populations(dataset)
    if not known:
        typer.echo("No populations yet; compose one", err=True)
        return
    table = Table(box=None)
    for column in ("population", "query", "hold-out", "requires", "precision"):
        table.add_column(column, overflow="fold")
    measured = es.calibrations(dataset)
    for p in known.values():
        required = "\n".join(map(str, p.require))
        found = measured.get(p.name)
        precision = found.words() if found else "uncalibrated" * (p.name in measured)
        row = (p.name, p.query, f"{p.holdout:.0%}", required, precision)
        table.add_row(*map(Text, row))
    console.print(table)


def membership(dataset: Dataset) -> None:
    """Print which samples are in which population, as CSV of 0 and 1."""
    typer.echo(es.membership(dataset).astype(int).to_csv(), nl=False)


def calibrate(
    dataset: Dataset,
    name: Annotated[str, typer.Argument(help="Name of the population.")],
    answers: Annotated[
        Path | None, typer.Option(help="CSV with the columns id and belongs.")
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="Condition that tells what belongs instead.")
    ] = None,
    precision: Annotated[float, typer.Option(help="Share that shall belong.")] = 0.9,
    n: Annotated[int, typer.Option(min=1, help="Samples to propose.")] = 100,
    term: Annotated[
        str | None, typer.Option(help="Similarity to cut, where there are several.")
    ] = None,
) -> None:
    """Set a similarity cut by judged samples; print those to judge, as CSV."""
    given = where if answers is None else _judged(answers)
    found = es.calibrate(dataset, name, given, precision=precision, n=n, term=term)
    if isinstance(found, es.Calibration):
        typer.echo(found)
        return
    rows = csv.writer(sys.stdout)
    rows.writerow(("id", "filepath", "belongs"))
    rows.writerows((s.id, s.filepath, "") for s in found.select_fields())


def _judged(path: Path) -> dict[str, bool]:
    """Answers from a CSV; a row without one is left out."""
    words = {
        "yes": True,
        "true": True,
        "1": True,
        "no": False,
        "false": False,
        "0": False,
    }
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [
                (row["id"], row["belongs"].strip().lower())
                for row in csv.DictReader(file)
            ]
    except (OSError, UnicodeDecodeError, KeyError, AttributeError) as error:
        raise ArgumentError(
            f"'{path}' cannot be read as CSV with the columns id and belongs"
        ) from error
    for sample, word in rows:
        if word and word not in words:
            raise ArgumentError(
                f"The answer for sample '{sample}' in '{path}' is '{word}'; write yes "
                "or no, or nothing"
            )
    found = {sample: words[word] for sample, word in rows if word}
    if not found:
        raise ArgumentError(
            f"'{path}' has no answer in its column belongs; write yes or no beside each "
            "sample, and give it again"
        )
    return found


def remove(dataset: Dataset, name: str) -> None:
    """Remove a population."""
    before = es.populations(dataset).get(name)
    es.remove(dataset, name)
    if before is not None:
        console.print(f"Removed population '{name}': {_defined(before)}", markup=False)


def rename(
    dataset: Dataset,
    name: Annotated[str, typer.Argument(help="Name of a population.")],
    new: Annotated[str, typer.Argument(help="Its name from now on.")],
) -> None:
    """Give a population another name, wherever it is named."""
    es.rename(dataset, name, new)
    console.print(f"Population '{name}' is called '{new}' now", markup=False)


def refresh(dataset: Dataset) -> None:
    """Bring similarity populations up to date with new samples."""
    stale = es.refresh(dataset)
    if not stale:
        typer.echo("No population is stale", err=True)
    for name, reason in stale.items():
        console.print(f"'{name}' is stale: {reason}", markup=False)


suite = typer.Typer(
    name="suite", help="Keep populations as a file for git.", no_args_is_help=True
)


@suite.command("save")
def save_suite(
    dataset: Dataset,
    file: Annotated[Path, typer.Argument(help="YAML; comments in it stay.")],
) -> None:
    """Write every population to a file."""
    say_saved(es.save_suite(dataset, file))


@suite.command("load")
def load_suite(
    dataset: Dataset,
    file: Annotated[Path, typer.Argument(help="YAML file of populations.")],
    plan: Annotated[bool, typer.Option(help="Only say what would change.")] = False,
) -> None:
    """Make the populations those of a file, all or nothing."""
    typer.echo(es.load_suite(dataset, file, plan=plan))


@suite.command("schema")
def schema() -> None:
    """Print the JSON schema of suite files, for editors."""
    from importlib.resources import files

    found = files("evalsets.suites") / "suite.schema.json"
    typer.echo(found.read_text(encoding="utf-8"), nl=False)


def _defined(population: es.Population) -> str:
    """What makes a population, in one line."""
    required = ", ".join(map(str, population.require)) or "nothing"
    return f"{population.query}; hold-out {population.holdout:.0%}; required {required}"
