"""What taggers say of real photographs, films and documents, beside the truth.

    python benchmarks/taggers.py [--shared ../shared] [--receipts 60] [only ...]

Needs onnxruntime, ai-edge-litert and rapidocr, and the data and models of ../shared. Each
figure comes with its n and a 95 % interval: Wilson's for shares, else the bias-corrected
bootstrap over images. Frames of one film are alike, so that their intervals are too short.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import bench  # noqa: F401 - before fiftyone
import fiftyone as fo
import numpy as np
import pandas as pd
from PIL import Image
from scipy.stats import bootstrap, spearmanr
from skimage import filters
from statsmodels.stats.proportion import proportion_confint

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))

from deeplab import DeepLab
from yolox import Yolox

import evalsets as es
from evalsets.taggers import DocumentText, ImageStatistics
from evalsets.taggers.boxes import Boxes, pairs, vanished

SURE = 0.35
DROPPED = (0.05, 0.1, 0.2)
CAMVID_ROAD = 3
TURNS = (-10, -4, 4, 10)


def main() -> None:
    """Runs what was asked for, and prints a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("only", nargs="*", choices=[[], *PARTS], help="all by default")
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--receipts", type=int, default=60)
    options = parser.parse_args()
    for name in options.only or PARTS:
        started = time.perf_counter()
        print(f"\n{name}")
        PARTS[name](options)
        print(f"  ({time.perf_counter() - started:.0f} s)")


def people(options: argparse.Namespace) -> None:
    """Counts of people by YOLOX-nano on 128 COCO photographs."""
    folder = options.shared / "data/coco128-train2017"
    dataset = es.sync(folder / "images", "people")
    model = {"model": "yolox", "confidence": SURE}
    es.tag(
        dataset,
        [
            {"count": {**model, "fields": {"num_people": "person"}}},
            {"presence": {**model, "fields": {"has_people": "person"}}},
        ],
        models={"yolox": Yolox(options.shared / "models/yolox_nano.onnx")},
    )
    table = pd.read_csv(folder / "people_count.csv", index_col="file")
    truth = table["people"].loc[_names(dataset)].to_numpy()
    found = np.array(dataset.values("num_people"))
    share("counts that are exact", found == truth)
    share("counts within one", abs(found - truth) <= 1)
    mean("absolute error of a count", abs(found - truth))
    there = np.array(dataset.values("has_people"))
    share("images with people that are found", there[truth > 0])
    share("images said to have people that do", truth[there] > 0)


def road(options: argparse.Namespace) -> None:
    """Share of road by DeepLab, trained on Cityscapes, on CamVid's frames."""
    models = options.shared / "models"
    net = DeepLab(
        models / "deeplab_mobilenet_edgetpu_slim_cityscapes_quant.tflite",
        models / "cityscapes_segmentation_labels.txt",
    )
    folder = options.shared / "data/camvid"
    for side in ("train", "val"):
        dataset = es.sync(folder / side, f"road-{side}")
        area = {"model": "deeplab", "fields": {"road_pct": "road", "sky_pct": "sky"}}
        es.tag(dataset, [{"area": area}], models={"deeplab": net})
        masks = [
            np.asarray(Image.open(folder / f"{side}annot" / f"{Path(name).stem}.png"))
            for name in _names(dataset)
        ]
        for field, value in (("road_pct", CAMVID_ROAD), ("sky_pct", 0)):
            truth = np.array([(mask == value).mean() for mask in masks])
            error = np.array(dataset.values(field)) - truth
            mean(f"{side}: absolute error of {field}", abs(error))
            mean(f"{side}: error of {field}", error)


def scenes(options: argparse.Namespace) -> None:
    """Ten classes of photographs by a small CLIP, never trained on them."""
    folder = options.shared / "data/imagenette160"
    table = pd.read_csv(folder / "labels.csv", index_col="file")
    dataset = es.sync(folder / "images", "scenes")
    classes = {name: name for name in sorted(table["label"].unique())}
    done = es.embed(
        dataset,
        str(options.shared / "models/tinyclip_lit_mnv2"),
        taggers=[{"zero_shot": {"field": "scene", "classes": classes}}],
    )
    print(f"  {done}")
    tagged = dataset.exists("scene")
    truth = table["label"].loc[_names(tagged)].to_numpy()
    found = np.array(tagged.values("scene.label"))
    sure = np.array(tagged.values("scene.confidence"))
    share("labels that are right", found == truth)
    mean("confidence", sure)
    order = np.argsort(-sure)
    share("right among the surest half", (found == truth)[order[: len(order) // 2]])


def statistics(options: argparse.Namespace) -> None:
    """Statistics of photographs beside skimage and the published formulas."""
    paths = sorted((options.shared / "data/flickr8k-part/images").glob("*.jpg"))[:200]
    ours, theirs = [], []
    for path in paths:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"), float)
        ours.append(ImageStatistics().prepare(Image.fromarray(pixels.astype("uint8"))))
        red, green, blue = np.moveaxis(pixels, 2, 0)
        luma = pixels @ [0.299, 0.587, 0.114] / 255
        opponents = red - green, (red + green) / 2 - blue
        spread = np.hypot(*(colour.std() for colour in opponents))
        edges = filters.laplace(luma, ksize=3).var()
        theirs.append(
            {
                "brightness": luma.mean(),
                "contrast": min(1, 2 * luma.std()),
                "sharpness": edges / (edges + 0.01),
                "glare": ((pixels.min(2) >= 250) & (np.ptp(pixels, 2) <= 12)).mean(),
                "colourfulness": spread
                + 0.3 * np.hypot(*(colour.mean() for colour in opponents)),
            }
        )
    frame, reference = pd.DataFrame(ours), pd.DataFrame(theirs)
    for name in reference:
        largest = (frame[name] - reference[name]).abs().max()
        print(
            f"  {name:40} differs by at most {largest:.5f} "
            f"(values {reference[name].min():.3f} to {reference[name].max():.3f}), "
            f"n = {len(frame)}"
        )


def flicker(options: argparse.Namespace) -> None:
    """Boxes of YOLOX dropped from a film, and how many of them are missed."""
    dataset = es.sync(options.shared / "data/camvid/val", "film").sort_by("filepath")
    net = Yolox(options.shared / "models/yolox_nano.onnx")
    frames = []
    for path in dataset.values("filepath"):
        with Image.open(path) as image:
            found = net.predict(np.asarray(image.convert("RGB"))).detections
        sure = [d for d in found if d.confidence >= SURE]
        corners = np.array([d.bounding_box for d in sure]).reshape(-1, 4)
        frames.append(Boxes([d.label for d in sure], corners))
    before = sum(vanished(frames, longest=2))
    boxes = [(t, i) for t, frame in enumerate(frames) for i in range(len(frame.labels))]
    between = [at for at in boxes if _has_neighbours(frames, *at)]
    print(
        f"  {len(frames)} frames, {len(boxes)} boxes, {len(between)} of them with a box "
        f"at their place before and after;\n  {before} objects flicker already"
    )
    alone = [sum(vanished(_without(frames, {at}), 2)) > before for at in between]
    share("boxes dropped alone that are noticed", alone)
    for dropped in DROPPED:
        noticed, lost = 0, 0
        for seed in range(5):
            chosen = random.Random(seed).sample(between, round(dropped * len(between)))
            rise = sum(vanished(_without(frames, set(chosen)), 2)) - before
            noticed, lost = noticed + rise, lost + len(chosen)
        low, high = proportion_confint(min(noticed, lost), lost, method="wilson")
        title = f"{dropped:.0%} of them dropped at once, share that is noticed"
        line(title, noticed / lost, low, high, lost)


def documents(options: argparse.Namespace) -> None:
    """Key fields of scanned receipts in the text that is read from them."""
    folder = options.shared / "data/sroie"
    paths = sorted((folder / "images").iterdir())[: options.receipts]
    dataset = es.sync([str(path) for path in paths], "receipts")
    es.tag(dataset, [{"document": {}}], batch_size=4)
    read = dict(zip(_names(dataset), dataset.values("ocr_text"), strict=True))
    hits: dict[str, list[bool]] = {}
    for name, text in read.items():
        key = json.loads((folder / "key" / f"{Path(name).stem}.json").read_text())
        for field, value in key.items():
            hits.setdefault(field, []).append(_letters(value) in _letters(text))
    for field, found in hits.items():
        share(f"receipts whose {field} is in the text", found)
    totals = es.search(dataset, "ocr_text ILIKE '%total%'")
    share("receipts that ocr_text ILIKE '%total%' finds", _among(dataset, totals))
    tagger = DocumentText()
    off = []
    for path in sorted(paths, key=lambda path: path.stat().st_size)[:5]:
        with Image.open(path) as image:
            page = image.convert("RGB")
        turned = [page] + [
            page.rotate(-angle, Image.Resampling.BICUBIC, True, fillcolor="white")
            for angle in TURNS
        ]
        straight, *skews = tagger.tag([np.asarray(one) for one in turned])["skew"]
        off += [skew - straight - a for skew, a in zip(skews, TURNS, strict=True)]
    mean("absolute error of skew in degrees, pages turned", np.abs(off))


def doubt(options: argparse.Namespace) -> None:
    """Whether two detectors disagree where the worse of them errs."""
    folder = options.shared / "data/coco128-train2017"
    truth = folder / "annotations_coco.json"
    dataset = es.sync(folder / "images", "doubt", labels=truth)
    for model in ("fastestdet", "yolox"):
        file = folder / f"detections_{model}.json"
        es.upload_predictions(dataset, model, file, classes=truth)
    between = ["pred_fastestdet", "pred_yolox"]
    against_truth = ["pred_fastestdet", "ground_truth"]
    es.tag(
        dataset,
        [
            {"disagreement": {"field": field, "between": pair, "confidence": SURE}}
            for field, pair in (("doubt", between), ("error", against_truth))
        ],
    )
    both = dataset.exists("error").exists("doubt")
    rows = np.array(both.values(["doubt", "error"]))
    found = bootstrap(
        tuple(rows),
        lambda a, b: spearmanr(a, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=1000,
        rng=0,
    ).confidence_interval
    rank = spearmanr(*rows).statistic
    line(
        "rank correlation of doubt with error",
        rank,
        found.low,
        found.high,
        rows.shape[1],
    )


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    part.__name__: part
    for part in (people, road, scenes, statistics, flicker, documents, doubt)
}


def share(title: str, right: Sequence[bool] | np.ndarray) -> None:
    """Prints a share with Wilson's interval."""
    n, k = len(right), int(np.sum(right))
    low, high = proportion_confint(k, n, method="wilson")
    line(title, k / n, low, high, n)


def mean(title: str, values: np.ndarray) -> None:
    """Prints a mean with its bootstrap interval."""
    found = bootstrap((values,), np.mean, n_resamples=2000, rng=0).confidence_interval
    line(title, float(np.mean(values)), found.low, found.high, len(values))


def line(title: str, value: float, low: float, high: float, n: int) -> None:
    """Prints one figure."""
    print(f"  {title:52}{value:7.3f} [{low:.3f}, {high:.3f}], n = {n}")


def _names(samples: fo.Dataset | fo.DatasetView) -> list[str]:
    return [Path(path).name for path in samples.values("filepath")]


def _among(dataset: fo.Dataset, view: fo.DatasetView) -> list[bool]:
    shown = set(view.values("id"))
    return [i in shown for i in dataset.values("id")]


def _letters(text: str) -> str:
    """Letters and digits only: receipts space and punctuate as they like."""
    return re.sub(r"[\W_]+", "", text).lower()


def _has_neighbours(frames: list[Boxes], t: int, i: int) -> bool:
    """Whether the frames before and after have a box of its class at its place."""
    one = Boxes([frames[t].labels[i]], frames[t].corners[i : i + 1])
    beside = [frames[s] for s in (t - 1, t + 1) if 0 <= s < len(frames)]
    return len(beside) == 2 and all(pairs(one, frame, 0.3) for frame in beside)


def _without(frames: list[Boxes], dropped: set[tuple[int, int]]) -> list[Boxes]:
    left = []
    for t, frame in enumerate(frames):
        kept = [i for i in range(len(frame.labels)) if (t, i) not in dropped]
        left.append(Boxes([frame.labels[i] for i in kept], frame.corners[kept]))
    return left


if __name__ == "__main__":
    main()
