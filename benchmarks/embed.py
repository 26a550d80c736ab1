"""Embedding side by side in one run: ours, FiftyOne's, and what bounds both.

    python benchmarks/embed.py [--scenes 60] [--architecture ViT-S-32] [--rounds 3]

Every way embeds the same rendered photographs with the same model, of random weights, at
the same batch size. The ways take turns, so that a noisy machine disturbs all alike; each
figure is the median over the rounds.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

HOME = tempfile.TemporaryDirectory(prefix="evalsets-benchmark-")
os.environ.update(
    FIFTYONE_DATABASE_DIR=f"{HOME.name}/mongo",
    FIFTYONE_DATABASE_VALIDATION="false",
    FIFTYONE_SHOW_PROGRESS_BARS="false",
    EVALSETS_HOME=f"{HOME.name}/evalsets",
)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fiftyone as fo
import fiftyone.zoo as foz
import open_clip
import torch

import evalsets as es
from evalsets.encoders import Encoder, load_encoder
from evalsets.encoders.batches import collate
from evalsets.encoders.images import open_image
from examples.demo.scenes import write_world

BATCH = 64


def main() -> None:
    """Prints images a second of each way, and its time over the bound's."""
    arguments = _arguments()
    logging.disable(logging.WARNING)
    weights = f"{HOME.name}/weights.pt"
    model = open_clip.create_model(arguments.architecture)
    torch.save(model.state_dict(), weights)
    name = f"open_clip:{arguments.architecture}:{weights}"
    theirs = foz.load_zoo_model(
        "open-clip-torch", clip_model=arguments.architecture, pretrained=weights
    )
    write_world(Path(HOME.name) / "images", seed=1, n_scenes=arguments.scenes)
    dataset = es.sync(f"{HOME.name}/images", "benchmark")
    ways = _ways(dataset, load_encoder(name), theirs)
    seconds: dict[str, list[float]] = {title: [] for title in ways}
    for _ in range(arguments.rounds):
        for title, run in ways.items():
            started = time.perf_counter()
            run()
            seconds[title].append(time.perf_counter() - started)
    _print(len(dataset), {title: median(found) for title, found in seconds.items()})


def _ways(
    dataset: fo.Dataset, encoder: Encoder, theirs: fo.core.models.Model
) -> dict[str, Callable[[], object]]:
    paths = dataset.values("filepath")
    prepared = [encoder.prepare(open_image(path)) for path in paths]
    batches = [collate(prepared[at : at + BATCH]) for at in range(0, len(paths), BATCH)]

    def ours() -> None:
        copy = dataset.clone()
        es.embed(copy, encoder, batch_size=BATCH)
        copy.delete()

    return {
        "decode alone": lambda: [encoder.prepare(open_image(path)) for path in paths],
        "model alone": lambda: [encoder.encode_images(batch) for batch in batches],
        f"evalsets {es.__version__} embed": ours,
        f"fiftyone {fo.__version__} compute_embeddings": lambda: (
            dataset.compute_embeddings(theirs, batch_size=BATCH, num_workers=0)
        ),
    }


def _print(n: int, seconds: dict[str, float]) -> None:
    decode, model, *_ = seconds.values()
    bound = decode + model if torch.get_num_threads() < 4 else max(decode, model)
    print(f"{n} images, {torch.get_num_threads()} threads, batches of {BATCH}")
    for title, value in seconds.items():
        print(f"{title:45}{n / value:8.1f} images/s  {value / bound:5.2f} of the bound")
    print("The bound is decode plus model on few cores, which both keep busy, else")
    print("the slower of the two.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--architecture", default="ViT-S-32")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
