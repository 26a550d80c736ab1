"""Object stores and other filesystems, by URL, through fsspec."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import fsspec

from evalsets.errors import ArgumentError, EvalsetsError, NoImagesError, SourceError

logger = logging.getLogger(__name__)

ATTEMPTS = 4
FIRST_WAIT_S = 0.5
_EXTRAS = {"s3": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure"}
_STAMPS = ("ETag", "etag", "LastModified", "last_modified", "mtime", "created")
_UNKNOWN = re.compile(r"Credential|ClientAuthentication")
"""How the packages of the stores call it that they do not know who asks."""

Result = TypeVar("Result")


def is_url(source: str) -> bool:
    """Whether a source is a URL; ``file://`` is a path in other words."""
    return "://" in source and not source.startswith("file://")


def local_path(source: str) -> str:
    """A path as it is; of a ``file://`` URL its path."""
    return source.removeprefix("file://")


def find(url: str) -> dict[str, tuple[int, str]]:
    """Size in bytes and stamp of every file below a URL, by URL.

    The stamp changes with the file: its ETag or, where there is none, its time.

    Raises:
        ArgumentError: the URL cannot be understood, or its package is not installed
        NoImagesError: there is nothing at the URL
        SourceError: it cannot be reached, after several attempts
    """
    fs, root = open_filesystem(url)

    def listed() -> dict[str, dict[str, Any]]:
        fs.invalidate_cache()
        found: dict[str, dict[str, Any]] = fs.find(root, detail=True)
        return found

    try:
        found = patiently(listed, url)
    except PermissionError as error:
        raise SourceError(
            f"'{url}' may not be read ({error}); check the credentials"
        ) from error
    if not found:
        raise NoImagesError(f"There is nothing at '{url}'; check the URL")
    return {
        fs.unstrip_protocol(name): (int(info.get("size") or 0), _stamp(info))
        for name, info in sorted(found.items())
    }


def canonical(url: str) -> str:
    """A URL as :func:`find` writes those below it."""
    fs, path = open_filesystem(url)
    return str(fs.unstrip_protocol(path))


def open_filesystem(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """The filesystem of a URL and the path in it.

    Raises:
        ArgumentError: the protocol is unknown, or its package is not installed
    """
    protocol = url.partition("://")[0]
    try:
        kind = fsspec.get_filesystem_class(protocol)
        return kind(**kind._get_kwargs_from_urls(url)), kind._strip_protocol(url)
    except ImportError as error:
        extra = _EXTRAS.get(protocol)
        remedy = f"pip install 'evalsets[{extra}]'" if extra else f"install it: {error}"
        raise ArgumentError(
            f"'{protocol}://' needs a package that is missing; {remedy}"
        ) from error
    except (ValueError, TypeError, OSError) as error:
        raise ArgumentError(f"'{url}' is no URL that can be read: {error}") from error


def patiently(read: Callable[[], Result], url: str) -> Result:
    """What ``read`` gives; a failure is waited out a few times, ever longer.

    Raises:
        NoImagesError: there is no such file
        PermissionError: it may not be read
        SourceError: it still fails
    """
    wait = FIRST_WAIT_S
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return read()
        except (EvalsetsError, PermissionError):
            raise
        except FileNotFoundError as error:
            raise NoImagesError(
                f"There is nothing at '{url}'; check the URL"
            ) from error
        except Exception as error:
            why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            if _UNKNOWN.search(type(error).__name__):
                raise SourceError(
                    f"'{url}' cannot be read without credentials ({why}); nothing was "
                    "changed, set those of the store up on this machine"
                ) from error
            if attempt == ATTEMPTS:
                raise SourceError(
                    f"'{url}' cannot be read ({why}); nothing was changed, try again"
                ) from error
            logger.warning("'%s' fails (%s); again in %g s", url, why, wait)
            time.sleep(wait)
            wait *= 2
    raise AssertionError


def _stamp(info: dict[str, Any]) -> str:
    mark = next((info[key] for key in _STAMPS if info.get(key)), "")
    text = str(mark).strip('"')
    return f"{info.get('size') or 0}:{text}"
