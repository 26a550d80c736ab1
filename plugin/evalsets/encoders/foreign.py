"""FiftyOne models as encoders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from evalsets.encoders.encoder import TEMPLATES, Vectors, unit
from evalsets.encoders.models import embed, pixels
from evalsets.encoders.weights import weights_of
from evalsets.errors import EncoderError


class FiftyOneEncoder:
    """A FiftyOne model that embeds; see ``Encoder`` for its attributes.

    Args:
        model: a ``fiftyone.core.models.Model`` with embeddings
        name: the zoo name that loads it again, or a name for people
    """

    def __init__(self, model: Any, name: str) -> None:
        if not getattr(model, "has_embeddings", False):
            raise EncoderError(
                f"FiftyOne model '{name}' gives no embeddings; choose one that does"
            )
        self.name = name
        self._model = model
        probe = Image.fromarray(np.tile(np.arange(224, dtype=np.uint8), (224, 1)))
        vector = self.encode_images([self.prepare(probe.convert("RGB"))])
        self.dim = int(vector.shape[1])
        self.templates: tuple[str, ...] = TEMPLATES
        self.scale = 100.0
        self.fingerprint = _fingerprint(model, name, self.dim)

    prepare = staticmethod(pixels)

    def encode_images(self, batch: Sequence[Any]) -> Vectors:
        """Unit vectors of a batch of images, in one call of the model if it can."""
        return unit(np.asarray(embed(self._model, batch)).reshape(len(batch), -1))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of prompts, if the model takes them."""
        if not getattr(self._model, "can_embed_prompts", False):
            raise EncoderError(
                f"Encoder '{self.name}' knows images only, so text() cannot be used; "
                "embed with an open_clip model"
            )
        with self._model:
            embedded = self._model.embed_prompts(list(texts))
        return unit(np.asarray(embedded).reshape(len(texts), -1))


def _fingerprint(model: Any, name: str, dim: int) -> str:
    """Of what made the model; its outputs differ between a CPU and a GPU."""
    config: Any = getattr(model, "config", None)
    options = dict(config.serialize()) if hasattr(config, "serialize") else {}
    options.pop("device", None)
    known = {
        "name": name,
        "class": f"{type(model).__module__}.{type(model).__qualname__}",
        "dim": dim,
        "weights": weights_of(model),
        "config": options,
    }
    text = json.dumps(known, sort_keys=True, default=lambda it: type(it).__qualname__)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
