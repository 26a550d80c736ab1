"""Figures of the demo's segmenter on scenes it has not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from examples.demo.scenes import Shot
from examples.demo.segmenter import MASK_TARGETS, PeopleDetector, SceneSegmenter


def pixel_iou(model: SceneSegmenter, shots: Sequence[Shot]) -> dict[str, float]:
    """Intersection over union of each class, over all pixels of all images."""
    common = dict.fromkeys(MASK_TARGETS, 0)
    either = dict.fromkeys(MASK_TARGETS, 0)
    for batch in _batches(shots):
        labels = model.predict_all([shot.image for shot in batch])
        for shot, label in zip(batch, labels, strict=True):
            for value in MASK_TARGETS:
                found, true = label.mask == value, shot.mask == value
                common[value] += int((found & true).sum())
                either[value] += int((found | true).sum())
    return {name: common[v] / either[v] for v, name in MASK_TARGETS.items()}


def fraction_error(model: SceneSegmenter, shots: Sequence[Shot]) -> dict[str, float]:
    """Mean absolute error of each class's share of the picture."""
    errors: dict[str, list[float]] = {name: [] for name in MASK_TARGETS.values()}
    for batch in _batches(shots):
        labels = model.predict_all([shot.image for shot in batch])
        for shot, label in zip(batch, labels, strict=True):
            for value, name in MASK_TARGETS.items():
                found, true = (label.mask == value).mean(), (shot.mask == value).mean()
                errors[name].append(abs(found - true))
    return {name: float(np.mean(values)) for name, values in errors.items()}


def count_accuracy(model: PeopleDetector, shots: Sequence[Shot]) -> dict[str, float]:
    """How well the number of people is counted.

    Returns:
        ``exact``, the share of right counts, ``mae``, the mean absolute error, and
        ``crowd_f1``, the F1 of "more than five people"
    """
    found = np.concatenate(
        [
            [len(label.detections) for label in model.predict_all([s.image for s in b])]
            for b in _batches(shots)
        ]
    )
    true = np.array([len(shot.people) for shot in shots])
    crowd, said = true > 5, found > 5
    return {
        "exact": float((found == true).mean()),
        "mae": float(np.abs(found - true).mean()),
        "crowd_f1": float(2 * (crowd & said).sum() / (crowd.sum() + said.sum())),
    }


def _batches(shots: Sequence[Shot], size: int = 32) -> list[Sequence[Shot]]:
    return [shots[start : start + size] for start in range(0, len(shots), size)]
