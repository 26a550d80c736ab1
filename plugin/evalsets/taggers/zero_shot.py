"""Attributes by the prompt that fits an image best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import fiftyone as fo
import numpy as np

from evalsets.encoders import Encoder
from evalsets.encoders.encoder import Vectors, prompt_vector
from evalsets.errors import ArgumentError
from evalsets.taggers.tagger import Tags, VectorTagger


class ZeroShot(VectorTagger):
    """One attribute of an image, chosen among classes that prompts describe.

    The field holds a ``Classification``: the class whose prompt is nearest, and the
    softmax of the cosines as its confidence. Several prompts of a class are averaged,
    each over the encoder's own templates.

    Args:
        field: sample field to fill
        classes: a prompt, or several, for each class; at least two classes

    Sources:
        Radford et al. 2021, *Learning Transferable Visual Models From Natural Language
        Supervision*, §3.1
    """

    kind = "zero_shot"

    def __init__(self, field: str, classes: Mapping[str, str | Sequence[str]]) -> None:
        if not isinstance(classes, Mapping) or len(classes) < 2:
            raise ArgumentError(
                f"Attribute '{field}' needs at least two classes with a prompt each"
            )
        self.field = field
        self.classes = {
            str(name): [prompts] if isinstance(prompts, str) else list(prompts)
            for name, prompts in classes.items()
        }
        empty = [name for name, prompts in self.classes.items() if not any(prompts)]
        if empty:
            raise ArgumentError(f"Class '{empty[0]}' of '{field}' has no prompt")
        self.fields = {field: fo.Classification}
        self.parameters = {"classes": [list(pair) for pair in self.classes.items()]}
        self._prompts: tuple[str, Vectors] | None = None

    def tag_vectors(self, vectors: Vectors, encoder: Encoder) -> Tags:
        """One label with its confidence for every vector."""
        cosines = vectors @ self._prompt_vectors(encoder).T
        logits = encoder.scale * cosines.astype(np.float64)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        share = odds / odds.sum(axis=1, keepdims=True)
        names = list(self.classes)
        return {
            self.field: [
                fo.Classification(label=names[best], confidence=float(row[best]))
                for row, best in zip(share, share.argmax(axis=1), strict=True)
            ]
        }

    def _prompt_vectors(self, encoder: Encoder) -> Vectors:
        """``(classes, dim)``, encoded once."""
        if self._prompts is None or self._prompts[0] != encoder.fingerprint:
            encoded = [prompt_vector(encoder, p) for p in self.classes.values()]
            self._prompts = encoder.fingerprint, np.stack(encoded)
        return self._prompts[1]
