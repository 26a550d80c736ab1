"""Outcomes of detection: COCO matching once, then weighted accumulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from evalsets.errors import ArgumentError
from evalsets.metrics.averages import below_classes, count_sums, over_classes
from evalsets.metrics.catalog import OVERLAPS
from evalsets.metrics.matching import Boxes, match_boxes
from evalsets.metrics.outcomes import Codes, Floats, Outcomes, share

_RECALL = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Detection(Outcomes):
    """Which predicted boxes found an object, at ten overlaps.

    ``map`` averages over IoU .50:.95 and ``map50`` … ``map95`` take one of them, as COCO
    does, over the classes that have objects. ``precision``, ``recall`` and ``f1`` pool
    the boxes of all classes at IoU .50 and leave out predictions below ``min_score``.

    Args:
        image: ``(k,)`` number of the image of each predicted box
        label: ``(k,)`` code of its class
        score: ``(k,)``; boxes are sorted by class, then falling score, then image
        found: ``(10, k)`` whether it found an object, for each of ``OVERLAPS``
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
            raise ArgumentError("Predicted boxes have no scores; upload them too")
        kept, found, ignored = match_boxes(truth, predicted, n_images, len(classes))
        counts = truth.crowd is None or ~truth.crowd
        ones = np.broadcast_to(counts, len(truth.image)).astype(float)
        objects = sp.csr_array(
            (ones, (truth.image, truth.label)), shape=(n_images, len(classes))
        )
        return cls(
            predicted.image[kept],
            predicted.label[kept],
            predicted.score[kept],
            found,
            ignored,
            objects,
            tuple(classes),
            min_score,
        )._sorted()

    @classmethod
    def joined(cls, parts: Sequence[Detection]) -> Detection:
        """The images of all parts, one after the other; classes go by their names."""
        classes = tuple(sorted({name for part in parts for name in part.classes}))
        at = {name: code for code, name in enumerate(classes)}
        codes = [np.array([at[c] for c in part.classes], np.intp) for part in parts]
        starts = np.cumsum([0] + [len(part) for part in parts])
        objects = [
            part.objects
            @ sp.csr_array(
                (np.ones(len(code)), (np.arange(len(code)), code)),
                shape=(len(code), len(classes)),
            )
            for part, code in zip(parts, codes, strict=True)
        ]
        return cls(
            np.concatenate(
                [part.image + s for part, s in zip(parts, starts, strict=False)]
            ),
            np.concatenate([c[p.label] for p, c in zip(parts, codes, strict=True)]),
            np.concatenate([part.score for part in parts]),
            np.concatenate([part.found for part in parts], axis=1),
            np.concatenate([part.ignored for part in parts], axis=1),
            sp.csr_array(sp.vstack(objects)),
            classes,
            parts[0].min_score,
        )._sorted()

    def _sorted(self) -> Detection:
        order = np.lexsort((self.image, -self.score, self.label))
        return self._with_boxes(order)

    def _with_boxes(self, boxes: Codes | NDArray[np.bool_]) -> Detection:
        return replace(
            self,
            image=self.image[boxes],
            label=self.label[boxes],
            score=self.score[boxes],
            found=self.found[:, boxes],
            ignored=self.ignored[:, boxes],
        )

    def __len__(self) -> int:
        return int(self.objects.shape[0])

    @property
    def holds(self) -> frozenset[str]:
        """Boxes have scores."""
        return frozenset({"", "confidences"})

    def take(self, samples: Codes) -> Detection:
        """The outcomes of some images, each at most once."""
        place = np.full(len(self), -1)
        place[samples] = np.arange(len(samples))
        image = place[self.image]
        part = replace(self, image=image)._with_boxes(image >= 0)
        return replace(part, objects=self.objects[samples])._sorted()

    def among(self, classes: Sequence[str]) -> Detection:
        """The same outcomes, of some classes; no box or object may be of another.

        Args:
            classes: in the order they have here
        """
        kept = np.isin(self.classes, list(classes))
        label = (np.cumsum(kept) - 1)[self.label]
        objects = self.objects[:, np.flatnonzero(kept)]
        return replace(self, label=label, objects=objects, classes=tuple(classes))

    @property
    def quality(self) -> Floats:
        """``(n,)`` F1 of each image at IoU .50; 1 where nothing is there nor found."""
        right, true, guessed = np.split(self._counts.toarray(), 3, axis=1)
        below = true.sum(axis=1) + guessed.sum(axis=1)
        return share(2 * right.sum(axis=1), below)

    def denominators(self, metric: str) -> sp.csr_array:
        """Objects or guesses of each class, or of all together where boxes are pooled."""
        below = below_classes(metric, self._counts, self.classes)
        if metric.startswith("map") or ":" in metric:
            return below
        return sp.csr_array(below.sum(axis=1)[:, None])

    def sums(self, metric: str) -> sp.csr_array | None:
        """Counts by class; average precision is no function of sums."""
        return None if metric.startswith("map") else self._counts

    def value(self, metric: str, sums: Floats) -> Floats:
        """Precision, recall or F1, over the boxes of all classes or of one."""
        if ":" in metric:
            return over_classes(metric, sums, self.classes)
        right, true, guessed = (part.sum(axis=1) for part in np.split(sums, 3, axis=1))
        below = {"precision": guessed, "recall": true, "f1": (true + guessed) / 2}
        found: Floats = right / below[metric]
        return found

    def measure(self, metric: str, weights: Floats) -> Floats:
        """The metric under each weighting of the images; see :class:`Outcomes`."""
        self.metric(metric)
        if not metric.startswith("map"):
            return super().measure(metric, weights)
        base, _, one = metric.partition(":")
        overlaps = range(len(OVERLAPS))
        if base != "map":
            at = OVERLAPS.index(int(base.removeprefix("map")))
            overlaps = range(at, at + 1)
        return self._mean_precision(weights, overlaps, one)

    @cached_property
    def _counts(self) -> sp.csr_array:
        counts = self.score >= self.min_score
        right = self._per_image(self.found[0] & counts)
        guessed = self._per_image(counts & ~self.ignored[0])
        return count_sums(right, self.objects, guessed)

    def _per_image(self, boxes: NDArray[np.bool_]) -> sp.csr_array:
        ones = np.ones(np.count_nonzero(boxes))
        where = (self.image[boxes], self.label[boxes])
        return sp.csr_array((ones, where), shape=self.objects.shape)

    def _mean_precision(self, weights: Floats, overlaps: range, one: str) -> Floats:
        """Mean over classes and overlaps of the 101-point average precision."""
        objects = weights @ self.objects
        total = np.zeros(len(weights))
        edges = np.searchsorted(self.label, np.arange(len(self.classes) + 1))
        codes = np.flatnonzero(objects.any(axis=0))
        if one:
            codes = codes[codes == self.classes.index(one)]
        for code in codes:
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
            seen = (objects[:, codes] > 0).sum(axis=1)
            mean: Floats = total / seen / len(overlaps)
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
