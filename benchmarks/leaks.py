"""What a random split leaks on real photographs, and what ours does.

    python benchmarks/leaks.py [--shared ../shared] [--seeds 20]

A fifth of each folder goes to test, by chance and by ``split``. A test image leaks if it
is in train as the same file, or if one there has at least the cosine of the row.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean

import bench  # noqa: F401 (its database)
import fiftyone as fo
import numpy as np
import pandas as pd

import evalsets as es
from evalsets.api.grouping import kept_together

SHARE = 0.2
FOLDERS = {
    "camvid/val": ("driving video, every second frame", 0.97),
    "cartucho-map": ("robot walking through a flat", 0.85),
    "imagededup-tests": ("images with their variants", 0.97),
}


def main() -> None:
    """Prints a row for each folder."""
    made = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    made.add_argument("--shared", type=Path, default=Path("../shared"))
    made.add_argument("--seeds", type=int, default=20)
    options = made.parse_args()
    encoder = str(options.shared / "models/tinyclip_lit_mnv2")
    print(f"test images that leak; random: mean and range of {options.seeds} seeds")
    columns = ("images", "cosine", "groups", "largest", "random", "ours")
    print(f"{'':36}" + "".join(f"{column:>18}" for column in columns))
    for folder, (what, cosine) in FOLDERS.items():
        dataset = es.sync(options.shared / "data" / folder, f"leaks in {folder}")
        es.embed(dataset, encoder)
        cells = _row(dataset, cosine, options.seeds)
        print(f"{what:36}" + "".join(f"{cell:>18}" for cell in cells))


def _row(dataset: fo.Dataset, threshold: float, seeds: int) -> list[str]:
    shares = [_random(dataset, threshold, seed) for seed in range(seeds)]
    random = f"{mean(shares):.0%} ({min(shares):.0%} to {max(shares):.0%})"
    everything = es.Population("everything", "filepath IS NOT NULL", holdout=SHARE)
    es.compose(dataset, everything)
    es.split(dataset, near_duplicates=threshold)
    leaks = es.leaks(dataset, near_duplicates=threshold)
    held_out = len(es.select(dataset, split="test"))
    ours = f"{len({leak.test_id for leak in leaks})} of {held_out}"
    together = kept_together(dataset, pd.Index(dataset.values("id")), None, threshold)
    size = np.bincount(together.codes)
    sizes = (f"{len(dataset)}", f"{threshold}", f"{len(size)}", f"{size.max()}")
    return [*sizes, random, ours]


def _random(dataset: fo.Dataset, threshold: float, seed: int) -> float:
    """Share of the test images of a random split that leak."""
    n = len(dataset)
    test = np.random.default_rng(seed).permutation(n) < round(SHARE * n)
    dataset.set_values("random", np.where(test, "test", "train").tolist())
    leaks = es.leaks(dataset, split="random", near_duplicates=threshold)
    return len({leak.test_id for leak in leaks}) / test.sum()


if __name__ == "__main__":
    main()
