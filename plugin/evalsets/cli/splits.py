"""Commands for what is held out, released and written down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import evalsets as es
from evalsets.cli.shared import (
    Dataset,
    console,
    save_figure,
    say_saved,
)
from evalsets.errors import counted
from evalsets.reports.words import listed


def split(
    dataset: Dataset,
    val: Annotated[
        float | None, typer.Option(help="Share of the rest for val; at first 0.1.")
    ] = None,
    groups: Annotated[
        str | None, typer.Option(help="Field or expression kept together; '' is off.")
    ] = None,
    near_duplicates: Annotated[
        float | None,
        typer.Option(help="Cosine from which images stay together; 0 is off."),
    ] = None,
    background: Annotated[
        float | None, typer.Option(help="Share for test of what is in no population.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the lots; at first 0.")] = None,
    explain: Annotated[
        str | None, typer.Option(help="Only say why this sample is where it is.")
    ] = None,
) -> None:
    """Hold out each population's share; nothing in test ever leaves it.

    What is left out is as at the last split.
    """
    if explain is not None:
        typer.echo(es.explain(dataset, explain))
        return
    report = es.split(
        dataset,
        val=val,
        groups=groups,
        near_duplicates=near_duplicates,
        background=background,
        seed=seed,
    )
    typer.echo(report)


def leaks(
    dataset: Dataset,
    split: Annotated[str, typer.Option(help="Field that holds the sides.")] = "split",
    groups: Annotated[
        str | None, typer.Option(help="Field or expression of kin.")
    ] = None,
    near_duplicates: Annotated[
        float | None, typer.Option(help="Cosine from which images are nearly the same.")
    ] = None,
) -> None:
    """Print test samples that are in train or val too, and exit 1 if there are any."""
    found = es.leaks(
        dataset, split=split, groups=groups, near_duplicates=near_duplicates
    )
    for leak in found:
        typer.echo(leak)
    if not found:
        typer.echo(_clean(dataset, split, groups, near_duplicates))
    raise typer.Exit(1 if found else 0)


def _clean(
    dataset: str, split: str, groups: str | None, near_duplicates: float | None
) -> str:
    """That nothing leaks, and how far that was looked at."""
    from evalsets.datasets.connect import open_dataset
    from evalsets.datasets.files import DIGEST

    synced = open_dataset(dataset).has_sample_field(DIGEST)
    looked = ["files" if synced else "paths"]
    looked += [] if groups is None else [f"'{groups}'"]
    if near_duplicates is not None:
        looked.append(f"near-duplicates from {near_duplicates:g}")
    alone = looked == ["paths"]
    more = "; name --groups or --near-duplicates to compare more" if alone else ""
    return (
        f"By {listed(looked)}, no test sample of '{split}' is in train or val too{more}"
    )


def coverage(
    dataset: Dataset,
    truth: Annotated[
        str, typer.Option(help="Field of the true labels.")
    ] = "ground_truth",
    plot: Annotated[
        Path | None, typer.Option(help="Write the bars here, as HTML.")
    ] = None,
    overlap: Annotated[
        Path | None, typer.Option(help="Write the heat map of overlaps here, as HTML.")
    ] = None,
) -> None:
    """Show how each population divides over train, val and test, and what is untested."""
    found = es.coverage(dataset, truth=truth)
    width = console.width if console.is_terminal else None
    typer.echo(found.to_text(width))
    for n, tag in enumerate(found.tags.itertuples()):
        if not n:
            typer.echo("The commonest tags of what is in no population:")
        typer.echo(f"  {tag.share:.0%}  {tag.tag}")
    save_figure(plot, found.plot, f"Coverage: {dataset}")
    save_figure(overlap, found.plot_overlap, f"Overlaps: {dataset}")


def select(
    dataset: Dataset,
    split: Annotated[str | None, typer.Option(help="train, val, test …")] = None,
    population: Annotated[str | None, typer.Option(help="Name of one.")] = None,
) -> None:
    """Print the samples of a split, of a population, or of both."""
    view = es.select(dataset, split=split, population=population)
    for path in view.values("filepath"):
        typer.echo(path)
    Console(stderr=True).print(counted(len(view), "sample"))


def retire(
    dataset: Dataset,
    samples: Annotated[list[str], typer.Argument(help="Ids or paths, in test.")],
    reason: Annotated[str, typer.Option(help="Kept in the ledger.")],
) -> None:
    """Take samples out of test, for good and on the record."""
    n = es.retire(dataset, samples, reason=reason)
    console.print(f"Retired {counted(n, 'sample')} from test")


def release(
    dataset: Dataset,
    note: Annotated[str, typer.Option(help="For people.")] = "",
) -> None:
    """Freeze populations, members and split under the next number."""
    typer.echo(es.release(dataset, note=note))


def releases(dataset: Dataset) -> None:
    """List the releases of a dataset."""
    made = es.releases(dataset)
    if not made:
        typer.echo("No releases yet; release the dataset as it is", err=True)
    for one in made.values():
        typer.echo(one)


def diff(
    dataset: Dataset,
    before: Annotated[int, typer.Argument(help="Number of a release.")],
    after: Annotated[
        int | None, typer.Argument(help="Of a later one; by default, now.")
    ] = None,
) -> None:
    """Say what changed from one release to another, and why."""
    typer.echo(es.diff(dataset, before, after))


ledger = typer.Typer(
    name="ledger", help="Keep the split's ledger as a file.", no_args_is_help=True
)


@ledger.command("save")
def save_ledger(
    dataset: Dataset, file: Annotated[Path, typer.Argument(help="JSONL.")]
) -> None:
    """Write every decision of the split to a file, one line a split."""
    say_saved(es.save_ledger(dataset, file))


@ledger.command("load")
def load_ledger(
    dataset: Dataset, file: Annotated[Path, typer.Argument(help="JSONL.")]
) -> None:
    """Replay a saved ledger, so that every sample has the side that it had."""
    sizes = es.load_ledger(dataset, file)
    console.print(", ".join(f"{n:,} {side}" for side, n in sizes.items()))
