"""What a pass can make of images: vectors, and tags of pixels, files and labels."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from evalsets.encoders import Encoder
from evalsets.encoders.batches import Batch, Reader, reason
from evalsets.encoders.encoder import Vectors
from evalsets.encoders.models import pixels, predict
from evalsets.errors import EvalsetsError
from evalsets.similarity.unit import unit
from evalsets.taggers import (
    FileTagger,
    LabelTagger,
    PixelTagger,
    Tagger,
    VectorTagger,
    checked,
)

logger = logging.getLogger(__name__)

Rows = dict[str, dict[str, Any]]
"""Values by field, by sample id."""


@dataclass(frozen=True)
class Part:
    """What came of some images: to be written.

    Args:
        rows: tags
        ids: samples that have a vector now
        vectors: ``(len(ids), dim)``
        failed: why a sample got none, by id
    """

    rows: Rows = field(default_factory=dict)
    ids: Sequence[str] = ()
    vectors: Vectors | None = None
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """Something that shall be made of images.

    Args:
        wanted: ids of the samples it is to be made of
        reader: what it needs of each image
        finish: makes it of a batch, given ids and what was read
        whole: it needs all pixels
    """

    wanted: frozenset[str]
    reader: Reader
    finish: Callable[[Sequence[str], Any], Part]
    whole: bool = False


@dataclass(frozen=True)
class Made:
    """What came of some images.

    Args:
        ids: of the samples whose images were taken
        parts: to be written
        failed: why an image gave nothing, or not all, by id
    """

    ids: Sequence[str]
    parts: Sequence[Part]
    failed: Mapping[str, str]


class Finisher:
    """Makes of batches what steps make, and passes over the images that one fails on.

    A step that has never made anything, and fails on each of several images, is broken
    itself: what it raised is raised.

    Args:
        steps: by the number of their reader
        proven: numbers of those that are known to work
    """

    def __init__(self, steps: Sequence[Step], proven: Collection[int] = ()) -> None:
        self._steps = steps
        self._proven = set(proven)

    def __call__(self, batch: Batch, ids: Sequence[str]) -> Made:
        """What comes of a batch.

        Args:
            batch: of images
            ids: of samples, by the positions that the batch names
        """
        taken = dict(batch.failed)
        failed = {ids[at]: why for at, why in taken.items()}
        parts = []
        for number, (positions, items) in batch.read.items():
            taken |= dict.fromkeys(positions, "")
            of = [ids[at] for at in positions]
            for part in self._parts(number, of, items):
                parts.append(part)
                failed |= part.failed
        return Made([ids[at] for at in taken], parts, failed)

    def _parts(self, number: int, ids: Sequence[str], items: Any) -> list[Part]:
        try:
            parts = [self._steps[number].finish(ids, items)]
        except EvalsetsError:
            raise
        except Exception as error:  # a model can raise anything
            parts, failed = self._one_by_one(number, ids, items)
            if not parts and len(ids) > 1 and number not in self._proven:
                raise
            logger.debug("A batch failed: %s", error, exc_info=True)
            parts.append(Part(failed=failed))
        if any(part.rows or len(part.ids) for part in parts):
            self._proven.add(number)
        return parts

    def _one_by_one(
        self, number: int, ids: Sequence[str], items: Any
    ) -> tuple[list[Part], dict[str, str]]:
        parts, failed = [], {}
        for at, i in enumerate(ids):
            try:
                parts.append(self._steps[number].finish([i], items[at : at + 1]))
            except EvalsetsError:
                raise
            except Exception as error:  # noqa: BLE001 - it is told, with the image
                failed[i] = reason(error)
        return parts, failed


def embedding_step(
    encoder: Encoder, taggers: Sequence[VectorTagger], wanted: Iterable[str]
) -> Step:
    """Embeds images, and tags them by their vectors."""

    def finish(ids: Sequence[str], batch: Any) -> Part:
        found = encoder.encode_images(batch)
        sound = [bool(np.isfinite(vector).all()) for vector in found]
        good = [i for i, is_sound in zip(ids, sound, strict=True) if is_sound]
        vectors = unit(found[np.array(sound)])
        rows: Rows = {}
        for tagger in taggers:
            if good:
                add_rows(rows, good, tagger, tagger.tag_vectors(vectors, encoder))
        failed = {
            i: "its vector is zero or not finite"
            for i, is_sound in zip(ids, sound, strict=True)
            if not is_sound
        }
        return Part(rows, good, vectors, failed)

    whole = encoder.prepare is pixels
    return Step(frozenset(wanted), Reader(of_image=encoder.prepare), finish, whole)


def tagging_steps(wanted: Sequence[tuple[Tagger, set[str]]]) -> list[Step]:
    """What taggers of files, pixels and labels have to do; one step for each model."""
    steps = []
    of_model: dict[int, list[tuple[LabelTagger, set[str]]]] = {}
    for tagger, ids in wanted:
        if isinstance(tagger, FileTagger):
            reader = Reader(of_path=tagger.read)
            steps.append(Step(frozenset(ids), reader, partial(_tag, tagger)))
        elif isinstance(tagger, PixelTagger):
            reader = Reader(of_image=tagger.prepare)
            whole = tagger.prepare is pixels
            steps.append(Step(frozenset(ids), reader, partial(_tag, tagger), whole))
        elif isinstance(tagger, LabelTagger):
            of_model.setdefault(id(tagger.model), []).append((tagger, ids))
    for sharing in of_model.values():
        every = frozenset().union(*(ids for _, ids in sharing))
        finish = partial(_tag_labels, [tagger for tagger, _ in sharing])
        steps.append(Step(every, Reader(of_image=pixels), finish, whole=True))
    return steps


def _tag(
    tagger: PixelTagger | FileTagger, ids: Sequence[str], prepared: Sequence[Any]
) -> Part:
    rows: Rows = {}
    add_rows(rows, ids, tagger, tagger.tag(prepared))
    return Part(rows)


def _tag_labels(
    taggers: Sequence[LabelTagger], ids: Sequence[str], images: Sequence[Any]
) -> Part:
    labels = predict(taggers[0].model, images)
    rows: Rows = {}
    for tagger in taggers:
        add_rows(rows, ids, tagger, tagger.tag_labels(labels))
    return Part(rows)


def add_rows(
    rows: Rows, ids: Sequence[str], tagger: Tagger, tags: Mapping[str, Sequence[Any]]
) -> None:
    """Adds the tags of some samples to rows."""
    for name, values in checked(tagger, tags, len(ids)).items():
        for i, value in zip(ids, values, strict=True):
            rows.setdefault(i, {})[name] = value
