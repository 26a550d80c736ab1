"""What the benchmarks share: a database of their own, data of any size, fair turns.

Import it before fiftyone and evalsets.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from statistics import median

HOME = tempfile.TemporaryDirectory(
    prefix="evalsets-benchmark-", ignore_cleanup_errors=True
)
os.environ.update(
    FIFTYONE_DATABASE_DIR=f"{HOME.name}/mongo",
    FIFTYONE_DATABASE_VALIDATION="false",
    FIFTYONE_SHOW_PROGRESS_BARS="false",
    FIFTYONE_DO_NOT_TRACK="true",
    EVALSETS_HOME=f"{HOME.name}/evalsets",
)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fiftyone as fo
import numpy as np

WEATHER = ("sunny", "cloudy", "rain", "fog", "snow")

fo.config.show_progress_bars = False
logging.disable(logging.WARNING)


def dataset_of(n: int, seed: int = 0) -> fo.Dataset:
    """A dataset of ``n`` samples without images: tags a query can ask for."""
    rng = np.random.default_rng(seed)
    dataset = fo.Dataset(f"benchmark-{n}")
    first = min(n, 10_000)
    dataset.add_samples(
        fo.Sample(
            f"/images/{i}.jpg",
            weather=WEATHER[int(rng.integers(len(WEATHER)))],
            camera=f"camera-{rng.integers(1000):04d}",
            num_people=int(rng.poisson(2)),
            brightness=float(rng.random()),
            taken=datetime.fromtimestamp(int(rng.integers(2**30)), timezone.utc),
        )
        for i in range(first)
    )
    while len(dataset) < n:  # MongoDB copies faster than Python writes
        more = dataset.limit(n - len(dataset))
        dataset.add_collection(more, new_ids=True)
    return dataset


def turns(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each way; they take turns, so that noise hits all alike."""
    seconds: dict[str, list[float]] = {title: [] for title in ways}
    for _ in range(rounds):
        for title, run in ways.items():
            started = time.perf_counter()
            run()
            seconds[title].append(time.perf_counter() - started)
    return {title: median(found) for title, found in seconds.items()}
