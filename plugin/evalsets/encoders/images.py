"""Images as RGB pixels."""

from __future__ import annotations

import warnings

import numpy as np
from PIL import Image, ImageOps

from evalsets.errors import EvalsetsError
from evalsets.remote import restore

MAX_PIXELS = 200_000_000
"""Larger images are refused: their files are more often bombs than photographs."""


def open_image(path: str) -> Image.Image:
    """One image as RGB, upright, with transparency on white and 16 bits made 8.

    Raises:
        OSError: the file is missing, truncated or no image
        ValueError: it has more than ``MAX_PIXELS`` pixels
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


def header_of(path: str) -> Image.Image:
    """The image with its header read and its pixels not yet decoded.

    Raises:
        OSError: the file is missing or no image
        ValueError: it has more than ``MAX_PIXELS`` pixels
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            image = _opened(path)
        except Image.DecompressionBombError as error:
            raise ValueError(str(error)) from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise ValueError(
            f"{width}×{height} pixels are more than the {MAX_PIXELS:,} allowed"
        )
    return image


def _opened(path: str) -> Image.Image:
    """The file, copied anew where it is a copy that was dropped."""
    try:
        return Image.open(path)
    except FileNotFoundError:
        try:
            there = restore(path)
        except EvalsetsError as error:
            raise OSError(str(error)) from error
        if not there:
            raise
        return Image.open(path)


def _eight_bit(image: Image.Image) -> Image.Image:
    """A 16-bit or float image, its own range stretched to 0 to 255."""
    pixels = np.asarray(image, dtype=np.float32)
    low, high = float(pixels.min()), float(pixels.max())
    if image.mode.startswith("I;16") or high > 255:
        low, high = 0.0, max(high, 1.0) if high <= 4095 else 65535.0
    scaled = (pixels - low) / max(high - low, 1e-12) * 255
    return Image.fromarray(scaled.clip(0, 255).astype(np.uint8)).convert("RGB")
