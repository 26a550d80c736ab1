"""Prediction sets: fields, and a custom run each that makes them count.

An upload writes a new field that nothing refers to, then the run, in one document, which
is the switch from the old set to the new; the old field goes last. Killed at any moment,
the dataset has exactly the old set or exactly the new one, and what was left over goes
with the next upload. While the field fills, others may write the dataset: its own lock
says that it is no leftover.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from itertools import chain, count
from typing import Any

import fiftyone as fo
import numpy as np
from bson import ObjectId
from numpy.typing import NDArray
from pymongo import UpdateOne

from evalsets.datasets.columns import drop, provenance, slug
from evalsets.datasets.documents import LABEL_OF, documents
from evalsets.datasets.locks import (
    PATIENCE_S,
    check_held,
    filling,
    schema_lock,
    writing,
)
from evalsets.datasets.matches import drop_matches
from evalsets.datasets.runs import delete_run, load_results, load_runs, save_run
from evalsets.errors import (
    ArgumentError,
    LockedError,
    NameTakenError,
    PredictionsError,
    UnknownNameError,
)
from evalsets.predictions import DetectionTable, Table

KIND = "predictions"
_TRAINING = "training"
_OWNER = "prediction_set"


@dataclass(frozen=True)
class ScoreSet:
    """One uploaded score of a model.

    Args:
        metric: its name, such as "loss"
        field: the field that holds it
        higher_is_better: its direction
        matched: samples that have one
        uploaded: when, in UTC
    """

    metric: str
    field: str
    higher_is_better: bool
    matched: int
    uploaded: str = ""


@dataclass(frozen=True)
class PredictionSet:
    """One model's uploaded outputs.

    Args:
        model: its name
        field: the field that holds them; of its first score where it has only those
        task: classification, multilabel, detection, segmentation, regression or scores
        matched: samples that have a prediction
        columns: class of each probability, where those were uploaded
        sparse: whether an image without boxes has no prediction, as in COCO results
        uploaded: when, in UTC
        owned: whether the field is ours; else it was there before
        training: key of the samples the model was trained on; empty where not said
        release: number of the release it was trained on, if one was named
        scores: uploaded beside the predictions
    """

    model: str
    field: str
    task: str
    matched: int
    columns: tuple[str, ...] = ()
    sparse: bool = False
    uploaded: str = ""
    owned: bool = True
    training: str = ""
    release: int | None = None
    scores: tuple[ScoreSet, ...] = ()

    @property
    def fields(self) -> set[str]:
        """Every field that it has made."""
        made = {score.field for score in self.scores}
        return made | ({self.field} if self.owned else set())


def prediction_sets(dataset: fo.Dataset) -> dict[str, PredictionSet]:
    """The prediction sets of a dataset by model, oldest first."""
    return {
        model: _read(content) for model, content in load_runs(dataset, KIND).items()
    }


def _read(content: dict[str, Any]) -> PredictionSet:
    scores = tuple(ScoreSet(**score) for score in content["scores"])
    columns = tuple(content["columns"])
    return PredictionSet(**{**content, "columns": columns, "scores": scores})


def prediction_set(dataset: fo.Dataset, model: str) -> PredictionSet:
    """One model's prediction set.

    Raises:
        UnknownNameError: nothing was uploaded under that name
        ArgumentError: it is no name
    """
    if not isinstance(model, str):
        raise ArgumentError(f"model is {model!r}; give the name of a prediction set")
    known = prediction_sets(dataset)
    if model not in known:
        raise UnknownNameError("model", model, known, "upload its predictions first")
    return known[model]


def score_names(dataset: fo.Dataset) -> set[str]:
    """The names of all scores of all models, which requirements may name."""
    known = prediction_sets(dataset).values()
    return {score.metric for stored in known for score in stored.scores}


def trained_on(dataset: fo.Dataset, stored: PredictionSet) -> set[str]:
    """Ids of the samples that the model was trained on, as far as it was said."""
    if not stored.training:
        return set()
    found = load_results(dataset, _TRAINING, stored.training, "ids")
    if found is None:
        raise PredictionsError(
            f"What model '{stored.model}' was trained on is lost from dataset "
            f"'{dataset.name}'; upload its predictions again, overwriting what is there"
        )
    return set(found)


class Upload:
    """Predictions on their way into a field that does not count yet."""

    def __init__(self, dataset: fo.Dataset, field: str):
        self._dataset = dataset
        self.field = field

    def write(
        self, table: Table, ids: Sequence[str | None], before: NDArray[np.bool_]
    ) -> None:
        """Writes one table in bulk.

        Args:
            table: boxes relative
            ids: ``(n,)`` the sample of each row; None for rows to skip
            before: ``(n,)`` whether the sample has boxes of an earlier table

        Raises:
            LockedError: another upload of that name may have the field by now
        """
        check_held(self._dataset)
        now = datetime.now(timezone.utc)
        rows = zip(ids, documents(table), before, strict=True)
        operations = []
        for sample, document, more in rows:
            if sample is None:
                continue
            change: dict[str, Any] = {"$set": {"last_modified_at": now}}
            if more and isinstance(table, DetectionTable):
                boxes = {"$each": document["detections"]}
                change["$push"] = {f"{self.field}.detections": boxes}
            else:
                change["$set"][self.field] = document
            operations.append(UpdateOne({"_id": ObjectId(sample)}, change))
        if operations:
            written = [sample for sample in ids if sample is not None]
            self._dataset._bulk_write(operations, ids=written)

    def commit(
        self,
        made: PredictionSet | ScoreSet,
        model: str,
        trained: Sequence[str] | None,
        release: int | None,
    ) -> None:
        """Makes the field count, in one write.

        Args:
            made: predictions, or a score that joins what the model has
            model: its name
            trained: ids of the samples it was trained on; None for what was known
            release: number of the release it was trained on, if one was named
        """
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        made = replace(made, uploaded=now)
        with writing(self._dataset):
            before = prediction_sets(self._dataset).get(model)
            stored = _joined(made, model, before)
            if trained is None and before is not None:
                stored = replace(
                    stored, training=before.training, release=before.release
                )
            elif trained is not None:
                key = os.urandom(8).hex() if trained else ""
                if trained:
                    ids = {"ids": sorted(trained)}
                    save_run(self._dataset, _TRAINING, key, {}, ids)
                stored = replace(stored, training=key, release=release)
            save_run(self._dataset, KIND, model, asdict(stored))


def _joined(
    made: PredictionSet | ScoreSet, model: str, before: PredictionSet | None
) -> PredictionSet:
    """What was uploaded, with what the model had beside it."""
    others = before.scores if before else ()
    if isinstance(made, PredictionSet):
        return replace(made, scores=others)
    kept = tuple(s for s in others if s.metric != made.metric)
    return _with_scores(before, model, (*kept, made))


def _with_scores(
    before: PredictionSet | None, model: str, scores: tuple[ScoreSet, ...]
) -> PredictionSet:
    if before is not None and before.task != "scores":
        return replace(before, scores=scores)
    first = scores[0]
    return PredictionSet(
        model=model,
        field=first.field,
        task="scores",
        matched=first.matched,
        uploaded=first.uploaded,
        scores=scores,
    )


@contextmanager
def uploading(
    dataset: fo.Dataset,
    model: str,
    task: str,
    *,
    metric: str = "",
    field: str = "",
    overwrite: bool = False,
) -> Iterator[Upload]:
    """Declares a new field; unless the upload commits, the field goes again.

    Args:
        dataset: to write to
        model: name of the prediction set
        task: of the predictions
        metric: name of the score, where it is one
        field: one that holds the predictions already
        overwrite: replace the model's earlier set, which stays until this is complete

    Raises:
        NameTakenError: the model has such predictions already
    """
    name = f"{model} {metric}" if metric else model
    with filling(dataset, name, patience=PATIENCE_S):
        before = prediction_sets(dataset).get(model)
        if not overwrite and _is_taken(before, metric):
            what = f"scores '{metric}'" if metric else "predictions"
            raise NameTakenError(
                f"Model '{model}' has {what} in dataset '{dataset.name}' already; "
                "overwrite them (option overwrite), or choose another name"
            )
        drop_leftovers(dataset)
        made = field or _declare(dataset, name, task)
        try:
            yield Upload(dataset, made)
        finally:
            if not field and made not in _fields_of(prediction_sets(dataset)):
                with writing(dataset):
                    _drop(dataset, made)


def _is_taken(before: PredictionSet | None, metric: str) -> bool:
    if before is None:
        return False
    if metric:
        return any(score.metric == metric for score in before.scores)
    return before.task != "scores"


def _declare(dataset: fo.Dataset, name: str, task: str) -> str:
    info = {"evalsets": {_OWNER: name}}
    first = _first_field(name)
    with writing(dataset), schema_lock:
        taken = dataset.get_field_schema()
        others = (f"{first}_{number}" for number in count(2))
        field = next(f for f in chain([first], others) if f not in taken)
        if task == "scores":
            dataset.add_sample_field(field, fo.FloatField, info=info)
        else:
            dataset.add_sample_field(
                field,
                fo.EmbeddedDocumentField,
                embedded_doc_type=LABEL_OF[task],
                info=info,
            )
    return field


def _fields_of(known: Mapping[str, PredictionSet]) -> set[str]:
    """The fields that prediction sets read."""
    return {f for stored in known.values() for f in (*stored.fields, stored.field)}


def drop_leftovers(dataset: fo.Dataset) -> None:
    """Removes fields of uploads that were killed or replaced, and what they said."""
    with writing(dataset):
        known = prediction_sets(dataset)
        used = _fields_of(known)
        for name, field in dataset.get_field_schema().items():
            owner = provenance(field).get(_OWNER, "")
            if name in used or not _is_ours(name, owner):
                continue
            with suppress(LockedError), filling(dataset, owner):  # else it fills yet
                _drop(dataset, name)
        said = {stored.training for stored in known.values()}
        for key in load_runs(dataset, _TRAINING):
            if key not in said:
                delete_run(dataset, _TRAINING, key)
        drop_matches(dataset)


def _is_ours(field: str, owner: str) -> bool:
    """Whether we made a field; one that a user cloned from it says so too."""
    return bool(owner) and field.startswith(_first_field(owner))


def _first_field(name: str) -> str:
    return f"pred_{slug(name)}"


def _drop(dataset: fo.Dataset, field: str) -> None:
    """Empties the field first: samples do not load with a value nobody declares."""
    check_held(dataset)
    some = {field: {"$exists": True}}
    dataset._sample_collection.update_many(some, {"$unset": {field: ""}})
    drop(dataset, field)
