"""Ingest in one run: syncing, embedding, tagging and memory, ours and FiftyOne's.

    python benchmarks/ingest.py [--files 100000] [--scenes 60] [--rounds 3]

Synced files are one small photograph with a number in a comment, so that listing, hashing,
headers and MongoDB are measured and not the disk; FiftyOne adds samples with the same
fields, without looking at a file. Embedded are rendered photographs, by one model of random
weights. The ways take turns, so that a noisy machine disturbs all alike; each figure is the
median over the rounds. Tags are seven image statistics and two attributes by prompts:
FiftyOne finds each attribute by a pass of its zero-shot model, and statistics by a loop
over samples. At last, the most memory that one pass takes, for more and more images, each
in a process of its own.
"""

from __future__ import annotations

import argparse
import io
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import fiftyone as fo
import fiftyone.zoo as foz
import numpy as np
import open_clip
import torch
from bench import HOME, turns
from PIL import Image

import evalsets as es
from evalsets.datasets.files import FIELDS
from evalsets.encoders import Encoder, load_encoder
from evalsets.encoders.batches import collate
from evalsets.images import open_image
from evalsets.ingest import list_images
from evalsets.taggers import ImageStatistics
from examples.demo.scenes import write_world

FOLDER = Path(HOME.name) / "photos"
WEIGHTS = f"{HOME.name}/weights.pt"
FILES_A_FOLDER = 1000
BATCH = 64
THEIR_BATCHES = (1, 8, 32, 64)
TIMES = (1, 2, 4)
ATTRIBUTES = {
    "light": {"day": "daylight", "night": "at night"},
    "weather": {"sunny": "a sunny day", "rain": "rain", "snow": "snow", "fog": "fog"},
}
TAGGERS = [
    {"statistics": {}},
    *({"zero_shot": {"field": f, "classes": c}} for f, c in ATTRIBUTES.items()),
]


def main() -> None:
    """Prints a table of each kind of work."""
    options = _arguments()
    if options.pass_over:
        _print_peak(*options.pass_over)
        return
    print(
        f"evalsets {es.__version__}, FiftyOne {fo.__version__}, {os.cpu_count()} cores, "
        f"{torch.get_num_threads()} threads"
    )
    _print_sync(options.files)
    model = open_clip.create_model(options.architecture)
    torch.save(model.state_dict(), WEIGHTS)
    name = f"open_clip:{options.architecture}:{WEIGHTS}"
    folder = Path(HOME.name) / "images"
    write_world(folder, seed=1, n_scenes=options.scenes)
    dataset = es.sync(folder, "benchmark")
    _print_embedding(dataset, load_encoder(name), options)
    _print_tagging(dataset, load_encoder(name), options)
    _print_memory(dataset, name)


def _print_sync(n: int) -> None:
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
    print(f"\n{f'Sync of {n:,} files':44}{'seconds':>9}{'files/s':>10}{'of first':>10}")
    for title, count, seconds in rows:
        rate, share = count / seconds, seconds / first
        print(f"{title:44}{seconds:9.2f}{rate:10,.0f}{share:10.1%}")


def _print_embedding(
    dataset: fo.Dataset, encoder: Encoder, options: argparse.Namespace
) -> None:
    paths = dataset.values("filepath")
    prepared = [encoder.prepare(open_image(path)) for path in paths]
    batches = [collate(prepared[at : at + BATCH]) for at in range(0, len(paths), BATCH)]
    model = _clip(options.architecture)

    def theirs(size: int, loaders: int | None) -> Callable[[], object]:
        return lambda: dataset.compute_embeddings(
            model, batch_size=size, num_workers=loaders
        )

    ways = {
        "decode alone": lambda: [encoder.prepare(open_image(p)) for p in paths],
        "model alone": lambda: [encoder.encode_images(b) for b in batches],
        f"evalsets embed, batches of {BATCH}": _on_copy(
            dataset, lambda copy: es.embed(copy, encoder, batch_size=BATCH)
        ),
    }
    for size in THEIR_BATCHES:
        ways[f"compute_embeddings, batches of {size}"] = theirs(size, 0)
    ways[f"compute_embeddings of {BATCH}, its own loaders"] = theirs(BATCH, None)
    _table("Embedding", turns(ways, options.rounds), len(paths))


def _print_tagging(
    dataset: fo.Dataset, encoder: Encoder, options: argparse.Namespace
) -> None:
    embeds = _clip(options.architecture)
    attributes = {
        field: _clip(options.architecture, classes)
        for field, classes in ATTRIBUTES.items()
    }

    def in_passes(copy: fo.Dataset) -> None:
        settings = {"batch_size": BATCH, "num_workers": 0}
        copy.compute_embeddings(embeds, "vector", **settings)
        for field, model in attributes.items():
            copy.apply_model(model, field, **settings)
        tagger = ImageStatistics()
        for sample in copy.iter_samples(autosave=True, batch_size=BATCH):
            with Image.open(sample.filepath) as image:
                sample.update_fields(tagger.prepare(image.convert("RGB")))

    ways = {
        "evalsets, one pass": _on_copy(
            dataset, lambda copy: _embed_and_tag(copy, encoder)
        ),
        "FiftyOne, four passes": _on_copy(dataset, in_passes),
    }
    _table("Vectors and three taggers", turns(ways, options.rounds), len(dataset))


def _table(title: str, seconds: Mapping[str, float], n: int) -> None:
    """Images a second, and the time as a multiple of the slowest of the first two."""
    first = list(seconds.values())[:2]
    bound = max(first) if len(seconds) > 2 else first[0]
    against = "of slower" if len(seconds) > 2 else "of first"
    print(f"\n{f'{title}, {n:,} images':44}{'seconds':>9}{'images/s':>10}{against:>10}")
    for way, value in seconds.items():
        print(f"{way:44}{value:9.2f}{n / value:10.1f}{value / bound:10.2f}")
    if len(seconds) > 2:
        print(f"{'decode and model, one after the other':44}{sum(first):9.2f}")


def _print_memory(dataset: fo.Dataset, name: str) -> None:
    paths = dataset.values("filepath")
    print(f"\n{'Images embedded and tagged by a process':44}{'most MB':>9}")
    for times in TIMES:
        folder = Path(HOME.name) / f"times-{times}"
        folder.mkdir()
        for copy in range(times):
            for path in paths:
                os.link(path, folder / f"{copy}-{Path(path).name}")
        command = [sys.executable, __file__, "--pass-over", str(folder), name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        print(f"{len(paths) * times:<44,}{done.stdout.strip():>9}")


def _print_peak(folder: str, name: str) -> None:
    _embed_and_tag(es.sync(folder, Path(folder).name), load_encoder(name))
    status = Path("/proc/self/status").read_text()  # getrusage counts the parent too
    print(f"{int(status.partition('VmHWM:')[2].split()[0]) / 1024:,.0f}")


def _embed_and_tag(dataset: fo.Dataset, encoder: Encoder) -> None:
    es.embed(dataset, encoder, taggers=TAGGERS, batch_size=BATCH)


def _on_copy(
    dataset: fo.Dataset, run: Callable[[fo.Dataset], object]
) -> Callable[[], None]:
    """Does something to a fresh copy, which has no vectors and no tags."""

    def on_copy() -> None:
        copy = dataset.clone()
        run(copy)
        copy.delete()

    return on_copy


def _clip(
    architecture: str, classes: dict[str, str] | None = None
) -> fo.core.models.Model:
    more = {} if classes is None else {"classes": list(classes), "text_prompt": "A"}
    return foz.load_zoo_model(
        "open-clip-torch", clip_model=architecture, pretrained=WEIGHTS, **more
    )


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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--scenes", type=int, default=60, help="of several photographs")
    parser.add_argument("--architecture", default="ViT-S-32")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pass-over", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
