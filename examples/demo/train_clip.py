"""Trains the demo's CLIP on drawn scenes, measures it on unseen ones, writes its card.

python -m examples.demo.train_clip
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    logsigmoid,
    normalize,
)

from evalsets.encoders import load_encoder
from examples.demo.captions import FACTS, Caption, all_words, describe, facts_of
from examples.demo.cards import NAME, write_card
from examples.demo.drawing import draw_many
from examples.demo.measure_clip import (
    FOLDER,
    retrieval,
    zero_shot_accuracy,
)
from examples.demo.scenes import Shot
from examples.demo.vocabulary import N_BASE, learn_merges, write_merges

TRAIN_SEED, UNSEEN_SEED = 9001, 9002
N_TRAIN, N_UNSEEN = 5000, 900
VOCABULARY = "bpe.txt.gz"
IMAGE_SIZE, CONTEXT, WIDTH = 112, 24, 192
EPOCHS, BATCH, LEARNING_RATE = 12, 64, 2e-3


CARD = f"""
# A CLIP of drawn camera scenes

An open_clip model (a slim ResNet of CLIP's own design at {IMAGE_SIZE} px, a text
transformer of 3 layers, vectors of {WIDTH}) for evalsets' demo. It knows the drawn world of
`examples/demo/scenes` and nothing else.

Trained from scratch by `examples/demo/train_clip.py` on {N_TRAIN} scenes and random
captions of them, with SigLIP's sigmoid loss over all pairs of a batch: a caption matches
every picture it is true of. A linear layer that is not kept taught the images each fact
by itself. So a cosine says how likely a sentence is true, and cut-offs
of different prompts are alike. Weights are fp16.

Measured on {N_UNSEEN} scenes drawn from another seed: the accuracy of zero-shot
classes, and for each query the average precision, the share of right pictures among the
first 20, and the best F1 that a cut-off on the cosine reaches.
"""


def train(n_scenes: int, epochs: int, folder: Path) -> None:
    """Trains and writes config, vocabulary and fp16 weights."""
    torch.manual_seed(TRAIN_SEED)
    torch.set_num_threads(1)  # two wait for each other on a busy machine
    rng = np.random.default_rng(TRAIN_SEED)
    _write_config(folder)
    name = f"local-dir:{folder}"
    model = open_clip.create_model(name, load_weights=False)
    model.visual.to(memory_format=torch.channels_last)
    tokenizer = open_clip.get_tokenizer(name, bpe_path=str(folder / VOCABULARY))
    shots = draw_many(TRAIN_SEED, n_scenes)
    pixels = torch.stack([_pixels(shot) for shot in shots])
    facts = [facts_of(shot.record()) for shot in shots]
    truth = torch.stack([_one_hot(true) for true in facts])
    steps = epochs * (n_scenes // BATCH)
    teacher = torch.nn.Linear(WIDTH, len(FACTS))  # only while training
    weights = [*model.parameters(), *teacher.parameters()]
    optimizer = torch.optim.AdamW(weights, LEARNING_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.1
    )
    started = time.perf_counter()
    model.train()
    for step in range(steps):
        if step % (n_scenes // BATCH) == 0:
            order = rng.permutation(n_scenes)
        chosen = order[BATCH * (step % (n_scenes // BATCH)) :][:BATCH]
        captions = [describe(facts[i], rng) for i in np.repeat(chosen, 2)]
        images = _embed(model, _augmented(pixels[chosen]))
        loss = _pair_loss(model, images, truth[chosen], captions, tokenizer)
        loss = loss + _fact_loss(teacher(images), truth[chosen])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        if step % 20 == 0:
            seconds = time.perf_counter() - started
            print(
                f"step {step}/{steps}  loss {loss.item():.4f}  {seconds:.0f} s",
                flush=True,
            )
    _save(model, folder)


def _embed(model: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Vectors before they are scaled to length 1."""
    with torch.autocast("cpu", torch.bfloat16):  # faster on CPUs with AMX
        rows = images.contiguous(memory_format=torch.channels_last)
        return model.encode_image(rows).float()


def _pair_loss(
    model: torch.nn.Module,
    images: torch.Tensor,
    truth: torch.Tensor,
    captions: list[Caption],
    tokenizer: Callable[[list[str]], torch.Tensor],
) -> torch.Tensor:
    """Sigmoid loss (SigLIP) over all pairs; a caption matches all it is true of."""
    stated = torch.stack([_one_hot(caption.facts) for caption in captions])
    matches = truth @ stated.T == stated.sum(dim=1)
    tokens = tokenizer([caption.text for caption in captions])
    texts = model.encode_text(tokens, normalize=True)
    cosines = normalize(images, dim=1) @ texts.T
    logits = model.logit_scale.exp() * cosines + model.logit_bias
    right = -logsigmoid(logits)[matches].mean()
    wrong = -logsigmoid(-logits)[~matches].mean()
    return right + wrong


def _fact_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Teaches the images each fact by itself; exact counts are beyond them."""
    taught = [i for i, fact in enumerate(FACTS) if not fact.startswith("people ")]
    return 2 * binary_cross_entropy_with_logits(logits[:, taught], truth[:, taught])


def _write_config(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    merges = learn_merges(all_words(), 900)
    write_merges(folder / VOCABULARY, merges)
    half = [0.5, 0.5, 0.5]
    config = {
        "model_cfg": {
            "embed_dim": WIDTH,
            "init_logit_scale": float(np.log(10)),
            "init_logit_bias": -4.0,
            "vision_cfg": {
                "image_size": IMAGE_SIZE,
                "layers": [1, 1, 1, 1],
                "width": 24,
            },
            "text_cfg": {
                "context_length": CONTEXT,
                "vocab_size": N_BASE + len(merges),
                "width": 128,
                "heads": 4,
                "layers": 3,
                "tokenizer_kwargs": {"bpe_path": VOCABULARY},
            },
        },
        "preprocess_cfg": {
            "mean": half,
            "std": half,
            "size": IMAGE_SIZE,
            "interpolation": "bicubic",
            "resize_mode": "squash",
        },
        "prompt_templates": ["{}", "a photo of {}", "a picture of {}"],
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=1) + "\n")


def _pixels(shot: Shot) -> torch.Tensor:
    image = Image.fromarray(shot.image)
    small = image.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)


def _augmented(pixels: torch.Tensor) -> torch.Tensor:
    """Mirrored, shifted and brightened at random; scaled to -1 to 1."""
    images = pixels.float() / 127.5 - 1
    n = len(images)
    mirrored = torch.rand(n) < 0.5
    images[mirrored] = images[mirrored].flip(-1)
    dy, dx = torch.randint(-4, 5, (2,)).tolist()
    images = images.roll((dy, dx), (2, 3))
    gain = 1 + 0.12 * torch.randn(n, 1, 1, 1)
    return images * gain + 0.05 * torch.randn(n, 3, 1, 1)


def _one_hot(facts: frozenset[str]) -> torch.Tensor:
    return torch.tensor([float(fact in facts) for fact in FACTS])


def _save(model: torch.nn.Module, folder: Path) -> None:
    weights = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in model.state_dict().items()
    }
    save_file(weights, folder / "open_clip_model.safetensors")


def measure(folder: Path, shots: list[Shot]) -> dict[str, dict[str, float]]:
    """The figures of the card."""
    encoder = load_encoder(folder)
    found = retrieval(encoder, shots).set_index("query")
    return {
        "zero-shot accuracy": zero_shot_accuracy(encoder, shots),
        "average precision": found["average_precision"].to_dict(),
        "precision at 20": found["p_at_20"].to_dict(),
        "best F1": found["best_f1"].to_dict(),
        "cut-off of the best F1": found["best_cut"].to_dict(),
    }


def main() -> None:
    """Trains, then measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=N_TRAIN)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--only-measure", action="store_true")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    if not arguments.only_measure:
        train(arguments.scenes, arguments.epochs, arguments.folder)
    figures = measure(arguments.folder, draw_many(UNSEEN_SEED, N_UNSEEN))
    write_card(arguments.folder, CARD, figures)
    print((arguments.folder / NAME).read_text())


if __name__ == "__main__":
    main()
