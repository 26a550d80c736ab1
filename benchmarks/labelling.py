"""How many labels the samples of label_next save, against labels of random samples.

    python benchmarks/labelling.py [--data ../shared/data] [--repeats 20]

The labels of CIFAR-10 (ResNet20's published predictions) and of Imagenette
(MobileNetV2's) are hidden but for 200 that are drawn at random. Ten populations are drawn
that need no label: a range of brightness, contrast or sharpness, alone or with what the
model predicted. Each requires an accuracy eight points away from its true one, to either
side, so that half of them should pass and half should fail. Then 50 samples are labelled
at a time, chosen by ``settle`` as label_next does or at random from all, and evaluated.

Printed: labels until as many verdicts as all labels settle are the same, the median and
its range over repeats, and how many of the verdicts on the way were wrong.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugin"), str(ROOT)]

from evalsets.discovery import settle
from evalsets.images import open_image
from evalsets.metrics import Classification, Row, evaluate_populations
from evalsets.suites import Population, Requirement
from evalsets.taggers.statistics import ImageStatistics

FIRST = 200
ROUND = 50
MARGIN = 0.08
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Pool:
    """Photographs with the labels that are hidden.

    Args:
        right: ``(n,)`` whether the model is right
        predicted: ``(n,)`` its labels
        statistics: ``(n,)`` by name
    """

    right: Bools
    predicted: NDArray[np.str_]
    statistics: dict[str, NDArray[np.float64]]


def main() -> None:
    """Prints a line for each set."""
    arguments = _arguments()
    print(f"{'set':12}{'label_next':>22}{'at random':>22}{'saved':>8}{'wrong':>8}")
    for name, pool in (
        ("cifar10", _cifar10(arguments.data)),
        ("imagenette", _imagenette(arguments.data)),
    ):
        spent: dict[str, list[int]] = {"settle": [], "random": []}
        wrong = []
        for seed in range(arguments.repeats):
            rng = np.random.default_rng(seed)
            members, populations = _populations(pool, rng)
            lots = rng.integers(0, 2**63, len(pool.right), dtype=np.uint64)
            first = rng.permutation(len(pool.right))[:FIRST]
            for way, choose in WAYS.items():
                labels, mistaken = _run(pool, members, populations, first, lots, choose)
                spent[way].append(labels)
                wrong.append(mistaken)
        cells = [
            f"{np.median(found):8.0f} [{min(found):,}, {max(found):,}]"
            for found in spent.values()
        ]
        saved = 1 - np.median(np.array(spent["settle"]) / np.array(spent["random"]))
        print(
            f"{name:12}{cells[0]:>22}{cells[1]:>22}{saved:8.0%}{np.mean(wrong):8.2%}",
            flush=True,
        )


def _run(
    pool: Pool,
    members: Bools,
    populations: Sequence[Population],
    first: NDArray[np.int64],
    lots: NDArray[np.uint64],
    choose: Callable[..., list[int]],
) -> tuple[int, float]:
    """Labels beyond the first until the verdicts of all labels are reached."""
    wanted = [row.verdict for row in _rows(pool, members, populations, _all(pool))]
    known = ~_all(pool)
    known[first] = True
    while True:
        rows = _rows(pool, members, populations, known)
        settled = [(r.verdict, w) for r, w in zip(rows, wanted, strict=True)]
        open_ = [v == "inconclusive" and w != v for v, w in settled]
        if not any(open_) or known.all():
            decided = [(v, w) for v, w in settled if v != "inconclusive"]
            return int(known.sum()) - FIRST, float(
                np.mean([v != w for v, w in decided])
            )
        known[choose(rows, members, known, lots)] = True


def _settle(
    rows: Sequence[Row], members: Bools, known: Bools, lots: NDArray[np.uint64]
) -> list[int]:
    """What label_next does with requirements that are open."""
    free = np.flatnonzero(~known)
    waiting = [at for at, row in enumerate(rows) if row.needed]
    needed = [rows[at].needed or 0 for at in waiting]
    picks = settle(members[waiting][:, free], needed, lots[free], ROUND)
    return free[[row for row, _ in picks]].tolist() or _random(
        rows, members, known, lots
    )


def _random(
    _rows: Sequence[Row], _members: Bools, known: Bools, lots: NDArray[np.uint64]
) -> list[int]:
    """The next of all, in an order drawn once."""
    free = np.flatnonzero(~known)
    chosen: list[int] = free[np.argsort(lots[free])[:ROUND]].tolist()
    return chosen


WAYS: dict[str, Callable[..., list[int]]] = {"settle": _settle, "random": _random}


def _rows(
    pool: Pool, members: Bools, populations: Sequence[Population], known: Bools
) -> list[Row]:
    at = np.flatnonzero(known)
    guess = np.where(pool.right[at], "right", "wrong")
    outcomes = Classification.of(["right"] * len(at), guess.tolist())
    found = evaluate_populations(
        outcomes, members[:, at].T, populations, ("accuracy",), replicates=40
    )
    return [row for row in found if row.requirement]


def _populations(
    pool: Pool, rng: np.random.Generator
) -> tuple[Bools, list[Population]]:
    """Ten ranges of a statistic, half of them of one predicted class."""
    members, populations = [], []
    while len(members) < 10:
        values = pool.statistics[str(rng.choice(list(pool.statistics)))]
        share = rng.uniform(0.1, 0.4)
        start = rng.uniform(0, 1 - share)
        low, high = np.quantile(values, [start, start + share])
        inside = (values >= low) & (values <= high)
        if len(members) % 2:
            inside = (values >= np.median(values)) & (
                pool.predicted == rng.choice(pool.predicted)
            )
        if inside.sum() < 150 // (1 + len(members) % 2):
            continue
        side = MARGIN if rng.random() < 0.5 else -MARGIN
        bound = float(np.clip(pool.right[inside].mean() + side, 0.02, 0.98))
        members.append(inside)
        asked = Requirement("accuracy", at_least=round(bound, 3))
        populations.append(Population(f"p{len(members)}", "x > 0", require=(asked,)))
    return np.array(members), populations


def _all(pool: Pool) -> Bools:
    return np.ones(len(pool.right), dtype=bool)


def _cifar10(data: Path) -> Pool:
    folder = data / "cifar10-test"
    label = {r["file"]: r["label"] for r in _table(folder / "labels.csv")}
    guess = {
        r["file"]: r["prediction"] for r in _table(folder / "predictions_resnet20.csv")
    }
    right = {name: guess[name] == label[name] for name in label}
    return _pool(folder / "images", guess, right)


def _imagenette(data: Path) -> Pool:
    folder = data / "imagenette160"
    label = {r["file"]: r["label"] for r in _table(folder / "labels.csv")}
    guess = {
        r["file"]: r["prediction"]
        for r in _table(folder / "predictions_mobilenetv2.csv")
    }
    right = {
        name: label[name].lower() in guess[name].lower().split(", ")
        for name in label
        if name in guess
    }
    return _pool(folder / "images", guess, right)


def _pool(images: Path, guess: dict[str, str], right: dict[str, bool]) -> Pool:
    tagger, names, rows = ImageStatistics(), [], []
    for name in sorted(right):
        try:
            rows.append(tagger.prepare(open_image(str(images / name))))
        except (OSError, ValueError, SyntaxError):
            continue  # one file of Imagenette is broken on purpose
        names.append(name)
    return Pool(
        np.array([right[name] for name in names]),
        np.array([guess[name] for name in names]),
        {
            k: np.array([r[k] for r in rows])
            for k in ("brightness", "contrast", "sharpness")
        },
    )


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--repeats", type=int, default=20)
    return parser.parse_args()


if __name__ == "__main__":
    main()
