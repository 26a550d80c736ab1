"""Counts and areas, from what a FiftyOne model sees in an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
import numpy as np
from PIL import Image

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.taggers.tagger import Tags


class _ModelTagger:
    """What both have in common: one forward pass, and fields named by class."""

    def __init__(
        self, model: Any, fields: Mapping[str, str], kind: type, name: str
    ) -> None:
        if not fields:
            raise ArgumentError("Give at least one field and the class it is about")
        self._model = model
        self._classes = dict(fields)
        self.fields: Mapping[str, type] = dict.fromkeys(fields, kind)
        self.model_name = name or type(model).__name__

    @staticmethod
    def prepare(image: Image.Image) -> Any:
        """The pixels ``(height, width, 3)``; the model transforms them itself."""
        return np.asarray(image)

    def _predict(self, prepared: Sequence[Any]) -> list[Any]:
        with self._model:
            if self._model.ragged_batches:  # differing sizes do not go into one call
                return [self._model.predict(image) for image in prepared]
            return list(self._model.predict_all(list(prepared)))


class ObjectCount(_ModelTagger):
    """How many objects of a class a detector finds.

    Args:
        model: a FiftyOne model that yields ``Detections``
        fields: class to count by name of the sample field
        confidence: objects below it do not count; detectors without confidence always
        name: of the model, for the record
    """

    def __init__(
        self,
        model: Any,
        fields: Mapping[str, str],
        confidence: float = 0.0,
        name: str = "",
    ) -> None:
        super().__init__(model, fields, int, name)
        self._confidence = confidence
        self.provenance: Mapping[str, Any] = {
            "tagger": "count",
            "model": self.model_name,
            "classes": self._classes,
            "confidence": confidence,
        }

    def tag(self, prepared: Sequence[Any]) -> Tags:
        """The counts of a batch of images."""
        found = [self._labels(label) for label in self._predict(prepared)]
        return {
            field: [labels.count(wanted) for labels in found]
            for field, wanted in self._classes.items()
        }

    def _labels(self, label: Any) -> list[str]:
        if not isinstance(label, fo.Detections):
            raise ArgumentError(
                f"Model '{self.model_name}' yields {type(label).__name__}, but counting "
                "needs Detections; choose a detector"
            )
        return [
            d.label
            for d in label.detections
            if d.confidence is None or d.confidence >= self._confidence
        ]


class AreaFraction(_ModelTagger):
    """Share of an image's pixels that belong to a class, in [0, 1].

    Args:
        model: a FiftyOne model that yields ``Segmentation`` masks
        fields: class to measure by name of the sample field
        targets: class names by mask value; by default the model's ``mask_targets``
        name: of the model, for the record
    """

    def __init__(
        self,
        model: Any,
        fields: Mapping[str, str],
        targets: Mapping[int, str] | None = None,
        name: str = "",
    ) -> None:
        super().__init__(model, fields, float, name)
        named = targets or getattr(model, "mask_targets", None) or {}
        values = {str(label): int(value) for value, label in named.items()}
        for wanted in self._classes.values():
            if wanted not in values:
                raise UnknownNameError(
                    f"class of model {self.model_name}",
                    wanted,
                    values,
                    "give targets: {mask value: class}",
                )
        self._values = {f: values[wanted] for f, wanted in self._classes.items()}
        self.provenance: Mapping[str, Any] = {
            "tagger": "area",
            "model": self.model_name,
            "classes": self._classes,
            "targets": self._values,
        }

    def tag(self, prepared: Sequence[Any]) -> Tags:
        """The fractions of a batch of images."""
        masks = [self._mask(label) for label in self._predict(prepared)]
        return {
            field: [float((mask == value).mean()) for mask in masks]
            for field, value in self._values.items()
        }

    def _mask(self, label: Any) -> Any:
        if not isinstance(label, fo.Segmentation) or label.mask is None:
            raise ArgumentError(
                f"Model '{self.model_name}' yields {type(label).__name__}, but areas "
                "need Segmentation masks; choose a segmentation model"
            )
        return label.mask
