"""From rows or values to a checked table of label sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalsets.errors import PredictionsError
from evalsets.predictions.classification import (
    class_columns,
    find_column,
    keyed,
    split_labels,
)
from evalsets.predictions.sources import LABELS
from evalsets.predictions.tables import (
    LabelsTable,
    check_keys,
    check_labels,
    check_shares,
    is_box,
    label_text,
)

SETS = ("labels", "predictions", "tags")


def labels_table(
    frame: pd.DataFrame,
    key: str | None = None,
    classes: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
) -> LabelsTable:
    """Checks a table with ``labels``, or with one column of confidences a label.

    Args:
        frame: column of keys; ``labels`` as lists or as text with ``|`` between them,
            or one column of confidences a label
        key: name of the column of keys
        classes: every label there is
        columns: the columns of confidences, where an earlier table has settled them

    Raises:
        PredictionsError: a row that cannot be taken
    """
    frame, key, keys = keyed(frame, key)
    column = find_column(frame, (*SETS, *LABELS))
    if column is not None:
        sets = [dict.fromkeys(split_labels(cell)) for cell in frame[column]]
        return _checked(keys, sets, classes)
    names = columns or class_columns(frame, [key], None, classes)
    if not names:
        raise PredictionsError(
            "The predictions have neither a column 'labels' nor one column a label; add one"
        )
    by_name = {str(column): column for column in frame.columns}
    values = np.column_stack(
        [
            pd.to_numeric(frame[by_name[n]], errors="coerce").to_numpy(float)
            for n in names
        ]
    )
    for name, column_values in zip(names, values.T, strict=True):
        check_shares(column_values, keys, name)
    rows = [dict(zip(names, row, strict=True)) for row in values.clip(max=1).tolist()]
    return _checked(keys, rows, classes, tuple(names))


def label_sets(
    keys: list[str], values: Sequence[Any], classes: Sequence[str] | None
) -> LabelsTable:
    """Checks sets of labels by key.

    Args:
        keys: one a sample
        values: for each a list of labels, of (label, confidence) or of dicts with
            ``label`` and ``confidence``; confidences by label; or FiftyOne
            ``Classifications``
        classes: every label there is

    Raises:
        PredictionsError: a value that cannot be taken
    """
    rows = [_labels(key, value) for key, value in zip(keys, values, strict=True)]
    return _checked(keys, rows, classes)


def _labels(key: str, value: Any) -> dict[str, float | None]:
    value = getattr(value, "classifications", value)
    if isinstance(value, Mapping):
        return {label_text(label, key): score for label, score in value.items()}
    if isinstance(value, str):
        return {value: None}
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise PredictionsError(
            f"The prediction of '{key}' is a {type(value).__name__}; give a list of "
            "labels, empty where there is none"
        )
    return dict(_label(key, one) for one in value)


def _label(key: str, one: Any) -> tuple[str, float | None]:
    if isinstance(one, str | int):
        return label_text(one, key), None
    if isinstance(one, tuple) and len(one) == 2:
        return label_text(one[0], key), one[1]
    if isinstance(one, Mapping) and "label" in one and not is_box(one):
        return label_text(one["label"], key), one.get("confidence", one.get("score"))
    if getattr(one, "label", None) is not None:
        return str(one.label), one.confidence
    raise PredictionsError(
        f"A label of '{key}' is {one!r}; give a text, (label, confidence) or a dict "
        "with 'label'"
    )


def _checked(
    keys: list[str],
    rows: list[dict[str, Any]],
    classes: Sequence[str] | None,
    columns: tuple[str, ...] = (),
) -> LabelsTable:
    check_keys(keys)
    check_labels({label for row in rows for label in row}, classes)
    given = [(k, s) for k, row in zip(keys, rows, strict=True) for s in row.values()]
    known = [(key, score) for key, score in given if score is not None]
    if known and len(known) < len(given):
        raise PredictionsError(
            "Some labels have a confidence and some have none; give all or none"
        )
    try:
        scores = np.array([score for _, score in known], float)
    except (TypeError, ValueError) as problem:
        raise PredictionsError(f"A confidence is no number: {problem}") from problem
    check_shares(scores, [key for key, _ in known], "confidence")
    return LabelsTable(keys, list(rows), columns)
