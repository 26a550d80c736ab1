"""Commands for a model's predictions, past verdicts and weak spots."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import evalsets as es
from evalsets.cli.shared import Baseline, Dataset, Model, Split, Truth, save_figure
from evalsets.errors import ArgumentError


def upload(
    dataset: Dataset,
    model: Annotated[str, typer.Argument(help="Name of the prediction set.")],
    predictions: Annotated[
        str, typer.Argument(help="CSV, JSONL, COCO results …, or a label field.")
    ],
    key: Annotated[str, typer.Option(help="Field the keys are of.")] = "filepath",
    classes: Annotated[
        Path | None, typer.Option(help="COCO annotations, for COCO results.")
    ] = None,
    task: Annotated[
        str,
        typer.Option(help="multilabel, segmentation … where the form fits several."),
    ] = "",
    score: Annotated[
        str | None, typer.Option(help="The file holds this score, such as loss.")
    ] = None,
    lower_is_better: Annotated[bool, typer.Option(help="Of the score.")] = False,
    trained_on: Annotated[
        str | None,
        typer.Option(
            help="Release the model was trained on, or a file with a key a line."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace earlier ones.")] = False,
    skip_unknown: Annotated[
        bool, typer.Option(help="Leave out keys that belong to no sample.")
    ] = False,
) -> None:
    """Upload a model's predictions or scores, all or nothing."""
    shared: dict[str, Any] = {
        "key": key,
        "trained_on": _trained(trained_on),
        "overwrite": overwrite,
        "skip_unknown": skip_unknown,
    }
    if score is None:
        report = es.upload_predictions(
            dataset, model, predictions, classes=classes, task=task, **shared
        )
    else:
        report = es.upload_scores(
            dataset,
            model,
            predictions,
            metric=score,
            higher_is_better=not lower_is_better,
            **shared,
        )
    typer.echo(report)


def _trained(said: str | None) -> int | list[str] | None:
    """The number of a release, or the keys in a file, one a line."""
    if said is None or said.isdecimal():
        return None if said is None else int(said)
    try:
        lines = Path(said).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(
            f"'{said}' is neither the number of a release nor a file with a key a line"
        ) from error
    return [line.strip() for line in lines if line.strip()]


def history(
    dataset: Dataset,
    metric: Annotated[
        str | None, typer.Option(help="Of the plots; else what is required.")
    ] = None,
    split: Split = "test",
    trend: Annotated[
        Path | None, typer.Option(help="Write a line a population here, as HTML.")
    ] = None,
    heatmap: Annotated[
        Path | None, typer.Option(help="Write models × populations here, as HTML.")
    ] = None,
) -> None:
    """List every evaluation, and say which of them hold no more."""
    past = es.history(dataset).to_dict("index")
    if not past:
        typer.echo("No reports yet; evaluate a model", err=True)
    for number, row in past.items():
        told = {key: "" if value != value else value for key, value in row.items()}
        against = f" against {told['baseline']}" if told["baseline"] else ""
        release = f" of release {told['release']:.0f}" if told["release"] else ""
        stale = f"; stale: {told['stale']}" if told["stale"] else ""
        where = f"{told['split'] or 'all samples'}{release}"
        line = f"{number}: {told['created']} {told['model']}{against} on {where}: "
        typer.echo(f"{line}{told['verdict'].upper()}{stale}")
    if trend is None and heatmap is None:
        return
    found = es.trend(dataset, metric=metric, split=split)
    save_figure(trend, found.plot, f"{found.metric} from report to report: {dataset}")
    save_figure(heatmap, found.heatmap, f"{found.metric} of each model: {dataset}")


def discover(
    dataset: Dataset,
    model: Model,
    split: Annotated[
        list[str] | None,
        typer.Option(help="Sides to look at, not test by default; 'all' for all."),
    ] = None,
    truth: Truth = "ground_truth",
    prompt: Annotated[
        list[str] | None, typer.Option(help="Words for regions; repeatable.")
    ] = None,
    n: Annotated[int, typer.Option(min=1, help="Candidates, at most.")] = 10,
    min_size: Annotated[int, typer.Option(min=4, help="Samples of a candidate.")] = 20,
) -> None:
    """Propose weak spots of a model as queries, confirmed on unsearched data."""
    options: dict[str, Any] = {"prompts": prompt} if prompt else {}
    if split:
        options["split"] = split
    found = es.discover(dataset, model, truth=truth, n=n, min_size=min_size, **options)
    for candidate in found:
        typer.echo(f"{candidate.name}: {candidate.n:,} samples; {candidate}")
        typer.echo(f"    {candidate.query}")
        if candidate.description:
            typer.echo(f"    {candidate.description}")
    if not found:
        typer.echo("Nothing stands out")


def label_next(
    dataset: Dataset,
    model: Model,
    n: Annotated[int, typer.Option(min=1, help="Samples, at most.")] = 100,
    baseline: Baseline = None,
    split: Split = "test",
    truth: Truth = "ground_truth",
) -> None:
    """Print the samples whose labels would change a verdict, and why, as CSV."""
    view = es.label_next(
        dataset,
        model,
        n=n,
        baseline=baseline,
        split=split,
        truth=truth,
    )
    if not view:
        typer.echo(
            "No label of a sample with a prediction would settle an open requirement or mend a missed one",
            err=True,
        )
    rows = csv.writer(sys.stdout)
    rows.writerow(("id", "filepath", "reason"))
    rows.writerows(zip(*view.values(["id", "filepath", "label_next"]), strict=True))
