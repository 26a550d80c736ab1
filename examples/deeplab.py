"""DeepLab on LiteRT, as a FiftyOne model that names Cityscapes' 19 classes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import fiftyone as fo
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from fiftyone.core.models import Model


class DeepLab(Model):
    """A DeepLab (Chen et al. 2018) of street scenes, quantized to 8 bits.

    Args:
        path: the ``.tflite`` file; it takes ``(1, side, side, 3)`` bytes and gives the
            number of the likeliest class of each pixel
        labels: a file with the name of each class, one a line, after ``background``
        threads: of LiteRT
    """

    media_type = "image"
    ragged_batches = False
    transforms = None
    preprocess = False

    def __init__(self, path: str | Path, labels: str | Path, threads: int = 2) -> None:
        self._net = Interpreter(str(path), num_threads=threads)
        self._net.allocate_tensors()
        (self._input,) = self._net.get_input_details()
        (self._output,) = self._net.get_output_details()
        names = Path(labels).read_text().splitlines()[1:]  # it has no background
        self.mask_targets = dict(enumerate(names))
        self.fingerprint = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]

    def predict(self, arg: np.ndarray) -> fo.Segmentation:
        """The mask of one RGB image ``(height, width, 3)`` of bytes, of its size."""
        height, width = arg.shape[:2]
        side = self._input["shape"][1]
        scaled = cv2.resize(arg, (side, side), interpolation=cv2.INTER_AREA)
        self._net.set_tensor(self._input["index"], scaled[None])
        self._net.invoke()
        mask = self._net.get_tensor(self._output["index"])[0].astype(np.uint8)
        whole = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
        return fo.Segmentation(mask=whole)
