"""YOLOX on onnxruntime, as a FiftyOne model that finds COCO's 80 classes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import fiftyone as fo
import numpy as np
import onnxruntime
from fiftyone.core.models import Model
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

STRIDES = (8, 16, 32)
GREY = 114  # what fills the square beside the image
COCO = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
NAMES = [name for name in COCO if name not in ("__background__", "N/A")]


class Yolox(Model):
    """A YOLOX detector (Ge et al. 2021) as its authors export it.

    Args:
        path: the ONNX file; its output is ``(1, cells, 5 + 80)``: centre and size of a
            box in units of its cell, objectness, and a score for each class
        confidence: boxes below it are dropped, in [0, 1]
        overlap: of two boxes of a class that overlap more (IoU), the surer one stays
        threads: of onnxruntime
    """

    media_type = "image"
    ragged_batches = False
    transforms = None
    preprocess = False

    def __init__(
        self,
        path: str | Path,
        confidence: float = 0.05,
        overlap: float = 0.65,
        threads: int = 2,
    ) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0]
        self._side: int = self._input.shape[-1]
        self._cell, self._stride = _cells(self._side)
        self._confidence = confidence
        self._overlap = overlap
        self.fingerprint = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]

    def predict(self, arg: np.ndarray) -> fo.Detections:
        """The objects in one RGB image ``(height, width, 3)`` of bytes."""
        height, width = arg.shape[:2]
        scale = self._side / max(height, width)
        (output,) = self._session.run(None, {self._input.name: self._square(arg)})
        boxes, scores = self._decode(output[0])
        label = scores.argmax(axis=1)
        score = scores[np.arange(len(label)), label]
        kept = cv2.dnn.NMSBoxesBatched(
            boxes, score, label, self._confidence, self._overlap
        )
        sides = np.array([width, height, width, height]) * scale
        return fo.Detections(
            detections=[
                fo.Detection(
                    label=NAMES[label[at]],
                    bounding_box=(boxes[at] / sides).tolist(),
                    confidence=float(score[at]),
                )
                for at in kept
            ]
        )

    def _square(self, image: np.ndarray) -> np.ndarray:
        """The image at the top left of a grey square, as ``(1, 3, side, side)`` BGR."""
        scale = self._side / max(image.shape[:2])
        height, width = (max(1, int(length * scale)) for length in image.shape[:2])
        square = np.full((self._side, self._side, 3), GREY, np.uint8)
        square[:height, :width] = cv2.resize(image, (width, height))
        return square[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32)

    def _decode(self, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Left, top, width, height in pixels of the square, and scores by class."""
        centre = (output[:, :2] + self._cell) * self._stride
        size = np.exp(output[:, 2:4]) * self._stride
        scores = output[:, 4:5] * output[:, 5:]
        return np.hstack([centre - size / 2, size]), scores


def _cells(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Column and row of every cell ``(cells, 2)``, and its stride ``(cells, 1)``."""
    cells, strides = [], []
    for stride in STRIDES:
        row, column = np.indices((side // stride, side // stride))
        cells.append(np.stack([column.ravel(), row.ravel()], axis=1))
        strides.append(np.full((row.size, 1), stride))
    return np.concatenate(cells), np.concatenate(strides)
