r"""Trains a classifier on the train side alone and judges it on every population.

    python examples/train_on_split.py --images photos/ --labels labels.csv \
        --encoder open_clip:ViT-B-32:laion2b_s34b_b79k --require "accuracy >= 0.4"

Training sees ``es.select(dataset, split="train")``: nothing that was held out, and with an
encoder nothing that is nearly the same as something held out. The best epoch is chosen
on val. Run it again when there are more photographs: the test side keeps its samples.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import fiftyone as fo
import pandas as pd
import torch
from fiftyone.utils.torch import GetItem
from photos import TRUTH, guess_populations, labels_in, load, read_population, say
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision.transforms import v2

import evalsets as es

SIDE = 64  # pixels
BATCH = 64
MODEL = "trained"


class Photograph(GetItem):
    """What the network gets of a sample: its pixels, and the place of its class."""

    def __init__(self, classes: Sequence[str], *, augment: bool = False) -> None:
        super().__init__(field_mapping={"label": f"{TRUTH}.label"})
        self.place = {name: at for at, name in enumerate(classes)}
        whole = [v2.Resize((SIDE, SIDE), antialias=True)]
        part = [v2.RandomResizedCrop(SIDE, (0.5, 1)), v2.RandomHorizontalFlip()]
        tensor = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
        normal = [v2.Normalize([0.5] * 3, [0.25] * 3)]
        self.transform = v2.Compose([*(part if augment else whole), *tensor, *normal])

    @property
    def required_keys(self) -> list[str]:
        """Fields that are read of each sample."""
        return ["id", "filepath", "label"]

    def __call__(self, sample: dict) -> tuple[str, torch.Tensor, int]:
        """Reads one photograph; -1 stands for a class that training has not seen."""
        with Image.open(sample["filepath"]) as image:
            pixels = self.transform(image.convert("RGB"))
        return sample["id"], pixels, self.place.get(sample["label"], -1)


def main(argv: Sequence[str] | None = None) -> int:
    """Splits, trains and judges; the exit code is the report's: 0 pass, 1 fail, 3 open."""
    try:
        return journey(parser().parse_args(argv))
    except (es.EvalsetsError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def journey(options: argparse.Namespace) -> int:
    """Data in, held out, trained on the rest, judged on what was held out."""
    dataset = load(options.images, options.labels, options.dataset)
    hold_out(dataset, options)
    train, val, test = (
        es.select(dataset, split=side).exists(TRUTH)
        for side in ("train", "val", "test")
    )
    say(
        "Select",
        f"{len(train):,} for training, {len(val):,} for val, {len(test):,} test",
    )
    classes = sorted(labels_in(train))
    network = fit(train, val, classes, options.epochs)
    predictions = predict(network, test, classes)
    say("Upload", es.upload_predictions(dataset, MODEL, predictions, overwrite=True))
    report = es.evaluate(dataset, MODEL)
    print(report)
    return report.exit_code


def hold_out(dataset: fo.Dataset, options: argparse.Namespace) -> None:
    """Names populations and gives every sample its side."""
    if options.encoder:
        say("Embed", es.embed(dataset, options.encoder))
    say("Tag", es.tag(dataset, [{"statistics": {}}]))
    asked = tuple(es.Requirement.parse(text) for text in options.require)
    named = guess_populations(dataset, bool(options.encoder))
    named += [read_population(text) for text in options.population]
    es.compose(dataset, [replace(population, require=asked) for population in named])
    near = options.near_duplicates if options.encoder else None
    report = es.split(dataset, val=0.15, near_duplicates=near, background=0.2)
    say("Split", report.sizes)
    print(es.coverage(dataset))


def fit(
    train: fo.DatasetView, val: fo.DatasetView, classes: list[str], epochs: int
) -> nn.Module:
    """The network of the epoch that is best on val."""
    torch.manual_seed(0)
    network = small_network(len(classes))
    loader = batches(train, Photograph(classes, augment=True), shuffle=True)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=3e-3, total_steps=max(1, epochs * len(loader))
    )
    best, found = -1.0, network
    for epoch in range(1, epochs + 1):
        network.train()
        for _, pixels, place in loader:
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(network(pixels), place)
            loss.backward()
            optimiser.step()
            schedule.step()
        right = accuracy(network, val, classes)
        say("Epoch", f"{epoch:>2}  loss {loss.item():.2f}  accuracy on val {right:.3f}")
        if right > best:
            best, found = right, copy.deepcopy(network)
    return found


def small_network(n_classes: int) -> nn.Module:
    """Four convolutions, each halving the image, and a mean over what is left."""
    layers: list[nn.Module] = []
    before = 3
    for width in (32, 64, 128, 256):
        convolution = nn.Conv2d(before, width, 3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
        before = width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, n_classes)]
    return nn.Sequential(*layers)


def batches(
    view: fo.DatasetView, photograph: Photograph, *, shuffle: bool = False
) -> DataLoader:
    """A DataLoader over a view; its fields are read once."""
    generator = torch.Generator().manual_seed(0)
    rows = view.to_torch(photograph, vectorize=True)
    return DataLoader(rows, BATCH, shuffle=shuffle, generator=generator)


def accuracy(network: nn.Module, view: fo.DatasetView, classes: list[str]) -> float:
    """Share of a view that the network has right; 0 of an empty one."""
    right = [
        hit
        for _, probability, place in outputs(network, view, classes)
        for hit in (probability.argmax(1) == place).tolist()
    ]
    return sum(right) / max(1, len(right))


def predict(
    network: nn.Module, view: fo.DatasetView, classes: list[str]
) -> pd.DataFrame:
    """One row a sample: its id, and the probability of every class."""
    parts = [
        pd.DataFrame(probability.numpy(), columns=classes, index=list(ids))
        for ids, probability, _ in outputs(network, view, classes)
    ]
    return pd.concat(parts).rename_axis("id").reset_index()


@torch.no_grad()
def outputs(
    network: nn.Module, view: fo.DatasetView, classes: list[str]
) -> Iterator[tuple[tuple[str, ...], torch.Tensor, torch.Tensor]]:
    """Ids, probabilities and true places, batch by batch."""
    network.eval()
    for ids, pixels, place in batches(view, Photograph(classes)):
        yield ids, network(pixels).double().softmax(1), place


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = made.add_argument
    add("--images", required=True, help="folder of photographs")
    add("--labels", required=True, help="CSV with file and label; or 'folders'")
    add("--dataset", default="photos", help="its name in FiftyOne")
    add("--encoder", help="open_clip:ARCH:WEIGHTS or the folder of a checkpoint")
    add("--near-duplicates", type=float, default=0.97, help="cosine; needs an encoder")
    add("--epochs", type=int, default=20)
    many = {"action": "append", "default": []}
    add("--population", **many, metavar="NAME=QUERY@SHARE", help="may be repeated")
    add("--require", **many, help="of each population: 'accuracy >= 0.4'")
    return made


if __name__ == "__main__":
    raise SystemExit(main())
