"""Labels and facts that come in a table beside the images."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalsets.errors import ArgumentError, counted, separated
from evalsets.files import by_ending

logger = logging.getLogger(__name__)

KEYS = ("filepath", "file", "filename", "path", "image")
LABEL = "label"
_SEVERAL = (list, tuple, set, dict, bytes, np.ndarray)
_NOT_NUMBERS = ["", "nan", "NaN", "NAN", "NA", "N/A", "null", "None"]


def read_sidecar(
    source: str | Path | pd.DataFrame, paths: list[str]
) -> dict[str, dict[str, Any]]:
    """The table's columns as ``{column: {path: value}}``; empty cells are left out.

    Labels are text, whole numbers with gaps stay whole, and a word such as "None" is
    missing only in a column of numbers.

    Args:
        source: a CSV or parquet file or a frame; its key column is one of ``filepath``, ``file``,
            ``filename``, ``path``, ``image`` and holds full paths, paths relative to
            some folder above, or base names where they are unique
        paths: of the images, absolute

    Raises:
        ArgumentError: it cannot be read, has no key column or a column twice, names no
            image of these or one twice, or has a cell of several values
    """
    table, name = _table(source)
    key = next((k for k in KEYS if k in table.columns), None)
    if key is None:
        raise ArgumentError(
            f"{name} has no column with the image's path; name one of its columns "
            f"({', '.join(map(str, table.columns))}) {' or '.join(KEYS)}"
            f"{separated(list(table.columns))}"
        )
    if fault := _doubled(table.columns):
        raise ArgumentError(f"{name} {fault}")
    gaps = table[key].isna()
    keys = ["" if gap else str(k) for k, gap in zip(table[key], gaps, strict=True)]
    meant = _meant(keys, paths)
    known = [len(near) == 1 for near in meant]
    if not len(table):
        raise ArgumentError(f"{name} has no rows; give one an image")
    if not any(known):
        raise ArgumentError(
            f"None of the {len(table)} paths in {name} is among the images, for "
            f"example '{keys[0]}'"
        )
    lost = [key for key, ok in zip(keys, known, strict=True) if not ok]
    if lost:
        several = sum(len(near) > 1 for near in meant)
        logger.warning(
            "%d of %d rows in %s are left out, for example '%s': %s",
            *(len(lost), len(table), name, lost[0]),
            " and ".join(
                f"{n:,} {what}"
                for n, what in (
                    (len(lost) - several, "without an image of that path"),
                    (several, "with more than one"),
                )
                if n
            ),
        )
    found = table[known].assign(**{key: [near[0] for near in meant if len(near) == 1]})
    doubled = found[key][found[key].duplicated()].unique()
    if len(doubled):
        rows = [at for at, near in enumerate(meant, 1) if near == [doubled[0]]]
        raise ArgumentError(
            f"{name} names {counted(len(doubled), 'image')} more than once, such as "
            f"'{doubled[0]}' in rows {rows[0]:,} and {rows[1]:,}; keep one row an image"
        )
    for column, values in found.items():
        _refuse_several(f"{name} has in column '{column}'", values)
    indexed = found.set_index(key)
    return {str(name): _values(str(name), column) for name, column in indexed.items()}


def _doubled(columns: Iterable[object]) -> str:
    """What is wrong where one of the names is there twice; '' is no name."""
    n_of = Counter(str(column) for column in columns)
    twice = next((name for name, n in n_of.items() if name and n > 1), None)
    if twice is None:
        return ""
    return f"has more than one column '{twice}'; keep one, or rename the others"


def _refuse_several(where: str, values: pd.Series[Any]) -> None:
    if values.dtype != object:
        return
    wrong = next((v for v in values if isinstance(v, _SEVERAL)), None)
    if wrong is not None:
        raise ArgumentError(
            f"{where} cells of type {type(wrong).__name__}; a field takes one number "
            "or text an image, so make a column of each, or drop it"
        )


def _values(name: str, column: pd.Series[Any]) -> dict[str, Any]:
    values = column.dropna()
    gaps = len(values) < len(column)
    if pd.api.types.is_float_dtype(values.dtype) and (gaps or name == LABEL):
        whole = values.astype(float)
        if len(whole) and (whole % 1 == 0).all():  # pandas has no gaps in whole numbers
            values = whole.astype(int)
    plain = values.astype(str) if name == LABEL else values
    return {str(path): value for path, value in plain.items()}


def _table(source: str | Path | pd.DataFrame) -> tuple[pd.DataFrame, str]:
    if isinstance(source, pd.DataFrame):
        return source, "The table of labels"
    path = Path(source).expanduser()
    if not path.is_file():
        raise ArgumentError(f"There is no file '{source}'; check the path")
    try:
        parquet = path.suffix.lower() in (".parquet", ".pq")
        return (pd.read_parquet if parquet else _read_csv)(path), f"'{source}'"
    except ImportError as error:
        raise ArgumentError(
            f"'{source}' needs a package to be read; pip install pyarrow"
        ) from error
    except (OSError, ValueError) as error:
        raise ArgumentError(f"'{source}' cannot be read as a table: {error}") from error


def _read_csv(path: Path) -> pd.DataFrame:
    """Numbers as numbers; labels, keys and all other text as they stand."""
    header = pd.read_csv(
        path,
        encoding="utf-8-sig",
        dtype=str,
        header=None,
        nrows=1,
        keep_default_na=False,
    )
    if fault := _doubled(header.iloc[0]):
        raise pd.errors.ParserError(f"it {fault}")
    text = pd.read_csv(
        path, encoding="utf-8-sig", dtype=str, keep_default_na=False, na_values=[""]
    )
    if not isinstance(text.index, pd.RangeIndex):
        raise pd.errors.ParserError("rows have more values than the header has names")
    typed = pd.read_csv(
        path,
        encoding="utf-8-sig",
        dtype_backend="numpy_nullable",
        keep_default_na=False,
        na_values=_NOT_NUMBERS,
    )
    numbers = [
        name
        for name, column in typed.dropna(axis="columns", how="all").items()
        if name not in (*KEYS, LABEL) and not pd.api.types.is_string_dtype(column)
    ]
    return text.assign(**{str(name): typed[name] for name in numbers})


def match_paths(keys: list[str], paths: list[str]) -> list[str | None]:
    """The path each key means: the one that ends with it, if there is just one."""
    return [near[0] if len(near) == 1 else None for near in _meant(keys, paths)]


def _meant(keys: list[str], paths: list[str]) -> list[list[str]]:
    """The paths that end with each key."""
    endings = [k.replace("\\", "/").removeprefix("./").lstrip("/") for k in keys]
    near: dict[str, list[str]] = {}
    for depth in {text.count("/") + 1 for text in endings}:
        near |= by_ending(paths, depth)
    return [near.get(text, []) for text in endings]
