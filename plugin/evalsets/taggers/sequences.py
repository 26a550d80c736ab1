"""What only the order of images tells: objects that flicker, values that jump."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

import fiftyone as fo
import numpy as np

from evalsets.datasets.columns import read
from evalsets.datasets.vectors import open_vectors
from evalsets.errors import ArgumentError
from evalsets.taggers.boxes import Boxes, vanished
from evalsets.taggers.labels import field_of, read_boxes
from evalsets.taggers.tagger import SampleTagger, Tags

VECTORS = "vectors"
"""What ``of`` names for the embedding instead of a field."""


class _SequenceTagger(SampleTagger):
    """What both have in common: one field, and how sequences are told."""

    def __init__(self, field: str, group: str | None, order: str | None) -> None:
        self.fields = {field: float}
        self._field = field
        self._group = group
        self._order = order
        self.parameters = {"group": group, "order": order}

    def _sequences(self, view: fo.DatasetView) -> list[list[int]]:
        """Positions of the samples of each sequence, in its order."""
        for path in (self._group, self._order):
            if path is not None:
                field_of(view, path)
        sources = [PurePosixPath(source) for source in _sources(view)]
        groups = [str(s.parent) for s in sources] if self._group is None else None
        orders = [_natural(s.name) for s in sources] if self._order is None else None
        keys = zip(
            groups or view.values(self._group),
            orders or view.values(self._order),
            strict=True,
        )
        members: dict[Any, list[tuple[Any, int]]] = {}
        for at, (group, order) in enumerate(keys):
            if group is not None and order is not None:
                members.setdefault(group, []).append((order, at))
        return [[at for _, at in sorted(found)] for found in members.values()]


class Flicker(_SequenceTagger):
    """How many objects an image misses that are there before and after it.

    Args:
        field: sample field to fill
        boxes: a field of ``Detections``
        group: field whose value is the same in all images of a sequence; by default the
            folder their files came from
        order: field that orders a sequence; by default the name of the file, its numbers
            by their value
        longest: images that an object may be away and still be the same
        confidence: boxes below it do not count
    """

    kind = "flicker"

    def __init__(
        self,
        field: str,
        boxes: str,
        group: str | None = None,
        order: str | None = None,
        longest: int = 2,
        confidence: float = 0.0,
    ) -> None:
        super().__init__(field, group, order)
        if longest < 1:
            raise ArgumentError(f"longest is {longest}; give at least 1")
        self.fields = {field: int}
        self.optional = frozenset(self.fields)
        self.parameters = {
            **self.parameters,
            "boxes": boxes,
            "longest": longest,
            "confidence": confidence,
        }
        self._boxes = boxes
        self._longest = longest
        self._confidence = confidence

    def tag_samples(self, view: fo.DatasetView) -> Tags:
        """The number for each sample; None where it has no label or no sequence."""
        boxes = read_boxes(view, self._boxes, self._confidence)
        found: list[int | None] = [None] * len(boxes)
        none = Boxes((), np.empty((0, 4)))
        for sequence in self._sequences(view):
            counts = vanished([boxes[at] or none for at in sequence], self._longest)
            for at, n in zip(sequence, counts, strict=True):
                found[at] = None if boxes[at] is None else n
        return {self._field: found}


class Jump(_SequenceTagger):
    """How far a value is from that of the image before.

    Args:
        field: sample field to fill
        of: a field of numbers, for its absolute change; or ``vectors``, for the cosine
            distance of the embedding, in [0, 2]
        group: as for :class:`Flicker`
        order: as for :class:`Flicker`
    """

    kind = "jump"

    def __init__(
        self, field: str, of: str, group: str | None = None, order: str | None = None
    ) -> None:
        super().__init__(field, group, order)
        self.optional = frozenset(self.fields)
        self.parameters = {**self.parameters, "of": of}
        self._of = of

    def tag_samples(self, view: fo.DatasetView) -> Tags:
        """The change for each sample; None for the first of a sequence."""
        changes = self._changes_of_vectors if self._of == VECTORS else self._changes
        found: list[float | None] = [None] * len(view)
        for pair, change in changes(view, self._sequences(view)):
            found[pair] = change
        return {self._field: found}

    def _changes(
        self, view: fo.DatasetView, sequences: list[list[int]]
    ) -> Iterable[tuple[int, float]]:
        if not isinstance(field_of(view, self._of), (fo.FloatField, fo.IntField)):
            raise ArgumentError(
                f"Field '{self._of}' holds no numbers; name one that does"
            )
        values = view.values(self._of)
        for before, at in _steps(sequences):
            if values[before] is not None and values[at] is not None:
                yield at, abs(values[at] - values[before])

    def _changes_of_vectors(
        self, view: fo.DatasetView, sequences: list[list[int]]
    ) -> Iterable[tuple[int, float]]:
        vectors = open_vectors(view._dataset)
        ids = view.values("id")
        known = vectors.find(ids) >= 0
        for before, at in _steps(sequences):
            if known[before] and known[at]:
                one, other = vectors.get([ids[before], ids[at]]).astype(np.float64)
                yield at, float(max(0.0, 1 - one @ other))


def _steps(sequences: list[list[int]]) -> Iterable[tuple[int, int]]:
    """Each image with the one before it."""
    for sequence in sequences:
        yield from pairwise(sequence)


def _sources(view: fo.DatasetView) -> list[str]:
    """Where each file came from: its URL, else its path."""
    has_url = view.has_sample_field("source_url")
    columns = read(view, ["filepath", "source_url"] if has_url else ["filepath"])
    urls = columns.get("source_url") or [None] * len(columns["filepath"])
    return [url or path for path, url in zip(columns["filepath"], urls, strict=True)]


def _natural(name: str) -> tuple[Any, ...]:
    """A key that puts ``frame 9`` before ``frame 10``."""
    return tuple(
        (1, int(part), "") if part.isdecimal() else (0, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    )
