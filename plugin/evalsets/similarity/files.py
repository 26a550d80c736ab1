"""The files of a vector store, and what makes them crash-safe.

A folder holds::

    header.json   format, dimension, encoder
    vectors.f32   rows, little-endian float32, appended to
    rows.log      which row is which sample's; a batch counts once its commit is there

A batch is written vectors first, then its records with a commit that carries their
checksum. Whatever a crash leaves behind the last commit was never there: readers stop
before it and the next writer cuts it off. Readers need no lock.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from evalsets.errors import ArgumentError, EvalsetsError, LockedError, NoVectorsError

FORMAT = 1
RECORD = np.dtype([("id", "V12"), ("row", "<i8"), ("crc", "<u4")])
REMOVED, COMMIT = -1, -2  # in place of a row
_ID, _DIGITS = re.compile("[0-9a-f]{24}"), re.compile("[0-9a-f]*")


def committed(path: Path, start: int) -> NDArray[Any]:
    """Records of whole batches behind record ``start``."""
    size = RECORD.itemsize
    with path.open("rb") as file:
        file.seek(start * size)
        data = file.read()
    records = np.frombuffer(data, RECORD, count=len(data) // size)
    done = 0
    commits = np.flatnonzero(records["row"] == COMMIT)
    for commit in commits:
        if zlib.crc32(data[done * size : commit * size]) != records["crc"][commit]:
            if commit != commits[-1]:
                raise damage(path, f"has a broken batch at record {start + done}")
            break
        done = int(commit) + 1
    return records[:done]


def continues(path: Path, log: NDArray[Any]) -> bool:
    """Whether a log still ends, or goes on, where these records were read from it."""
    if not len(log):
        return True
    with path.open("rb") as file:
        file.seek((len(log) - 1) * RECORD.itemsize)
        return file.read(RECORD.itemsize) == log[-1:].tobytes()


def append(path: Path, offset: int, data: bytes) -> None:
    """Writes at ``offset``, over whatever an interrupted writer left there."""
    with path.open("r+b") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_whole(path: Path, text: str) -> None:
    """Writes a file that is seen either complete or not at all."""
    draft = path.with_suffix(".draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_header(folder: Path) -> dict[str, Any]:
    """What the vectors of a folder are; raises where there are none."""
    path = folder / "header.json"
    try:
        header: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoVectorsError(
            f"There are no vectors in {folder}; embed the dataset first"
        ) from None
    except ValueError:
        raise damage(path, "is not JSON") from None
    if header.get("format") != FORMAT:
        raise damage(path, f"has format {header.get('format')}, not {FORMAT}")
    return header


def damage(path: Path, problem: str) -> EvalsetsError:
    """The error for a file that cannot be what we wrote."""
    return EvalsetsError(
        f"{path} {problem}; delete {path.parent} and embed the dataset again"
    )


@contextmanager
def locked(folder: Path, patience: float) -> Iterator[None]:
    """Keeps other writers out; waits for one at most ``patience`` seconds."""
    try:
        with FileLock(folder / "lock", timeout=patience):
            yield
    except Timeout:
        raise LockedError(
            f"Another process has been writing to {folder} for {patience:g} s; "
            "wait until it ends"
        ) from None


def is_id(name: object) -> bool:
    """Whether it has the form of a sample id."""
    return _ID.fullmatch(str(name)) is not None


def packed(ids: Sequence[str] | NDArray[np.str_]) -> NDArray[Any]:
    """Ids as 12 bytes each, refusing what is no id."""
    texts = list(map(str, ids))
    digits = "".join(texts)
    if not (_DIGITS.fullmatch(digits) and set(map(len, texts)) <= {24}):
        for sample_id in texts:
            if not is_id(sample_id):
                raise ArgumentError(
                    f"'{sample_id}' is not a sample id; give 24 hexadecimal digits"
                )
    return np.frombuffer(bytearray.fromhex(digits), "V12")


def unpacked(packed: NDArray[Any]) -> NDArray[np.str_]:
    """Ids of 12 bytes as 24 hexadecimal digits."""
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    octets = np.frombuffer(packed.tobytes(), np.uint8)
    text = np.stack([digits[octets >> 4], digits[octets & 15]], axis=1)
    return np.frombuffer(text.tobytes(), "S24").astype("<U24")
