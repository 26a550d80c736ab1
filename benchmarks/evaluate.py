"""Evaluations side by side on the same data: ours and FiftyOne's as its users do it.

    python benchmarks/evaluate.py [--samples 100000] [--images 5000] [--views 10]

Classification: 100 populations, which are saved views, and 3 models. FiftyOne evaluates
each model once and then loads each saved view, and gives its metrics, by ``use_subset``;
that is timed on some views and multiplied. Ours reads, evaluates with 1,000 replicates
and keeps the report; then the same from columns that are read already. Detection: boxes
like COCO's on 5,000 images; FiftyOne's ``evaluate_detections`` with mAP has neither
populations nor intervals, ours has 100 populations and 1,000 replicates.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

import bench
import fiftyone as fo
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import evalsets as es
from evalsets.api.comparing import read_compared
from evalsets.datasets.predictions import prediction_set
from evalsets.metrics import Boxes, evaluate_models
from evalsets.metrics.matching import match_boxes

POPULATIONS = 100
MODELS = 3
CLASSES = [f"class-{at}" for at in range(10)]


def main() -> None:
    """Prints seconds and ratios, for labels and then for boxes."""
    made = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    made.add_argument("--samples", type=int, default=100_000)
    made.add_argument("--images", type=int, default=5000)
    made.add_argument("--views", type=int, default=10, help="timed of FiftyOne's views")
    options = made.parse_args()
    peers = ", ".join(f"{p} {metadata.version(p)}" for p in ("fiftyone", "pycocotools"))
    print(f"{os.cpu_count()} cores; {peers}")
    if options.samples:
        classification(options.samples, options.views)
    if options.images:
        detection(options.images)


def seconds(run: Callable[[], object]) -> float:
    """How long one call takes; what it prints is not shown."""
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        run()
    return time.perf_counter() - started


def samples(n: int) -> fo.Dataset:
    """Samples of which none is a copy."""
    dataset = bench.dataset_of(n)
    dataset.set_values("filepath", [f"/images/{at}.jpg" for at in range(n)])
    dataset.set_values("brightness", np.random.default_rng(3).random(n).tolist())
    return dataset


def populations(metric: str) -> list[es.Population]:
    """Overlapping populations of 1 % to 20 % of the samples."""
    rng = np.random.default_rng(1)
    made = []
    for at in range(POPULATIONS):
        start, width = rng.random() * 0.8, rng.uniform(0.01, 0.2)
        query = f"brightness BETWEEN {start:.3f} AND {start + width:.3f}"
        require = es.Requirement(metric, at_least=0.5)
        made.append(es.Population(f"p{at}", query, require=[require]))
    return made


def classification(n: int, n_views: int) -> None:
    """Labels of 10 classes, right nine times of ten."""
    dataset = samples(n)
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 10, n)
    fill(dataset, "ground_truth", truth)
    models = [f"m{at}" for at in range(MODELS)]
    for model in models:
        guess = np.where(rng.random(n) < 0.9, truth, rng.integers(0, 10, n))
        fill(dataset, model, guess, rng.uniform(0.5, 1, n))
        es.upload_predictions(dataset, model, model)
    made = populations("accuracy")
    es.compose(dataset, made)

    def ours(**options: Any) -> None:
        for model in models:
            es.evaluate(dataset, model, split=None, **options)

    cold = seconds(ours)
    cold_alone = seconds(lambda: ours(metrics="accuracy"))
    frame = es.membership(dataset)
    parts = [
        read_compared(dataset.view(), "ground_truth", prediction_set(dataset, m), None)
        for m in models
    ]
    read = [[part.evaluated(frame, None, {}) for part in of] for of in parts]
    warm = seconds(lambda: [evaluate_models(each, made) for each in read])
    one = ("accuracy",)
    alone = seconds(lambda: [evaluate_models(each, made, one) for each in read])
    results = []

    def evaluated() -> None:
        results.append(
            dataset.evaluate_classifications(
                "m0", gt_field="ground_truth", eval_key="e"
            )
        )

    once = seconds(evaluated)

    def viewed() -> None:
        for population in made[:n_views]:
            view = dataset.load_saved_view(population.name)
            with results[0].use_subset(view):
                results[0].metrics()

    each = seconds(viewed) / n_views
    theirs = MODELS * (once + POPULATIONS * each)
    views = MODELS * POPULATIONS * each
    print(f"\n{n:,} labels, {POPULATIONS} populations, {MODELS} models")
    report("FiftyOne: evaluate, then views", theirs, cold)
    report(f"FiftyOne: the views alone, from {n_views}", views, cold)
    report("ours, cold, with intervals and verdicts", cold, cold)
    report("ours, cold, accuracy alone", cold_alone, cold)
    report("ours, columns read", warm, cold)
    report("ours, columns read, accuracy alone", alone, cold)
    print(f"  cold, accuracy: FiftyOne takes {theirs / cold_alone:.1f} times as long")
    for title, took in (("all metrics", warm), ("accuracy", alone)):
        print(
            f"  columns read, {title}: the views take {views / took:.0f} times as long"
        )
    dataset.delete()


def fill(
    dataset: fo.Dataset, name: str, codes: np.ndarray, sure: np.ndarray | None = None
) -> None:
    """Writes a field of labels."""
    held = [None] * len(codes) if sure is None else sure.tolist()
    labels = [
        fo.Classification(label=CLASSES[code], confidence=certain)
        for code, certain in zip(codes.tolist(), held, strict=True)
    ]
    dataset.add_sample_field(
        name, fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification
    )
    dataset.set_values(name, labels)


def detection(n: int) -> None:
    """Seven objects and twenty boxes an image, of eighty classes of falling frequency."""
    dataset = samples(n)
    truth, predicted = boxes(n)
    for name, held in (("objects", truth), ("boxes", predicted)):
        dataset.add_sample_field(
            name, fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
        )
        dataset.set_values(name, labels_of(held, n))
    es.upload_predictions(dataset, "m", "boxes")
    es.compose(dataset, populations("map"))
    options = {"truth": "objects", "split": None, "metrics": ["map"]}
    cold = seconds(lambda: es.evaluate(dataset, "m", **options))
    again = seconds(lambda: es.evaluate(dataset, "m", **options))
    matching = seconds(lambda: match_boxes(truth, predicted))
    theirs_matching = seconds(coco(truth, predicted, n).evaluate)
    theirs = seconds(
        lambda: dataset.evaluate_detections(
            "boxes", gt_field="objects", eval_key="e", compute_mAP=True
        ).mAP()
    )
    print(
        f"\n{n:,} images, {len(truth.image):,} objects, {len(predicted.image):,} boxes"
    )
    report("FiftyOne: mAP of everything", theirs, cold)
    report("pycocotools: matching alone", theirs_matching, cold)
    report(f"ours, cold: mAP, {POPULATIONS} populations", cold, cold)
    report("ours: matching alone", matching, cold)
    report("ours, matches kept", again, cold)
    dataset.delete()


def coco(truth: Boxes, predicted: Boxes, n: int) -> COCOeval:
    """The same boxes as pycocotools takes them, all areas together."""
    columns = (truth.image.tolist(), truth.label.tolist(), truth.box.tolist())
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = {
            "images": [{"id": image} for image in range(n)],
            "categories": [{"id": label} for label in range(80)],
            "annotations": [
                {
                    "id": number,
                    "image_id": image,
                    "category_id": label,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
                for number, (image, label, box) in enumerate(
                    zip(*columns, strict=True), 1
                )
            ],
        }
        known.createIndex()
        rows = (predicted.image, predicted.box, predicted.score, predicted.label)
        found = known.loadRes(np.column_stack(rows))
        made = COCOeval(known, found, "bbox")
    made.params.areaRng, made.params.areaRngLbl = [[0, 1e10]], ["all"]
    return made


def boxes(n: int) -> tuple[Boxes, Boxes]:
    """Objects, and boxes near some of them."""
    rng = np.random.default_rng(2)
    k, m = 7 * n, 20 * n
    share = 1 / np.arange(1, 81)
    label = rng.choice(80, k, p=share / share.sum())
    place, size = rng.random((k, 2)) * 0.7, rng.uniform(0.02, 0.3, (k, 2))
    image = rng.integers(0, n, k)
    truth = Boxes(image, label, np.hstack([place, size]))
    of = rng.integers(0, k, m)
    off = rng.exponential(0.15, (m, 1)) * np.hstack([size, size])[of]
    near = truth.box[of] + rng.normal(size=(m, 4)) * off
    near[:, :2] = near[:, :2].clip(0, 0.9)
    near[:, 2:] = np.minimum(np.abs(near[:, 2:]) + 0.001, 1 - near[:, :2])
    score = rng.beta(2, 3, m).clip(0.01, 0.99)
    return truth, Boxes(image[of], label[of], near, score)


def labels_of(held: Boxes, n: int) -> list[fo.Detections]:
    """The same as FiftyOne's labels, an image each."""
    made: list[list[fo.Detection]] = [[] for _ in range(n)]
    score = [None] * len(held.image) if held.score is None else held.score.tolist()
    for image, label, box, certain in zip(
        held.image.tolist(), held.label.tolist(), held.box.tolist(), score, strict=True
    ):
        made[image].append(
            fo.Detection(label=f"c{label}", bounding_box=box, confidence=certain)
        )
    return [fo.Detections(detections=of_image) for of_image in made]


def report(title: str, found: float, ours: float) -> None:
    """Prints seconds, and how many times ours they are."""
    print(f"  {title:<42}{found:>9.2f} s{found / ours:>9.1f} ×")


if __name__ == "__main__":
    main()
