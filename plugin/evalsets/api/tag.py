"""``tag``: what can be said of an image, as fields that queries filter on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou
from PIL.Image import Image

from evalsets.api.populations import refresh
from evalsets.datasets.columns import check_new, declare, provenance, read, write
from evalsets.datasets.connect import Source, open_dataset, open_view
from evalsets.datasets.locks import writing
from evalsets.datasets.vectors import encoder_of, fingerprint_of, open_vectors
from evalsets.encoders import Encoder
from evalsets.encoders.batches import image_batches
from evalsets.encoders.images import open_image
from evalsets.ingest import Processed
from evalsets.taggers import PixelTagger, Tagger, VectorTagger, read_taggers

logger = logging.getLogger(__name__)

WRITE_EVERY = 1024
OWNER = "tagger"
"""What ``info`` of a field has when a tagger filled it: the tagger's kind."""


def tag(
    dataset: Source,
    taggers: str | Path | Sequence[Tagger | Mapping[str, Any]],
    *,
    models: Mapping[str, Any] | None = None,
    batch_size: int = 16,
    progress: bool | None = None,
) -> Processed:
    """Fills tag fields; pixels are decoded once for all taggers that need them.

    Samples that have their tags are left as they are, unless the tagger has changed.

    Args:
        dataset: or a view, to tag some of it
        taggers: path of a YAML file, or a list of taggers or of its entries
        models: FiftyOne models by the name that entries call them
        batch_size: images a batch
        progress: whether to show a progress bar; by default as FiftyOne is set

    Raises:
        ArgumentError: a tagger is declared wrongly
        NameTakenError: a field holds values that no tagger wrote
        NoVectorsError: a zero-shot tagger, but the dataset has not been embedded
    """
    view = open_view(dataset)
    opened = open_dataset(dataset)
    declared = read_taggers(taggers, models)
    for tagger in declared:
        check_new(opened, tagger.fields, owner=OWNER)
    of_pixels = [t for t in declared if isinstance(t, PixelTagger)]
    of_vectors = [t for t in declared if isinstance(t, VectorTagger)]
    encoder = encoder_of(opened) if of_vectors else None
    for tagger in declared:
        _declare(opened, tagger)
    todo = {id(tagger): _untagged(view, tagger) for tagger in declared}
    skipped: dict[str, str] = {}
    if encoder is not None:
        skipped |= _tag_vectors(
            opened, view, encoder, [(t, todo[id(t)]) for t in of_vectors]
        )
    wanted = {i for tagger in of_pixels for i in todo[id(tagger)]}
    skipped |= _tag_pixels(opened, view, of_pixels, wanted, batch_size, progress)
    touched = len(set().union(*todo.values()))
    processed = Processed(touched - len(skipped), len(view) - touched, skipped)
    (logger.warning if skipped else logger.info)(
        "Tagged '%s': %s", opened.name, processed
    )
    refresh(opened)
    return processed


def _declare(dataset: fo.Dataset, tagger: Tagger) -> None:
    """Makes the tagger's fields, and empties those that it filled when it differed."""
    made_by = dict(tagger.provenance)
    if isinstance(tagger, VectorTagger):
        made_by["encoder"] = fingerprint_of(dataset)
    with writing(dataset):
        schema = dataset.get_field_schema()
        for name in tagger.fields.keys() & schema.keys():
            if provenance(schema[name]) != made_by:
                dataset.clear_sample_field(name)
        declare(dataset, tagger.fields, indexed=True, info=made_by, owner=OWNER)


def _untagged(view: fo.DatasetView, tagger: Tagger) -> set[str]:
    """Ids that lack one of the tagger's fields."""
    ids, *columns = view.values(["id", *tagger.fields])
    rows = zip(ids, *columns, strict=True)
    return {i for i, *values in rows if any(value is None for value in values)}


def _tag_vectors(
    dataset: fo.Dataset,
    view: fo.DatasetView,
    encoder: Encoder,
    todo: Sequence[tuple[VectorTagger, set[str]]],
) -> dict[str, str]:
    """Why each image without a vector was left out, by path."""
    vectors = open_vectors(dataset)
    for tagger, wanted in todo:
        ids = sorted(i for i in wanted if i in vectors)
        for field, values in tagger.tag_vectors(vectors.get(ids), encoder).items():
            write(dataset, field, ids, values)
    missing = {i for _, wanted in todo for i in wanted if i not in vectors}
    rows = zip(*view.values(["id", "filepath"]), strict=True)
    return {path: "it has not been embedded" for i, path in rows if i in missing}


def _tag_pixels(
    dataset: fo.Dataset,
    view: fo.DatasetView,
    taggers: Sequence[PixelTagger],
    wanted: set[str],
    batch_size: int,
    progress: bool | None,
) -> dict[str, str]:
    """Why each image that cannot be read was left out, by path."""
    columns = read(view, ["id", "filepath"])
    rows = zip(columns["id"], columns["filepath"], strict=True)
    todo = [(i, path) for i, path in rows if i in wanted]
    paths = [path for _, path in todo]
    skipped: dict[str, str] = {}
    ids: list[str] = []
    tags: dict[str, list[Any]] = {f: [] for t in taggers for f in t.fields}
    prepare = partial(_prepare, steps=[tagger.prepare for tagger in taggers])
    with fou.ProgressBar(total=len(todo), iters_str="images", progress=progress) as bar:
        for batch in image_batches(paths, prepare, batch_size=batch_size):
            ids += [todo[p][0] for p in batch.positions]
            for number, tagger in enumerate(taggers if batch.positions else ()):
                found = tagger.tag([prepared[number] for prepared in batch.items])
                for field, values in found.items():
                    tags[field] += values
            skipped.update({paths[p]: why for p, why in batch.failed})
            bar.update(len(batch.positions) + len(batch.failed))
            if len(ids) >= WRITE_EVERY:
                _flush(dataset, ids, tags)
    _flush(dataset, ids, tags)
    return skipped


def _prepare(path: str, steps: Sequence[Callable[[Image], Any]]) -> list[Any]:
    image = open_image(path)
    return [step(image) for step in steps]


def _flush(dataset: fo.Dataset, ids: list[str], tags: dict[str, list[Any]]) -> None:
    for field, values in tags.items():
        write(dataset, field, ids, values)
        values.clear()
    ids.clear()
