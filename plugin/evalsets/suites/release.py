"""A suite frozen under a number: its definitions, and who was in and where."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalsets.errors import EvalsetsError
from evalsets.suites.population import Population

_ID_BYTES = 12


@dataclass(frozen=True)
class Release:
    """What is known of a release without reading its samples.

    Args:
        number: counts up from 1; 0 is the dataset as it is now
        note: for people
        created: time in UTC, as ISO 8601
        populations: the suite, in its order
        versions: of each population's query
        meaning: of each population: its query with those it refers to written out
        n: samples of each population
        sizes: samples of each side; ``""`` counts those without one
        settings: how the dataset was split: ``val, groups, near_duplicates …``
        checksum: SHA-256 of all this and of the samples
    """

    number: int
    note: str
    created: str
    populations: tuple[Population, ...]
    versions: Mapping[str, int]
    meaning: Mapping[str, str]
    n: Mapping[str, int]
    sizes: Mapping[str, int]
    settings: Mapping[str, Any]
    checksum: str = ""

    def __str__(self) -> str:
        sides = ", ".join(
            f"{n:,} {side or 'unsplit'}" for side, n in self.sizes.items()
        )
        note = f": {self.note}" if self.note else ""
        return f"Release {self.number} of {self.created}{note} ({sides})"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without the checksum."""
        entry = {k: v for k, v in vars(self).items() if k != "checksum"}
        return {**entry, "populations": [p.to_dict() for p in self.populations]}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any], checksum: str) -> Release:
        """Reads the JSON form."""
        populations = tuple(Population.from_dict(p) for p in entry["populations"])
        return cls(**{**entry, "populations": populations}, checksum=checksum)


@dataclass(frozen=True)
class Frozen:
    """The samples of a release.

    Args:
        membership: bool, sample id × population, by ascending id
        side: by sample id; empty for a sample without one
    """

    membership: pd.DataFrame
    side: pd.Series

    @classmethod
    def of(cls, membership: pd.DataFrame, side: pd.Series) -> Frozen:
        """In the order that a release keeps."""
        ordered = membership.sort_index()
        return cls(ordered, side.reindex(ordered.index))


def pack(frozen: Frozen) -> dict[str, str]:
    """Samples as compressed text: ids column by column, sides as codes, sets as bits."""
    names, codes = np.unique(frozen.side.to_numpy(dtype=str), return_inverse=True)
    ids = b"".join(bytes.fromhex(i) for i in frozen.membership.index)
    columns = np.frombuffer(ids, dtype=np.uint8).reshape(-1, _ID_BYTES).T
    bits = np.packbits(frozen.membership.to_numpy(dtype=bool).T, axis=1)
    return {
        "ids": _squeezed(columns.tobytes()),
        "sides": _squeezed(codes.astype(np.uint8).tobytes()),
        "side_names": json.dumps(names.tolist()),
        "members": _squeezed(bits.tobytes()),
    }


def unpack(release: Release, packed: Mapping[str, str]) -> Frozen:
    """The samples of a release, once its checksum holds.

    Raises:
        EvalsetsError: the release is not what was written
    """
    try:
        sound = checksum(release, packed) == release.checksum
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise EvalsetsError(
            f"Release {release.number} is not what was released: its checksum does not "
            "hold; restore the database from a copy, or make a new release"
        )
    columns = np.frombuffer(_plain(packed["ids"]), dtype=np.uint8)
    ids = columns.reshape(_ID_BYTES, -1).T.tobytes().hex()
    width = 2 * _ID_BYTES
    index = pd.Index(
        [ids[at : at + width] for at in range(0, len(ids), width)],
        name="id",
        dtype=object,
    )
    sides = np.array(json.loads(packed["side_names"]), dtype=object)
    codes = np.frombuffer(_plain(packed["sides"]), dtype=np.uint8)
    names = [p.name for p in release.populations]
    bits = np.frombuffer(_plain(packed["members"]), dtype=np.uint8)
    inside = np.unpackbits(
        bits.reshape(len(names), -1), axis=1, count=len(index)
    ).astype(bool)
    return Frozen(
        pd.DataFrame(inside.T, index=index, columns=names),
        pd.Series(sides[codes] if len(codes) else [], index=index, dtype=object),
    )


def checksum(release: Release, packed: Mapping[str, str]) -> str:
    """SHA-256 over the definitions and the samples, before compression."""
    found = hashlib.sha256()
    found.update(json.dumps(release.to_dict(), sort_keys=True).encode())
    for name in ("ids", "sides", "members"):
        data = _plain(packed[name])
        found.update(f"{name} {len(data)}".encode() + data)
    found.update(packed["side_names"].encode())
    return found.hexdigest()


def _squeezed(data: bytes) -> str:
    return base64.b85encode(zlib.compress(data, 6)).decode()


def _plain(text: str) -> bytes:
    return zlib.decompress(base64.b85decode(text))
