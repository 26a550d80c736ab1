"""``watch``: new data is synced, embedded, tagged, and given its split by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

import fiftyone as fo

from evalsets.api.embed import embed
from evalsets.api.split import split, split_settings
from evalsets.api.sync import sync
from evalsets.api.tag import tag
from evalsets.datasets.connect import open_dataset
from evalsets.datasets.vectors import encoder_of, fingerprint_of
from evalsets.errors import ArgumentError, EvalsetsError
from evalsets.taggers import Tagger, read_taggers

logger = logging.getLogger(__name__)

LONGEST_WAIT_S = 600.0


def watch(
    source: str | Path | Iterable[str | Path],
    dataset: str | fo.Dataset,
    *,
    every: float = 60.0,
    tags: str | Path | None = None,
    encoder: str | None = None,
    rounds: int | None = None,
    pause: Callable[[float], Any] = time.sleep,
    **options: Any,
) -> fo.Dataset:
    """Syncs again and again, and does for new samples what was done for the others.

    They are embedded by the dataset's encoder if it has one, tagged in the same pass, and
    given a side if the dataset has been split. A source that fails is tried again, ever later.

    Args:
        source: as for ``sync``
        dataset: as for ``sync``
        every: seconds between two rounds
        tags: YAML file of taggers, which is read before anything else
        encoder: embeds a dataset that has no vectors yet; as for ``embed``
        rounds: how many; by default without end
        pause: waits a number of seconds
        options: of ``sync``

    Raises:
        ArgumentError: ``every`` is not above 0
        EvalsetsError: the first round failed, or the taggers cannot be read
    """
    if not every > 0:
        raise ArgumentError(f"The time between two rounds is {every}; give seconds")
    if not isinstance(source, (str, Path)):
        source = list(source)  # it may be one that can be gone through just once
    taggers = [] if tags is None else read_taggers(tags)
    opened = _round(source, dataset, taggers, encoder, options)
    wait = every
    for done in count(1):
        if rounds is not None and done >= rounds:
            break
        pause(wait)
        try:
            opened = _round(source, opened, taggers, encoder, options)
            wait = every
        except EvalsetsError as error:
            wait = min(2 * wait, max(LONGEST_WAIT_S, every))
            logger.warning("%s (again in %g s)", error, wait)
    return opened


def _round(
    source: Any,
    dataset: str | fo.Dataset,
    taggers: list[Tagger],
    encoder: str | None,
    options: Any,
) -> fo.Dataset:
    opened = sync(source, dataset, **options)
    embeds_by = encoder or (encoder_of(opened) if fingerprint_of(opened) else None)
    if embeds_by is not None:
        embed(opened, embeds_by, taggers=taggers)
    elif taggers:
        tag(opened, taggers)
    if split_settings(opened):
        split(opened)
    return open_dataset(opened)
