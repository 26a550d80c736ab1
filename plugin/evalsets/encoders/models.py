"""FiftyOne models, shown a batch of images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image


def pixels(image: Image.Image) -> Any:
    """The pixels ``(height, width, 3)``; a FiftyOne model transforms them itself."""
    return np.asarray(image)


def predict(model: Any, images: Sequence[Any]) -> list[Any]:
    """The label a model gives each image."""
    return _each(model, images, model.predict, model.predict_all)


def embed(model: Any, images: Sequence[Any]) -> list[Any]:
    """The vector a model gives each image."""
    return _each(model, images, model.embed, model.embed_all)


def _each(
    model: Any,
    images: Sequence[Any],
    one: Callable[[Any], Any],
    all_of: Callable[[list[Any]], Any],
) -> list[Any]:
    with model:
        if model.ragged_batches:  # differing sizes do not go into one call
            return [one(image) for image in images]
        return list(all_of(list(images)))
