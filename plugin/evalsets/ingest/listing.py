"""The images of a folder or of a list of files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evalsets.errors import ArgumentError, NoImagesError

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
)

Source = str | Path | Iterable[str | Path]


@dataclass(frozen=True)
class Listing:
    """The files a source has now.

    Args:
        size: bytes by absolute path, in order of path
        mtime: time of last change, in seconds, by absolute path
    """

    size: dict[str, int]
    mtime: dict[str, float]


def list_images(source: Source) -> Listing:
    """Every image file below a folder, or those of a list, by absolute path.

    Links are followed, each folder once.

    Raises:
        NoImagesError: there is no such folder or file, or no image in it
    """
    if isinstance(source, (str, Path)):
        root = Path(_absolute(source))
        if "://" in str(source):
            raise ArgumentError(
                f"'{source}' is a URL; give a local folder or a list of files"
            )
        if not root.is_dir():
            raise NoImagesError(f"There is no folder '{root}'; check the path")
        paths = _below(root)
        if not paths:
            raise NoImagesError(
                f"No images in '{root}'; looked for {', '.join(sorted(SUFFIXES))}"
            )
    else:
        paths = [_absolute(p) for p in source]
        missing = [p for p in paths if not Path(p).is_file()]
        if missing or not paths:
            raise NoImagesError(
                f"{len(missing)} of {len(paths)} listed files are missing, "
                f"for example '{missing[0]}'"
                if missing
                else "The list of files is empty"
            )
    stats = {path: os.stat(path) for path in sorted(set(paths))}  # noqa: PTH116
    return Listing(
        size={path: stat.st_size for path, stat in stats.items()},
        mtime={path: stat.st_mtime for path, stat in stats.items()},
    )


def _absolute(path: str | Path) -> str:
    """As FiftyOne writes it: links are kept, ``..`` is not."""
    return os.path.abspath(Path(path).expanduser())  # noqa: PTH100


def _below(root: Path) -> list[str]:
    found: list[str] = []
    seen: set[tuple[int, int]] = set()
    for folder, inner, names in os.walk(root, followlinks=True):
        stat = os.stat(folder)  # noqa: PTH116
        if (stat.st_dev, stat.st_ino) in seen:
            inner.clear()
            continue
        seen.add((stat.st_dev, stat.st_ino))
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        found += [
            str(Path(folder) / name)
            for name in names
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
        ]
    return [path for path in found if Path(path).is_file()]
