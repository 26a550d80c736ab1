"""The text of documents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsets.encoders.models import pixels
from evalsets.errors import ArgumentError
from evalsets.taggers.tagger import PixelTagger, Tags

_WIDE = 2.0
"""A box of text tells its slope if it is that many times as wide as high."""


class DocumentText(PixelTagger):
    """Text that is recognised in an image, read by RapidOCR.

    - ``ocr_text``: the lines from top to bottom, parted by line breaks
    - ``n_words``: words in it, as spaces part them
    - ``skew``: degrees by which its lines fall to the right, in [-90, 90]; empty
      without a line

    Args:
        confidence: lines recognised with less are left out, in [0, 1]

    Raises:
        ArgumentError: RapidOCR is not installed
    """

    kind = "document"
    fields: Mapping[str, type] = {"ocr_text": str, "n_words": int, "skew": float}
    optional = frozenset({"skew"})
    unindexed = frozenset({"ocr_text"})
    prepare = staticmethod(pixels)

    def __init__(self, confidence: float = 0.5) -> None:
        package = find_spec("rapidocr")
        if package is None or package.origin is None:
            raise ArgumentError(
                "Tagger 'document' needs RapidOCR; run: pip install 'evalsets[ocr]'"
            )
        if not 0 <= confidence <= 1:
            raise ArgumentError(f"confidence is {confidence}; give a number in [0, 1]")
        self._confidence = confidence
        self.parameters = {
            "model": f"rapidocr {version('rapidocr')}",
            "weights": _weights(Path(package.origin).parent / "models"),
            "confidence": confidence,
        }

    def tag(self, prepared: Sequence[NDArray[np.uint8]]) -> Tags:
        """The text of a batch of images."""
        read = [self._read(image) for image in prepared]
        texts = ["\n".join(lines) for lines, _ in read]
        return {
            "ocr_text": texts,
            "n_words": [len(text.split()) for text in texts],
            "skew": [skew for _, skew in read],
        }

    def _read(self, image: NDArray[np.uint8]) -> tuple[Sequence[str], float | None]:
        found = self._engine(image[:, :, ::-1])  # it wants BGR
        if not found.txts:
            return (), None
        return found.txts, _skew(np.asarray(found.boxes, dtype=np.float64))

    @cached_property
    def _engine(self) -> Any:
        from rapidocr import RapidOCR

        options = {
            "Global.text_score": self._confidence,
            "Global.log_level": "critical",
        }
        return RapidOCR(params=options)


def _weights(folder: Path) -> str:
    """Hash of the models that the wheel carries."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.onnx")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:32]


def _skew(boxes: NDArray[np.float64]) -> float | None:
    """Median slope of boxes ``(n, 4, 2)``, whose corners go round from the top left."""
    along = (boxes[:, 1] - boxes[:, 0] + boxes[:, 2] - boxes[:, 3]) / 2
    across = (boxes[:, 3] - boxes[:, 0] + boxes[:, 2] - boxes[:, 1]) / 2
    length, height = np.linalg.norm(along, axis=1), np.linalg.norm(across, axis=1)
    wide = length >= _WIDE * np.maximum(height, 1)
    if not wide.any():
        return None
    slope = np.degrees(np.arctan2(along[wide, 1], along[wide, 0]))
    order = np.argsort(slope)
    share = np.cumsum(length[wide][order]) / length[wide].sum()
    return float(slope[order][np.searchsorted(share, 0.5)])
