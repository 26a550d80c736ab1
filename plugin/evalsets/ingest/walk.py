"""Every file below a folder, and what was not followed there."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

NO_TEXT = "the name is not valid UTF-8; rename it"

Stats = dict[str, os.stat_result]


def walk(root: str, wanted: Callable[[str], bool]) -> tuple[Stats, dict[str, str], int]:
    """The wanted files below a folder, and why others were left out.

    What is hidden is passed over. Each folder is entered once, by its own name rather
    than by a link to it, so that loops end and a second walk finds the same.

    Args:
        root: an absolute path
        wanted: whether a file of that name is

    Returns:
        facts of each file by path; by path why something was left out: a link out of
        the folder, a folder without permission, a name that is no text; how many files
        are not wanted

    Raises:
        OSError: a folder fails in another way, so that what it holds is not known
    """
    stats: Stats = {}
    refused: dict[str, str] = {}
    others = 0
    entered: set[tuple[int, int]] = set()
    top = os.path.realpath(root)
    folders, links = [root], list[str]()
    while folders or links:
        folder = folders.pop() if folders else links.pop()
        if _is_new(folder, entered):
            for entry in _entries(folder, root, refused):
                fact = _fact(entry, wanted)
                others += fact is None and entry.is_file(follow_symlinks=False)
                why = _refusal(entry, top) if fact else None
                if why:
                    refused[shown(entry.path)] = why
                elif fact and stat.S_ISREG(fact.st_mode):
                    stats[entry.path] = fact
                elif fact:
                    (links if entry.is_symlink() else folders).append(entry.path)
            links.sort(reverse=True)
    return stats, refused, others


def _is_new(folder: str, entered: set[tuple[int, int]]) -> bool:
    found = os.stat(folder)  # noqa: PTH116
    identity = found.st_dev, found.st_ino
    if identity in entered:
        return False
    entered.add(identity)
    return True


def _entries(folder: str, root: str, refused: dict[str, str]) -> list[os.DirEntry[str]]:
    """What lies in a folder; one without permission is refused, unless it is the root."""
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except PermissionError:
        if folder == root:
            raise
        refused[folder] = "the folder may not be read"
    return []


def _fact(
    entry: os.DirEntry[str], wanted: Callable[[str], bool]
) -> os.stat_result | None:
    """Facts of a folder or of a wanted file; None of all else, such as dead links."""
    linked = entry.is_symlink()
    if not linked and not entry.is_dir() and not wanted(entry.name):
        return None
    try:
        found = entry.stat()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return None
        raise
    file = stat.S_ISREG(found.st_mode) and wanted(entry.name)
    return found if file or stat.S_ISDIR(found.st_mode) else None


def _refusal(entry: os.DirEntry[str], top: str) -> str | None:
    if not is_text(entry.path):
        return NO_TEXT
    if entry.is_symlink():
        target = os.path.realpath(entry.path)
        if os.path.commonpath((target, top)) != top:
            return (
                "a link that leads out of the folder; sync what it leads to by itself"
            )
    return None


def is_text(path: str) -> bool:
    """Whether a path can be kept in a database: its bytes are UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(path: str) -> str:
    """A path as text, whatever its bytes are."""
    return os.fsencode(path).decode(errors="backslashreplace")
