"""One pass over the images of samples, for an encoder and for taggers together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou
import numpy as np

from evalsets.api.background import BackgroundWriter
from evalsets.datasets.columns import read, write_rows
from evalsets.encoders import Encoder
from evalsets.encoders.batches import Batch, Job, Reader, image_batches
from evalsets.encoders.encoder import Vectors
from evalsets.encoders.models import pixels, predict
from evalsets.errors import counted
from evalsets.similarity import VectorFile
from evalsets.similarity.unit import unit
from evalsets.taggers import (
    FileTagger,
    LabelTagger,
    PixelTagger,
    Tagger,
    VectorTagger,
    checked,
)

Rows = dict[str, dict[str, Any]]
"""Values by field, by sample id."""

_UNKNOWN_PIXELS = 12_000_000
"""What an image is taken to have whose size the dataset does not know."""


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
class Passed:
    """What came of a pass.

    Args:
        done: ids of the samples for which everything was made
        failed: why, for the others, by id
        interrupted: the database went away meanwhile, and may have forgotten something
    """

    done: frozenset[str]
    failed: Mapping[str, str]
    interrupted: bool


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


def run(
    dataset: fo.Dataset,
    view: fo.DatasetView,
    steps: Sequence[Step],
    *,
    vectors: VectorFile | None,
    batch_size: int,
    progress: Any,
) -> Passed:
    """Takes the steps; what is finished is written meanwhile, and stays.

    Args:
        dataset: that holds the fields to be filled
        view: the samples, in the order to take them
        steps: those with nothing to do cost nothing
        vectors: where a step puts its vectors
        batch_size: images a batch
        progress: as FiftyOne takes it
    """
    ids, jobs = _jobs(view, steps)
    failed: dict[str, str] = {}

    def write(parts: list[Part]) -> None:
        rows: Rows = {}
        for part in parts:
            if vectors is not None and part.vectors is not None:
                vectors.add(part.ids, part.vectors)
            for i, row in part.rows.items():
                rows.setdefault(i, {}).update(row)
        write_rows(dataset, rows)

    batches = image_batches(
        jobs,
        [step.reader for step in steps],
        batch_size=batch_size,
        whole=any(step.whole for step in steps),
    )
    bar = fou.ProgressBar(total=len(jobs), iters_str="images", progress=progress)
    with bar, BackgroundWriter(write) as writer:
        for batch in batches:
            failed |= {ids[at]: why for at, why in batch.failed}
            for part in _finished(batch, ids, steps):
                failed |= part.failed
                writer.put(part)
            suffix = f"{counted(len(failed), 'image')} skipped" if failed else None
            bar.update(_size(batch), suffix=suffix)
    return Passed(frozenset(ids) - failed.keys(), failed, writer.interrupted)


def _jobs(view: fo.DatasetView, steps: Sequence[Step]) -> tuple[list[str], list[Job]]:
    """The samples that some step wants, in order, each with the steps that do."""
    paths = ["id", "filepath", "metadata.width", "metadata.height"]
    ids, jobs = [], []
    for i, path, width, height in zip(*read(view, paths).values(), strict=True):
        wanting = tuple(at for at, step in enumerate(steps) if i in step.wanted)
        if wanting:
            ids.append(i)
            n_pixels = width * height if width and height else _UNKNOWN_PIXELS
            jobs.append(Job(path, wanting, n_pixels))
    return ids, jobs


def _finished(
    batch: Batch, ids: Sequence[str], steps: Sequence[Step]
) -> Iterable[Part]:
    for number, (positions, items) in batch.read.items():
        yield steps[number].finish([ids[at] for at in positions], items)


def _size(batch: Batch) -> int:
    read = {at for positions, _ in batch.read.values() for at in positions}
    return len(read) + len(batch.failed)
