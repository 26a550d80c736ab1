"""The demo's two classifiers of the kind of scene: the models under test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

_SIZE = (96, 64)  # pixels a photograph is reduced to
_STEPS, _BATCH, _LEARNING_RATE = 450, 32, 4e-3


class Classifier:
    """A small convolutional network over reduced photographs.

    Args:
        network: logits (n, classes) of pixels (n, 3, 64, 96) in -1 to 1
        classes: names, in the order of the logits
    """

    def __init__(self, network: nn.Module, classes: Sequence[str]) -> None:
        self._network = network.eval()
        self.classes = tuple(classes)

    @torch.inference_mode()
    def predict(self, filepaths: Sequence[str | Path]) -> np.ndarray:
        """Probabilities (n, classes)."""
        logits = [self._network(part) for part in _pixels(filepaths).split(256)]
        return torch.cat(logits).softmax(dim=1).numpy()


def train_classifier(
    filepaths: Sequence[str | Path],
    labels: Sequence[str],
    seed: int,
    width: int = 16,
) -> Classifier:
    """Trains a classifier; the same arguments give the same one.

    Args:
        filepaths: photographs
        labels: the class of each
        seed: of the weights, the order and the augmentation
        width: channels of the first layer
    """
    classes = sorted(set(labels))
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        network = _network(width, len(classes))
        _fit(
            network,
            _pixels(filepaths),
            torch.tensor([classes.index(label) for label in labels]),
        )
    return Classifier(network, classes)


def _network(width: int, n_classes: int) -> nn.Module:
    layers: list[nn.Module] = []
    n_in = 3
    for n_out in (width, 2 * width, 4 * width, 4 * width):
        layers += [
            nn.Conv2d(n_in, n_out, 3, stride=2, padding=1),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
        ]
        n_in = n_out
    return nn.Sequential(
        *layers,
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(n_in * (_SIZE[0] // 16) * (_SIZE[1] // 16), n_classes),
    )


def _fit(network: nn.Module, pixels: torch.Tensor, targets: torch.Tensor) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), _LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _LEARNING_RATE, total_steps=_STEPS
    )
    rounds = -(-_STEPS * _BATCH // len(pixels))
    order = torch.cat([torch.randperm(len(pixels)) for _ in range(rounds)])
    network.train()
    for chosen in order[: _STEPS * _BATCH].split(_BATCH):
        logits = network(_augmented(pixels[chosen]))
        loss = nn.functional.cross_entropy(
            logits, targets[chosen], label_smoothing=0.05
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Steps this small are slower on two threads, which wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _augmented(pixels: torch.Tensor) -> torch.Tensor:
    """Mirrored, moved, scaled and tinted a little, each photograph in its own way."""
    n = len(pixels)
    frames = torch.zeros(n, 2, 3)
    scale = 1 + 0.1 * (2 * torch.rand(n) - 1)
    frames[:, 0, 0] = torch.where(torch.rand(n) < 0.5, -scale, scale)
    frames[:, 1, 1] = scale
    frames[:, :, 2] = 0.12 * (2 * torch.rand(n, 2) - 1)
    grid = nn.functional.affine_grid(frames, list(pixels.shape), align_corners=False)
    images = nn.functional.grid_sample(
        pixels, grid, padding_mode="border", align_corners=False
    )
    gain, shift = 1 + 0.1 * torch.randn(n, 3, 1, 1), 0.1 * torch.randn(n, 3, 1, 1)
    return (images + 1) * gain - 1 + shift


def _pixels(filepaths: Sequence[str | Path]) -> torch.Tensor:
    with ThreadPoolExecutor(2) as pool:
        images = list(pool.map(_reduced, filepaths))
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return pixels.float() / 127.5 - 1


def _reduced(filepath: str | Path) -> np.ndarray:
    with Image.open(filepath) as image:
        return np.asarray(image.convert("RGB").resize(_SIZE, Image.Resampling.BOX))
