"""Commands that judge a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

import evalsets as es
from evalsets.cli.shared import (
    Baseline,
    Dataset,
    Model,
    Split,
    Truth,
    load_fiftyone,
    save,
    say_saved,
)
from evalsets.cli.wording import sentence
from evalsets.errors import ArgumentError
from evalsets.files import remove, write_text

Release = Annotated[
    int | None, typer.Option(help="Judge populations and members of this release.")
]

Groups = Annotated[
    str | None, typer.Option(help="Field of dependent samples; else the split's.")
]

Metric = Annotated[
    list[str] | None, typer.Option(help="Beside those required; repeatable.")
]

EvalKey = Annotated[
    str | None,
    typer.Option(help="Write FiftyOne's own evaluation too, under this key."),
]

Alpha = Annotated[
    float, typer.Option(help="Chance of any wrong PASS, and of any wrong FAIL.")
]

Html = Annotated[Path | None, typer.Option(help="Write the report here.")]

Json = Annotated[Path | None, typer.Option(help="Write all of it as JSON here.")]

Junit = Annotated[Path | None, typer.Option(help="Write JUnit XML here.")]

Markdown = Annotated[Path | None, typer.Option(help="Write Markdown here.")]


def evaluate(
    dataset: Dataset,
    model: Model,
    baseline: Baseline = None,
    split: Split = "test",
    truth: Truth = "ground_truth",
    release: Release = None,
    groups: Groups = None,
    metric: Metric = None,
    eval_key: EvalKey = None,
    alpha: Alpha = 0.05,
    html: Html = None,
    json: Json = None,
) -> None:
    """Score a model on every population and print the verdicts."""
    with _afresh(html, json):
        _report(
            *(dataset, model, html, json),
            baseline=baseline,
            split=split,
            truth=truth,
            release=release,
            groups=groups,
            metrics=metric or (),
            eval_key=eval_key,
            alpha=alpha,
        )


def check(
    gate: Annotated[
        str,
        typer.Argument(help="A suite file (.yml), or a dataset."),
    ],
    model_name: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="Name of a prediction set.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="The dataset that must have the suite.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Name of a prediction set.")] = None,
    baseline: Baseline = None,
    split: Split = "test",
    truth: Truth = "ground_truth",
    release: Release = None,
    groups: Groups = None,
    metric: Metric = None,
    eval_key: EvalKey = None,
    alpha: Alpha = 0.05,
    html: Html = None,
    json: Json = None,
    junit: Junit = None,
    markdown: Markdown = None,
) -> None:
    """Evaluate, and let the exit code say whether the model passes.

    It is 0 for PASS, 1 for FAIL, 3 for INCONCLUSIVE, and 2 for an error. What an earlier
    run wrote is removed first: after an error there is no HTML and no JSON, and JUnit and
    Markdown say what is wrong.
    """
    from evalsets.reports import texts

    with _afresh(html, json, junit=junit, markdown=markdown):
        load_fiftyone(gate)
        wanted = model or model_name
        if wanted is None:
            raise ArgumentError("Name the model to check, for example with --model")
        _check_gate(gate, dataset, release)
        report = _report(
            *(dataset or gate, wanted, html, json),
            baseline=baseline,
            split=split,
            truth=truth,
            release=release,
            groups=groups,
            metrics=metric or (),
            eval_key=eval_key,
            alpha=alpha,
        )
        save(junit, lambda: texts.junit(report))
        save(markdown, report.to_markdown)
    raise typer.Exit(report.exit_code)


@contextmanager
def _afresh(
    *files: Path | None, junit: Path | None = None, markdown: Path | None = None
) -> Iterator[None]:
    """Removes what an earlier run wrote; two of the files say why there is no verdict."""
    from evalsets.reports import texts

    for path in (*files, junit, markdown):
        if path is not None:
            remove(path)
    try:
        yield
    except Exception as error:
        said = sentence(error)
        if junit is not None:
            write_text(junit, texts.junit_refusal(said))
        if markdown is not None:
            write_text(markdown, texts.refusal(said))
        raise


def _check_gate(gate: str, dataset: str | None, release: int | None) -> None:
    """Refuses a suite file that is not what the dataset has."""
    from evalsets.api.suite import check_suite

    if not gate.endswith((".yml", ".yaml")):
        return
    if dataset is None:
        raise ArgumentError(
            f"Name the dataset that '{gate}' is the suite of, with --dataset"
        )
    check_suite(dataset, gate, release)


def _report(
    dataset: str, model: str, html: Path | None, json: Path | None, **options: Any
) -> es.Report:
    report = es.evaluate(dataset, model, **options)
    typer.echo(report.to_text())
    if html is not None:
        say_saved(report.to_html(html, trend=es.trend(dataset, split=options["split"])))
    save(json, report.to_json)
    return report
