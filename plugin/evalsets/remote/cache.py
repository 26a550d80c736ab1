"""Copies of remote files, for the App and for models, within a bound.

A copy lies at a place that only its URL decides, beside a note with URL and stamp. What
used it least recently goes first; :func:`restore` brings a copy back that went.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from evalsets.errors import ArgumentError, SourceError
from evalsets.remote.filesystems import open_filesystem, patiently

_NOTE = "origin.json"
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_UNUSABLE = _FULL | {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}
_NAME_LETTERS = 60  # of up to four bytes each: within the 255 a name may have
_ABANDONED_S = 3600
_SHARE = 20  # copies are trimmed whenever a 20th of the bound is new

_lock = threading.Lock()
_new_bytes = 0


def cache_home() -> Path:
    """Where copies lie: ``EVALSETS_HOME/cache``."""
    home = Path(os.environ.get("EVALSETS_HOME", "~/.evalsets")).expanduser()
    return home / "cache"


def cache_bytes() -> int:
    """How much copies may take: ``EVALSETS_CACHE_GB``, by default 50 GB.

    Raises:
        ArgumentError: it is no number above 0
    """
    given = os.environ.get("EVALSETS_CACHE_GB", "50")
    try:
        size = float(given)
    except ValueError:
        size = 0.0
    if not size > 0:
        raise ArgumentError(f"EVALSETS_CACHE_GB is '{given}'; give a number of GB")
    return int(size * 1e9)


def fetch(url: str, stamp: str = "") -> tuple[str, BinaryIO]:
    """The copy of a URL, its path and open; copied now unless it is there.

    It is open, so that it can be read even if others drop it at once.

    Args:
        url: of the file
        stamp: that the copy must have; any will do if it is empty

    Raises:
        NoImagesError: there is no such file
        PermissionError: it may not be read
        SourceError: it cannot be read, after several attempts, or the disk is full
    """
    fs, remote = open_filesystem(url)
    place = cache_home() / hashlib.sha256(url.encode()).hexdigest()[:32]
    path, note = place / Path(remote).name[-_NAME_LETTERS:], place / _NOTE
    if not stamp or _read(note).get("stamp") == stamp:
        with suppress(FileNotFoundError):
            file = path.open("rb")
            os.utime(file.fileno())
            return str(path), file
    part = path.with_name(f".{uuid4().hex}.part")
    draft = part.with_suffix(".note")
    try:
        _write(lambda: place.mkdir(parents=True, exist_ok=True), _UNUSABLE)
        patiently(lambda: _write(lambda: fs.get_file(remote, str(part))), url)
        _write(lambda: draft.write_text(json.dumps({"url": url, "stamp": stamp})))
        file = part.open("rb")
        part.replace(path)
        draft.replace(note)
    finally:
        if place.is_dir():
            part.unlink(missing_ok=True)
            draft.unlink(missing_ok=True)
    _account(os.fstat(file.fileno()).st_size)
    return str(path), file


def _write(write: Callable[[], object], fatal: Collection[int] = _FULL) -> None:
    """Writes to the cache.

    Raises:
        SourceError: the disk is full or cannot be written, which waiting does not mend
    """
    try:
        write()
    except OSError as error:
        if error.errno in fatal:
            raise SourceError(
                f"Copies cannot be kept in {cache_home()} ({error.strerror}); nothing "
                "was changed: make room, or set EVALSETS_CACHE_GB or EVALSETS_HOME"
            ) from error
        raise


def _account(n_bytes: int) -> None:
    """Keeps the bound while copies arrive, not only at the end."""
    global _new_bytes
    limit = cache_bytes()
    with _lock:
        _new_bytes += n_bytes
        if _new_bytes * _SHARE < limit:
            return
        _new_bytes = 0
        trim(limit - limit // _SHARE)


def restore(path: str) -> BinaryIO | None:
    """Copies a file anew that was dropped; None where the path is none of ours."""
    note = Path(path).parent / _NOTE
    if not Path(path).is_relative_to(cache_home()) or not note.is_file():
        return None
    origin = _read(note)
    return fetch(origin["url"], origin["stamp"])[1]


def trim(limit: int | None = None) -> int:
    """Drops the copies that were used least recently until the rest fits.

    Args:
        limit: bytes; by default :func:`cache_bytes`

    Returns:
        how many were dropped
    """
    limit = cache_bytes() if limit is None else limit
    copies = list(_copies())
    held = sum(stat.st_size for _, stat in copies)
    dropped = 0
    for path, stat in sorted(copies, key=lambda copy: _last_use(copy[1])):
        if held <= limit:
            break
        path.unlink(missing_ok=True)
        held -= stat.st_size
        dropped += 1
    return dropped


def _copies() -> Iterator[tuple[Path, os.stat_result]]:
    """Every copy, and every part of one that was given up an hour ago."""
    abandoned = time.time() - _ABANDONED_S
    for path in cache_home().glob("*/*"):
        if path.suffix in (".json", ".note"):
            continue
        with suppress(FileNotFoundError):  # another process may be as far
            stat = path.stat()
            if path.suffix != ".part" or stat.st_mtime < abandoned:
                yield path, stat


def _last_use(stat: os.stat_result) -> float:
    return max(stat.st_atime, stat.st_mtime)


def _read(note: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
