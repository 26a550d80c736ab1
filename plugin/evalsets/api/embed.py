"""``embed``: a vector for every sample."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import fiftyone.core.utils as fou

from evalsets.api.populations import refresh
from evalsets.datasets.columns import read
from evalsets.datasets.connect import Source, open_dataset, open_view
from evalsets.datasets.vectors import create_vectors
from evalsets.encoders import Encoder, load_encoder
from evalsets.encoders.batches import image_batches
from evalsets.encoders.images import open_image
from evalsets.errors import ArgumentError
from evalsets.ingest import Processed

logger = logging.getLogger(__name__)


def embed(
    dataset: Source,
    encoder: Any,
    *,
    batch_size: int = 64,
    overwrite: bool = False,
    progress: bool | None = None,
) -> Processed:
    """Gives every sample its vector; samples that have one are left as they are.

    Each batch is safe once it is written, so that an interrupted run goes on where it
    stopped.

    Args:
        dataset: or a view, to embed some of it
        encoder: ``open_clip:ARCHITECTURE:WEIGHTS``, the path of a folder with
            ``open_clip_config.json``, a name of FiftyOne's model zoo, or a FiftyOne
            model with embeddings
        batch_size: images a batch
        overwrite: replace the vectors of another encoder
        progress: whether to show a progress bar; by default as FiftyOne is set

    Raises:
        EncoderError: the encoder cannot be loaded, or is not the one that made the
            dataset's vectors
    """
    if batch_size < 1:
        raise ArgumentError(f"batch_size is {batch_size}; give at least 1")
    view = open_view(dataset)
    opened = open_dataset(dataset)
    model: Encoder = load_encoder(encoder)
    vectors = create_vectors(opened, model, overwrite=overwrite)
    columns = read(view, ["id", "filepath"])
    todo = [
        (i, path)
        for i, path in zip(columns["id"], columns["filepath"], strict=True)
        if i not in vectors
    ]
    skipped: dict[str, str] = {}
    paths = [path for _, path in todo]
    prepare = partial(_prepared, prepare=model.prepare)
    with fou.ProgressBar(total=len(todo), iters_str="images", progress=progress) as bar:
        for batch in image_batches(paths, prepare, batch_size=batch_size):
            if batch.positions:
                found = model.encode_images(batch.items)
                vectors.add([todo[p][0] for p in batch.positions], found)
            skipped.update({paths[p]: why for p, why in batch.failed})
            bar.update(len(batch.positions) + len(batch.failed))
    processed = Processed(
        len(todo) - len(skipped), len(columns["id"]) - len(todo), skipped
    )
    (logger.warning if skipped else logger.info)(
        "Embedded '%s': %s", opened.name, processed
    )
    refresh(opened)
    return processed


def _prepared(path: str, prepare: Any) -> Any:
    return prepare(open_image(path))
