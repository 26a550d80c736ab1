"""Counts, presence and areas, from what a FiftyOne model sees in an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo

from evalsets.encoders.weights import weights_of
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.taggers.tagger import LabelTagger, Tags


class _ModelTagger(LabelTagger):
    """What all have in common: a model, and fields named by class."""

    def __init__(
        self, model: Any, fields: Mapping[str, str], kind: type, name: str
    ) -> None:
        if not fields:
            raise ArgumentError("Give at least one field and the class it is about")
        self.model = model
        self.fields = dict.fromkeys(fields, kind)
        self._classes = dict(fields)
        self._name = name or type(model).__name__
        self._weights = weights_of(model)

    def provenance(self, field: str) -> dict[str, Any]:
        """As every tagger's; each field has its own class."""
        return {
            **super().provenance(field),
            "model": self._name,
            "weights": self._weights,
            "class": self._classes[field],
        }


class ObjectCount(_ModelTagger):
    """How many objects of a class a detector finds.

    Args:
        model: a FiftyOne model that yields ``Detections``
        fields: class to count by name of the sample field
        confidence: objects below it do not count; detectors without confidence always
        name: of the model, for the record
    """

    kind = "count"

    def __init__(
        self,
        model: Any,
        fields: Mapping[str, str],
        confidence: float = 0.0,
        name: str = "",
    ) -> None:
        super().__init__(model, fields, int, name)
        self._confidence = confidence
        self.parameters = {"confidence": confidence}

    def tag_labels(self, labels: Sequence[fo.Label]) -> Tags:
        """The counts of a batch of images."""
        found = [self._found(label) for label in labels]
        return {
            field: [names.count(wanted) for names in found]
            for field, wanted in self._classes.items()
        }

    def _found(self, label: fo.Label) -> list[str]:
        if not isinstance(label, fo.Detections):
            raise ArgumentError(
                f"Model '{self._name}' yields {type(label).__name__}, but '{self.kind}' "
                "needs Detections; choose a detector"
            )
        return [
            d.label
            for d in label.detections
            if d.confidence is None or d.confidence >= self._confidence
        ]


class Presence(ObjectCount):
    """Whether a detector finds an object of a class; see :class:`ObjectCount`."""

    kind = "presence"

    def __init__(
        self,
        model: Any,
        fields: Mapping[str, str],
        confidence: float = 0.0,
        name: str = "",
    ) -> None:
        super().__init__(model, fields, confidence, name)
        self.fields = dict.fromkeys(fields, bool)

    def tag_labels(self, labels: Sequence[fo.Label]) -> Tags:
        """Whether each image of a batch holds the classes."""
        counts = super().tag_labels(labels)
        return {field: [n > 0 for n in found] for field, found in counts.items()}


class AreaFraction(_ModelTagger):
    """Share of an image's pixels that belong to a class, in [0, 1].

    Args:
        model: a FiftyOne model that yields ``Segmentation`` masks
        fields: class to measure by name of the sample field
        targets: class names by mask value; by default the model's ``mask_targets``
        name: of the model, for the record
    """

    kind = "area"

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
                    f"class of model {self._name}",
                    wanted,
                    values,
                    "give targets: {mask value: class}",
                )
        self._values = {f: values[wanted] for f, wanted in self._classes.items()}

    def provenance(self, field: str) -> dict[str, Any]:
        """As every tagger's, with the mask value of the field's class."""
        return {**super().provenance(field), "target": self._values[field]}

    def tag_labels(self, labels: Sequence[fo.Label]) -> Tags:
        """The fractions of a batch of images."""
        masks = [self._mask(label) for label in labels]
        return {
            field: [float((mask == value).mean()) for mask in masks]
            for field, value in self._values.items()
        }

    def _mask(self, label: fo.Label) -> Any:
        if not isinstance(label, fo.Segmentation) or label.mask is None:
            raise ArgumentError(
                f"Model '{self._name}' yields {type(label).__name__}, but areas "
                "need Segmentation masks; choose a segmentation model"
            )
        return label.mask
