"""Figures of the demo's CLIP on scenes it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from PIL import Image

from evalsets.encoders import Encoder
from evalsets.encoders.encoder import prompt_vector
from examples.demo.scenes import Shot

FOLDER = Path(__file__).resolve().parent / "models" / "clip"
TAGS = Path(__file__).resolve().parent / "tags.yml"

CLASSES = {
    "kind": {
        "straight road": ["a straight road"],
        "windy road": ["a windy road"],
        "harbour": ["a harbour"],
        "bridge": ["a bridge"],
        "factory floor": ["a factory floor"],
        "open sea": ["the open sea"],
    },
    "trees": {True: ["with trees"], False: ["without trees"]},
    "glare": {True: ["sun glare"], False: ["no glare"]},
    "lighting": {"lit": ["a brightly lit factory"], "dim": ["a dimly lit factory"]},
}
QUERIES = {
    "windy road with no trees": "kind == 'windy road' and not trees",
    "windy road": "kind == 'windy road'",
    "a windy road with trees": "kind == 'windy road' and trees",
    "dimly lit factory floor": "lighting == 'dim'",
    "ocean view on a bridge": "kind == 'bridge'",
    "ocean view": "kind in ['bridge', 'harbour', 'open sea']",
    "sun glare": "glare",
    "trees": "trees",
    "sunset": "time == 'sunset'",
    "a harbour at night": "kind == 'harbour' and time == 'night'",
    "a road in the snow": "kind.str.endswith('road') and weather == 'snow'",
    "a crowd of people": "num_people > 5",
}


def zero_shot_accuracy(encoder: Encoder, shots: Sequence[Shot]) -> dict[str, float]:
    """Share of right classes for each attribute."""
    truth = pd.DataFrame([shot.record() for shot in shots])
    images = _embed(encoder, shots)
    accuracy = {}
    for attribute, prompts in {**CLASSES, **_tagged_classes()}.items():
        asked = truth[attribute].isin(list(prompts)).to_numpy()
        vectors = np.stack(
            [prompt_vector(encoder, texts) for texts in prompts.values()]
        )
        best = (images[asked] @ vectors.T).argmax(axis=1)
        right = np.array(list(prompts), object)[best] == truth[attribute][asked]
        accuracy[attribute] = float(right.mean())
    return accuracy


def retrieval(encoder: Encoder, shots: Sequence[Shot]) -> pd.DataFrame:
    """For each query: relevant, P@20, average precision, cosines, best cut's F1."""
    truth = pd.DataFrame([shot.record() for shot in shots])
    images = _embed(encoder, shots)
    rows = []
    for text, condition in QUERIES.items():
        relevant = truth.eval(condition).to_numpy(bool)
        score = images @ prompt_vector(encoder, text)
        hits = relevant[np.argsort(-score)]
        ranks = np.arange(1, len(hits) + 1)
        precision, recall = hits.cumsum() / ranks, hits.cumsum() / hits.sum()
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
        rows.append(
            {
                "query": text,
                "relevant": int(hits.sum()),
                "p_at_20": hits[:20].mean(),
                "average_precision": precision[hits].mean(),
                "cosine_relevant": score[relevant].mean(),
                "cosine_other": score[~relevant].mean(),
                "best_cut": np.sort(score)[::-1][f1.argmax()],
                "best_f1": f1.max(),
            }
        )
    return pd.DataFrame(rows)


def _tagged_classes() -> dict[str, dict[str, list[str]]]:
    taggers = yaml.safe_load(TAGS.read_text())["taggers"]
    return {
        tagger["zero_shot"]["field"]: tagger["zero_shot"]["classes"]
        for tagger in taggers
        if "zero_shot" in tagger
    }


def _embed(encoder: Encoder, shots: Sequence[Shot]) -> np.ndarray:
    vectors = []
    for start in range(0, len(shots), 64):
        batch = [
            encoder.prepare(Image.fromarray(shot.image))
            for shot in shots[start : start + 64]
        ]
        vectors.append(encoder.encode_images(torch.stack(batch)))
    return np.concatenate(vectors)
