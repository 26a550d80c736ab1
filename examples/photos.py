r"""The whole journey on a folder of your own photographs, from files to verdicts.

    python examples/photos.py --images photos/ --labels labels.csv \
        --encoder open_clip:ViT-B-32:laion2b_s34b_b79k \
        --predictions old=old.csv --predictions new=new.csv --baseline old

Run it again when there are more photographs, labels or models: only what is new is
done. The populations it starts with are guesses from the data; add your own.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace

import fiftyone as fo
import numpy as np
import pandas as pd

import evalsets as es

TRUTH = "ground_truth"
HOLDOUT = 0.2  # where a population names no share of its own
ENOUGH = 30  # samples of a class that make it a population


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the journey; the exit code is the report's: 0 pass, 1 fail, 3 open."""
    try:
        return journey(parser().parse_args(argv))
    except (es.EvalsetsError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def journey(options: argparse.Namespace) -> int:
    """Data in, found, named, held out; predictions in, verdicts out."""
    dataset = load(options.images, options.labels, options.dataset)
    if options.encoder:
        say("Embed", es.embed(dataset, options.encoder))
    tag(dataset, options.tags, options.people)

    asked = tuple(es.Requirement.parse(text) for text in options.require)
    named = guess_populations(dataset, bool(options.encoder))
    named += [read_population(text) for text in options.population]
    es.compose(dataset, [replace(population, require=asked) for population in named])
    show_populations(dataset)

    say("Split", es.split(dataset).sizes)
    print(es.coverage(dataset))
    if not options.predictions:
        return 0

    classes = None  # of COCO results the annotations name them
    if (options.labels or "").endswith(".json"):
        classes = options.labels
    for text in options.predictions:
        model, _, file = text.partition("=")
        uploaded = es.upload_predictions(
            dataset, model, file, classes=classes, overwrite=True
        )
        say("Upload", uploaded)
    split = None if options.split == "all" else options.split
    report = es.evaluate(dataset, model, baseline=options.baseline, split=split)
    print(report)
    if options.report:
        say("Report", report.to_html(options.report))
    return report.exit_code


def load(images: str, labels: str | None, name: str) -> fo.Dataset:
    """The photographs with their true labels: a CSV, COCO annotations or folders."""
    is_table = labels is not None and labels.endswith(".csv")
    dataset = es.sync(images, name, labels=read_labels(labels) if is_table else labels)
    say("Sync", f"{len(dataset):,} photographs in dataset '{name}'")
    return dataset


def read_labels(path: str) -> pd.DataFrame:
    """A table of labels without its own column of sides: ``split`` is ours."""
    return pd.read_csv(
        path,
        usecols=lambda column: column != "split",
        dtype={"label": str},
        keep_default_na=False,  # a class may be called "None"
        na_values=[""],
    )


def tag(dataset: fo.Dataset, tags: str | None, detector: str | None) -> None:
    """Image statistics, people counted by a detector, and what a YAML file declares."""
    models = {}
    taggers: list[dict] = [{"statistics": {}}]
    if detector:
        from yolox import Yolox

        models["yolox"] = Yolox(detector)
        people = {"model": "yolox", "field": "num_people", "label": "person"}
        taggers.append({"count": {**people, "confidence": 0.35}})
    say("Tag", es.tag(dataset, taggers, models=models))
    if tags:
        say("Tag", es.tag(dataset, tags, models=models))


def guess_populations(dataset: fo.Dataset, embedded: bool) -> list[es.Population]:
    """A start: dark photographs, people, the largest classes, and a look alike."""
    dark = np.quantile(dataset.exists("brightness").values("brightness"), 0.25)
    queries = {"dark": f"brightness < {dark:.3f}"}
    if dataset.has_sample_field("num_people"):
        queries["with people"] = "num_people > 0"
    has_class = "ANY({}, label = '{}')" if holds_boxes(dataset) else "{} = '{}'"
    classes = [name for name, n in labels_in(dataset).items() if n >= ENOUGH][:3]
    for name in classes:
        queries[name] = has_class.format(TRUTH, name.replace("'", "''"))
    if embedded:
        looked_for = classes[0] if classes else "people"
        prompt = looked_for.replace("'", "''")
        queries[f"looks like {looked_for}"] = f"RANK(text('{prompt}')) <= 50"
    return [es.Population(name, q, holdout=HOLDOUT) for name, q in queries.items()]


def read_population(text: str) -> es.Population:
    """Reads ``name=query@share``; without a share, ``HOLDOUT`` is held out."""
    name, _, query = text.partition("=")
    share = re.search(r"@([\d.]+)$", query)
    if share is None:
        return es.Population(name.strip(), query.strip(), holdout=HOLDOUT)
    query = query[: share.start()].strip()
    return es.Population(name.strip(), query, holdout=float(share[1]))


def show_populations(dataset: fo.Dataset) -> None:
    """Each population with its query, its size and the labels it mostly holds."""
    for name, population in es.populations(dataset).items():
        view = es.select(dataset, population=name)
        most = [f"{label} {n:,}" for label, n in labels_in(view).items() if n > 1][:3]
        say("Population", f"{name}: {population.query}")
        size = f"{len(view):,} sample{'' if len(view) == 1 else 's'}"
        say("", "; ".join(filter(None, [size, ", ".join(most)])))


def labels_in(view: fo.Dataset | fo.DatasetView) -> dict[str, int]:
    """How often each true label occurs, the most frequent first."""
    if not view.has_sample_field(TRUTH):
        return {}
    inner = "detections.label" if holds_boxes(view) else "label"
    counts = view.count_values(f"{TRUTH}.{inner}")
    counts.pop(None, None)
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def holds_boxes(view: fo.Dataset | fo.DatasetView) -> bool:
    """Whether the true labels are boxes."""
    return TRUTH in view.get_field_schema(embedded_doc_type=fo.Detections)


def say(step: str, what: object) -> None:
    """One line of the transcript."""
    print(f"{step:<11} {what}", flush=True)


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = made.add_argument
    add("--images", required=True, help="folder of photographs")
    add("--dataset", default="photos", help="its name in FiftyOne")
    add("--labels", help="CSV with file and label; COCO .json; or 'folders'")
    add("--encoder", help="open_clip:ARCH:WEIGHTS or the folder of a checkpoint")
    add("--tags", help="YAML file of taggers")
    add("--people", metavar="YOLOX.onnx", help="count people with this detector")
    many = {"action": "append", "default": []}
    add("--population", **many, metavar="NAME=QUERY@SHARE", help="may be repeated")
    add("--require", **many, help="of each: 'accuracy >= 0.9', 'map drop <= 0.01'")
    add("--predictions", **many, metavar="MODEL=FILE", help="the last one is judged")
    add("--baseline", metavar="MODEL", help="compare with this one")
    add("--split", default="test", help="side to evaluate on, or 'all'")
    add("--report", metavar="FILE", help="write the report as HTML")
    return made


if __name__ == "__main__":
    raise SystemExit(main())
