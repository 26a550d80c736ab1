"""Ingest in one run: what a sync costs when all is new, nothing is, and a little is.

    python benchmarks/ingest.py [--files 20000]

The files are small photographs that differ in one comment, so that listing, hashing,
headers and MongoDB are measured and not the disk. FiftyOne adds the same samples with
the same fields, without looking at a file.
"""

from __future__ import annotations

import argparse
import io
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

import bench
import fiftyone as fo
import numpy as np
from PIL import Image

import evalsets as es
from evalsets.datasets.files import FIELDS
from evalsets.ingest import list_images

FOLDER = Path(bench.HOME.name) / "photos"
FILES_A_FOLDER = 1000


def main() -> None:
    """Prints seconds, files a second and the share of the first sync's time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=20_000)
    n = parser.parse_args().files
    _draw(range(n))
    first = _seconds(lambda: es.sync(FOLDER, "ours"))
    dataset = fo.load_dataset("ours")
    rows = [
        ("first sync", n, first),
        ("Dataset.add_samples of the same", n, _seconds(lambda: _add(dataset))),
        ("sync, nothing new", n, _seconds(lambda: es.sync(FOLDER, "ours"))),
    ]
    _draw(range(n, n + n // 100))
    rows += [
        ("sync, 1 % new", n // 100, _seconds(lambda: es.sync(FOLDER, "ours"))),
        ("listing alone", n, _seconds(lambda: list_images(FOLDER))),
    ]
    assert len(dataset) == n + n // 100
    print(f"sync of {n:,} files; FiftyOne {fo.__version__}, {os.cpu_count()} cores")
    print(f"{'':34}{'seconds':>9}{'files/s':>10}{'of first':>10}")
    for title, count, seconds in rows:
        rate, share = count / seconds, seconds / first
        print(f"{title:34}{seconds:9.2f}{rate:10,.0f}{share:10.1%}")


def _draw(numbers: range) -> None:
    """One photograph under many names, each with its number in a comment."""
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    start, rest = buffer.getvalue()[:2], buffer.getvalue()[2:]
    for number in numbers:
        folder = FOLDER / f"{number // FILES_A_FOLDER:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        comment = b"\xff\xfe" + struct.pack(">HQ", 10, number)
        (folder / f"{number}.jpg").write_bytes(start + comment + rest)


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _add(dataset: fo.Dataset) -> None:
    """Adds samples with the fields that ``sync`` gives, to another dataset."""
    names = ["filepath", "metadata", *FIELDS]
    rows = zip(*dataset.values(names), strict=True)
    samples = [fo.Sample(**dict(zip(names, row, strict=True))) for row in rows]
    theirs = fo.Dataset("theirs")
    theirs.add_samples(samples)


if __name__ == "__main__":
    main()
