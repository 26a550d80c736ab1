"""Outcomes of detection: matched once, kept, and matched again only where they changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import fiftyone as fo
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalsets.datasets.columns import gather_fields
from evalsets.datasets.matches import Kept, load_matches, save_matches
from evalsets.metrics import Boxes, Detection

_ENOUGH = 50
"""Matching fewer images takes less time than keeping what was found."""
_SIZE = ("metadata.width", "metadata.height")
_DECIMALS = 8
"""Of a pixel: further ones come of dividing by the image's sides and multiplying again."""


def read_boxes(view: fo.DatasetView, truth: str, field: str) -> dict[str, Any]:
    """What :class:`~evalsets.datasets.outcomes.Read` holds of detections.

    Boxes are compared in pixels where the size of the image is known: of shares of its
    sides, an overlap of exactly .5 comes out above or below it.

    Args:
        view: samples to evaluate
        truth: field of the true boxes
        field: of the predicted boxes
    """
    names = ("label", "bounding_box", "iscrowd", "confidence")
    paths = [f"{truth}.detections.{name}" for name in names[:3]]
    paths += [f"{field}.detections.{name}" for name in (*names[:2], names[3])]
    sized = view.get_field(_SIZE[0]) is not None
    all_ids, columns = gather_fields(view, [*paths, *_SIZE] if sized else paths)
    labelled = [at for at, labels in enumerate(columns[0]) if labels is not None]
    ids = [all_ids[at] for at in labelled]
    true_label, true_box, crowd, label, box, score = (
        [column[at] or [] for at in labelled] for column in columns[:6]
    )
    sizes = np.full((len(ids), 2), np.nan)
    if sized:
        sizes = np.array(columns[6:], float).T[labelled]
    true = _Side.of(true_label, true_box, crowd, sizes)
    predicted = _Side.of(label, box, score, sizes)
    outcomes = _matched(view._dataset, (truth, field), ids, true, predicted)
    outcomes = outcomes.among(_classes(true, predicted))
    shares = outcomes.quality
    return {
        "ids": ids,
        "outcomes": outcomes,
        "answered": np.array([columns[3][at] is not None for at in labelled], bool),
        "unlabelled": len(all_ids) - len(ids),
        "strange": frozenset(predicted.label) - frozenset(true.label),
        "mistakes": {
            i: (1 - share, f"F1 of its boxes {share:.2f}")
            for i, share in zip(ids, shares.tolist(), strict=True)
            if share < 1
        },
    }


@dataclass(frozen=True)
class _Side:
    """The boxes of all images, true or predicted.

    Args:
        image: ``(k,)``
        label: ``(k,)``
        box: ``(k, 4)`` in pixels, or relative where the size of the image is unknown
        mark: ``(k,)`` score of a predicted box, 1 for a true crowd
        n: images
    """

    image: NDArray[np.intp]
    label: NDArray[np.object_]
    box: NDArray[np.float64]
    mark: NDArray[np.float64]
    n: int

    @classmethod
    def of(
        cls,
        labels: Sequence[Any],
        boxes: Sequence[Any],
        marks: Sequence[Any],
        sizes: NDArray[np.float64],
    ) -> _Side:
        counts = [len(row) for row in labels]
        image = np.repeat(np.arange(len(labels)), counts)
        box = np.array([b for row in boxes for b in row], float).reshape(-1, 4)
        pixels = np.round(box * np.tile(sizes[image], 2), _DECIMALS)
        filled = [
            float(mark or 0)
            for row, n in zip(marks, counts, strict=True)
            for mark in (row or [0] * n)
        ]
        return cls(
            image,
            np.array([name for row in labels for name in row], object),
            np.where(np.isnan(pixels), box, pixels),
            np.array(filled, float),
            len(labels),
        )

    def some(self, images: NDArray[np.intp]) -> _Side:
        """The boxes of some images, numbered anew."""
        place = np.full(self.n, -1)
        place[images] = np.arange(len(images))
        kept = place[self.image] >= 0
        return _Side(
            place[self.image][kept],
            self.label[kept],
            self.box[kept],
            self.mark[kept],
            len(images),
        )

    def boxes(self, classes: list[str]) -> Boxes:
        """Without scores and crowds."""
        code = pd.Index(classes).get_indexer(pd.Index(self.label))
        return Boxes(self.image, np.asarray(code, np.intp), self.box)

    def fingerprint(self) -> NDArray[np.uint64]:
        """``(n,)`` changes with any box of an image."""
        frame = pd.DataFrame(self.box).assign(label=self.label, mark=self.mark)
        rows = pd.util.hash_pandas_object(frame, index=False).to_numpy()
        prints = np.zeros(self.n, np.uint64)
        np.add.at(prints, self.image, rows)
        return prints


def _matched(
    dataset: fo.Dataset,
    fields: tuple[str, str],
    ids: list[str],
    true: _Side,
    predicted: _Side,
) -> Detection:
    """Matches images whose boxes are new or changed, and takes the others as kept."""
    if len(ids) < _ENOUGH:
        return _match(true, predicted)
    prints = true.fingerprint() * np.uint64(31) + predicted.fingerprint()
    kept = load_matches(dataset, *fields)
    if kept is None:
        found = Kept(ids, prints, _match(true, predicted))
        save_matches(dataset, *fields, found)
        return found.outcomes
    place = pd.Index(kept.ids).get_indexer(pd.Index(ids))
    same = (place >= 0) & (kept.prints[place] == prints)
    if same.all():
        return kept.outcomes.take(np.asarray(place, np.intp))
    changed = np.flatnonzero(~same)
    fresh = _match(true.some(changed), predicted.some(changed))
    joined = Detection.joined([kept.outcomes.take(place[same]), fresh])
    order = np.argsort(np.concatenate([np.flatnonzero(same), changed]))
    found = Kept(ids, prints, joined.take(order))
    save_matches(dataset, *fields, _with_others(found, kept, dataset))
    return found.outcomes


def _with_others(found: Kept, kept: Kept, dataset: fo.Dataset) -> Kept:
    """Adds what is kept of images outside the view, unless they were deleted."""
    others = pd.Index(kept.ids)
    wanted = others.isin(dataset.values("id")) & ~others.isin(found.ids)
    rest = np.flatnonzero(wanted)
    return Kept(
        [*found.ids, *others[rest]],
        np.concatenate([found.prints, kept.prints[rest]]),
        Detection.joined([found.outcomes, kept.outcomes.take(rest)]),
    )


def _match(true: _Side, predicted: _Side) -> Detection:
    classes = _classes(true, predicted)
    return Detection.of(
        replace(true.boxes(classes), crowd=true.mark > 0),
        replace(predicted.boxes(classes), score=predicted.mark),
        true.n,
        classes,
    )


def _classes(true: _Side, predicted: _Side) -> list[str]:
    return sorted({*true.label, *predicted.label})
