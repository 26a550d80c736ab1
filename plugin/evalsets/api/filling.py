"""Samples are given the vectors and the tags that they lack."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou

from evalsets.api.checking import check_flags, check_whole
from evalsets.api.fields import (
    certain,
    check_fields,
    declare_fields,
    drop_foreign,
    empty_stale,
)
from evalsets.api.onepass import Engine, local, run
from evalsets.api.populations import refresh
from evalsets.api.progress import Progress, sum_up
from evalsets.api.steps import Rows, add_rows, embedding_step, tagging_steps
from evalsets.datasets.columns import drop, write_rows
from evalsets.datasets.connect import Source, database, open_both
from evalsets.datasets.files import present
from evalsets.datasets.locks import passing, writing
from evalsets.datasets.vectors import create_vectors, encoder_of, open_vectors
from evalsets.encoders import Encoder
from evalsets.errors import ArgumentError
from evalsets.ingest import Processed
from evalsets.similarity import VectorFile
from evalsets.taggers import SampleTagger, Tagger, VectorTagger, checked, placed

logger = logging.getLogger(__name__)

_AT_ONCE = 10_000
"""Samples whose stored vectors are tagged at a time."""


@dataclass(frozen=True)
class _Work:
    """What is to be filled, and by what.

    Args:
        view: the samples whose files are there
        embeds: whether samples without a vector get one
    """

    dataset: fo.Dataset
    view: fo.DatasetView
    taggers: Sequence[Tagger]
    encoder: Encoder | None
    vectors: VectorFile | None
    embeds: bool

    def of_kind(self, *kinds: type) -> list[Any]:
        return [tagger for tagger in self.taggers if isinstance(tagger, kinds)]


def fill(
    source: Source,
    taggers: Sequence[Tagger],
    *,
    embed_by: Encoder | None = None,
    overwrite: bool = False,
    batch_size: int,
    engine: Engine = local,
    progress: Progress,
) -> Processed:
    """Gives samples what they lack, in one pass over their pixels.

    Those whose files have vanished are left out.

    Args:
        source: dataset or view
        taggers: whose fields are filled
        embed_by: gives vectors too
        overwrite: replace the vectors of another encoder
        batch_size: images a batch
        engine: does the pass
        progress: as FiftyOne takes it
    """
    check_whole(batch_size=batch_size)
    check_flags(overwrite=overwrite)
    started = time.monotonic()
    dataset, view = open_both(source)
    if view._is_generated:
        raise ArgumentError(
            "This view shows patches, frames or clips; give samples of images"
        )
    check_fields(dataset, taggers)
    with database(), passing(dataset):
        work = _prepared(dataset, view, taggers, embed_by, overwrite)
        done, failed = _filled(work, batch_size, engine, progress)
        done |= _tag_samples(work, progress)
        paths = dict(zip(*work.view.values(["id", "filepath"]), strict=True))
    skipped = {paths[i]: why for i, why in failed.items() if i in paths}
    kept = len(paths) - len(done) - len(failed.keys() - done)
    processed = Processed(len(done), kept, skipped, time.monotonic() - started)
    text = f"{'Embedded' if embed_by else 'Tagged'} '{dataset.name}': {processed}"
    sum_up(logger, text, warn=bool(skipped), progress=progress)
    refresh(dataset)
    return processed


def _prepared(
    dataset: fo.Dataset,
    view: fo.DatasetView,
    taggers: Sequence[Tagger],
    embed_by: Encoder | None,
    overwrite: bool,
) -> _Work:
    """The work, with fields and a file of vectors to fill."""
    encoder, vectors = embed_by, None
    if embed_by is not None:
        vectors = create_vectors(dataset, embed_by, overwrite=overwrite)
    elif any(isinstance(tagger, VectorTagger) for tagger in taggers):
        encoder, vectors = encoder_of(dataset), open_vectors(dataset)
    made = declare_fields(dataset, view, taggers, encoder)
    try:
        for tagger in taggers:
            if isinstance(tagger, SampleTagger):  # it may find fault, now and not late
                own = [name for name in tagger.fields if name in made]
                with placed(tagger):
                    tagger.tag_samples(dataset.limit(1).exclude_fields(own))
    except BaseException:
        with writing(dataset):
            for field in made:
                drop(dataset, field)
        raise
    empty_stale(dataset, taggers, encoder)
    if embed_by is not None:
        drop_foreign(dataset, embed_by)
    here = present(view)
    return _Work(dataset, here, taggers, encoder, vectors, embed_by is not None)


def _filled(
    work: _Work, batch_size: int, engine: Engine, progress: Progress
) -> tuple[set[str], dict[str, str]]:
    """The samples that got something, and why others did not, by id."""
    done: set[str] = set()
    while True:
        todo = [
            (tagger, _untagged(work.view, tagger))
            for tagger in work.taggers
            if not isinstance(tagger, SampleTagger)
        ]
        tagged, without = _tag_stored(work, todo, progress)
        steps = tagging_steps(todo)
        if work.embeds and work.encoder is not None and work.vectors is not None:
            there = work.vectors
            missing = [i for i in work.view.values("id") if i not in there]
            of_vectors = work.of_kind(VectorTagger)
            steps.insert(0, embedding_step(work.encoder, of_vectors, missing))
        passed = run(
            work.dataset,
            work.view,
            steps,
            vectors=work.vectors,
            batch_size=batch_size,
            engine=engine,
            progress=progress,
        )
        done |= tagged | passed.done
        if not passed.interrupted:
            return done, {**without, **passed.failed}


def _untagged(view: fo.DatasetView, tagger: Tagger) -> set[str]:
    """Ids that lack one of the values which the tagger always gives."""
    paths = [
        f"{name}.label" if tagger.fields[name] is fo.Classification else name
        for name in certain(tagger)
    ]
    ids, *columns = view.values(["id", *paths])
    return {i for i, *values in zip(ids, *columns, strict=True) if None in values}


def _tag_stored(
    work: _Work, todo: Iterable[tuple[Tagger, set[str]]], progress: Progress
) -> tuple[set[str], dict[str, str]]:
    """Tags by vectors that are there; why others were not, where none is to come."""
    done: set[str] = set()
    without: dict[str, str] = {}
    for tagger, wanted in todo:
        if not isinstance(tagger, VectorTagger):
            continue
        if work.vectors is None or work.encoder is None:
            continue
        there = sorted(i for i in wanted if i in work.vectors)
        with _bar(len(there), "vectors", progress) as bar:
            for at in range(0, len(there), _AT_ONCE):
                ids = there[at : at + _AT_ONCE]
                rows: Rows = {}
                found = tagger.tag_vectors(work.vectors.get(ids), work.encoder)
                add_rows(rows, ids, tagger, found)
                write_rows(work.dataset, rows)
                bar.update(len(ids))
        done |= set(there)
        if not work.embeds:
            without |= dict.fromkeys(wanted - set(there), "it has not been embedded")
    return done, without


def _bar(total: int, of: str, progress: Progress) -> Any:
    """A progress bar, but none of nothing."""
    shown = progress if total else False
    return fou.ProgressBar(total=total, iters_str=of, progress=shown)


def _tag_samples(work: _Work, progress: Progress) -> set[str]:
    """Tags of what samples hold; only those that have changed are written."""
    done: set[str] = set()
    taggers = work.of_kind(SampleTagger)
    shown = set(work.view.values("id")) if taggers else set()
    whole = work.dataset.view()
    with _bar(len(taggers), "taggers", progress) as bar:
        for tagger in taggers:
            ids = whole.values("id")
            rows: Rows = {}
            tags = checked(tagger, tagger.tag_samples(whole), len(ids))
            for name, values in tags.items():
                before = whole.values(name)
                for i, value, known in zip(ids, values, before, strict=True):
                    if value != known and i in shown:
                        rows.setdefault(i, {})[name] = value
            write_rows(work.dataset, rows)
            done |= rows.keys()
            bar.update()
    return done
