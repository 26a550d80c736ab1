"""``embed``: a vector for every sample, and in the same pass its tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalsets.api.filling import fill
from evalsets.api.onepass import engine_named
from evalsets.api.progress import Progress
from evalsets.datasets.connect import Source, open_view
from evalsets.encoders import load_encoder
from evalsets.ingest import Processed
from evalsets.taggers import Tagger, read_taggers


def embed(
    dataset: Source,
    encoder: Any,
    *,
    taggers: str | Path | Sequence[Tagger | Mapping[str, Any]] = (),
    models: Mapping[str, Any] | None = None,
    batch_size: int = 64,
    overwrite: bool = False,
    engine: str = "local",
    workers: int | None = None,
    progress: Progress = None,
) -> Processed:
    """Gives every sample its vector, and its tags if taggers are given.

    Each image is decoded once for encoder and taggers. What samples have already is left
    as it is, and what is finished is written every few seconds, so that an interrupted
    run goes on where it stopped.

    Args:
        dataset: or a view, to embed some of it
        encoder: ``open_clip:ARCHITECTURE:WEIGHTS``, the path of a folder with
            ``open_clip_config.json``, a name of FiftyOne's model zoo, or a FiftyOne
            model with embeddings
        taggers: as for ``tag``
        models: as for ``tag``
        batch_size: images a batch
        overwrite: replace the vectors of another encoder
        engine: ``local``, or ``ray`` to have the workers of a Ray cluster do it
        workers: how many of Ray's; by default as many as it has room for
        progress: whether to show a progress bar, or what to call with it; by default as
            FiftyOne is set

    Raises:
        EncoderError: the encoder cannot be loaded, or is not the one that made the
            dataset's vectors
        LockedError: another process embeds or tags the dataset
        ArgumentError: a tagger is declared wrongly, or Ray is not installed
        NameTakenError: a field holds values that no tagger wrote
    """
    view = open_view(dataset)  # before a model is loaded for nothing
    does = engine_named(engine, workers)
    return fill(
        view,
        read_taggers(taggers, models),
        embed_by=load_encoder(encoder),
        overwrite=overwrite,
        batch_size=batch_size,
        engine=does,
        progress=progress,
    )
