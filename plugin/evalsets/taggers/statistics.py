"""Plain statistics of an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evalsets.taggers.tagger import PixelTagger

SIDE = 512
_GLARE_VALUE = 250
_GLARE_SPREAD = 12


class ImageStatistics(PixelTagger):
    """Brightness, contrast, sharpness and glare in [0, 1], colourfulness, and size.

    All but the size are measured on the image scaled down to at most 512 pixels a side,
    so that they can be compared between cameras:

    - ``brightness``: mean of the luma
    - ``contrast``: standard deviation of the luma, doubled (1 for half black, half
      white)
    - ``sharpness``: variance ``v`` of the luma's Laplacian, as ``v / (v + 0.01)``
      (Pech-Pacheco et al. 2000, *Diatom autofocusing in brightfield microscopy*)
    - ``glare``: share of burnt-out pixels: every channel at least 250 and nearly grey
    - ``colourfulness``: 0 for grey, about 15 slightly, 45 averagely, 80 highly
      colourful (Hasler & Süsstrunk 2003, *Measuring colourfulness in natural images*)
    - ``aspect``: width over height, as the image is seen
    - ``resolution``: width times height, in millions of pixels
    """

    kind = "statistics"
    fields: Mapping[str, type] = dict.fromkeys(
        (
            *("brightness", "contrast", "sharpness", "glare"),
            *("colourfulness", "aspect", "resolution"),
        ),
        float,
    )
    parameters: Mapping[str, Any] = {"side": SIDE}

    def prepare(self, image: Image.Image) -> dict[str, float]:
        """The statistics of one image."""
        width, height = image.size
        small = image.copy()
        small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
        pixels = np.asarray(small)
        luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
        edges = float(cv2.Laplacian(luma, cv2.CV_32F).var())
        low, high = pixels.min(axis=2), pixels.max(axis=2)
        burnt = (low >= _GLARE_VALUE) & (high - low <= _GLARE_SPREAD)
        return {
            "brightness": float(luma.mean()),
            "contrast": min(1.0, 2 * float(luma.std())),
            "sharpness": edges / (edges + 0.01),
            "glare": float(burnt.mean()),
            "colourfulness": _colourfulness(pixels),
            "aspect": width / height,
            "resolution": width * height / 1e6,
        }


def _colourfulness(pixels: NDArray[np.uint8]) -> float:
    """Hasler & Süsstrunk's M3, from the opponent colours of all pixels."""
    red, green, blue = (band.astype(np.float32) for band in cv2.split(pixels))
    means, spreads = cv2.meanStdDev(cv2.merge([red - green, (red + green) / 2 - blue]))
    return float(np.linalg.norm(spreads) + 0.3 * np.linalg.norm(means))
