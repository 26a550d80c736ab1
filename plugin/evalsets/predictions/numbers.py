"""From rows or values to a checked table of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalsets.errors import PredictionsError
from evalsets.predictions.classification import find_column, keyed
from evalsets.predictions.tables import NumberTable, check_keys, examples, refuse

VALUES = ("value", "prediction", "predicted", "score", "label")


def number_table(
    frame: pd.DataFrame, key: str | None = None, score: str = ""
) -> NumberTable:
    """Checks a table with one number a key.

    Args:
        frame: column of keys and ``value``, or ``score``, or one other column of numbers
        key: name of the column of keys
        score: name of the score that they are, such as "loss"

    Raises:
        PredictionsError: a row that cannot be taken
    """
    frame, key, keys = keyed(frame, key)
    others = [c for c in frame.columns if c != key]
    numeric = [c for c in others if pd.api.types.is_numeric_dtype(frame[c])]
    column = find_column(frame[others], tuple(filter(None, (score.lower(), *VALUES))))
    if column is None and len(numeric) == 1:
        column = numeric[0]
    if column is None:
        raise PredictionsError(
            f"No column holds the numbers; call it '{score or 'value'}', the columns are "
            f"{examples(frame.columns, 10)}"
        )
    return _checked(
        keys, pd.to_numeric(frame[column], errors="coerce"), str(column), score
    )


def numbers_by_key(
    keys: list[str], values: Sequence[Any], score: str = ""
) -> NumberTable:
    """Checks numbers, or FiftyOne ``Regression`` labels, by key."""
    plain = pd.Series(
        [getattr(value, "value", value) for value in values], dtype=object
    )
    return _checked(
        keys, pd.to_numeric(plain, errors="coerce"), score or "value", score
    )


def _checked(keys: list[str], column: pd.Series, name: str, score: str) -> NumberTable:
    check_keys(keys)
    values = column.to_numpy(float)
    refuse(
        ~np.isfinite(values),
        keys,
        f"'{name}' is not a finite number; mend the rows, or drop them",
    )
    return NumberTable(keys, values, bool(score))
