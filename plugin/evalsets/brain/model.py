"""An encoder as a FiftyOne model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from fiftyone.core.models import EmbeddingsMixin, Model, PromptMixin
from PIL import Image

from evalsets.encoders import Encoder
from evalsets.encoders.encoder import Vectors, prompt_vector
from evalsets.errors import EncoderError


class EncoderModel(EmbeddingsMixin, PromptMixin, Model):
    """Embeds images and prompts as ``embed`` and ``text()`` do.

    Args:
        encoder: of the dataset
    """

    media_type = "image"
    transforms = None
    preprocess = False
    ragged_batches = True
    has_embeddings = True
    can_embed_prompts = True

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def embed(self, arg: Any) -> Vectors:
        """The unit vector of an image, ``(height, width, 3)`` of 8 bits."""
        from evalsets.encoders.batches import collate

        image = self._encoder.prepare(Image.fromarray(np.asarray(arg)).convert("RGB"))
        return self._encoder.encode_images(collate([image]))[0]

    def embed_prompt(self, arg: str) -> Vectors:
        """The unit vector of a prompt, through the encoder's prompt ensemble."""
        return prompt_vector(self._encoder, arg)


def takes_prompts(encoder: Encoder) -> bool:
    """Whether an encoder knows texts."""
    try:
        encoder.encode_texts(["a"])
    except EncoderError:
        return False
    return True


def encode_files(
    encoder: Encoder, paths: Sequence[str], batch_size: int | None = None
) -> tuple[list[int], Vectors, dict[str, str]]:
    """Vectors of image files, read as ``embed`` reads them.

    Returns:
        positions of the images that can be read, their unit vectors, and the others
        with the reason
    """
    from evalsets.encoders.batches import Job, Reader, image_batches, portions

    positions: list[int] = []
    vectors = [np.empty((0, encoder.dim), dtype=np.float32)]
    failed: dict[str, str] = {}
    jobs = [Job(path, (0,)) for path in paths]
    readers = [Reader(of_image=encoder.prepare)]
    for batch in image_batches(jobs, readers, portions(jobs, batch_size or 64)):
        for read, images in batch.read.values():
            positions += read
            vectors.append(encoder.encode_images(images))
        failed.update({paths[p]: why for p, why in batch.failed})
    return positions, np.concatenate(vectors), failed
