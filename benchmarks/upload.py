"""Uploads of predictions: seconds and memory, ours and FiftyOne's, of the same files.

    python benchmarks/upload.py [--labels 200000] [--images 5000] [--boxes 20 80]

Labels come as a CSV of paths, labels and confidences, boxes as COCO results. FiftyOne has
no reader of such a CSV: its users read it with pandas and give ``set_values`` a label a
sample; boxes it adds with ``add_coco_labels``. To read a file and do nothing with it is the
least that a way which holds all of it can take. Each runs in a fresh process; MB are what
it takes at its peak beyond what it had before.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import fiftyone as fo
import numpy as np
import pandas as pd
from bench import HOME, dataset_of
from fiftyone.core.odm import get_db_conn
from fiftyone.utils.coco import add_coco_labels

import evalsets as es

CLASSES = [f"class-{at}" for at in range(80)]
SIDE = 640  # pixels of every image


def main() -> None:
    """Prints a table of labels, and one of boxes for each size of the file."""
    options = _arguments()
    if options.way:
        _take(*options.way)
        return
    print(
        f"{os.cpu_count()} cores; evalsets {es.__version__}, FiftyOne {fo.__version__}"
    )
    labels = _labels(_dataset(options.labels))
    _print_table("labels", options.labels, labels, ("upload", "set_values", "read"))
    dataset = _dataset(options.images)
    for each in options.boxes:
        boxes = _boxes(dataset, each)
        ways = ("upload_boxes", "add_coco_labels", "load")
        _print_table("boxes", options.images * each, boxes, ways)


def _print_table(
    what: str, n: int, file: tuple[str, Path], ways: tuple[str, ...]
) -> None:
    size = file[1].stat().st_size / 1e6
    print(
        f"\n{f'{n:,} {what}, a file of {size:,.0f} MB':44}"
        f"{'seconds':>9}{'MB':>7}{'of ours: time':>15}{'memory':>8}"
    )
    uri = "mongodb://{}:{}".format(*get_db_conn().client.address)
    ours = None
    for way in ways:
        run = subprocess.run(
            [sys.executable, __file__, "--way", way, file[0], str(file[1])],
            env={**os.environ, "FIFTYONE_DATABASE_URI": uri},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        seconds, memory = json.loads(run.stdout.splitlines()[-1])
        ours = ours or (seconds, memory)
        print(
            f"{TITLES[way]:44}{seconds:9.1f}{memory:7,.0f}"
            f"{seconds / ours[0]:15.2f}{memory / ours[1]:8.2f}",
            flush=True,
        )


def _take(way: str, name: str, file: str) -> None:
    """Does it in this process; prints seconds and MB."""
    dataset = fo.load_dataset(name)
    one = {dataset.first().id: CLASSES[0]}
    es.upload_predictions(dataset, way, one, key="id", overwrite=True)  # loads it all
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    started = time.perf_counter()
    WAYS[way](dataset, file)
    seconds = time.perf_counter() - started
    print(json.dumps([seconds, _status("VmHWM") - before]))


def _status(key: str) -> float:
    told = Path("/proc/self/status").read_text().partition(f"{key}:")[2]
    return int(told.split()[0]) / 1024


def _upload(dataset: fo.Dataset, file: str) -> None:
    report = es.upload_predictions(dataset, "ours", file)
    assert report.matched == len(dataset)


def _set_values(dataset: fo.Dataset, file: str) -> None:
    table = pd.read_csv(file)
    rows = zip(table["filepath"], table["label"], table["confidence"], strict=True)
    labels = {
        path: fo.Classification(label=label, confidence=confidence)
        for path, label, confidence in rows
    }
    dataset.set_values("theirs", labels, key_field="filepath")


def _upload_boxes(dataset: fo.Dataset, file: str) -> None:
    truth = Path(file).with_name("annotations.json")
    es.upload_predictions(dataset, "ours", file, classes=str(truth), overwrite=True)


def _add_coco_labels(dataset: fo.Dataset, file: str) -> None:
    truth = json.loads(Path(file).with_name("annotations.json").read_text())
    boxes = json.loads(Path(file).read_text())
    add_coco_labels(
        dataset, "theirs", boxes, truth["categories"], coco_id_field="coco_id"
    )


WAYS = {
    "upload": _upload,
    "set_values": _set_values,
    "read": lambda _, file: pd.read_csv(file),
    "upload_boxes": _upload_boxes,
    "add_coco_labels": _add_coco_labels,
    "load": lambda _, file: json.loads(Path(file).read_text()),
}
TITLES = {
    "upload": "evalsets upload_predictions",
    "set_values": "pandas.read_csv and Dataset.set_values",
    "read": "pandas.read_csv alone",
    "upload_boxes": "evalsets upload_predictions",
    "add_coco_labels": "json.loads and add_coco_labels",
    "load": "json.loads alone",
}


def _dataset(n: int) -> fo.Dataset:
    dataset = dataset_of(n)
    dataset.set_values("filepath", [f"/images/{at}.jpg" for at in range(n)])
    size = fo.ImageMetadata(width=SIDE, height=SIDE)
    dataset.set_values("metadata", [size] * n)
    dataset.set_values("coco_id", list(range(n)))
    return dataset


def _labels(dataset: fo.Dataset) -> tuple[str, Path]:
    rng = np.random.default_rng(0)
    n = len(dataset)
    file = Path(HOME.name) / "labels.csv"
    pd.DataFrame(
        {
            "filepath": [f"/images/{at}.jpg" for at in rng.permutation(n)],
            "label": rng.choice(CLASSES, n),
            "confidence": rng.random(n).round(4),
        }
    ).to_csv(file, index=False)
    return dataset.name, file


def _boxes(dataset: fo.Dataset, each: int) -> tuple[str, Path]:
    """COCO results with so many boxes an image, beside annotations that name them."""
    rng = np.random.default_rng(each)
    n = len(dataset)
    corners = rng.integers(0, SIDE // 2, (n * each, 2))
    sizes = rng.integers(8, SIDE // 2, (n * each, 2))
    results = [
        {
            "image_id": at // each,
            "category_id": int(rng.integers(len(CLASSES))),
            "bbox": [*corner, *size],
            "score": round(float(rng.random()), 4),
        }
        for at, (corner, size) in enumerate(
            zip(corners.tolist(), sizes.tolist(), strict=True)
        )
    ]
    file = Path(HOME.name) / "results.json"
    file.write_text(json.dumps(results))
    images = [
        {"id": at, "file_name": f"{at}.jpg", "width": SIDE, "height": SIDE}
        for at in range(n)
    ]
    categories = [{"id": at, "name": name} for at, name in enumerate(CLASSES)]
    truth = {"images": images, "annotations": [], "categories": categories}
    file.with_name("annotations.json").write_text(json.dumps(truth))
    return dataset.name, file


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--labels", type=int, default=200_000)
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--boxes", type=int, nargs="+", default=[20, 80])
    parser.add_argument("--way", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
