"""Files that people ask for, written whole or not at all; and paths by how they end."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any
from uuid import uuid4

from evalsets.errors import ArgumentError


def path_of(given: Any) -> Path:
    """What was given as a path, with ``~`` written out.

    Raises:
        ArgumentError: it is none
    """
    if not isinstance(given, (str, PathLike)):
        raise ArgumentError(f"The path of a file is wanted, not {given!r}")
    return Path(given).expanduser()


def write_text(path: str | Path, text: str) -> Path:
    """Writes a whole file or none; missing folders are made.

    Raises:
        ArgumentError: it cannot be written
    """
    file = path_of(path)
    part = file.with_name(f".{file.name}.{uuid4().hex[:8]}.part")
    try:
        if file.exists() and not file.is_file():  # such as /dev/stdout
            file.write_text(text, encoding="utf-8")
            return file
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(text, encoding="utf-8", newline="")
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    return file


def remove(path: str | Path) -> None:
    """Removes a file, if it is there.

    Raises:
        ArgumentError: it is there and cannot be removed
    """
    file = Path(path).expanduser()
    try:
        if file.is_file():
            file.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: str | Path, error: OSError) -> ArgumentError:
    why = error.strerror or type(error).__name__
    return ArgumentError(f"'{path}' cannot be written: {why}; name another file")


def by_ending(paths: Iterable[str], depth: int) -> dict[str, list[str]]:
    """Paths by their last parts, ``depth`` of them; shorter ones are left out."""
    found: dict[str, list[str]] = {}
    for path in paths:
        parts = path.split("/")
        if len(parts) >= depth:
            found.setdefault("/".join(parts[-depth:]), []).append(path)
    return found
