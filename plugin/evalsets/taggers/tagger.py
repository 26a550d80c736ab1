"""What a tagger is: of pixels, of files, of a model's labels, of vectors, of fields."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import fiftyone as fo
from PIL import Image

from evalsets.encoders import Encoder
from evalsets.encoders.encoder import Vectors
from evalsets.errors import ArgumentError, EvalsetsError, counted

Tags = Mapping[str, Sequence[Any]]
"""One column a field, in the order of the images."""


class Tagger(ABC):
    """What all taggers have.

    Attributes:
        kind: what a YAML file calls it
        fields: sample fields it fills, with their types: ``float``, ``int``, ``str``,
            ``bool``, ``datetime`` or a FiftyOne label class
        optional: fields that may stay empty; any other must get a value for every
            sample, since an empty one tells that the sample is yet to be tagged
        unindexed: fields too long for an index
        parameters: what the tags depend on, as plain values
        place: where a file declares it, such as ``tags.yml:2``
    """

    kind: ClassVar[str]
    fields: Mapping[str, type]
    optional: frozenset[str] = frozenset()
    unindexed: frozenset[str] = frozenset()
    parameters: Mapping[str, Any] = {}
    place: str = ""

    def provenance(self, field: str) -> dict[str, Any]:  # noqa: ARG002
        """What the values of a field depend on; where it changes, they are stale."""
        return {"tagger": self.kind, **self.parameters}


@contextmanager
def placed(tagger: Tagger) -> Iterator[None]:
    """Has errors say where the tagger they are about is declared."""
    try:
        yield
    except EvalsetsError as error:
        if tagger.place:
            error.args = (f"{tagger.place}: {error}",)
        raise


class PixelTagger(Tagger):
    """Tags of decoded images."""

    @abstractmethod
    def prepare(self, image: Image.Image) -> Any:
        """What ``tag`` needs of one RGB image.

        It runs in several threads or in loader processes. Others see the same image, so
        it must not be changed.
        """

    def tag(self, prepared: Sequence[Any]) -> Tags:
        """The tags of a batch; by default ``prepare`` gives a dict of them."""
        return {field: [one.get(field) for one in prepared] for field in self.fields}


class FileTagger(Tagger):
    """Tags of what a file says without its pixels being decoded."""

    @abstractmethod
    def read(self, path: str) -> Mapping[str, Any]:
        """The tags of one file; it runs in several threads or in loader processes."""

    def tag(self, prepared: Sequence[Mapping[str, Any]]) -> Tags:
        """The tags of a batch of files that were read."""
        return {field: [one.get(field) for one in prepared] for field in self.fields}


class LabelTagger(Tagger):
    """Tags of what a FiftyOne model sees in an image.

    Attributes:
        model: sees each image once, however many taggers share it
    """

    model: Any

    @abstractmethod
    def tag_labels(self, labels: Sequence[fo.Label]) -> Tags:
        """The tags of what ``model`` saw in a batch of images."""


class VectorTagger(Tagger):
    """Tags of vectors, without another pass over pixels."""

    @abstractmethod
    def tag_vectors(self, vectors: Vectors, encoder: Encoder) -> Tags:
        """The tags of vectors ``(n, dim)`` that ``encoder`` made."""


class SampleTagger(Tagger):
    """Tags of what samples hold already, computed anew each time."""

    @abstractmethod
    def tag_samples(self, view: fo.DatasetView) -> Tags:
        """The tags of all samples of a view, in its order.

        Raises:
            UnknownNameError: a field that it reads does not exist
        """


def checked(tagger: Tagger, tags: Tags, n: int) -> dict[str, list[Any]]:
    """Tags as plain values, refusing what would leave a sample half tagged.

    Args:
        tagger: that made them
        tags: a column for each of its fields; NaN is no value
        n: samples they are about

    Raises:
        ArgumentError: a field without a column or with one of another length, a value
            of another type, or none where one must be
    """
    found = {}
    for field, kind in tagger.fields.items():
        values = list(tags.get(field, ()))
        if len(values) != n:
            raise ArgumentError(
                f"Tagger '{tagger.kind}' gave {counted(len(values), 'value')} of "
                f"'{field}' for {counted(n, 'sample')}; give one for each"
            )
        found[field] = [_plain(value, kind, field, tagger) for value in values]
        if field not in tagger.optional and None in found[field]:
            raise ArgumentError(
                f"Tagger '{tagger.kind}' gave no value of '{field}' for a sample; give "
                "one, or name the field in 'optional'"
            )
    return found


def _plain(value: Any, kind: type, field: str, tagger: Tagger) -> Any:
    if hasattr(value, "item"):  # of numpy or torch
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if kind is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, kind):
        raise ArgumentError(
            f"Tagger '{tagger.kind}' gave {type(value).__name__} for '{field}', which "
            f"holds {kind.__name__}"
        )
    return value
