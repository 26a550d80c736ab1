"""Plain statistics of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image

from evalsets.taggers.tagger import Tags

SIDE = 512
_GLARE_VALUE = 250
_GLARE_SPREAD = 12


class ImageStatistics:
    """Brightness, contrast, sharpness and glare of an image, each in [0, 1].

    Measured on the image scaled down to at most 512 pixels a side, so that they can be
    compared between cameras:

    - ``brightness``: mean of the luma
    - ``contrast``: standard deviation of the luma, doubled (1 for half black, half
      white)
    - ``sharpness``: variance ``v`` of the luma's Laplacian, as ``v / (v + 0.01)``
      (Pech-Pacheco et al. 2000, *Diatom autofocusing in brightfield microscopy*)
    - ``glare``: share of burnt-out pixels: every channel at least 250 and nearly grey
    """

    fields: Mapping[str, type] = dict.fromkeys(
        ("brightness", "contrast", "sharpness", "glare"), float
    )
    provenance: Mapping[str, Any] = {"tagger": "statistics", "side": SIDE}

    def prepare(self, image: Image.Image) -> dict[str, float]:
        """The statistics of one image."""
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
        }

    def tag(self, prepared: Sequence[dict[str, float]]) -> Tags:
        """The statistics as columns."""
        return {field: [one[field] for one in prepared] for field in self.fields}
