"""What a tagger is: of pixels, or of vectors that are there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from PIL import Image

from evalsets.encoders import Encoder
from evalsets.encoders.encoder import Vectors

Tags = Mapping[str, Sequence[Any]]
"""One column a field, in the order of the images."""


@runtime_checkable
class PixelTagger(Protocol):
    """Tags of decoded images.

    Attributes:
        fields: sample fields it fills, with their types
        provenance: what the tags depend on, as plain values; recorded with each field
    """

    fields: Mapping[str, type]
    provenance: Mapping[str, Any]

    def prepare(self, image: Image.Image) -> Any:
        """What ``tag`` needs of one RGB image; pickled to loader workers."""
        ...

    def tag(self, prepared: Sequence[Any]) -> Tags:
        """The tags of a batch of prepared images."""
        ...


@runtime_checkable
class VectorTagger(Protocol):
    """Tags of vectors, without another pass over pixels.

    Attributes:
        fields: sample fields it fills, with their types
        provenance: what the tags depend on, as plain values; recorded with each field
    """

    fields: Mapping[str, type]
    provenance: Mapping[str, Any]

    def tag_vectors(self, vectors: Vectors, encoder: Encoder) -> Tags:
        """The tags of vectors ``(n, dim)`` that ``encoder`` made."""
        ...


Tagger = PixelTagger | VectorTagger
