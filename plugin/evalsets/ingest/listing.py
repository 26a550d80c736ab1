"""The images of a folder, of a list of files, or below a URL."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from evalsets.errors import NoImagesError, SourceError
from evalsets.ingest.walk import NO_TEXT, is_text, shown, walk
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
        stamp: what changes with the file: its size and times, or ETag
        root: folder or URL they lie below; None for a list of files
        refused: why what is there was not listed: folders that cannot be entered,
            links that lead out, names that are no text
        others: files that are there and whose names are of no image
    """

    size: dict[str, int]
    stamp: dict[str, str]
    root: str | None
    refused: Mapping[str, str] = field(default_factory=dict)
    others: int = 0

    def covers(self, name: str) -> bool:
        """Whether the source would list a file, if it were there."""
        if self.root is None or not _lies_below(name, self.root):
            return False
        refused = self.refused
        return name not in refused and not any(_lies_below(name, f) for f in refused)


def list_images(source: Source) -> Listing:
    """Every image file below a folder or URL, or those of a list.

    Links are followed, each folder once, but not out of the folder.

    Raises:
        NoImagesError: there is no such folder or file, or no image in it
        ArgumentError: the URL's protocol is unknown, or its package is not installed
        SourceError: the URL cannot be reached, or the disk fails
    """
    if not isinstance(source, (str, Path, Iterable)):
        raise NoImagesError(
            f"A folder, a list of files or a URL is wanted, not {source!r}"
        )
    if isinstance(source, str) and not source.strip():
        raise NoImagesError("The folder or URL is empty; name one, '.' for this folder")
    if isinstance(source, (str, Path)):
        if is_url(str(source)):
            return _at_url(str(source))
        return _at_folder(Path(_absolute(source)))
    given = [str(p) if is_url(str(p)) else _absolute(p) for p in source]
    if not given:
        raise NoImagesError("The list of files is empty")
    return (_at_urls if any(map(is_url, given)) else _at_files)(given)


def _at_folder(root: Path) -> Listing:
    if root.is_file():
        raise NoImagesError(
            f"'{root}' is a file; give the folder of images, or a list of files"
        )
    if not root.is_dir():
        raise NoImagesError(f"There is no folder '{root}'; check the path")
    try:
        stats, refused, others = walk(str(root), _is_image)
    except OSError as error:
        raise SourceError(
            f"'{error.filename}' cannot be read ({error.strerror}); nothing was "
            "changed, try again"
        ) from error
    if not stats:
        first = list(refused.items())[:3]
        named = "".join(f"\n  {path}: {why}" for path, why in first)
        raise NoImagesError(
            f"No images in '{root}'; looked for {', '.join(sorted(SUFFIXES))}{named}"
        )
    return replace(_stated(stats, str(root), refused), others=others)


def _stated(
    stats: Mapping[str, os.stat_result],
    root: str | None = None,
    refused: Mapping[str, str] | None = None,
) -> Listing:
    """The stamp has the time of the last change of any kind too: no tool sets it."""
    ordered = sorted(stats.items())
    return Listing(
        size={path: stat.st_size for path, stat in ordered},
        stamp={
            path: f"{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"
            for path, stat in ordered
        },
        root=root,
        refused=refused or {},
    )


def _at_url(url: str) -> Listing:
    root = canonical(url)
    there = {n: f for n, f in find(url).items() if _is_seen(n.removeprefix(root))}
    found = {name: fact for name, fact in there.items() if _is_image(name)}
    if not found:
        raise NoImagesError(
            f"No images at '{url}'; looked for {', '.join(sorted(SUFFIXES))}"
        )
    return Listing(
        size={name: size for name, (size, _) in found.items()},
        stamp={name: stamp for name, (_, stamp) in found.items()},
        root=root,
        others=len(there) - len(found),
    )


def _at_files(given: list[str]) -> Listing:
    names = [path for path in given if is_text(path)]
    folders = [path for path in names if Path(path).is_dir()]
    if folders:
        raise NoImagesError(
            f"'{folders[0]}' is a folder, in a list of files; sync it by itself"
        )
    missing = [path for path in names if not Path(path).is_file()]
    if missing:
        raise NoImagesError(
            f"{len(missing)} of {len(given)} listed files are missing, "
            f"for example '{missing[0]}'"
        )
    refused = {shown(path): NO_TEXT for path in given if not is_text(path)}
    return _stated({path: os.stat(path) for path in names}, None, refused)  # noqa: PTH116


def _at_urls(given: list[str]) -> Listing:
    files = _at_files([name for name in given if not is_url(name)])
    found = [find(name) for name in sorted(set(given)) if is_url(name)]
    merged = {name: fact for one in found for name, fact in one.items()}
    return Listing(
        size={**files.size, **{name: size for name, (size, _) in merged.items()}},
        stamp={**files.stamp, **{name: stamp for name, (_, stamp) in merged.items()}},
        root=None,
        refused=files.refused,
    )


def _absolute(path: str | Path) -> str:
    """As FiftyOne writes it: links are kept, ``..`` is not."""
    return os.path.abspath(Path(local_path(str(path))).expanduser())  # noqa: PTH100


def _is_image(name: str) -> bool:
    return "." + name.lower().rpartition(".")[2] in SUFFIXES


def _is_seen(path: str) -> bool:
    """Whether neither a remote file nor a folder of it is hidden."""
    parts = [part for part in path.split("/") if part not in (".", "..")]
    return not any(part.startswith(".") for part in parts)


def _lies_below(name: str, folder: str) -> bool:
    return name.startswith(folder.rstrip("/") + "/")
