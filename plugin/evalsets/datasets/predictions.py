"""Prediction sets: label fields, and a custom run each that makes them count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

import fiftyone as fo
import numpy as np

from evalsets.datasets.columns import declare, slug, write
from evalsets.datasets.locks import writing
from evalsets.datasets.runs import load_results, load_runs, save_run
from evalsets.errors import NameTakenError, PredictionsError, UnknownNameError
from evalsets.predictions import ClassificationTable, DetectionTable

KIND = "predictions"
_TINY = np.finfo(float).eps


@dataclass(frozen=True)
class PredictionSet:
    """One model's uploaded outputs.

    Args:
        model: its name
        field: the label field that holds them
        task: "classification" or "detection"
        matched: samples that have a prediction
        columns: class of each probability, where those were uploaded
        uploaded: when, in UTC
    """

    model: str
    field: str
    task: str
    matched: int
    columns: tuple[str, ...] = ()
    uploaded: str = ""


def prediction_sets(dataset: fo.Dataset) -> dict[str, PredictionSet]:
    """The prediction sets of a dataset by model, oldest first."""
    return {
        model: PredictionSet(**{**content, "columns": tuple(content["columns"])})
        for model, content in load_runs(dataset, KIND).items()
    }


def prediction_set(dataset: fo.Dataset, model: str) -> PredictionSet:
    """One model's prediction set.

    Raises:
        UnknownNameError: nothing was uploaded under that name
    """
    known = prediction_sets(dataset)
    if model not in known:
        raise UnknownNameError("model", model, known, "upload its predictions first")
    return known[model]


def trained_on(dataset: fo.Dataset, model: str) -> set[str]:
    """Ids of the samples that the model was trained on, as far as it was said.

    Raises:
        PredictionsError: the upload was interrupted before it wrote them
    """
    found = load_results(dataset, KIND, model, "trained_on")
    if found is None:
        raise PredictionsError(
            f"The upload of model '{model}' to dataset '{dataset.name}' was "
            "interrupted; upload its predictions again, overwriting what is there"
        )
    return set(found)


def store_predictions(
    dataset: fo.Dataset,
    model: str,
    table: ClassificationTable | DetectionTable,
    ids: Sequence[str],
    *,
    trained_on: Sequence[str] = (),
    overwrite: bool = False,
) -> PredictionSet:
    """Writes a checked table; its run is written last, so that it counts as a whole.

    Args:
        dataset: to write to
        model: name of the prediction set
        table: boxes relative
        ids: ``(n,)`` the sample of each key of the table
        trained_on: ids of the samples that the model was trained on
        overwrite: replace the model's earlier set, which stays until this is complete

    Raises:
        NameTakenError: the model has predictions already
    """
    with writing(dataset):
        before = prediction_sets(dataset).get(model)
        if before is not None and not overwrite:
            raise NameTakenError(
                f"Model '{model}' has predictions in dataset '{dataset.name}' already; "
                "overwrite them, or choose another name"
            )
        kind = (
            fo.Classification
            if isinstance(table, ClassificationTable)
            else fo.Detections
        )
        field = _free_field(dataset, model)
        declare(dataset, {field: kind}, info={"model": model})
        stored = PredictionSet(
            model=model,
            field=field,
            task="classification" if kind is fo.Classification else "detection",
            matched=len(ids),
            columns=getattr(table, "classes", ()),
            uploaded=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )
        try:
            write(dataset, field, ids, _labels(table))
            trained = {"trained_on": sorted(trained_on)}
            save_run(dataset, KIND, model, asdict(stored), trained)
        except BaseException:
            if field not in {s.field for s in prediction_sets(dataset).values()}:
                dataset.delete_sample_field(field)
            raise
        if before is not None and dataset.has_field(before.field):
            dataset.delete_sample_field(before.field)
    return stored


def _free_field(dataset: fo.Dataset, model: str) -> str:
    """A field name that nothing counts on: a killed upload's leftover is taken over."""
    used = {s.field for s in prediction_sets(dataset).values()}
    schema = dataset.get_field_schema()
    name = f"pred_{slug(model)}"
    number = 1
    while name in used or (name in schema and not _is_leftover(schema[name])):
        number += 1
        name = f"pred_{slug(model)}_{number}"
    if name in schema:
        dataset.delete_sample_field(name)
    return name


def _is_leftover(field: fo.Field) -> bool:
    return "model" in ((field.info or {}).get("evalsets") or {})


def _labels(table: ClassificationTable | DetectionTable) -> list[Any]:
    if isinstance(table, DetectionTable):
        return _detections(table)
    n = len(table)
    confidence = [None] * n if table.confidences is None else table.confidences.tolist()
    logits = (
        [None] * n
        if table.probabilities is None
        else list(np.log(np.clip(table.probabilities, _TINY, None)))
    )
    return [
        fo.Classification(label=label, confidence=c, logits=row)
        for label, c, row in zip(table.labels, confidence, logits, strict=True)
    ]


def _detections(table: DetectionTable) -> list[fo.Detections]:
    found: list[list[fo.Detection]] = [[] for _ in table.keys]
    rows = zip(
        table.image.tolist(),
        table.boxes.tolist(),
        table.labels,
        table.scores.tolist(),
        strict=True,
    )
    for image, box, label, score in rows:
        found[image].append(
            fo.Detection(label=label, bounding_box=box, confidence=score)
        )
    return [fo.Detections(detections=boxes) for boxes in found]
