"""Copies of remote files, for the App and for models, within a bound.

A copy lies at a place that only its URL decides, beside a note with URL and stamp. What
used it least recently goes first; :func:`restore` brings a copy back that went.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from evalsets.errors import ArgumentError
from evalsets.remote.filesystems import open_filesystem, patiently

_NOTE = "origin.json"


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


def fetch(url: str, stamp: str = "") -> str:
    """Path of the copy of a URL; copied now unless the one of that stamp is there.

    Raises:
        NoImagesError: there is no such file
        SourceError: it cannot be read, after several attempts
    """
    fs, remote = open_filesystem(url)
    place = cache_home() / hashlib.sha256(url.encode()).hexdigest()[:32]
    path, note = place / Path(remote).name, place / _NOTE
    if path.is_file() and (not stamp or _read(note).get("stamp") == stamp):
        os.utime(path)
        return str(path)
    place.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{os.getpid()}.part")
    try:
        patiently(lambda: fs.get_file(remote, str(part)), url)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    draft = note.with_name(f".{os.getpid()}.note")
    draft.write_text(json.dumps({"url": url, "stamp": stamp}), encoding="utf-8")
    draft.replace(note)
    return str(path)


def restore(path: str) -> bool:
    """Copies a file anew that was dropped; False where the path is none of ours."""
    note = Path(path).parent / _NOTE
    if not Path(path).is_relative_to(cache_home()) or not note.is_file():
        return False
    origin = _read(note)
    fetch(origin["url"], origin["stamp"])
    return True


def trim(limit: int | None = None) -> int:
    """Drops the copies that were used least recently until the rest fits.

    Args:
        limit: bytes; by default :func:`cache_bytes`

    Returns:
        how many were dropped
    """
    limit = cache_bytes() if limit is None else limit
    copies = [
        (path.stat(), path)
        for path in cache_home().glob("*/*")
        if path.name != _NOTE and not path.name.startswith(".")
    ]
    held = sum(stat.st_size for stat, _ in copies)
    dropped = 0
    for stat, path in sorted(copies, key=lambda pair: pair[0].st_mtime):
        if held <= limit:
            break
        path.unlink(missing_ok=True)
        held -= stat.st_size
        dropped += 1
    return dropped


def _read(note: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
