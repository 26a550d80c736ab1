"""Outcomes of segmentation: pixels counted one image at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone as fo
import numpy as np

from evalsets.errors import ArgumentError
from evalsets.images import header_of
from evalsets.metrics import Segmentation, count_pixels

_AT_ONCE = 100
"""Samples whose masks are held at a time."""


def read_masks(view: fo.DatasetView, truth: str, field: str) -> dict[str, Any]:
    """What :class:`~evalsets.datasets.outcomes.Read` holds of segmentations.

    The classes are the dataset's ``mask_targets`` of the true field, or its
    ``default_mask_targets``; without them every value but 255 is one.

    Args:
        view: samples to evaluate
        truth: field of the true masks
        field: of the predicted masks

    Raises:
        ArgumentError: a mask that cannot be read, or of another size than the true one
    """
    ids: list[str] = []
    counts = []
    answered = []
    n = 0
    for sample, true, predicted in _pairs(view, truth, field):
        n += 1
        if true is None:
            continue
        ids.append(sample)
        answered.append(predicted is not None)
        try:
            counts.append(count_pixels(true, predicted))
        except ArgumentError as problem:
            path = view._dataset[sample].filepath
            raise ArgumentError(f"'{path}': {problem}") from problem
    outcomes = Segmentation.joined(counts, _targets(view._dataset, truth))
    return {
        "ids": ids,
        "outcomes": outcomes,
        "answered": np.array(answered, bool),
        "unlabelled": n - len(ids),
        "mistakes": {
            i: (1 - share, f"{share:.0%} of its pixels right")
            for i, share in zip(ids, outcomes.quality.tolist(), strict=True)
            if share < 1
        },
    }


def _targets(dataset: fo.Dataset, field: str) -> dict[int, str] | None:
    targets = dataset.mask_targets.get(field) or dataset.default_mask_targets
    if not targets:
        return None
    return {int(value): str(name) for value, name in targets.items()}


def _pairs(
    view: fo.DatasetView, truth: str, field: str
) -> Iterator[tuple[str, Any, Any]]:
    """Id, true and predicted mask of each sample; None where there is no such mask."""
    ids = view.values("id")
    paths = [
        f"{name}.{part}" for name in (truth, field) for part in ("mask", "mask_path")
    ]
    for start in range(0, len(ids), _AT_ONCE):
        some = view._dataset.select(ids[start : start + _AT_ONCE])
        for sample, *held in zip(*some.values(["id", *paths]), strict=True):
            yield sample, _mask(*held[:2]), _mask(*held[2:])


def _mask(mask: Any, path: str | None) -> Any:
    if mask is None:
        if path is None:
            return None
        try:
            with header_of(path) as image:
                mask = np.array(image)
        except (OSError, ValueError) as problem:
            raise ArgumentError(
                f"The mask '{path}' cannot be read; put it back: {problem}"
            ) from problem
    if mask.ndim != 2:
        raise ArgumentError(
            f"The mask '{path or 'in the dataset'}' has colours; give one channel that "
            "holds the class of each pixel"
        )
    return mask.astype(np.int64)
