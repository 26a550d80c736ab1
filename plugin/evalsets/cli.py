"""The command line: one command a verb.

``check`` exits 0 when the gate passes, 1 when it fails, 3 when it is inconclusive; every
command exits 2 on a usage or data error, with one sentence on standard error; a crash
exits 2 as well, so that none reads as a failed model. ``EVALSETS_DEBUG=1`` shows where.
"""

from __future__ import annotations

import csv
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

import evalsets as es
from evalsets.errors import ArgumentError, counted

logger = logging.getLogger(__name__)

app = typer.Typer(
    name="evalsets",
    help="Test-driven development for vision models, on FiftyOne.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console()

Dataset = Annotated[str, typer.Argument(help="Name of the dataset.")]


def main() -> NoReturn:
    """Runs the command line and ends the process."""
    _keep_output_clean()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    debug = bool(os.environ.get("EVALSETS_DEBUG"))
    logging.getLogger("evalsets").setLevel(logging.DEBUG if debug else logging.WARNING)
    logging.getLogger("eta").propagate = False  # it draws its bars itself
    warnings.simplefilter("always", es.PromptWarning)
    warnings.showwarning = _tell
    try:
        app()
    except es.EvalsetsError as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # or Python would exit 1, which is a failed model
        logger.debug("Traceback", exc_info=True)
        _refuse(f"{type(error).__name__}: {' '.join(str(error).split())}")
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


def _refuse(sentence: str) -> NoReturn:
    typer.echo(f"Error: {sentence}", err=True)
    sys.exit(2)


@app.command()
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
        synced = es.sync(source, dataset, labels=labels)
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


@app.command()
def embed(
    dataset: Dataset,
    encoder: Annotated[str, typer.Argument(help="open_clip:ARCH:WEIGHTS or a path.")],
    batch_size: Annotated[int, typer.Option(min=1)] = 64,
    overwrite: Annotated[bool, typer.Option(help="Replace another encoder.")] = False,
    tags: Annotated[
        Path | None, typer.Option(help="YAML file of taggers, for the same pass.")
    ] = None,
) -> None:
    """Give every sample its vector, and its tags if a file declares taggers."""
    done = es.embed(
        dataset,
        encoder,
        taggers=() if tags is None else tags,
        batch_size=batch_size,
        overwrite=overwrite,
    )
    console.print(str(done), markup=False)


@app.command()
def tag(
    dataset: Dataset,
    taggers: Annotated[Path, typer.Argument(help="YAML file of taggers.")],
    batch_size: Annotated[int, typer.Option(min=1)] = 16,
) -> None:
    """Fill tag fields: attributes, counts, areas, statistics, text of documents."""
    console.print(str(es.tag(dataset, taggers, batch_size=batch_size)), markup=False)


@app.command()
def search(
    dataset: Dataset,
    query: Annotated[str, typer.Argument(help="A condition, or a whole SELECT.")],
    limit: Annotated[int, typer.Option(min=0, help="Paths to print.")] = 20,
) -> None:
    """Print the samples that a query means."""
    view = es.search(dataset, query)
    for path in view.limit(limit).values("filepath") if limit else ():
        typer.echo(path)
    Console(stderr=True).print(counted(len(view), "sample"))


@app.command()
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


@app.command()
def populations(dataset: Dataset) -> None:
    """List the populations of a dataset."""
    table = Table("population", "query", "hold-out", "requires", "precision", box=None)
    measured = es.calibrations(dataset)
    for p in es.populations(dataset).values():
        required = "\n".join(map(str, p.require))
        found = measured.get(p.name)
        precision = found.words() if found else "uncalibrated" * (p.name in measured)
        row = (p.name, p.query, f"{p.holdout:.0%}", required, precision)
        table.add_row(*map(_plain, row))
    console.print(table)


@app.command()
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


@app.command()
def remove(dataset: Dataset, name: str) -> None:
    """Remove a population."""
    before = es.populations(dataset).get(name)
    es.remove(dataset, name)
    if before is not None:
        console.print(f"Removed population '{name}': {_defined(before)}", markup=False)


@app.command()
def refresh(dataset: Dataset) -> None:
    """Bring similarity populations up to date with new samples."""
    for name, reason in es.refresh(dataset).items():
        console.print(f"'{name}' is stale: {reason}", markup=False)


@app.command()
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


@app.command()
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
    raise typer.Exit(1 if found else 0)


@app.command()
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
    typer.echo(found.to_text(width=console.width))
    for n, tag in enumerate(found.tags.itertuples()):
        if not n:
            typer.echo("The commonest tags of what is in no population:")
        typer.echo(f"  {tag.share:.0%}  {tag.tag}")
    for path, draw in ((plot, found.plot), (overlap, found.plot_overlap)):
        if path is not None:
            draw().write_html(path, include_plotlyjs=True)


@app.command()
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


@app.command()
def upload(
    dataset: Dataset,
    model: Annotated[str, typer.Argument(help="Name of the prediction set.")],
    predictions: Annotated[Path, typer.Argument(help="CSV, JSONL, COCO results …")],
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
        typer.Option(help="Release the model was trained on, or a file of keys."),
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


@app.command()
def rename(
    dataset: Dataset,
    name: Annotated[str, typer.Argument(help="Name of a population.")],
    new: Annotated[str, typer.Argument(help="Its name from now on.")],
) -> None:
    """Give a population another name, wherever it is named."""
    es.rename(dataset, name, new)
    console.print(f"Population '{name}' is called '{new}' now", markup=False)


@app.command()
def retire(
    dataset: Dataset,
    samples: Annotated[list[str], typer.Argument(help="Ids or paths, in test.")],
    reason: Annotated[str, typer.Option(help="Kept in the ledger.")],
) -> None:
    """Take samples out of test, for good and on the record."""
    n = es.retire(dataset, samples, reason=reason)
    console.print(f"Retired {counted(n, 'sample')} from test")


@app.command()
def release(
    dataset: Dataset,
    note: Annotated[str, typer.Option(help="For people.")] = "",
) -> None:
    """Freeze populations, members and split under the next number."""
    typer.echo(es.release(dataset, note=note))


@app.command()
def releases(dataset: Dataset) -> None:
    """List the releases of a dataset."""
    for one in es.releases(dataset).values():
        typer.echo(one)


@app.command()
def diff(
    dataset: Dataset,
    before: Annotated[int, typer.Argument(help="Number of a release.")],
    after: Annotated[
        int | None, typer.Argument(help="Of a later one; by default, now.")
    ] = None,
) -> None:
    """Say what changed from one release to another, and why."""
    typer.echo(es.diff(dataset, before, after))


suite = typer.Typer(help="Keep populations as a file for git.", no_args_is_help=True)
app.add_typer(suite, name="suite")


@suite.command("save")
def save_suite(
    dataset: Dataset,
    file: Annotated[Path, typer.Argument(help="YAML; comments in it stay.")],
) -> None:
    """Write every population to a file."""
    console.print(f"Saved: {es.save_suite(dataset, file)}", markup=False)


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


ledger = typer.Typer(help="Keep the split's ledger as a file.", no_args_is_help=True)
app.add_typer(ledger, name="ledger")


@ledger.command("save")
def save_ledger(
    dataset: Dataset, file: Annotated[Path, typer.Argument(help="JSONL.")]
) -> None:
    """Write every decision of the split to a file, one line a split."""
    console.print(f"Saved: {es.save_ledger(dataset, file)}", markup=False)


@ledger.command("load")
def load_ledger(
    dataset: Dataset, file: Annotated[Path, typer.Argument(help="JSONL.")]
) -> None:
    """Replay a saved ledger, so that every sample has the side that it had."""
    sizes = es.load_ledger(dataset, file)
    console.print(", ".join(f"{n:,} {side}" for side, n in sizes.items()))


Model = Annotated[str, typer.Argument(help="Name of a prediction set.")]
Baseline = Annotated[str | None, typer.Option(help="Prediction set to compare with.")]
Split = Annotated[str, typer.Option(help="Side to evaluate on; 'all' for all samples.")]
Truth = Annotated[str, typer.Option(help="Field of the true labels.")]
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


@app.command()
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


@app.command()
def check(
    gate: Annotated[str, typer.Argument(help="A suite file (.yml), or a dataset.")],
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
    """Evaluate, and let the exit code say whether the model passes."""
    from evalsets.reports.report import write_text

    with _refusing(markdown):
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
    if junit is not None:
        report.to_junit(junit)
    if markdown is not None:
        write_text(markdown, report.to_markdown())
    raise typer.Exit(report.exit_code)


@contextmanager
def _refusing(markdown: Path | None) -> Iterator[None]:
    """Lets the Markdown say why there is no verdict."""
    from evalsets.reports.report import write_text
    from evalsets.reports.texts import refusal

    try:
        yield
    except es.EvalsetsError as error:
        if markdown is not None:
            write_text(markdown, refusal(str(error)))
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


@app.command()
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
    for number, told in es.history(dataset).to_dict("index").items():
        against = f" against {told['baseline']}" if told["baseline"] else ""
        release = f" of release {told['release']:.0f}" if told["release"] else ""
        stale = f"; stale: {told['stale']}" if told["stale"] else ""
        where = f"{told['split'] or 'all samples'}{release}"
        line = f"{number}: {told['created']} {told['model']}{against} on {where}: "
        typer.echo(f"{line}{told['verdict'].upper()}{stale}")
    if trend is None and heatmap is None:
        return
    found = es.trend(dataset, metric=metric, split=None if split == "all" else split)
    for path, draw in ((trend, found.plot), (heatmap, found.heatmap)):
        if path is not None:
            draw().write_html(path, include_plotlyjs=True)


@app.command()
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
        options["split"] = None if split == ["all"] else split
    found = es.discover(dataset, model, truth=truth, n=n, min_size=min_size, **options)
    for candidate in found:
        typer.echo(f"{candidate.name}: {candidate.n:,} samples; {candidate}")
        typer.echo(f"    {candidate.query}")
        if candidate.description:
            typer.echo(f"    {candidate.description}")
    if not found:
        typer.echo("Nothing stands out")


@app.command("label-next")
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
        split=None if split == "all" else split,
        truth=truth,
    )
    rows = csv.writer(sys.stdout)
    rows.writerow(("id", "filepath", "reason"))
    rows.writerows(zip(*view.values(["id", "filepath", "label_next"]), strict=True))


@app.command("app")
def open_app(
    dataset: Dataset,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 5151,
) -> None:
    """Open the FiftyOne App on a dataset, with both panels at hand."""
    import fiftyone as fo

    from evalsets.datasets.connect import open_dataset

    session = fo.launch_app(open_dataset(dataset), port=port, address="127.0.0.1")
    session.wait(-1)


@app.command()
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


@app.command("install-plugin")
def install_plugin() -> None:
    """Put the plugin where FiftyOne finds it."""
    from evalsets.install import install_plugin as install

    typer.echo(f"Installed: {install()}")


def _report(
    dataset: str, model: str, html: Path | None, json: Path | None, **options: Any
) -> es.Report:
    if options["split"] == "all":
        options["split"] = None
    report = es.evaluate(dataset, model, **options)
    typer.echo(report.to_text())
    if html is not None:
        report.to_html(html, trend=es.trend(dataset, split=options["split"]))
    if json is not None:
        from evalsets.reports.report import write_text

        write_text(json, report.to_json())
    return report


def _defined(population: es.Population) -> str:
    """What makes a population, in one line."""
    required = ", ".join(map(str, population.require)) or "nothing"
    return f"{population.query}; hold-out {population.holdout:.0%}; required {required}"


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
    return {sample: words[word] for sample, word in rows if word}


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(text)
