"""Embedding and tagging side by side in one run: ours, FiftyOne's, and what bounds both.

    python benchmarks/embed.py [--scenes 60] [--architecture ViT-S-32] [--rounds 3]

All ways take the same rendered photographs, the same model of random weights and the same
batch size. They take turns, so that a noisy machine disturbs all alike; each figure is the
median over the rounds. Tags are seven image statistics and two attributes by prompts:
FiftyOne finds each attribute by a pass of its zero-shot model, and statistics by a loop
over samples. At last, the most memory that one pass takes, for one and four times the
images, each in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import fiftyone.zoo as foz
import open_clip
import torch
from bench import HOME, turns
from PIL import Image

import evalsets as es
from evalsets.encoders import Encoder, load_encoder
from evalsets.encoders.batches import collate
from evalsets.encoders.images import open_image
from evalsets.taggers import ImageStatistics
from examples.demo.scenes import write_world

BATCH = 64
ATTRIBUTES = {
    "light": {"day": "daylight", "night": "at night"},
    "weather": {"sunny": "a sunny day", "rain": "rain", "snow": "snow", "fog": "fog"},
}
TAGGERS = [
    {"statistics": {}},
    *({"zero_shot": {"field": f, "classes": c}} for f, c in ATTRIBUTES.items()),
]


def main() -> None:
    """Prints images a second of each way, and its time over what bounds it."""
    arguments = _arguments()
    if arguments.pass_over:
        _print_peak(*arguments.pass_over)
        return
    weights = f"{HOME.name}/weights.pt"
    model = open_clip.create_model(arguments.architecture)
    torch.save(model.state_dict(), weights)
    name = f"open_clip:{arguments.architecture}:{weights}"
    folder = Path(HOME.name) / "images"
    write_world(folder, seed=1, n_scenes=arguments.scenes)
    dataset = es.sync(folder, "benchmark")
    print(
        f"{len(dataset)} images, {torch.get_num_threads()} threads, batches of {BATCH}"
    )
    _print_embedding(dataset, name, weights, arguments)
    _print_tagging(dataset, name, weights, arguments)
    _print_memory(dataset, name)


def _print_embedding(
    dataset: fo.Dataset, name: str, weights: str, arguments: argparse.Namespace
) -> None:
    encoder = load_encoder(name)
    paths = dataset.values("filepath")
    prepared = [encoder.prepare(open_image(path)) for path in paths]
    batches = [collate(prepared[at : at + BATCH]) for at in range(0, len(paths), BATCH)]
    theirs = _clip(arguments.architecture, weights)
    seconds = turns(
        {
            "decode alone": lambda: [encoder.prepare(open_image(p)) for p in paths],
            "model alone": lambda: [encoder.encode_images(b) for b in batches],
            f"evalsets {es.__version__} embed": _on_copy(
                dataset, lambda copy: es.embed(copy, encoder, batch_size=BATCH)
            ),
            f"fiftyone {fo.__version__} compute_embeddings": lambda: (
                dataset.compute_embeddings(theirs, batch_size=BATCH, num_workers=0)
            ),
        },
        arguments.rounds,
    )
    decode, model, *_ = seconds.values()
    few = torch.get_num_threads() < 4
    bound = decode + model if few else max(decode, model)
    for title, value in seconds.items():
        rate = len(dataset) / value
        print(f"{title:45}{rate:8.1f} images/s {value / bound:6.2f} of the bound")
    print("The bound is decode plus model on few cores, which both keep busy, else")
    print("the slower of the two.")


def _print_tagging(
    dataset: fo.Dataset, name: str, weights: str, arguments: argparse.Namespace
) -> None:
    encoder = load_encoder(name)
    embeds = _clip(arguments.architecture, weights)
    attributes = {
        field: _clip(arguments.architecture, weights, classes)
        for field, classes in ATTRIBUTES.items()
    }

    def in_passes(copy: fo.Dataset) -> None:
        options = {"batch_size": BATCH, "num_workers": 0}
        copy.compute_embeddings(embeds, "vector", **options)
        for field, model in attributes.items():
            copy.apply_model(model, field, **options)
        tagger = ImageStatistics()
        for sample in copy.iter_samples(autosave=True, batch_size=BATCH):
            with Image.open(sample.filepath) as image:
                sample.update_fields(tagger.prepare(image.convert("RGB")))

    ours, theirs = turns(
        {
            "ours": _on_copy(dataset, lambda copy: _embed_and_tag(copy, encoder)),
            "theirs": _on_copy(dataset, in_passes),
        },
        arguments.rounds,
    ).values()
    print("Vectors and three taggers:")
    print(
        f"{f'evalsets {es.__version__}, one pass':45}{len(dataset) / ours:8.1f} images/s"
    )
    print(
        f"{f'fiftyone {fo.__version__}, four passes':45}{len(dataset) / theirs:8.1f} "
        f"images/s {theirs / ours:6.2f} times as long"
    )


def _print_memory(dataset: fo.Dataset, name: str) -> None:
    paths = dataset.values("filepath")
    print("Most memory of a process that embeds and tags:")
    for times in (1, 4):
        folder = Path(HOME.name) / f"times-{times}"
        folder.mkdir()
        for copy in range(times):
            for path in paths:
                os.link(path, folder / f"{copy}-{Path(path).name}")
        command = [sys.executable, __file__, "--pass-over", str(folder), name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        print(f"{len(paths) * times:6} images {done.stdout.strip():>10} MB")


def _print_peak(folder: str, name: str) -> None:
    _embed_and_tag(es.sync(folder, Path(folder).name), load_encoder(name))
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f}")


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
    architecture: str, weights: str, classes: dict[str, str] | None = None
) -> fo.core.models.Model:
    options = {} if classes is None else {"classes": list(classes), "text_prompt": "A"}
    return foz.load_zoo_model(
        "open-clip-torch", clip_model=architecture, pretrained=weights, **options
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--architecture", default="ViT-S-32")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pass-over", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
