"""What a pass over any number of images costs, from costs an image measured here.

    python benchmarks/scale.py [--images 100000000] [--workers 64] [--gpu-images 1500]

Measured in this run: decoding and preparing, statistics, the bytes a sample takes in
MongoDB with its indexes, in the file of vectors and in its ledger of ids, the rate at
which the driver writes, and the rate of sync. The model is not measured but stated, as
images a second on one GPU: put in what yours does. The photographs are rendered at
``--pixels``; the hours that follow are arithmetic, printed with what bounds them.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from pathlib import Path

import bench
import fiftyone as fo
import numpy as np
from PIL import Image

import evalsets as es
from evalsets.api.onepass import _task
from evalsets.api.steps import Part, Step
from evalsets.datasets.columns import write_rows
from evalsets.encoders.batches import Reader
from evalsets.images import open_image
from evalsets.similarity import VectorFile
from evalsets.taggers import ImageStatistics

N = 600
DIM = 512
CORES_A_WORKER = 8
AT_ONCE = 300


def main() -> None:
    """Prints measured costs an image, then sizes and hours for all images."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=100_000_000)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--gpu-images", type=float, default=1500)
    parser.add_argument("--pixels", type=int, nargs=2, default=(640, 480))
    options = parser.parse_args()
    n, workers = options.images, options.workers
    folder = Path(bench.HOME.name) / "photos"
    file_bytes = _draw(folder, options.pixels)
    decode, statistics = _pixels(folder)
    sync, dataset = _synced(folder)
    mongo_bytes = _bytes_a_sample(dataset)
    write = _written(dataset)
    vector_bytes = _vector_bytes()
    print(
        f"an image of {options.pixels[0]} × {options.pixels[1]}, measured on one core:"
    )
    for title, seconds in (
        ("decode and prepare", decode),
        ("seven statistics", statistics),
        ("sync: look, hash, add", sync),
        ("driver: write vector and tags", write),
    ):
        print(f"  {title:34}{seconds * 1e3:9.2f} ms")
    print(f"  {'file':34}{file_bytes:9,.0f} bytes")
    print(f"  {'MongoDB, indexes included':34}{mongo_bytes:9,.0f} bytes")
    print(f"  {f'vector of {DIM}, with its id':34}{vector_bytes:9,.0f} bytes")
    task_bytes = _task_bytes(dataset)
    print(f"  {'memory of the driver':34}{task_bytes:9,.0f} bytes")
    print(f"{n:,} images, {workers} workers of one GPU and {CORES_A_WORKER} cores:")
    for title, size in (
        ("files", file_bytes),
        ("MongoDB", mongo_bytes),
        ("vectors", vector_bytes),
        ("memory of the driver", task_bytes),
    ):
        print(f"  {title:34}{size * n / 1e12:9.2f} TB")
    hours = {
        "first sync, on one core": sync * n,
        "decode and statistics, all cores": (decode + statistics)
        * n
        / workers
        / CORES_A_WORKER,
        f"model at {options.gpu_images:,.0f} images/s a GPU": n
        / options.gpu_images
        / workers,
        "driver's writing, beside it": write * n,
    }
    for title, seconds in hours.items():
        print(f"  {title:34}{seconds / 3600:9.1f} h")
    *_, (slowest, seconds) = sorted(list(hours.items())[1:], key=lambda pair: pair[1])
    print(f"  a pass takes {seconds / 3600:.1f} h, bounded by: {slowest}")


def _draw(folder: Path, pixels: tuple[int, int]) -> float:
    """Photographs of smooth shapes and noise; returns their mean size in bytes."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(N // 10):
        coarse = rng.integers(0, 255, (12, 16, 3), np.uint8)
        image = np.asarray(
            Image.fromarray(coarse).resize(pixels, Image.Resampling.BICUBIC)
        )
        noisy = image + rng.normal(0, 4, image.shape)
        path = folder / f"{number}.jpg"
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path, quality=90)
        for copy in range(1, 10):  # they differ behind their end
            more = path.read_bytes() + bytes([copy]) + b"\xff\xd9"
            (folder / f"{number}-{copy}.jpg").write_bytes(more)
    return float(np.mean([path.stat().st_size for path in folder.iterdir()]))


def _pixels(folder: Path) -> tuple[float, float]:
    """Seconds an image to decode and prepare it, and for its statistics."""
    paths = sorted(map(str, folder.iterdir()))[:200]
    started = time.perf_counter()
    images = [open_image(path) for path in paths]
    for image in images:
        np.asarray(image.resize((224, 224), Image.Resampling.BICUBIC), np.float32) / 255
    decoded = time.perf_counter()
    tagger = ImageStatistics()
    for image in images:
        tagger.prepare(image)
    ended = time.perf_counter()
    return (decoded - started) / len(paths), (ended - decoded) / len(paths)


def _synced(folder: Path) -> tuple[float, fo.Dataset]:
    started = time.perf_counter()
    dataset = es.sync(folder, "scale")
    return (time.perf_counter() - started) / len(dataset), dataset


def _written(dataset: fo.Dataset) -> float:
    """Seconds a sample to write its vector and tags, as many at once as a pass does."""
    ids = dataset.values("id")
    fields = list(ImageStatistics().fields)
    vectors = _vectors(len(ids))
    folder = Path(bench.HOME.name) / "written"
    file = VectorFile.create(folder, DIM, "scale", "f" * 32)
    started = time.perf_counter()
    for at in range(0, len(ids), AT_ONCE):
        some = ids[at : at + AT_ONCE]
        file.add(some, vectors[at : at + AT_ONCE])
        write_rows(dataset, {i: dict.fromkeys(fields, 0.25) for i in some})
    return (time.perf_counter() - started) / len(ids)


def _bytes_a_sample(dataset: fo.Dataset) -> float:
    es.tag(dataset, [{"statistics": {}}])
    database = fo.core.odm.get_db_conn()
    stats = database.command("collstats", dataset._sample_collection_name)
    return float((stats["size"] + stats["totalIndexSize"]) / stats["count"])


def _task_bytes(dataset: fo.Dataset) -> float:
    """What the process that hands out the work keeps of each image."""
    step = Step(frozenset(dataset.values("id")), Reader(), lambda *_: Part())
    tracemalloc.start()
    task = _task(dataset.view(), [step], 64)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / len(task.ids)


def _vector_bytes() -> float:
    folder = Path(bench.HOME.name) / "vectors"
    file = VectorFile.create(folder, DIM, "scale", "f" * 32)
    n = 10_000
    file.add([f"{i:024x}" for i in range(n)], _vectors(n))
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / n


def _vectors(n: int) -> np.ndarray:
    drawn = np.random.default_rng(0).normal(size=(n, DIM)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
