"""Outcomes of detection: COCO matching once, then weighted accumulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from evalsets.errors import ArgumentError
from evalsets.metrics.averages import below_classes, count_sums, over_classes
from evalsets.metrics.catalog import OVERLAPS
from evalsets.metrics.matching import Boxes, match_boxes
from evalsets.metrics.outcomes import Codes, Floats, Outcomes, Sums, by_unit, share
from evalsets.metrics.precision import RankedBoxes
from evalsets.suites.population import ALL


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
    _drawn: dict[tuple[int, range], tuple[Floats, Floats]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )
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
        right, true, guessed = self._pooled.T
        return share(2 * right, true + guessed)

    def denominators(self, metric: str) -> Sums:
        """Objects or guesses of each class, or of all together where boxes are pooled."""
        if ":" in metric or metric.startswith("map"):
            return below_classes(metric, self._counts, self.classes)
        return below_classes(metric, self._pooled, (ALL,))

    def sums(self, metric: str) -> Sums | None:
        """Counts of boxes, or those by class; average precision is no function of sums."""
        if metric.startswith("map"):
            return None
        return self._counts if ":" in metric else self._pooled

    def value(self, metric: str, sums: Floats) -> Floats:
        """Precision, recall or F1, over the boxes of all classes or of one."""
        if ":" in metric:
            return over_classes(metric, sums, self.classes)
        return over_classes(f"{metric}:{ALL}", sums, (ALL,))

    def measure(self, metric: str, weights: Floats) -> Floats:
        """The metric under each weighting of the images; see :class:`Outcomes`."""
        self.metric(metric)
        if not metric.startswith("map"):
            return super().measure(metric, weights)
        found = self._precisions(_overlaps(metric), weights.T, np.arange(len(self)))
        return self._mean(metric, found)

    def measure_units(self, metric: str, weights: Floats, unit: Codes) -> Floats:
        """The same; replicates, all but the first row, in single precision."""
        if not metric.startswith("map"):
            return super().measure_units(metric, weights, unit)
        overlaps, every = _overlaps(metric), range(len(OVERLAPS))
        held = self._drawn.get((id(weights), every))
        if held is not None:
            found = held[1][:, overlaps.start : overlaps.stop]
            return self._mean(metric, found)
        columns = np.ascontiguousarray(weights.T)
        exact = self._precisions(overlaps, columns[:, :1].astype(np.float64), unit)
        drawn = self._precisions(overlaps, columns[:, 1:].astype(np.float32), unit)
        found = np.concatenate([exact, drawn], axis=2)
        self._drawn[id(weights), overlaps] = weights, found
        return self._mean(metric, found)

    def _mean(self, metric: str, precisions: Floats) -> Floats:
        """Over overlaps and the classes that have objects, or one class."""
        one = metric.partition(":")[2]
        if one:
            precisions = precisions[[self.classes.index(one)]]
        seen = ~np.isnan(precisions[:, 0])
        total = np.nansum(precisions, axis=0).mean(axis=0)
        with np.errstate(invalid="ignore"):
            mean: Floats = total / seen.sum(axis=0)
        return mean

    @cached_property
    def _counts(self) -> Sums:
        return count_sums(*self._by_class)

    @cached_property
    def _pooled(self) -> Floats:
        """``(n, 3)`` boxes that are right, objects, and boxes, of all classes."""
        return np.column_stack([part.sum(axis=1) for part in self._by_class])

    @cached_property
    def _by_class(self) -> tuple[sp.csr_array, sp.csr_array, sp.csr_array]:
        counts = self.score >= self.min_score
        right = self._per_image(self.found[0] & counts)
        guessed = self._per_image(counts & ~self.ignored[0])
        return right, self.objects, guessed

    def _per_image(self, boxes: NDArray[np.bool_]) -> sp.csr_array:
        ones = np.ones(np.count_nonzero(boxes))
        where = (self.image[boxes], self.label[boxes])
        return sp.csr_array((ones, where), shape=self.objects.shape)

    def _precisions(self, overlaps: range, weights: Floats, unit: Codes) -> Floats:
        """``(c, t, r)`` average precisions; NaN where a class has no objects."""
        objects = by_unit(self.objects, unit, len(weights))
        counted = (objects.T.astype(weights.dtype)) @ weights
        boxes = RankedBoxes(
            self.label,
            unit[self.image],
            self.found[overlaps.start : overlaps.stop],
            self.ignored[overlaps.start : overlaps.stop],
        )
        found = boxes.average_precision(weights, counted).astype(float)
        found[counted[:, None].repeat(len(overlaps), axis=1) == 0] = np.nan
        return found


def _overlaps(metric: str) -> range:
    """The places in ``OVERLAPS`` over which a metric averages."""
    base = metric.partition(":")[0]
    if base == "map":
        return range(len(OVERLAPS))
    at = OVERLAPS.index(int(base.removeprefix("map")))
    return range(at, at + 1)
