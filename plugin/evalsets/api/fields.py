"""The fields of taggers: made once, emptied where what filled them has changed."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import fiftyone as fo

from evalsets.datasets.columns import check_new, declare, provenance
from evalsets.datasets.files import TAGGER
from evalsets.datasets.locks import writing
from evalsets.encoders import Encoder
from evalsets.errors import ArgumentError, counted
from evalsets.taggers import SampleTagger, Tagger, VectorTagger

logger = logging.getLogger(__name__)

_ASIDE = ("date", "encoder_name")
"""What is recorded with a field, but does not make its values stale."""


def check_fields(dataset: fo.Dataset, taggers: Sequence[Tagger]) -> None:
    """Refuses taggers whose fields cannot be filled, before anything is written.

    Raises:
        ArgumentError: a field has a reserved name, or all are optional
        NameTakenError: a field holds values that no tagger wrote
    """
    for tagger in taggers:
        check_new(dataset, tagger.fields, owner=TAGGER)
        if not isinstance(tagger, SampleTagger) and not certain(tagger):
            raise ArgumentError(
                f"All fields of tagger '{tagger.kind}' are optional, so nothing would "
                "tell which samples have been tagged; add one that always has a value"
            )


def certain(tagger: Tagger) -> list[str]:
    """The tagger's fields that have a value in every sample that was tagged."""
    return [name for name in tagger.fields if name not in tagger.optional]


def declare_fields(
    dataset: fo.Dataset,
    view: fo.DatasetView,
    taggers: Sequence[Tagger],
    encoder: Encoder | None,
) -> list[str]:
    """Makes the taggers' fields; stale values go, so that a field's are all of one kind.

    Args:
        dataset: to make them in
        view: samples about to be tagged
        taggers: with fields that :func:`check_fields` let pass
        encoder: of the vectors

    Returns:
        the fields that were not there

    Raises:
        ArgumentError: values outside the view are stale; nothing was changed
    """
    with writing(dataset):
        schema = dataset.get_field_schema()
        changed = [
            (tagger, name, made_by)
            for tagger in taggers
            for name in tagger.fields
            for made_by in [_made_by(tagger, name, encoder)]
            if name not in schema or not _same(provenance(schema[name]), made_by)
        ]
        stale = [name for _, name, _ in changed if name in schema]
        _refuse_partly_stale(dataset, view, stale)
        for name in stale:
            dataset.clear_sample_field(name)
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        for tagger, name, made_by in changed:
            aside = {"date": now}
            if isinstance(tagger, VectorTagger) and encoder is not None:
                aside["encoder_name"] = encoder.name
            declare(
                dataset,
                {name: tagger.fields[name]},
                indexed=name not in tagger.unindexed,
                info={**made_by, **aside},
                owner=TAGGER,
            )
    return [name for _, name, _ in changed if name not in schema]


def drop_foreign(dataset: fo.Dataset, encoder: Encoder) -> None:
    """Empties the fields that say what the vectors of another encoder did."""
    with writing(dataset):
        foreign = [
            name
            for name, field in dataset.get_field_schema().items()
            if TAGGER in provenance(field)
            and provenance(field).get("encoder", encoder.fingerprint)
            != encoder.fingerprint
            and dataset.exists(name)
        ]
        for name in foreign:
            dataset.clear_sample_field(name)
    if foreign:
        named = ", ".join(f"'{name}'" for name in foreign)
        logger.warning(
            "What the vectors of another encoder said is dropped from %s; tag them again",
            named,
        )


def _made_by(tagger: Tagger, name: str, encoder: Encoder | None) -> dict[str, Any]:
    """What the values of a field depend on, as the database gives it back."""
    made_by = dict(tagger.provenance(name))
    if isinstance(tagger, VectorTagger) and encoder is not None:
        made_by["encoder"] = encoder.fingerprint
    try:
        return dict(json.loads(json.dumps(made_by)))
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"The parameters of tagger '{tagger.kind}' cannot be recorded ({error}); "
            "give plain values"
        ) from error


def _same(recorded: dict[str, Any], made_by: dict[str, Any]) -> bool:
    known = {key: value for key, value in recorded.items() if key not in _ASIDE}
    return bool(known == made_by)


def _refuse_partly_stale(
    dataset: fo.Dataset, view: fo.DatasetView, stale: Sequence[str]
) -> None:
    if not stale or len(view) == len(dataset):
        return
    shown = set(view.values("id"))
    for name in stale:
        outside = set(dataset.exists(name).values("id")) - shown
        if outside:
            raise ArgumentError(
                f"The tagger of field '{name}' has changed, which makes the values of "
                f"{counted(len(outside), 'sample')} outside this view stale; tag the "
                "whole dataset, or give the tagger another field"
            )
