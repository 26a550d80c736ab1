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
    truth: Boxes, predicted: Boxes
) -> tuple[Codes, NDArray[np.bool_], NDArray[np.bool_]]:
    """Positions of the predictions COCO looks at; for each, found and ignored.

    The boxes of one class in one image are given as an image with one class: pycocotools
    would look at every class in every image.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    everything = [0.0, float("inf")]
    both = truth, predicted
    pairs = np.hstack([(boxes.image, boxes.label) for boxes in both])
    held, place = np.unique(pairs, axis=1, return_inverse=True)
    places = np.split(place.reshape(-1), [len(truth.image)])
    with contextlib.redirect_stdout(io.StringIO()):  # it prints
        sides = []
        for boxes, images in zip(both, places, strict=True):
            side = COCO()
            side.dataset = {
                "images": [{"id": i} for i in range(held.shape[1])],
                "categories": [{"id": 0}],
                "annotations": _annotations(boxes, images),
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


def _annotations(boxes: Boxes, images: Codes) -> list[dict[str, Any]]:
    n = len(boxes.image)
    crowd = np.zeros(n, bool) if boxes.crowd is None else boxes.crowd
    score = np.ones(n) if boxes.score is None else boxes.score
    columns = (
        images.tolist(),
        boxes.box.tolist(),
        crowd.astype(int).tolist(),
        score.tolist(),
    )
    return [
        {
            "id": number,
            "image_id": image,
            "category_id": 0,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": in_crowd,
            "score": certain,
        }
        for number, (image, box, in_crowd, certain) in enumerate(
            zip(*columns, strict=True), 1
        )
    ]
