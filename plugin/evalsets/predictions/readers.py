"""One door for every form that predictions come in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalsets.errors import PredictionsError
from evalsets.predictions.classification import KEYS, LABELS, classification_table
from evalsets.predictions.detection import coco_table, detection_table, is_coco
from evalsets.predictions.tables import ClassificationTable, DetectionTable, examples

Classes = Sequence[str] | Mapping[int, str] | str | Path
_TEXT = {*KEYS, *LABELS}
_NOT_NUMBERS = ["", "nan", "NaN", "NAN", "NA", "N/A", "null", "None"]


def read_predictions(
    source: Any, *, key: str | None = None, classes: Classes | None = None
) -> ClassificationTable | DetectionTable:
    """Reads and checks predictions; nothing is written anywhere.

    Sources: ``{key: label}``, ``{key: (label, confidence)}``, ``{key: {"label": …,
    "confidence": …}}``, ``{key: {class: probability, …}}``, ``{key: [{"label": …,
    "bbox" | "bounding_box": […], "score": …}, …]}``, FiftyOne labels by key, a list
    of dicts, a DataFrame, COCO results, or the path of a CSV, JSON, JSONL, parquet
    or npz file of such content. A table has a column of keys and ``label`` (or
    ``prediction``) with optional ``confidence``, or one column a class.

    Args:
        source: the predictions
        key: name of the column of keys; by default, or where there is no such
            column, the first with a usual name (``filepath``, ``file``, ``id`` …)
        classes: every label there is, so that others are refused; for COCO results
            the names by category id, or the path of the COCO annotations, whose
            file names then become the keys

    Raises:
        PredictionsError: what is wrong, in which row, and the remedy
    """
    if isinstance(source, str | Path):
        source = _read_file(Path(source), key)
    if isinstance(source, Mapping):
        return _from_mapping(source, classes)
    if not isinstance(source, pd.DataFrame):
        source = list(source) if isinstance(source, Sequence) else source
        if not isinstance(source, list) or not all(
            isinstance(row, Mapping) for row in source
        ):
            raise PredictionsError(
                f"Predictions cannot be a {type(source).__name__}; give a dict by key, "
                "a DataFrame, a list of dicts or the path of a file"
            )
        if is_coco(source):
            return coco_table(source, classes)
        source = pd.DataFrame.from_records(source)
    return classification_table(source, key, _names(classes))


def _names(classes: Classes | None) -> list[str] | None:
    if classes is None:
        return None
    if isinstance(classes, str | Path):
        raise PredictionsError(
            "A file of classes is for COCO results only; leave it out, or give the "
            "names of the classes"
        )
    return [
        str(c) for c in (classes.values() if isinstance(classes, Mapping) else classes)
    ]


def _from_mapping(
    source: Mapping[Any, Any], classes: Classes | None
) -> ClassificationTable | DetectionTable:
    if not source:
        raise PredictionsError("The predictions are empty; there is nothing to upload")
    keys = [str(key) for key in source]
    values = list(source.values())
    if "annotations" in source:
        raise PredictionsError(
            "This holds COCO annotations; give the results: a list of image_id, "
            "category_id, bbox and score"
        )
    if _holds_boxes(values[0]):
        return detection_table(keys, values, _names(classes))
    frame = pd.DataFrame.from_records([_row(key, v) for key, v in source.items()])
    frame.insert(0, "key", keys, allow_duplicates=True)
    return classification_table(frame, "key", _names(classes))


def _holds_boxes(value: Any) -> bool:
    return isinstance(value, list) or hasattr(value, "detections")


def _row(key: Any, value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "label"):  # a FiftyOne Classification
        return {"label": value.label, "confidence": value.confidence}
    if isinstance(value, tuple):
        if len(value) == 2:
            return dict(zip(("label", "confidence"), value, strict=True))
        raise PredictionsError(
            f"The prediction of '{key}' has {len(value)} parts; give (label, confidence)"
        )
    if value is None or isinstance(value, str | int | np.integer | np.bool_):
        return {"label": value}
    raise PredictionsError(
        f"The prediction of '{key}' is a {type(value).__name__}; give a label, "
        "(label, confidence) or a list of boxes"
    )


def _read_file(path: Path, key: str | None) -> Any:
    if not path.is_file():
        raise PredictionsError(f"There is no file '{path}'; check the path")
    readers = {
        ".csv": _read_csv,
        ".json": _read_json,
        ".jsonl": _read_lines,
        ".ndjson": _read_lines,
        ".parquet": _read_parquet,
        ".npz": _read_npz,
    }
    read = readers.get(path.suffix.lower())
    if read is None:
        raise PredictionsError(
            f"'{path.name}' is none of {', '.join(readers)}; convert it to one of them"
        )
    try:
        return read(path, key)
    except (ValueError, KeyError, OSError, EOFError) as problem:
        raise PredictionsError(
            f"'{path.name}' cannot be read, it may be cut off or not be "
            f"{path.suffix[1:].upper()}: {problem}"
        ) from problem


def _read_csv(path: Path, key: str | None) -> pd.DataFrame:
    columns = pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns
    text = {c for c in columns if c == key or c.lower() in _TEXT}
    frame = pd.read_csv(
        path,
        encoding="utf-8-sig",
        dtype=dict.fromkeys(text, str),
        keep_default_na=False,  # a class may be called "None" or "NA"
        na_values={c: [""] if c in text else _NOT_NUMBERS for c in columns},
    )
    if not isinstance(frame.index, pd.RangeIndex):
        raise PredictionsError(
            f"The rows of '{path.name}' have more values than its header has names"
        )
    return frame


def _read_json(path: Path, _key: str | None) -> Any:
    with path.open(encoding="utf-8-sig") as file:
        return json.load(file, object_pairs_hook=_without_doubles)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = [name for name in entries if names.count(name) > 1]
        raise PredictionsError(
            f"A JSON object has keys more than once: {examples(doubled)}; keep one"
        )
    return entries


def _read_lines(path: Path, _key: str | None) -> list[Any]:
    return list(_lines(path))


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except ValueError as problem:
                raise PredictionsError(
                    f"Line {number} of '{path.name}' is not JSON, it may be cut off: "
                    f"{problem}"
                ) from problem


def _read_parquet(path: Path, _key: str | None) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except ImportError as problem:
        raise PredictionsError(
            "Reading parquet needs pyarrow; run: pip install pyarrow"
        ) from problem


def _read_npz(path: Path, _key: str | None) -> pd.DataFrame:
    with np.load(path, allow_pickle=False) as arrays:
        columns = {name: arrays[name] for name in arrays.files}
    probabilities = columns.pop("probabilities", None)
    classes = columns.pop("classes", None)
    frame = pd.DataFrame({name: list(column) for name, column in columns.items()})
    if probabilities is None:
        return frame
    if classes is None or probabilities.shape != (len(frame), len(classes)):
        raise PredictionsError(
            f"'{path.name}' needs 'classes' with one name a column of 'probabilities', "
            "and one row a key"
        )
    table = pd.DataFrame(probabilities, columns=[str(c) for c in classes])
    return pd.concat([frame, table], axis=1)
