"""Images as RGB pixels."""

from __future__ import annotations

import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from evalsets.errors import EvalsetsError
from evalsets.remote import fetch, restore

_DAMAGE = (SyntaxError, struct.error, TypeError, LookupError, EOFError, ArithmeticError)
"""What Pillow raises of a damaged file, besides ``OSError`` and ``ValueError``."""

_warnings = threading.Lock()  # their filters belong to the process


def open_image(path: str) -> Image.Image:
    """One image as RGB, upright, with transparency on white and 16 bits made 8.

    Of an animation it is the first picture.

    Raises:
        OSError: the file is missing, damaged or no image
        ValueError: it has more pixels than ``PIL.Image.MAX_IMAGE_PIXELS``
    """
    with header_of(path) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith(("I", "F")):
            return _eight_bit(upright)
        if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
            solid = upright.convert("RGBA")
            white = Image.new("RGBA", solid.size, "white")
            return Image.alpha_composite(white, solid).convert("RGB")
        return upright.convert("RGB")


@contextmanager
def quiet(category: type[Warning] = Warning) -> Iterator[None]:
    """Keeps what Pillow warns of from being shown; one thread at a time."""
    with _warnings, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield


def open_file(path: str) -> BinaryIO:
    """The file, copied anew where it is a copy that was dropped.

    Raises:
        OSError: it is missing, or cannot be copied
    """
    try:
        return Path(path).open("rb")
    except FileNotFoundError:
        try:
            copy = restore(path)
        except EvalsetsError as error:
            raise OSError(str(error)) from error
        if copy is None:
            raise
        return copy


def local_copy(path: str, url: str | None, stamp: str | None = None) -> str:
    """Where the file is on this machine; copied here if it came from a URL and is not.

    Args:
        path: where it was on the machine that looked first
        url: where it came from
        stamp: of what lay there

    Raises:
        OSError: it cannot be copied
    """
    if not url or Path(path).exists():
        return path
    try:
        copy, file = fetch(url, stamp or "")
    except EvalsetsError as error:
        raise OSError(str(error)) from error
    file.close()
    return copy


@contextmanager
def header_of(source: str | BinaryIO) -> Iterator[Image.Image]:
    """The image with its header read and its pixels not yet decoded.

    Args:
        source: its path, or the file, which stays open

    Raises:
        OSError: the file is missing, damaged or no image; also while pixels are read
        ValueError: it has more pixels than ``PIL.Image.MAX_IMAGE_PIXELS``; such files
            are more often bombs than photographs
    """
    try:
        held = open_file(source) if isinstance(source, str) else nullcontext(source)
        with held as file, _opened(file) as image:
            yield image
    except _DAMAGE as error:
        raise OSError(
            f"the file is damaged ({type(error).__name__}: {error})"
        ) from error
    except Image.DecompressionBombError as error:
        raise ValueError(_too_large("It has")) from error


def _opened(file: BinaryIO) -> Image.Image:
    with quiet(Image.DecompressionBombWarning):
        image = Image.open(file)
    if image.format == "EPS":  # decoding it would run the program in it
        raise OSError("the file is PostScript, whatever its name; convert it to PNG")
    (width, height), limit = image.size, Image.MAX_IMAGE_PIXELS
    if limit is not None and width * height > limit:
        raise ValueError(_too_large(f"{width}×{height} pixels are"))
    return image


def _too_large(what: str) -> str:
    limit = f"{Image.MAX_IMAGE_PIXELS:,} pixels allowed (PIL.Image.MAX_IMAGE_PIXELS)"
    return f"{what} more than the {limit}"


def _eight_bit(image: Image.Image) -> Image.Image:
    """A 16-bit or float image, its own range stretched to 0 to 255."""
    pixels = np.asarray(image, dtype=np.float32)
    low, high = float(pixels.min()), float(pixels.max())
    if image.mode.startswith("I;16") or high > 255:
        low, high = 0.0, max(high, 1.0) if high <= 4095 else 65535.0
    scaled = (pixels - low) / max(high - low, 1e-12) * 255
    return Image.fromarray(scaled.clip(0, 255).astype(np.uint8)).convert("RGB")
