"""A kind of tagger that a package of its own adds to evalsets.

Install it with ``pip install examples/noise_tagger``; from then on a file of taggers may
say ``- noise: {field: noise}``. A class that fills fields is all it takes: what it is
given in the file are the arguments of its constructor.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from evalsets.taggers import PixelTagger

MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


class Noise(PixelTagger):
    """Standard deviation of an image's noise, in steps of 256 (0 for none).

    Args:
        field: sample field to fill

    Sources:
        Immerkær 1996, *Fast noise variance estimation*
    """

    kind = "noise"

    def __init__(self, field: str = "noise") -> None:
        self.fields = {field: float}
        self.parameters = {"version": 1}  # raise it when the numbers change
        self._field = field

    def prepare(self, image: Image.Image) -> dict[str, float]:
        """The noise of one image."""
        grey = np.asarray(image.convert("L"), np.float32)
        rest = np.abs(cv2.filter2D(grey, -1, MASK)).mean()
        return {self._field: float(np.sqrt(np.pi / 2) * rest / 6)}
