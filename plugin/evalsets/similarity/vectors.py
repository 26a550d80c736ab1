"""A growing file of unit vectors, one row a sample.

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
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import ArrayLike, NDArray

from evalsets.errors import (
    ArgumentError,
    EncoderError,
    EvalsetsError,
    LockedError,
    NoVectorsError,
)
from evalsets.similarity.unit import unit

_FORMAT = 1
_ID = re.compile("[0-9a-f]{24}")
_RECORD = np.dtype([("id", "V12"), ("row", "<i8"), ("crc", "<u4")])
_REMOVED, _COMMIT = -1, -2  # in place of a row


class VectorFile:
    """Unit vectors of one dataset under one encoder, in one folder.

    An open file shows what was committed when it was opened or last refreshed;
    :meth:`add` and :meth:`remove` refresh it. Threads and processes each open their own.

    Args:
        folder: where :meth:`create` made it
        patience: seconds to wait for another writer

    Raises:
        NoVectorsError: the folder holds no vectors
        EvalsetsError: the files are damaged
    """

    def __init__(self, folder: str | Path, patience: float = 10.0) -> None:
        self.folder = Path(folder)
        self._patience = patience
        self._header = _read_header(self.folder)
        self.dim: int = self._header["dim"]
        self.encoder: str = self._header["encoder"]
        self.fingerprint: str = self._header["fingerprint"]
        self._log = np.empty(0, dtype=_RECORD)
        self.refresh()

    @classmethod
    def create(
        cls,
        folder: str | Path,
        dim: int,
        encoder: str,
        fingerprint: str,
        patience: float = 10.0,
    ) -> VectorFile:
        """Opens the file of an encoder, making it when it is not there.

        Args:
            folder: made with its parents
            dim: length of a vector
            encoder: name for people
            fingerprint: what identifies the weights and the preprocessing
            patience: seconds to wait for another writer

        Raises:
            EncoderError: the folder holds vectors of another encoder
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder, patience):
            if not (folder / "header.json").exists():
                (folder / "vectors.f32").write_bytes(b"")
                (folder / "rows.log").write_bytes(b"")
                header = {
                    "format": _FORMAT,
                    "dim": dim,
                    "encoder": encoder,
                    "fingerprint": fingerprint,
                    "made": uuid.uuid4().hex,
                }
                _write_whole(folder / "header.json", json.dumps(header, indent=2))
        found = cls(folder, patience)
        if (found.fingerprint, found.dim) != (fingerprint, dim):
            raise EncoderError(
                f"The vectors in {folder} were made by '{found.encoder}' "
                f"({found.fingerprint}, {found.dim} numbers), not by '{encoder}' "
                f"({fingerprint}, {dim} numbers); use that encoder, or delete "
                "them and embed again"
            )
        return found

    def delete(self) -> None:
        """Removes the files; arrays already handed out stay readable."""
        with self._writing():
            for name in ("header.json", "rows.log", "vectors.f32"):
                (self.folder / name).unlink(missing_ok=True)

    def add(self, ids: Sequence[str], vectors: ArrayLike) -> None:
        """Stores one vector a sample, all or none; an id that is there is replaced.

        Args:
            ids: sample ids of 24 hexadecimal digits
            vectors: ``(len(ids), dim)`` of any scale

        Raises:
            ArgumentError: wrong ids or shape, or a vector that is zero or not finite
            LockedError: another process writes all the time
        """
        packed = _packed(ids)
        shape = np.shape(vectors)
        if shape != (len(ids), self.dim):
            raise ArgumentError(
                f"Vectors of shape {shape} for {len(ids)} samples; "
                f"give ({len(ids)}, {self.dim})"
            )
        if not len(ids):
            return
        rows = unit(vectors).astype("<f4")
        with self._writing():
            start = self.n_rows
            _append(self.folder / "vectors.f32", start * self.dim * 4, rows.tobytes())
            records = np.empty(len(ids), dtype=_RECORD)
            records["id"] = packed
            records["row"] = np.arange(start, start + len(ids))
            records["crc"] = [zlib.crc32(row) for row in rows]
            self._commit(records)

    def remove(self, ids: Sequence[str]) -> None:
        """Forgets samples, all or none; ids that are not there do no harm."""
        if not len(ids):
            return
        records = np.zeros(len(ids), dtype=_RECORD)
        records["id"] = _packed(ids)
        records["row"] = _REMOVED
        with self._writing():
            self._commit(records)

    def refresh(self) -> None:
        """Shows what other writers have committed since."""
        if _read_header(self.folder) != self._header:
            raise EncoderError(
                f"The vectors in {self.folder} were deleted and made anew; "
                "open them again"
            )
        new = _committed(self.folder / "rows.log", len(self._log))
        if len(new):
            self._log = np.concatenate([self._log, new])
            for name in ("n_rows", "_rows", "ids", "matrix"):
                self.__dict__.pop(name, None)

    @cached_property
    def n_rows(self) -> int:
        """Rows in the file, replaced and removed ones included."""
        return int((self._log["row"] >= 0).sum())

    @property
    def position(self) -> int:
        """How far the log has come; for :meth:`since`."""
        return len(self._log)

    def since(self, position: int) -> list[str]:
        """Ids that were added or replaced after a position and are there now."""
        if not 0 <= position <= self.position:
            raise ArgumentError(
                f"Position {position} is not in this file, which ends at "
                f"{self.position}; start again from 0"
            )
        records = self._log[position:]
        added = _unpacked(records["id"][records["row"] >= 0])
        return [i for i in dict.fromkeys(added.tolist()) if i in self._rows]

    @cached_property
    def ids(self) -> NDArray[np.str_]:
        """Ids of the samples that have a vector, in the order of :attr:`matrix`."""
        return np.array(list(self._rows), dtype="<U24")

    @cached_property
    def matrix(self) -> NDArray[np.float32]:
        """``(n, dim)`` vectors, read-only; mapped, not read, while none was replaced."""
        stored = self._stored
        if len(self._rows) == len(stored):
            return stored
        kept = stored[list(self._rows.values())]
        kept.flags.writeable = False
        return kept

    def get(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """``(len(ids), dim)`` vectors of some samples.

        Raises:
            NoVectorsError: a sample has none
        """
        missing = [i for i in ids if i not in self._rows]
        if missing:
            raise NoVectorsError(
                f"{len(missing)} samples have no vector under '{self.encoder}', "
                f"'{missing[0]}' first; embed them"
            )
        found: NDArray[np.float32] = self._stored[[self._rows[i] for i in ids]]
        return found

    def damaged(self) -> list[str]:
        """Ids whose stored vector does not have its checksum; reads the whole file."""
        stored = np.asarray(self._stored)
        checksum = self._log["crc"][self._log["row"] >= 0].tolist()
        return [
            sample_id
            for sample_id, row in self._rows.items()
            if zlib.crc32(stored[row]) != checksum[row]
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, sample_id: object) -> bool:
        return sample_id in self._rows

    @cached_property
    def _rows(self) -> dict[str, int]:
        """Row of every sample that is there, in rising order."""
        records = self._log[self._log["row"] > _COMMIT]
        ids, rows = _unpacked(records["id"]).tolist(), records["row"].tolist()
        found = dict(zip(ids, rows, strict=True))
        if len(found) < len(ids) or _REMOVED in rows:
            found = {i: row for i, row in found.items() if row != _REMOVED}
            found = dict(sorted(found.items(), key=lambda pair: pair[1]))
        return found

    @property
    def _stored(self) -> NDArray[np.float32]:
        if not self.n_rows:
            return np.empty((0, self.dim), dtype=np.float32)
        path = self.folder / "vectors.f32"
        if path.stat().st_size < self.n_rows * self.dim * 4:
            raise _damage(path, "is shorter than its log says")
        return np.memmap(path, "<f4", "r", shape=(self.n_rows, self.dim))

    def _commit(self, records: NDArray[Any]) -> None:
        commit = np.zeros(1, dtype=_RECORD)
        commit["row"] = _COMMIT
        commit["crc"] = zlib.crc32(records.tobytes())
        batch = np.concatenate([records, commit]).tobytes()
        _append(
            self.folder / "rows.log",
            self.position * _RECORD.itemsize,
            batch,
        )
        self.refresh()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with _locked(self.folder, self._patience):
            self.refresh()
            yield


def _committed(path: Path, start: int) -> NDArray[Any]:
    """Records of whole batches behind record ``start``."""
    size = _RECORD.itemsize
    with path.open("rb") as file:
        file.seek(start * size)
        data = file.read()
    records = np.frombuffer(data, _RECORD, count=len(data) // size)
    done = 0
    commits = np.flatnonzero(records["row"] == _COMMIT)
    for commit in commits:
        if zlib.crc32(data[done * size : commit * size]) != records["crc"][commit]:
            if commit != commits[-1]:
                raise _damage(path, f"has a broken batch at record {start + done}")
            break
        done = int(commit) + 1
    return records[:done]


def _append(path: Path, offset: int, data: bytes) -> None:
    """Writes at ``offset``, over whatever an interrupted writer left there."""
    with path.open("r+b") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _write_whole(path: Path, text: str) -> None:
    """Writes a file that is seen either complete or not at all."""
    draft = path.with_suffix(".draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _read_header(folder: Path) -> dict[str, Any]:
    path = folder / "header.json"
    try:
        header: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoVectorsError(
            f"There are no vectors in {folder}; embed the dataset first"
        ) from None
    except ValueError:
        raise _damage(path, "is not JSON") from None
    if header.get("format") != _FORMAT:
        raise _damage(path, f"has format {header.get('format')}, not {_FORMAT}")
    return header


def _damage(path: Path, problem: str) -> EvalsetsError:
    return EvalsetsError(
        f"{path} {problem}; delete {path.parent} and embed the dataset again"
    )


@contextmanager
def _locked(folder: Path, patience: float) -> Iterator[None]:
    try:
        with FileLock(folder / "lock", timeout=patience):
            yield
    except Timeout:
        raise LockedError(
            f"Another process has been writing to {folder} for {patience:g} s; "
            "wait until it ends"
        ) from None


def _packed(ids: Sequence[str]) -> NDArray[Any]:
    for sample_id in ids:
        if not _ID.fullmatch(str(sample_id)):
            raise ArgumentError(
                f"'{sample_id}' is not a sample id; give 24 hexadecimal digits"
            )
    return np.frombuffer(bytearray.fromhex("".join(ids)), "V12")


def _unpacked(packed: NDArray[Any]) -> NDArray[np.str_]:
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    octets = np.frombuffer(packed.tobytes(), np.uint8)
    text = np.stack([digits[octets >> 4], digits[octets & 15]], axis=1)
    return np.frombuffer(text.tobytes(), "S24").astype("<U24")
