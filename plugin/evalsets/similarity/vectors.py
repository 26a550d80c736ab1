"""A growing file of unit vectors, one row a sample."""

from __future__ import annotations

import copy
import json
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalsets.errors import ArgumentError, EncoderError, NoVectorsError
from evalsets.similarity.files import (
    COMMIT,
    FORMAT,
    RECORD,
    REMOVED,
    append,
    committed,
    continues,
    damage,
    is_id,
    locked,
    packed,
    read_header,
    unpacked,
    write_whole,
)
from evalsets.similarity.places import Places
from evalsets.similarity.search import above, scores, top_k
from evalsets.similarity.unit import unit

_DERIVED = ("n_rows", "_places", "_keys", "_mapped", "live")
"""What is worked out from the log, and again when it has grown."""


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
        self._header = read_header(self.folder)
        self.dim: int = self._header["dim"]
        self.encoder: str = self._header["encoder"]
        self.fingerprint: str = self._header["fingerprint"]
        self.made: str = self._header["made"]
        self._log = np.empty(0, dtype=RECORD)
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
        with locked(folder, patience):
            if not (folder / "header.json").exists():
                (folder / "vectors.f32").write_bytes(b"")
                (folder / "rows.log").write_bytes(b"")
                header = {
                    "format": FORMAT,
                    "dim": dim,
                    "encoder": encoder,
                    "fingerprint": fingerprint,
                    "made": uuid.uuid4().hex,
                }
                write_whole(folder / "header.json", json.dumps(header, indent=2))
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
        keys = packed(ids)
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
            append(self.folder / "vectors.f32", start * self.dim * 4, rows.tobytes())
            records = np.empty(len(ids), dtype=RECORD)
            records["id"] = keys
            records["row"] = np.arange(start, start + len(ids))
            records["crc"] = [zlib.crc32(row) for row in rows]
            self._commit(records)

    def remove(self, ids: Sequence[str]) -> None:
        """Forgets samples, all or none; ids that are not there do no harm."""
        if not len(ids):
            return
        records = np.zeros(len(ids), dtype=RECORD)
        records["id"] = packed(ids)
        records["row"] = REMOVED
        with self._writing():
            self._commit(records)

    def refresh(self) -> None:
        """Shows what other writers have committed since."""
        log = self.folder / "rows.log"
        same = read_header(self.folder) == self._header
        if not same or not continues(log, self._log):
            raise EncoderError(
                f"The vectors in {self.folder} were deleted and made anew; "
                "open them again"
            )
        new = committed(log, len(self._log))
        if len(new):
            for name in _DERIVED:  # before the log, so that a copy never has old ones
                self.__dict__.pop(name, None)
            self._log = np.concatenate([self._log, new])

    def again(self) -> VectorFile:
        """The same file opened by another reader, as it is now.

        What this one has worked out it need not work out again; no matter what either
        does later, neither changes the other.
        """
        other = copy.copy(self)
        other.refresh()
        return other

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
        added = unpacked(records["id"][records["row"] >= 0])
        there = self.find(added) >= 0
        return list(dict.fromkeys(added[there].tolist()))

    @property
    def ids(self) -> NDArray[np.str_]:
        """Ids of the samples that have a vector, in the order of :attr:`matrix`."""
        return self.named(np.s_[:])

    @property
    def matrix(self) -> NDArray[np.float32]:
        """``(n, dim)`` vectors, read-only; mapped, or each time a copy once one was replaced.

        What searches needs no copy: :attr:`stored` with :attr:`live` rows.
        """
        if self.live is None:
            return self.stored
        kept = self.stored[self.live]
        kept.flags.writeable = False
        return kept

    def scores(self, query: ArrayLike) -> NDArray[np.float32]:
        """``(n,)`` exact cosine of every sample to a query, in the order of ids."""
        found = scores(self.stored, query)
        return found if self.live is None else found[self.live]

    def top_k(
        self, query: ArrayLike, k: int, among: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.str_], NDArray[np.float32]]:
        """Ids and exact scores of the ``k`` most similar samples, best first.

        Args:
            query: ``(dim,)`` of any scale
            k: at least 1
            among: places in :attr:`ids` to search, rising; by default all
        """
        live = self.live
        rows = among if live is None else live if among is None else live[among]
        found, exact = top_k(self.stored, query, k, self._keys.view("S12"), rows)
        return unpacked(self._keys[found]), exact

    def named(self, places: NDArray[np.int64] | slice) -> NDArray[np.str_]:
        """Ids of the samples at some places in :attr:`ids`."""
        return unpacked(self._keys[places if self.live is None else self.live[places]])

    def above(self, query: ArrayLike, threshold: float) -> NDArray[np.int64]:
        """Places in :attr:`ids` whose exact score is greater than a threshold, rising."""
        return self._places_of(above(self.stored, query, threshold))

    def find(self, ids: Sequence[str] | NDArray[np.str_]) -> NDArray[np.int64]:
        """Places of samples in :attr:`ids`; -1 where one has no vector."""
        return self._places_of(self._places.find(packed(ids)), keep=True)

    def _places_of(
        self, rows: NDArray[np.int64], keep: bool = False
    ) -> NDArray[np.int64]:
        """Rows as places in :attr:`ids`; those of none are left out or kept as -1."""
        if self.live is None:
            return rows
        place = np.full(self.n_rows + 1, -1, dtype=np.int64)  # row -1 is the last
        place[self.live] = np.arange(len(self.live))
        places: NDArray[np.int64] = place[rows]
        return places if keep else places[places >= 0]

    def get(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """``(len(ids), dim)`` vectors of some samples.

        Raises:
            NoVectorsError: a sample has none
        """
        rows = self._places.find(packed(ids))
        missing = np.flatnonzero(rows < 0)
        if missing.size:
            raise NoVectorsError(
                f"{len(missing)} samples have no vector under '{self.encoder}', "
                f"'{ids[missing[0]]}' first; embed them"
            )
        found: NDArray[np.float32] = self.stored[rows]
        return found

    def damaged(self) -> list[str]:
        """Ids whose stored vector does not have its checksum; reads the whole file."""
        stored = np.asarray(self.stored)
        live = range(self.n_rows) if self.live is None else self.live.tolist()
        checksum = self._log["crc"][self._log["row"] >= 0].tolist()
        return [
            sample_id
            for sample_id, row in zip(self.ids.tolist(), live, strict=True)
            if zlib.crc32(stored[row]) != checksum[row]
        ]

    def __len__(self) -> int:
        return self.n_rows if self.live is None else len(self.live)

    def __contains__(self, sample_id: object) -> bool:
        return is_id(sample_id) and self._places.find(packed([str(sample_id)]))[0] >= 0

    @cached_property
    def _places(self) -> Places:
        records = self._log[self._log["row"] > COMMIT]
        return Places(records["id"], records["row"])

    @cached_property
    def _keys(self) -> NDArray[Any]:
        """Id of every row in the file, replaced and removed ones included."""
        keys: NDArray[Any] = self._log["id"][self._log["row"] >= 0]
        return keys

    @cached_property
    def live(self) -> NDArray[np.int64] | None:
        """Rows that were not replaced or removed since, rising; None when all."""
        if self._all_live():
            return None
        rows = self._places.rows()
        return None if len(rows) == self.n_rows else rows

    def _all_live(self) -> bool:
        """Whether surely no row was replaced or removed; most files tell at a glance."""
        if (self._log["row"] == REMOVED).any():
            return False
        octets = np.frombuffer(self._keys.tobytes(), np.uint8).reshape(-1, 12)[:, 4:]
        ends = np.sort(np.ascontiguousarray(octets).view(np.uint64), axis=0)
        return bool((ends[1:] != ends[:-1]).all())

    @property
    def stored(self) -> NDArray[np.float32]:
        """``(n_rows, dim)`` mapped, replaced and removed rows included."""
        return self._mapped

    @cached_property
    def _mapped(self) -> NDArray[np.float32]:
        """Mapped once: the first to read a page of a mapping waits for the system."""
        if not self.n_rows:
            return np.empty((0, self.dim), dtype=np.float32)
        path = self.folder / "vectors.f32"
        if path.stat().st_size < self.n_rows * self.dim * 4:
            raise damage(path, "is shorter than its log says")
        return np.memmap(path, "<f4", "r", shape=(self.n_rows, self.dim))

    def _commit(self, records: NDArray[Any]) -> None:
        commit = np.zeros(1, dtype=RECORD)
        commit["row"] = COMMIT
        commit["crc"] = zlib.crc32(records.tobytes())
        batch = np.concatenate([records, commit]).tobytes()
        append(
            self.folder / "rows.log",
            self.position * RECORD.itemsize,
            batch,
        )
        self.refresh()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with locked(self.folder, self._patience):
            self.refresh()
            yield
