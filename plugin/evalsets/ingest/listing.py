"""The images of a folder, of a list of files, or below a URL."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evalsets.errors import NoImagesError
from evalsets.remote import canonical, find, is_url, local_path

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
)

Source = str | Path | Iterable[str | Path]


@dataclass(frozen=True)
class Listing:
    """The files a source has now.

    Args:
        size: bytes by absolute path or URL, in order
        stamp: what changes with the file: its size and time, or ETag
        root: folder or URL they lie below; None for a list of files
    """

    size: dict[str, int]
    stamp: dict[str, str]
    root: str | None

    def covers(self, name: str) -> bool:
        """Whether the source would list a file, if it were there."""
        if self.root is None:
            return False
        return name.startswith(self.root.rstrip("/") + "/")


def list_images(source: Source) -> Listing:
    """Every image file below a folder or URL, or those of a list.

    Links are followed, each folder once.

    Raises:
        NoImagesError: there is no such folder or file, or no image in it
        ArgumentError: the URL's protocol is unknown, or its package is not installed
        SourceError: the URL cannot be reached
    """
    if isinstance(source, (str, Path)):
        if is_url(str(source)):
            return _at_url(str(source))
        root = Path(_absolute(source))
        if not root.is_dir():
            raise NoImagesError(f"There is no folder '{root}'; check the path")
        paths = _below(root)
        if not paths:
            raise NoImagesError(
                f"No images in '{root}'; looked for {', '.join(sorted(SUFFIXES))}"
            )
        return _stated(paths, str(root))
    given = [str(p) if is_url(str(p)) else _absolute(p) for p in source]
    if any(is_url(name) for name in given):
        return _listed_urls(given)
    missing = [p for p in given if not Path(p).is_file()]
    if missing or not given:
        raise NoImagesError(
            f"{len(missing)} of {len(given)} listed files are missing, "
            f"for example '{missing[0]}'"
            if missing
            else "The list of files is empty"
        )
    return _stated(given, None)


def _stated(paths: list[str], root: str | None) -> Listing:
    stats = {path: os.stat(path) for path in sorted(set(paths))}  # noqa: PTH116
    return Listing(
        size={path: stat.st_size for path, stat in stats.items()},
        stamp={p: f"{stat.st_size}:{stat.st_mtime_ns}" for p, stat in stats.items()},
        root=root,
    )


def _at_url(url: str) -> Listing:
    found = {n: f for n, f in find(url).items() if _is_image(n)}
    if not found:
        raise NoImagesError(
            f"No images at '{url}'; looked for {', '.join(sorted(SUFFIXES))}"
        )
    return Listing(
        size={name: size for name, (size, _) in found.items()},
        stamp={name: stamp for name, (_, stamp) in found.items()},
        root=canonical(url),
    )


def _listed_urls(given: list[str]) -> Listing:
    paths = _stated([name for name in given if not is_url(name)], None)
    found = [find(name) for name in sorted(set(given)) if is_url(name)]
    merged = {name: fact for one in found for name, fact in one.items()}
    return Listing(
        size={**paths.size, **{name: size for name, (size, _) in merged.items()}},
        stamp={**paths.stamp, **{name: stamp for name, (_, stamp) in merged.items()}},
        root=None,
    )


def _absolute(path: str | Path) -> str:
    """As FiftyOne writes it: links are kept, ``..`` is not."""
    return os.path.abspath(Path(local_path(str(path))).expanduser())  # noqa: PTH100


def _is_image(name: str) -> bool:
    file = Path(name)
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


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
        found += [str(Path(folder) / name) for name in names if _is_image(name)]
    return [path for path in found if Path(path).is_file()]
