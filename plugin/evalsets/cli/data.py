"""Commands that bring data in, fill it and search it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Console

import evalsets as es
from evalsets.cli.shared import (
    Dataset,
    console,
)
from evalsets.errors import counted

if TYPE_CHECKING:
    from fiftyone import DatasetView

    from evalsets.api.progress import Progress

Engine = Annotated[str, typer.Option(help="local, or ray for a Ray cluster.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Of Ray; else as many as it has room for.")
]


_EVERY_S = 20


def sync(
    source: Annotated[str, typer.Argument(help="Folder or URL (s3://…) of images.")],
    dataset: Dataset,
    labels: Annotated[
        str | None,
        typer.Option(help="CSV or parquet with a path column; COCO JSON; 'folders'."),
    ] = None,
    watch: Annotated[
        float | None,
        typer.Option(min=1, help="Again and again, every so many seconds."),
    ] = None,
    tags: Annotated[
        Path | None, typer.Option(help="YAML file of taggers, for what lacks tags.")
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Embed too: open_clip:ARCH:WEIGHTS or a path.")
    ] = None,
) -> None:
    """Make a dataset hold what lies in a folder or bucket."""
    for told in ("sync", "filling"):  # what they found
        logging.getLogger(f"evalsets.api.{told}").setLevel(logging.INFO)
    if watch is None and tags is None and encoder is None:
        synced = es.sync(source, dataset, labels=labels, progress=_progress())
    else:
        from evalsets.api.watch import watch as watch_source

        synced = watch_source(
            source,
            dataset,
            every=watch or 60,
            rounds=None if watch else 1,
            tags=tags,
            encoder=encoder,
            labels=labels,
        )
    samples = counted(len(synced), "sample")
    console.print(f"Dataset '{synced.name}' has {samples}", markup=False)


def embed(
    dataset: Dataset,
    encoder: Annotated[str, typer.Argument(help="open_clip:ARCH:WEIGHTS or a path.")],
    batch_size: Annotated[int, typer.Option(min=1)] = 64,
    overwrite: Annotated[bool, typer.Option(help="Replace another encoder.")] = False,
    tags: Annotated[
        Path | None, typer.Option(help="YAML file of taggers, for the same pass.")
    ] = None,
    engine: Engine = "local",
    workers: Workers = None,
) -> None:
    """Give every sample its vector, and its tags if a file declares taggers."""
    _tell(f"Embedding dataset '{dataset}'")
    done = es.embed(
        dataset,
        encoder,
        taggers=() if tags is None else tags,
        batch_size=batch_size,
        overwrite=overwrite,
        engine=engine,
        workers=workers,
        progress=_progress(),
    )
    console.print(str(done), markup=False)


def _tell(work: str) -> None:
    """Says on standard error that work begins, where no bar will show it."""
    if not sys.stdout.isatty():
        typer.echo(f"{work} …", err=True)


def _absent(view: DatasetView, query: str) -> list[str]:
    from evalsets.api.absent import absent_texts
    from evalsets.datasets.populations import read_query

    _, checked, _ = read_query(view._dataset, query)
    return absent_texts(view._dataset, [checked])


def _progress() -> Progress:
    """How far long work is: a bar on a terminal, elsewhere a line now and then."""
    if sys.stdout.isatty():
        return None
    from fiftyone import report_progress

    return cast("Progress", report_progress(_say, dt=_EVERY_S))


def _say(bar: Any) -> None:
    if bar.iteration < bar.total:
        typer.echo(f"{bar.iteration:,} of {bar.total:,} …", err=True)


def tag(
    dataset: Dataset,
    taggers: Annotated[Path, typer.Argument(help="YAML file of taggers.")],
    batch_size: Annotated[int, typer.Option(min=1)] = 16,
    engine: Engine = "local",
    workers: Workers = None,
) -> None:
    """Fill tag fields: attributes, counts, areas, statistics, text of documents."""
    _tell(f"Tagging dataset '{dataset}'")
    done = es.tag(
        dataset,
        taggers,
        batch_size=batch_size,
        engine=engine,
        workers=workers,
        progress=_progress(),
    )
    console.print(str(done), markup=False)


def search(
    dataset: Dataset,
    query: Annotated[str, typer.Argument(help="A condition, or a whole SELECT.")],
    limit: Annotated[int, typer.Option(min=0, help="Paths to print.")] = 20,
) -> None:
    """Print the samples that a query means."""
    view = es.search(dataset, query)
    for path in view.limit(limit).values("filepath") if limit else ():
        typer.echo(path)
    found = len(view)
    for said in () if found else _absent(view, query):
        typer.echo(said, err=True)
    more = f"; {limit:,} are shown, --limit {found} shows all" if found > limit else ""
    Console(stderr=True).print(f"{counted(found, 'sample')}{more}", highlight=False)
