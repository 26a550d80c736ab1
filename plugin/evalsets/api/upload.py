"""``upload_predictions``: a model's outputs, all or nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import fiftyone as fo
import numpy as np

from evalsets.api.populations import refresh
from evalsets.datasets.connect import Source, open_dataset
from evalsets.datasets.outcomes import GROUND_TRUTH, true_labels
from evalsets.datasets.predictions import store_predictions
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.predictions import (
    DetectionTable,
    UploadReport,
    match_keys,
    read_predictions,
)

logger = logging.getLogger(__name__)


def upload_predictions(
    dataset: Source,
    model: str,
    predictions: Any,
    *,
    key: str = "filepath",
    classes: Any = None,
    trained_on: Iterable[str] | None = None,
    overwrite: bool = False,
) -> UploadReport:
    """Stores a model's predictions as label fields, after checking all of them.

    Args:
        dataset: or its name
        model: name of the prediction set
        predictions: a dict by key, a list of dicts, a DataFrame, or the path of a CSV,
            JSON, JSONL, parquet, npz or COCO results file; a table has a column of
            keys and ``label`` with optional ``confidence``, or one column a class
        key: what the keys are: ``id``, ``filepath`` (full, relative or base names), or
            any field with unique values
        classes: every label there is; for COCO results the names by category id, or
            the path of the COCO annotations
        trained_on: keys of the samples the model was trained on; those are left out
            of its test figures
        overwrite: replace the model's earlier predictions

    Raises:
        PredictionsError: what is wrong with them; nothing was written
        NameTakenError: the model has predictions already
    """
    if not isinstance(model, str) or not model.strip():
        raise ArgumentError("The prediction set needs the name of its model")
    if isinstance(trained_on, str):
        raise ArgumentError("trained_on is one text; give a list of sample keys")
    opened = open_dataset(dataset)
    table = read_predictions(predictions, key=key, classes=classes)
    ids, known = _known(opened, key)
    match = match_keys(table.keys, known)
    if isinstance(table, DetectionTable) and not table.relative:
        table = table.relative_to(_sizes(opened)[match.positions])
    trained = match_keys([*dict.fromkeys(trained_on or ())], known).positions
    stored = store_predictions(
        opened,
        model,
        table,
        [ids[p] for p in match.positions],
        trained_on=[ids[p] for p in trained],
        overwrite=overwrite,
    )
    refresh(opened)
    truth = true_labels(opened, GROUND_TRUTH, stored.task)
    report = UploadReport(
        model=model,
        field=stored.field,
        task=stored.task,
        matched=stored.matched,
        missing=len(match.missing),
        missing_examples=tuple(str(known[p]) for p in match.missing[:3]),
        truth=GROUND_TRUTH if truth else "",
        strange_labels=tuple(sorted(set(table.labels) - truth)) if truth else (),
    )
    logger.info("%s", report)
    return report


def _known(dataset: fo.Dataset, key: str) -> tuple[list[str], list[Any]]:
    if not dataset.has_sample_field(key):
        fields = dataset.get_field_schema()
        raise UnknownNameError("field", key, fields, "name the field of the keys")
    ids, known = dataset.values(["id", key])
    return ids, known


def _sizes(dataset: fo.Dataset) -> Any:
    width, height = dataset.values(["metadata.width", "metadata.height"])
    if None in width or None in height:
        raise ArgumentError(
            f"Samples of dataset '{dataset.name}' lack their size in pixels; compute "
            "their metadata with FiftyOne first"
        )
    return np.column_stack([width, height])
