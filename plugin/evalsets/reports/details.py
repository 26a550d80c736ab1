"""What a report keeps beside its rows: confusions, reliability and the worst samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evalsets.metrics import Classification, Codes

BINS = 15
"""Bins of confidence, as the calibration error has (Guo et al. 2017)."""
Confusion = Sequence[tuple[str, str, int]]
"""True label, predicted label (empty for none), and how many samples."""
Reliability = Sequence[tuple[int, float, float]]
"""By bin of confidence: samples, their mean confidence, and the share that is right."""


@dataclass(frozen=True)
class Details:
    """Counts and samples behind the figures, by population.

    Args:
        confusion: of all samples and of failing populations, for one label an image
        reliability: of the same, where there are confidences
        worst: ids of the samples that went worst, the worst first
    """

    confusion: Mapping[str, Confusion] = field(default_factory=dict)
    reliability: Mapping[str, Reliability] = field(default_factory=dict)
    worst: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> Details:
        """Reads the JSON form."""
        return cls(
            {
                name: [(str(t), str(p), int(n)) for t, p, n in cells]
                for name, cells in held.get("confusion", {}).items()
            },
            {
                name: [(int(n), float(c), float(r)) for n, c, r in bins]
                for name, bins in held.get("reliability", {}).items()
            },
            {name: list(ids) for name, ids in held.get("worst", {}).items()},
        )


def confusion_of(outcomes: Classification, samples: Codes) -> Confusion:
    """How often each label was taken for which, over some samples."""
    width = len(outcomes.classes) + 1
    pairs = outcomes.truth[samples] * width + outcomes.predicted[samples] + 1
    cells, counts = np.unique(pairs, return_counts=True)
    names = ("", *outcomes.classes)
    return [
        (outcomes.classes[cell // width], names[cell % width], n)
        for cell, n in zip(cells.tolist(), counts.tolist(), strict=True)
    ]


def reliability_of(outcomes: Classification, samples: Codes) -> Reliability:
    """How often predictions of each confidence are right, over some samples.

    A sample without a prediction has no confidence and is left out.
    """
    if outcomes.confidence is None:
        return []
    samples = samples[outcomes.predicted[samples] >= 0]
    confidence, right = outcomes.confidence[samples], outcomes.quality[samples]
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    n, sure, hits = (
        np.bincount(place, weights, BINS).tolist()
        for weights in (None, confidence, right)
    )
    return [
        (int(n[at]), sure[at] / n[at], hits[at] / n[at]) for at in range(BINS) if n[at]
    ]
