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
from evalsets.taggers import SampleTagger, Tagger, VectorTagger, placed

logger = logging.getLogger(__name__)

_Filled = tuple[Tagger, str, dict[str, Any]]  # a field, and what its values depend on
_ASIDE = ("date", "encoder_name")
"""What is recorded with a field, but does not make its values stale."""


def check_fields(dataset: fo.Dataset, taggers: Sequence[Tagger]) -> None:
    """Refuses taggers whose fields cannot be filled, before anything is written.

    Raises:
        ArgumentError: a field has a reserved name, or all are optional
        NameTakenError: a field holds values that no tagger wrote
    """
    for tagger in taggers:
        with placed(tagger):
            check_new(dataset, tagger.fields, owner=TAGGER)
            if not isinstance(tagger, SampleTagger) and not certain(tagger):
                raise ArgumentError(
                    f"All fields of tagger '{tagger.kind}' are optional, so nothing "
                    "would tell which samples have been tagged; add one that always has "
                    "a value"
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
    """Makes the taggers' fields that are not there; those that are stay as they are.

    Args:
        dataset: to make them in
        view: samples about to be tagged
        taggers: with fields that :func:`check_fields` let pass
        encoder: of the vectors

    Returns:
        the fields that were made

    Raises:
        ArgumentError: values outside the view are stale; nothing was changed
    """
    with writing(dataset):
        new, stale = _changed(dataset, taggers, encoder)
        _refuse_partly_stale(dataset, view, [name for _, name, _ in stale])
        _declare(dataset, new, encoder)
    return [name for _, name, _ in new]


def empty_stale(
    dataset: fo.Dataset, taggers: Sequence[Tagger], encoder: Encoder | None
) -> None:
    """Drops values that the taggers would give otherwise: a field's are all of one kind.

    Args:
        dataset: with the taggers' fields
        taggers: about to fill them
        encoder: of the vectors
    """
    with writing(dataset):
        _, stale = _changed(dataset, taggers, encoder)
        for _, name, _ in stale:
            dataset.clear_sample_field(name)
        _declare(dataset, stale, encoder)


def _changed(
    dataset: fo.Dataset, taggers: Sequence[Tagger], encoder: Encoder | None
) -> tuple[list[_Filled], list[_Filled]]:
    """The fields that are not there, and those that something else has filled."""
    schema = dataset.get_field_schema()
    new: list[_Filled] = []
    stale: list[_Filled] = []
    for tagger in taggers:
        for name in tagger.fields:
            made_by = _made_by(tagger, name, encoder)
            if name not in schema:
                new.append((tagger, name, made_by))
            elif not _same(provenance(schema[name]), made_by):
                stale.append((tagger, name, made_by))
    return new, stale


def _declare(
    dataset: fo.Dataset, fields: Sequence[_Filled], encoder: Encoder | None
) -> None:
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    for tagger, name, made_by in fields:
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
