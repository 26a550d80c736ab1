"""From a table of rows to a checked table of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalsets.errors import PredictionsError, counted, nearest, separated
from evalsets.predictions.sources import CONFIDENCES, KEYS, LABELS
from evalsets.predictions.tables import (
    ClassificationTable,
    Floats,
    check_keys,
    check_labels,
    check_shares,
    examples,
    label_text,
    plain_text,
    refuse,
)

_RANKED = ("top5", "ranked")
_FEWEST = 2  # classes that probabilities can be of
BETWEEN = "|"
"""What separates several labels in one cell of text."""


def classification_table(
    frame: pd.DataFrame,
    key: str | None = None,
    classes: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
) -> ClassificationTable:
    """Checks a table of predictions, one row a key.

    Columns of numbers are probabilities where the table has no label column, where
    ``classes`` names them, or where every predicted label has such a column.

    Args:
        frame: column of keys; ``label`` and optional ``confidence``, or one column a
            class, or both; ``top5`` may hold the likeliest labels, best first
        key: name of the column of keys
        classes: every label there is
        columns: the columns of probabilities, where an earlier table has settled them

    Raises:
        PredictionsError: a row that cannot be taken
    """
    frame, key, keys = keyed(frame, key)
    label = find_column(frame, LABELS)
    labels = _texts(frame[label], label, keys) if label else None
    check_labels(labels or (), classes)
    confidence = find_column(frame, CONFIDENCES) if label else None
    confidences = _shares(frame, confidence, keys) if confidence else None
    if label is None and columns is None and classes is None:
        _refuse_mistyped(frame, key)
    names = list(columns or ())
    if columns is None:
        names = class_columns(frame, [key, label, confidence], labels, classes)
        if labels is None and classes is None and len(names) < _FEWEST:
            names = []  # such as a confidence, whose label has another name
    probabilities = _probabilities(frame, names, keys) if names else None
    if probabilities is not None:
        labels, confidences = _filled(probabilities, names, labels, confidences)
    if labels is None:
        raise PredictionsError(
            "The predictions have neither a column 'label' nor one column a class; "
            "rename the column of labels; their columns are "
            f"{examples(frame.columns, 10)}"
        )
    ranked = find_column(frame, _RANKED)
    return ClassificationTable(
        keys,
        labels,
        confidences,
        probabilities,
        tuple(names),
        None if ranked is None else [split_labels(cell) for cell in frame[ranked]],
    )


def _refuse_mistyped(frame: pd.DataFrame, key: str) -> None:
    """Refuses a column of text whose name is nearly ``label``; no probability is text."""
    texts = [
        str(c)
        for c in frame
        if c != key and not pd.api.types.is_numeric_dtype(frame[c])
    ]
    meant = nearest("label", texts)
    if meant:
        raise PredictionsError(
            f"The predictions have no column 'label'; rename '{meant}' if it is meant"
        )


def keyed(frame: pd.DataFrame, key: str | None) -> tuple[pd.DataFrame, str, list[str]]:
    """The table with its keys as a column, that column's name, and the checked keys."""
    if frame.index.name is not None and frame.index.name not in frame.columns:
        frame = frame.reset_index()
    _refuse_doubled_columns(frame)
    key = _key_column(frame, key)
    keys = _texts(frame[key], "key", None)
    check_keys(keys)
    return frame, key, keys


def split_labels(cell: Any) -> list[str]:
    """Several labels in one cell: a list, or text with ``|`` between them."""
    if isinstance(cell, str):
        return [part.strip() for part in cell.split(BETWEEN) if part.strip()]
    if isinstance(cell, (list, tuple, np.ndarray)):
        return [label_text(label) for label in cell]
    return []


def _refuse_doubled_columns(frame: pd.DataFrame) -> None:
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise PredictionsError(f"Two columns are called '{doubled[0]}'; rename one")


def find_column(frame: pd.DataFrame, names: Sequence[str]) -> str | None:
    """The first of these columns that the table has, in any case."""
    by_name = {str(column).lower(): column for column in reversed(list(frame.columns))}
    return next((by_name[name] for name in names if name in by_name), None)


def _key_column(frame: pd.DataFrame, key: str | None) -> str:
    found = key if key in frame.columns else find_column(frame, KEYS)
    if found is None:
        asked = f"no column '{key}'" if key else "no column of keys"
        raise PredictionsError(
            f"The predictions have {asked}; name it as the key, their columns are "
            f"{examples(frame.columns, 10)}{separated(list(frame.columns))}"
        )
    return found


def _texts(column: pd.Series, name: str, keys: list[str] | None) -> list[str]:
    texts = [plain_text(value) for value in column]
    bad = column.isna().to_numpy() | [not text for text in texts]
    refuse(bad, keys or texts, f"'{name}' is empty; drop rows without a prediction")
    return texts


def _shares(frame: pd.DataFrame, column: str, keys: list[str]) -> Floats | None:
    if all(_is_absent(value) for value in frame[column]):
        return None
    values: Floats = pd.to_numeric(frame[column], errors="coerce").to_numpy(float)
    check_shares(values, keys, column)
    return values.clip(max=1.0)


def _is_absent(value: Any) -> bool:
    """Whether a cell is empty; a NaN is a number that went wrong."""
    return value is None or value is pd.NA or value == ""


def class_columns(
    frame: pd.DataFrame,
    taken: list[str | None],
    labels: list[str] | None,
    classes: Sequence[str] | None,
) -> list[str]:
    """The columns that hold one probability a class."""
    rest = [column for column in frame.columns if column not in taken]
    if classes is not None:
        named = [str(column) for column in rest if str(column) in set(classes)]
        absent = sorted(set(classes) - set(named))
        if named and absent and labels is None:
            raise PredictionsError(
                f"{counted(len(absent), 'class has', 'classes have')} no column: {examples(absent)}"
            )
        return [] if absent else named
    numbers = [c for c in rest if pd.api.types.is_numeric_dtype(frame[c])]
    if labels is not None and not set(labels) <= {str(c) for c in numbers}:
        return []
    return [str(column) for column in numbers]


def _probabilities(frame: pd.DataFrame, names: list[str], keys: list[str]) -> Floats:
    by_name = {str(column): column for column in frame.columns}
    columns = [pd.to_numeric(frame[by_name[n]], errors="coerce") for n in names]
    values: Floats = np.column_stack([column.to_numpy(float) for column in columns])
    refuse(
        np.isnan(values).any(axis=1),
        keys,
        "A probability is not a number; mend the row",
    )
    sums = values.sum(axis=1)
    if (values < 0).any() or (values > 1 + 1e-6).any():
        remedy = "apply softmax, these look like logits"
        if (values >= 0).all() and np.allclose(sums, 100, atol=1):
            remedy = "divide percents by 100"
        outside = ((values < 0) | (values > 1 + 1e-6)).any(axis=1)
        refuse(outside, keys, f"Probabilities lie outside [0, 1]; {remedy}")
    rounding = 1e-3 + 1e-4 * len(names)  # files keep three or four decimals
    off = np.abs(sums - 1) > rounding
    if off.any():
        refuse(
            off,
            keys,
            f"Probabilities of the columns {examples(names, 5)} sum to "
            f"{sums[off][0]:.4g}, not 1; apply softmax, or name the classes if "
            "other columns hold numbers too; where a sample may have several labels, "
            "say task='multilabel'",
        )
    return values.clip(max=1.0)


def _filled(
    probabilities: Floats,
    names: list[str],
    labels: list[str] | None,
    confidences: Floats | None,
) -> tuple[list[str], Floats]:
    """Labels and confidences, from the probabilities where there are none."""
    absent = sorted(set(labels or ()) - set(names))
    if absent:
        raise PredictionsError(
            f"The label '{absent[0]}' has no column among the probabilities "
            f"{examples(names, 5)}; name the classes if those columns are none"
        )
    if labels is None:
        labels = [names[best] for best in probabilities.argmax(axis=1)]
    if confidences is None:
        at = {name: place for place, name in enumerate(names)}
        rows = np.arange(len(labels))
        confidences = probabilities[rows, [at[label] for label in labels]]
    return labels, confidences
