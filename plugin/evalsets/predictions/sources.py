"""Sources of predictions as chunks, so that memory does not grow with a file."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from evalsets.errors import PredictionsError
from evalsets.predictions.json_items import json_items
from evalsets.predictions.tables import examples

ROWS = 20_000
"""Rows of a chunk, at most."""
_CELLS = 1_000_000
"""Values of a chunk, about."""
_LITTLE = 1_000
"""Characters that show whether a file holds anything."""
KEYS = [
    "key",
    "filepath",
    "file_path",
    "filename",
    "file_name",
    "file",
    "path",
    "image",
    "image_path",
    "image_id",
    "sample_id",
    "id",
]
LABELS = ("label", "prediction", "predicted", "predicted_label")
CONFIDENCES = ("confidence", "score")
_TEXT = {*KEYS, *LABELS, "labels", "mask", "mask_path", "top5"}
_NOT_NUMBERS = ["", "nan", "NaN", "NAN", "NA", "N/A", "null", "None"]

Pairs: TypeAlias = "list[tuple[str, Any]]"
Chunk: TypeAlias = "pd.DataFrame | list[dict[str, Any]] | Pairs"
"""A table, rows, or values by key."""


def read_chunks(source: Any, key: str | None) -> Iterator[Chunk]:
    """The source piece by piece; each piece has at most ``ROWS`` rows.

    Args:
        source: what :func:`~evalsets.predictions.read_tables` takes
        key: name of the column of keys, whose values stay text

    Raises:
        PredictionsError: it cannot be read
    """
    if isinstance(source, str | Path):
        yield from _read_file(Path(source), key)
    elif isinstance(source, Mapping):
        if "annotations" in source:
            _refuse_annotations()
        yield from _batches((str(k), value) for k, value in source.items())
    elif isinstance(source, pd.DataFrame):
        size = _rows(len(source.columns))
        for start in range(0, len(source), size):
            yield source.iloc[start : start + size]
    elif isinstance(source, list | tuple) and all(
        isinstance(first, Mapping) for first in source[:1]
    ):
        yield from _batches(source)
    else:
        raise PredictionsError(
            f"Predictions cannot be a {type(source).__name__}; give a dict by key, a "
            "DataFrame, a list of dicts or the path of a file"
        )


def _rows(columns: int) -> int:
    """Rows of a chunk of a table."""
    return max(1, min(ROWS, _CELLS // max(columns, 1)))


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    cells = 0
    for item in items:
        batch.append(item)
        cells += _cells(item)
        if len(batch) >= ROWS or cells >= _CELLS:
            yield batch
            batch, cells = [], 0
    if batch:
        yield batch


def _cells(item: Any) -> int:
    """About how many values a row, or the value of a key, holds."""
    held = item[1] if isinstance(item, tuple) else item
    if isinstance(held, np.ndarray):
        return held.size
    each = 5 if isinstance(held, list) else 1  # a box is a dict of five
    return each * len(held) if isinstance(held, (list, dict)) else 1


def _read_file(path: Path, key: str | None) -> Iterator[Chunk]:
    if path.is_dir():
        raise PredictionsError(
            f"'{path}' is a folder; give the path of a file of predictions"
        )
    if not path.is_file():
        raise PredictionsError(f"There is no file '{path}'; check the path")
    readers: dict[str, Callable[[Path, str | None], Iterator[Chunk]]] = {
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
        yield from read(path, key)
    except pd.errors.EmptyDataError:
        raise PredictionsError(
            f"'{path.name}' is empty; there is nothing to upload"
        ) from None
    except (
        *(ValueError, KeyError, OSError, EOFError, RecursionError),
        zipfile.BadZipFile,
    ) as problem:
        raise PredictionsError(
            f"'{path.name}' cannot be read, it may be cut off or not be "
            f"{path.suffix[1:].upper()}: {problem}"
        ) from problem


def _read_csv(path: Path, key: str | None) -> Iterator[pd.DataFrame]:
    columns = pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns
    text = {c for c in columns if c == key or c.lower() in _TEXT}
    shares = [c for c in columns if c.lower() in CONFIDENCES]
    kept = {*text, *shares}  # "nan" among confidences is no empty cell
    reader = pd.read_csv(
        path,
        encoding="utf-8-sig",
        dtype=dict.fromkeys(text, str),
        keep_default_na=False,  # a class may be called "None" or "NA"
        na_values={c: [""] if c in kept else _NOT_NUMBERS for c in columns},
        chunksize=_rows(len(columns)),
    )
    with reader as chunks:
        for frame in chunks:
            if not isinstance(frame.index, pd.RangeIndex):
                raise PredictionsError(
                    f"The rows of '{path.name}' have more values than its header has "
                    "names; name every column"
                )
            yield _emptied(frame, [c for c in shares if frame[c].isna().all()])


def _emptied(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """With None in columns whose cells are empty, which pandas reads as NaN."""
    return frame.assign(**dict.fromkeys(columns)) if columns else frame


def _read_json(path: Path, _key: str | None) -> Iterator[list[Any]]:
    with path.open(encoding="utf-8-sig") as file:
        for batch in _batches(json_items(file, _without_doubles)):
            if any(isinstance(i, tuple) and i[0] == "annotations" for i in batch):
                _refuse_annotations()
            yield batch


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = [name for name in entries if names.count(name) > 1]
        raise PredictionsError(
            f"A JSON object has keys more than once: {examples(doubled)}; keep one"
        )
    return entries


def _refuse_annotations() -> None:
    raise PredictionsError(
        "This holds COCO annotations; give the results: a list of image_id, "
        "category_id, bbox and score"
    )


def _read_lines(path: Path, _key: str | None) -> Iterator[list[Any]]:
    yield from _batches(_lines(path))


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as problem:
                raise PredictionsError(
                    f"Line {number} of '{path.name}' is not JSON, it may be cut off: "
                    f"{problem}"
                ) from problem
            if not isinstance(row, dict):
                raise PredictionsError(
                    f"Line {number} of '{path.name}' is not an object; write one a line"
                )
            yield row


def _read_parquet(path: Path, _key: str | None) -> Iterator[pd.DataFrame]:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        size = _rows(len(file.schema_arrow.names))
        for batch in file.iter_batches(batch_size=size):
            empty = [
                name
                for name, column in zip(batch.schema.names, batch.columns, strict=True)
                if column.null_count == len(column)
            ]
            yield _emptied(batch.to_pandas(), empty)


def _read_npz(path: Path, _key: str | None) -> Iterator[pd.DataFrame]:
    with zipfile.ZipFile(path) as archive:
        names = [n.removesuffix(".npy") for n in archive.namelist()]
        classes = None
        if "classes" in names:
            names.remove("classes")
            with np.load(path, allow_pickle=False) as arrays:
                classes = [str(c) for c in arrays["classes"]]
        size = _rows(len(names) + len(classes or ()))
        columns = {name: _array_chunks(archive, name, size) for name in names}
        for parts in zip(*columns.values(), strict=True):
            yield _npz_frame(dict(zip(columns, parts, strict=True)), classes, path)


def _array_chunks(archive: zipfile.ZipFile, name: str, size: int) -> Iterator[Any]:
    """An array of the archive, ``size`` of its rows at a time."""
    with archive.open(f"{name}.npy") as file:
        major, _ = np.lib.format.read_magic(file)
        read_header = (
            np.lib.format.read_array_header_1_0
            if major == 1
            else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = read_header(file)
        if dtype.hasobject or not shape:
            raise ValueError(
                f"array '{name}' is of Python objects, or a single value; save it as a "
                "plain array of rows"
            )
        if fortran:  # a row lies all over the array
            whole = np.frombuffer(file.read(), dtype).reshape(shape, order="F")
            yield from (whole[at : at + size] for at in range(0, shape[0], size))
            return
        row = int(np.prod(shape[1:], dtype=int))
        for start in range(0, shape[0], size):
            n = min(size, shape[0] - start)
            held = file.read(n * row * dtype.itemsize)
            yield np.frombuffer(held, dtype, n * row).reshape(n, *shape[1:])


def _npz_frame(
    columns: dict[str, Any], classes: list[str] | None, path: Path
) -> pd.DataFrame:
    probabilities = columns.pop("probabilities", None)
    frame = pd.DataFrame({name: list(column) for name, column in columns.items()})
    if probabilities is None:
        return frame
    if classes is None or probabilities.shape != (len(frame), len(classes)):
        raise PredictionsError(
            f"'{path.name}' needs 'classes' with one name a column of 'probabilities', "
            "and one row a key"
        )
    return pd.concat([frame, pd.DataFrame(probabilities, columns=classes)], axis=1)


def is_nothing(source: Any) -> bool:
    """Whether it is an empty list, or a JSON file of one."""
    if isinstance(source, str | Path):
        path = Path(source)
        if path.suffix.lower() != ".json" or not path.is_file():
            return False
        with path.open(encoding="utf-8-sig") as file:
            return "".join(file.read(_LITTLE).split()) == "[]"
    return isinstance(source, list) and not source


def peeked(chunks: Iterator[Chunk]) -> tuple[Chunk, Iterator[Chunk]]:
    """The first chunk, and all of them.

    Raises:
        PredictionsError: there is none
    """
    first = next((chunk for chunk in chunks if len(chunk)), None)
    if first is None:
        raise PredictionsError("The predictions are empty; there is nothing to upload")
    return first, chain([first], chunks)
