"""Trains the demo's segmenter on drawn scenes and measures it on unseen ones.

python -m examples.demo.train_segmenter
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy, interpolate, l1_loss, logsigmoid

from examples.demo.cards import NAME, write_card
from examples.demo.drawing import draw_many
from examples.demo.measure_segmenter import count_accuracy, fraction_error, pixel_iou
from examples.demo.scenes import HEIGHT, WIDTH, Shot
from examples.demo.segmenter import (
    STRIDE,
    WEIGHTS,
    SceneNet,
    load_people_detector,
    load_scene_segmenter,
)

TRAIN_SEED, UNSEEN_SEED = 9101, 9102
N_TRAIN, N_UNSEEN = 2500, 900
EPOCHS, BATCH, LEARNING_RATE = 9, 32, 3e-3
CLASS_WEIGHTS = (1.0, 1.0, 1.0, 3.0)


CARD = f"""
# A segmenter of drawn camera scenes

A U-Net of half a million parameters for evalsets' demo: it names each pixel road, ocean
or person, and marks the centre of each person, as CenterNet does, so that people who
stand close together are counted. It knows the drawn world of `examples/demo/scenes` and
nothing else.

Trained from scratch by `examples/demo/train_segmenter.py` on {N_TRAIN} scenes. Weights
are fp16. Measured on {N_UNSEEN} scenes drawn from another seed.
"""


def train(n_scenes: int, epochs: int, weights: Path) -> None:
    """Trains and writes the weights in fp16."""
    torch.manual_seed(TRAIN_SEED)
    torch.set_num_threads(1)  # two wait for each other on a busy machine
    rng = np.random.default_rng(TRAIN_SEED)
    shots = draw_many(TRAIN_SEED, n_scenes)
    network = SceneNet().train().to(memory_format=torch.channels_last)
    steps = epochs * (n_scenes // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.1
    )
    started = time.perf_counter()
    for step in range(steps):
        if step % (n_scenes // BATCH) == 0:
            order = rng.permutation(n_scenes)
        chosen = order[BATCH * (step % (n_scenes // BATCH)) :][:BATCH]
        loss = _loss(network, [shots[i] for i in chosen], rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            seconds = time.perf_counter() - started
            print(
                f"step {step}/{steps}  loss {loss.item():.4f}  {seconds:.0f} s",
                flush=True,
            )
    weights.parent.mkdir(parents=True, exist_ok=True)
    state = network.state_dict()
    halves = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in state.items()
    }
    save_file(halves, weights)


def _loss(
    network: SceneNet, shots: list[Shot], rng: np.random.Generator
) -> torch.Tensor:
    images = torch.from_numpy(np.stack([shot.image for shot in shots]))
    images = images.permute(0, 3, 1, 2).float() / 255
    masks = torch.from_numpy(np.stack([shot.mask for shot in shots])).long()
    truth = [_centres(shot) for shot in shots]
    heat = torch.from_numpy(np.stack([heat for heat, _, _ in truth]))
    images = (
        images * torch.from_numpy(rng.normal(1, 0.1, (len(shots), 1, 1, 1))).float()
    )
    if rng.random() < 0.5:
        images, masks, heat = images.flip(-1), masks.flip(-1), heat.flip(-1)
        truth = [(h, (r, heat.shape[-1] - 1 - c), s) for h, (r, c), s in truth]
    with torch.autocast("cpu", torch.bfloat16):  # three times faster on CPUs with AMX
        outputs = network(images.contiguous(memory_format=torch.channels_last))
    logits, centres, sizes = (output.float() for output in outputs)
    full = interpolate(logits, scale_factor=STRIDE, mode="bilinear")
    pixels = cross_entropy(full, masks, torch.tensor(CLASS_WEIGHTS))
    found = torch.cat(
        [
            size[:, rows, columns]
            for size, (_, (rows, columns), _) in zip(sizes, truth, strict=True)
        ],
        dim=1,
    )
    wanted = torch.from_numpy(np.concatenate([size for _, _, size in truth], axis=1))
    extent = l1_loss(found, wanted) if wanted.numel() else 0.0
    return pixels + _focal(centres[:, 0], heat) + 0.2 * extent


def _focal(logits: torch.Tensor, heat: torch.Tensor) -> torch.Tensor:
    """CenterNet's focal loss: pixels near a centre count less as negatives."""
    likely = logits.sigmoid()
    centre = heat == 1
    right = ((1 - likely) ** 2 * logsigmoid(logits))[centre].sum()
    wrong = ((1 - heat) ** 4 * likely**2 * logsigmoid(-logits))[~centre].sum()
    return -(right + wrong) / max(1, int(centre.sum()))


def _centres(
    shot: Shot,
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Heat (h, w) with 1 at each centre, the centres, and log sizes (2, people)."""
    shape = HEIGHT // STRIDE, WIDTH // STRIDE
    boxes = np.array(shot.people, np.float32).reshape(-1, 4)
    size = boxes[:, 2:] - boxes[:, :2]
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 / STRIDE
    columns = middle[:, 0].astype(int).clip(0, shape[1] - 1)
    rows = middle[:, 1].astype(int).clip(0, shape[0] - 1)
    heat = np.zeros(shape, np.float32)
    y, x = np.arange(shape[0])[:, None], np.arange(shape[1])[None]
    for row, column, (width, height) in zip(rows, columns, size, strict=True):
        spread_x, spread_y = max(0.7, width / 14), max(0.7, height / 18)
        away = ((x - column) / spread_x) ** 2 + ((y - row) / spread_y) ** 2
        heat = np.maximum(heat, np.exp(-away / 2, dtype=np.float32))
    return heat, (rows, columns), np.log(size.T)


def measure(weights: Path, shots: list[Shot]) -> dict[str, dict[str, float]]:
    """The figures of the card."""
    segmenter = load_scene_segmenter(weights)
    return {
        "pixel IoU": pixel_iou(segmenter, shots),
        "mean error of the fraction": fraction_error(segmenter, shots),
        "counting people": count_accuracy(load_people_detector(weights), shots),
    }


def main() -> None:
    """Trains, then measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=N_TRAIN)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--only-measure", action="store_true")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    if not arguments.only_measure:
        train(arguments.scenes, arguments.epochs, arguments.weights)
    figures = measure(arguments.weights, draw_many(UNSEEN_SEED, N_UNSEEN))
    write_card(arguments.weights.parent, CARD, figures)
    print((arguments.weights.parent / NAME).read_text())


if __name__ == "__main__":
    main()
