"""``tag``: what can be said of an image, as fields that queries filter on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalsets.api.filling import fill
from evalsets.api.onepass import engine_named
from evalsets.api.progress import Progress
from evalsets.datasets.connect import Source
from evalsets.ingest import Processed
from evalsets.taggers import Tagger, read_taggers


def tag(
    dataset: Source,
    taggers: str | Path | Sequence[Tagger | Mapping[str, Any]],
    *,
    models: Mapping[str, Any] | None = None,
    batch_size: int = 16,
    engine: str = "local",
    workers: int | None = None,
    progress: Progress = None,
) -> Processed:
    """Fills tag fields; each image is decoded once for all taggers that need it.

    Samples that have their tags are left as they are. Where a tagger has changed, the
    values it gave before are dropped and every sample is tagged anew, which takes the
    whole dataset, not a view of it. What is finished is written every few seconds, so
    that an interrupted run goes on where it stopped.

    Args:
        dataset: or a view, to tag some of it
        taggers: path of a YAML file, or a list of taggers or of its entries; see
            :func:`evalsets.taggers.read_taggers`
        models: FiftyOne models by the name that entries call them
        batch_size: images a batch
        engine: ``local``, or ``ray`` to have the workers of a Ray cluster do it
        workers: how many of Ray's; by default as many as it has room for
        progress: whether to show a progress bar, or what to call with it; by default as
            FiftyOne is set

    Raises:
        ArgumentError: a tagger is declared wrongly, or has changed and a view is given,
            or Ray is not installed
        LockedError: another process embeds or tags the dataset
        NameTakenError: a field holds values that no tagger wrote
        NoVectorsError: a zero-shot tagger, but the dataset has not been embedded
    """
    return fill(
        dataset,
        read_taggers(taggers, models),
        batch_size=batch_size,
        engine=engine_named(engine, workers),
        progress=progress,
    )
