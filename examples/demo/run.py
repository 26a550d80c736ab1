"""The whole journey on a drawn world, offline: from a folder of images to verdicts.

    python examples/demo/run.py [--app]

Renders photographs whose truth is known, syncs, embeds and tags them, names populations,
holds a share of each out, trains two classifiers (the candidate has never seen night),
uploads their predictions and says for each population whether the candidate may replace
the baseline. Nothing is printed that was not computed in the same run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))  # so that it also runs as a plain script
os.environ.setdefault("FIFTYONE_DATABASE_VALIDATION", "false")  # a quiet start

import fiftyone as fo
import pandas as pd
from rich.console import Console
from rich.table import Table

import evalsets as es
from examples.demo.classifiers import train_classifier
from examples.demo.scenes import write_world
from examples.demo.segmenter import load_people_detector, load_scene_segmenter

DATASET = "evalsets-demo"
ENCODER = HERE / "models" / "clip"
SCENES = 300
SEED = 20

QUERIES = {
    "windy road with no trees": (
        "text('a windy road') > 0.29 AND NOT text('trees') > 0.33"
    ),
    "dimly lit factory floor": "text('a dimly lit factory floor') > 0.38",
    "ocean view on a bridge": "text('ocean view on a bridge') > 0.31",
    "crowded and sunny": "num_people > 5 AND weather = 'sunny'",
    "open water": "road_pct < 0.1 AND ocean_pct > 0.7",
    "sun glare": "text('sun glare') > 0.38",
    "sunset": "time = 'sunset'",
    "night": "time = 'night'",
}
TRUTH = {
    "windy road with no trees": "kind == 'windy road' and not trees",
    "dimly lit factory floor": "lighting == 'dim'",
    "ocean view on a bridge": "kind == 'bridge'",
    "crowded and sunny": "num_people > 5 and weather == 'sunny'",
    "open water": "road_pct < 0.1 and ocean_pct > 0.7",
    "sun glare": "glare",
    "sunset": "time == 'sunset'",
    "night": "time == 'night'",
}
GOOD = es.Requirement("accuracy", at_least=0.6)
NO_WORSE = es.Requirement("accuracy", max_drop=0.2)
COMPARED = ("sunset", "night")
MARK = ".evalsets-demo"
console = Console(width=None if sys.stdout.isatty() else 150)
fo.config.show_progress_bars = console.is_terminal


def main() -> None:
    """Runs the journey."""
    arguments = _arguments()
    started = time.monotonic()
    truth = _render(arguments.folder)
    with _step("Sync the folder, embed and tag its images"):
        dataset = _ingest(arguments.folder / "images", truth)
    with _step("Name populations and hold out a share of each"):
        _compose(dataset, truth)
        split = es.split(dataset, val=0.1, groups="scene_id")
    console.print(_precision(dataset, truth))
    console.print(str(split), markup=False, highlight=False)
    console.print(es.coverage(dataset).to_text(), markup=False, highlight=False)
    with _step("Train two classifiers and upload their predictions"):
        _train_and_upload(dataset)
    with _step("Evaluate the candidate against the baseline"):
        report = es.evaluate(dataset, "candidate", baseline="baseline")
        page = report.to_html(arguments.folder / "report.html")
    console.print(report.to_text(color=console.is_terminal), markup=False)
    console.print(f"Report: {page}")
    console.print(f"Took {time.monotonic() - started:.0f} s")
    if arguments.app:
        _open_app(dataset)


def _render(folder: Path) -> pd.DataFrame:
    """The world on disk, and its truth by path."""
    with _step(f"Render {SCENES} scenes"):
        images = folder / "images"
        if images.exists() and not (folder / MARK).exists():
            sys.exit(
                f"{images} holds images that are not the demo's; name another folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).touch()
        shutil.rmtree(images, ignore_errors=True)
        rows = write_world(images, SEED, SCENES, frames=(1, 2))
    console.print(f"{len(rows)} photographs in {folder / 'images'}")
    return pd.DataFrame(rows).set_index("filepath")


def _ingest(images: Path, truth: pd.DataFrame) -> fo.Dataset:
    if fo.dataset_exists(DATASET):
        fo.delete_dataset(DATASET)
    labels = truth[["scene_id", "kind"]].rename(columns={"kind": "label"})
    dataset = es.sync(images, DATASET, labels=labels.reset_index())
    es.embed(dataset, ENCODER)
    models = {"people": load_people_detector(), "segmenter": load_scene_segmenter()}
    es.tag(dataset, HERE / "tags.yml", models=models)
    return dataset


def _compose(dataset: fo.Dataset, truth: pd.DataFrame) -> None:
    bridge = truth.query("kind == 'bridge' and time == 'sunset'").index[0]
    queries = QUERIES | {"more like this bridge": f"image('{Path(bridge).name}') > 0.8"}
    es.compose(
        dataset,
        [
            es.Population(
                name,
                query,
                holdout=0.5,
                require=(GOOD, NO_WORSE) if name in COMPARED else (GOOD,),
            )
            for name, query in queries.items()
        ],
    )


def _precision(dataset: fo.Dataset, truth: pd.DataFrame) -> Table:
    """How well each query means what its name says, against what was drawn."""
    table = Table(title="Populations against what was drawn", box=None)
    for column in ("population", "samples", "precision", "recall", "query"):
        table.add_column(
            column, justify="left" if column in "population query" else "right"
        )
    path = dict(zip(*dataset.values(["id", "filepath"]), strict=True))
    found = es.membership(dataset).rename(index=path)
    for name, population in es.populations(dataset).items():
        if name not in TRUTH:
            table.add_row(name, str(int(found[name].sum())), "", "", population.query)
            continue
        drawn = truth.index.isin(truth.query(TRUTH[name]).index)
        inside = found[name].reindex(truth.index).to_numpy()
        right = (drawn & inside).sum()
        table.add_row(
            name,
            str(int(inside.sum())),
            f"{right / max(inside.sum(), 1):.2f}",
            f"{right / drawn.sum():.2f}",
            population.query,
        )
    return table


def _train_and_upload(dataset: fo.Dataset) -> None:
    train = es.select(dataset, split="train")
    views = {
        "baseline": train,
        "candidate": train.match(fo.ViewField("time.label") != "night"),
    }
    paths = dataset.values("filepath")
    for seed, (model, view) in enumerate(views.items()):
        learned, labels = view.values(["filepath", "ground_truth.label"])
        classifier = train_classifier(learned, labels, seed)
        shares = pd.DataFrame(classifier.predict(paths), columns=classifier.classes)
        es.upload_predictions(
            dataset, model, shares.assign(filepath=paths), trained_on=learned
        )


def _open_app(dataset: fo.Dataset) -> None:
    from evalsets.install import install_plugin

    install_plugin()
    session = fo.launch_app(dataset, address="127.0.0.1", spaces=_both_panels())
    console.print("Ctrl-C ends.")
    session.wait(-1)


def _both_panels() -> fo.Space:
    """The samples on the left, both panels on the right."""
    samples = fo.Panel(type="Samples", pinned=True)
    evaluation = fo.Panel(type="evalsets_evaluation")
    populations = fo.Panel(type="evalsets_populations")
    sides = [
        fo.Space(children=[samples], active_child=samples.component_id),
        fo.Space(
            children=[populations, evaluation], active_child=evaluation.component_id
        ),
    ]
    return fo.Space(children=sides, orientation="horizontal")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("demo-output"))
    parser.add_argument("--app", action="store_true", help="open the App at the end")
    return parser.parse_args()


@contextmanager
def _step(title: str) -> Iterator[None]:
    console.rule(f"[bold]{title}", align="left")
    started = time.monotonic()
    yield
    console.print(f"[dim]{time.monotonic() - started:.1f} s[/dim]")


if __name__ == "__main__":
    main()
