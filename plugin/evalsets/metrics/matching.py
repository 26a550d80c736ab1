"""COCO's matching of predicted boxes with objects, by pycocotools."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsets.metrics.catalog import OVERLAPS
from evalsets.metrics.outcomes import Codes, Floats

_MOST = 100  # boxes of one class in one image, as COCO


@dataclass(frozen=True)
class Boxes:
    """Boxes of all images, flat.

    Args:
        image: ``(k,)`` number of the image
        label: ``(k,)`` code of the class
        box: ``(k, 4)`` left, top, width, height; pixels or relative, but as the other
            side's
        score: ``(k,)`` of predictions; None for truth
        crowd: ``(k,)`` of truth: a region that predictions may fill any number of times
    """

    image: Codes
    label: Codes
    box: Floats
    score: Floats | None = None
    crowd: NDArray[np.bool_] | None = None


def match_boxes(
    truth: Boxes, predicted: Boxes, n_images: int, n_classes: int
) -> tuple[Codes, NDArray[np.bool_], NDArray[np.bool_]]:
    """Positions of the predictions COCO looks at; for each, found and ignored."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    everything = [0.0, float("inf")]
    with contextlib.redirect_stdout(io.StringIO()):  # it prints
        sides = []
        for boxes in (truth, predicted):
            side = COCO()
            side.dataset = {
                "images": [{"id": i} for i in range(n_images)],
                "categories": [{"id": c} for c in range(n_classes)],
                "annotations": _annotations(boxes),
            }
            side.createIndex()
            sides.append(side)
        matching = COCOeval(*sides, "bbox")
        matching.params.areaRng, matching.params.areaRngLbl = [everything], ["all"]
        matching.params.maxDets = [_MOST]
        matching.evaluate()
    seen = [entry for entry in matching.evalImgs if entry is not None]
    kept = np.array([i - 1 for entry in seen for i in entry["dtIds"]], np.intp)
    empty = [np.zeros((len(OVERLAPS), 0))]
    matched = np.hstack([entry["dtMatches"] for entry in seen] + empty) > 0
    ignored = np.hstack([entry["dtIgnore"] for entry in seen] + empty) > 0
    return kept, matched & ~ignored, ignored


def _annotations(boxes: Boxes) -> list[dict[str, Any]]:
    n = len(boxes.image)
    crowd = np.zeros(n, bool) if boxes.crowd is None else boxes.crowd
    score = np.ones(n) if boxes.score is None else boxes.score
    columns = (
        boxes.image.tolist(),
        boxes.label.tolist(),
        boxes.box.tolist(),
        crowd.astype(int).tolist(),
        score.tolist(),
    )
    return [
        {
            "id": number,
            "image_id": image,
            "category_id": label,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": in_crowd,
            "score": certain,
        }
        for number, (image, label, box, in_crowd, certain) in enumerate(
            zip(*columns, strict=True), 1
        )
    ]
