"""Outcomes of detection: COCO matching once, then weighted accumulation."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from evalsets.errors import ArgumentError
from evalsets.metrics.catalog import METRICS
from evalsets.metrics.outcomes import Codes, Floats, macro_error

IOU = np.linspace(0.5, 0.95, 10)
_RECALL = np.linspace(0.0, 1.0, 101)
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


@dataclass(frozen=True)
class Detection:
    """Which predicted boxes found an object, at ten overlaps.

    ``map`` averages over IoU .50:.95 and ``map50`` takes .50, both COCO's, over the
    classes that have objects. ``precision``, ``recall`` and ``f1`` pool the boxes of all
    classes at IoU .50 and leave out predictions below ``min_score``.

    Args:
        image: ``(k,)`` number of the image of each predicted box
        label: ``(k,)`` code of its class
        score: ``(k,)``; boxes are sorted by class, then falling score
        found: ``(10, k)`` whether it found an object, for each of ``IOU``
        ignored: ``(10, k)`` whether it counts neither way (it lies in a crowd)
        objects: ``(n, c)`` how many objects of each class an image has
        classes: ``(c,)`` names
        min_score: least score that counts for precision, recall and F1
    """

    image: Codes
    label: Codes
    score: Floats
    found: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    objects: sp.csr_array
    classes: tuple[str, ...]
    min_score: float = 0.5
    task = "detection"
    metrics = ("map", "map50", "precision", "recall", "f1")

    @classmethod
    def of(
        cls,
        truth: Boxes,
        predicted: Boxes,
        n_images: int,
        classes: Sequence[str],
        min_score: float = 0.5,
    ) -> Detection:
        """Matches predictions with objects as COCO does (area all, 100 boxes).

        Raises:
            ArgumentError: predictions without scores
        """
        if predicted.score is None:
            raise ArgumentError("Predicted boxes need scores")
        kept, found, ignored = _match(truth, predicted, n_images, len(classes))
        order = kept[np.lexsort((-predicted.score[kept], predicted.label[kept]))]
        place = np.empty(len(predicted.image), np.intp)
        place[kept] = np.arange(len(kept))
        counts = truth.crowd is None or ~truth.crowd
        ones = np.broadcast_to(counts, len(truth.image)).astype(float)
        objects = sp.csr_array(
            (ones, (truth.image, truth.label)), shape=(n_images, len(classes))
        )
        return cls(
            predicted.image[order],
            predicted.label[order],
            predicted.score[order],
            found[:, place[order]],
            ignored[:, place[order]],
            objects,
            tuple(classes),
            min_score,
        )

    def __len__(self) -> int:
        return int(self.objects.shape[0])

    def take(self, samples: Codes) -> Detection:
        """The outcomes of some images, each at most once."""
        place = np.full(len(self), -1)
        place[samples] = np.arange(len(samples))
        image = place[self.image]
        kept = image >= 0
        return replace(
            self,
            image=image[kept],
            label=self.label[kept],
            score=self.score[kept],
            found=self.found[:, kept],
            ignored=self.ignored[:, kept],
            objects=self.objects[samples],
        )

    def higher_is_better(self, metric: str) -> bool:
        """Direction of a metric."""
        return METRICS[metric].higher_is_better

    def hits(self, metric: str) -> Floats:
        """Boxes are no samples, so no metric here is a proportion of samples."""
        raise ArgumentError(f"'{metric}' of detections is not a proportion of samples")

    def kinds(self, metric: str) -> Codes:  # noqa: ARG002
        """Every image is its own kind."""
        return np.arange(len(self))

    def least_error(self, metric: str) -> float:
        """That of an average over classes of which some are rare."""
        if metric not in ("map", "map50"):
            return 0.0
        return macro_error(self.objects.sum(axis=0))

    def measure(self, metric: str, weights: Floats) -> Floats:
        """The metric under each weighting of the images; see :class:`Outcomes`."""
        if metric in ("map", "map50"):
            return self._mean_precision(weights, range(10 if metric == "map" else 1))
        counts = self.score >= self.min_score
        right = weights @ self._per_image(self.found[0] & counts)
        guessed = weights @ self._per_image(counts & ~self.ignored[0])
        true = weights @ self.objects.sum(axis=1)
        below = {"precision": guessed, "recall": true, "f1": (true + guessed) / 2}[
            metric
        ]
        with np.errstate(invalid="ignore"):
            share: Floats = right / below
        return share

    def _per_image(self, boxes: NDArray[np.bool_]) -> Floats:
        return np.bincount(self.image[boxes], minlength=len(self)).astype(float)

    def _mean_precision(self, weights: Floats, overlaps: range) -> Floats:
        """Mean over classes and overlaps of the 101-point average precision."""
        objects = weights @ self.objects
        total = np.zeros(len(weights))
        edges = np.searchsorted(self.label, np.arange(len(self.classes) + 1))
        for code in np.flatnonzero(objects.any(axis=0)):
            boxes = np.arange(edges[code], edges[code + 1])
            counts = weights[:, self.image[boxes]]
            for overlap in overlaps:
                total += _average_precision(
                    counts,
                    self.found[overlap, boxes],
                    self.ignored[overlap, boxes],
                    objects[:, code],
                )
        with np.errstate(invalid="ignore"):
            mean: Floats = total / (objects > 0).sum(axis=1) / len(overlaps)
        return mean


def _average_precision(
    counts: Floats,
    found: NDArray[np.bool_],
    ignored: NDArray[np.bool_],
    objects: Floats,
) -> Floats:
    """COCO's average precision of one class under many weightings.

    Args:
        counts: ``(r, k)`` weight of each box, by falling score
        found: ``(k,)``
        ignored: ``(k,)``
        objects: ``(r,)`` weighted number of objects

    Returns:
        ``(r,)``; 0 where there are no objects
    """
    at = np.flatnonzero(found)
    if not len(at):
        return np.zeros(len(counts))
    right = np.cumsum(counts[:, at], axis=1)
    guessed = np.cumsum(counts * ~ignored, axis=1)[:, at]
    precision = np.divide(right, guessed, out=np.zeros_like(right), where=guessed > 0)
    # the best precision at this recall or a higher one
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    reached = _first_at_recall(right, objects)
    padded = np.hstack([precision, np.zeros((len(counts), 1))])
    average: Floats = np.take_along_axis(padded, reached, axis=1).mean(axis=1)
    return np.where(objects > 0, average, 0.0)


def _first_at_recall(right: Floats, objects: Floats) -> Codes:
    """``(r, 101)`` place of the first box that brings each recall; else one too far."""
    n, width = right.shape
    least = np.maximum(objects, 1)[:, None]
    wanted = np.ceil(_RECALL * least)
    wanted -= (wanted - 1) / least >= _RECALL  # the same rounding as recall >= step
    wanted += wanted / least < _RECALL
    step = right.max() + least.max() + 2  # whole numbers, so adding keeps them exact
    rows = np.arange(n)[:, None] * step
    flat = np.searchsorted((right + rows).ravel(), (wanted + rows).ravel())
    places: Codes = flat.reshape(n, -1) - np.arange(n)[:, None] * width
    return np.minimum(places, width)


def _match(
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
    empty = [np.zeros((len(IOU), 0))]
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
