"""What the header of an image says, or why the image cannot be read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError

from evalsets.images import header_of

_ENDS = {b"\xff\xd8": b"\xff\xd9", b"\x89P": b"IEND\xaeB`\x82"}
_TAIL_BYTES = 64
_TURNED = (5, 6, 7, 8)  # EXIF orientations by a quarter


@dataclass(frozen=True)
class Facts:
    """What the header of an image says: width and height in pixels, channels, type.

    Width and height are those of the upright image, as FiftyOne stores them.
    """

    width: int
    height: int
    channels: int
    mime_type: str


def examine(file: BinaryIO) -> Facts | str:
    """The facts of an image, or why it cannot be read; decodes only on doubt.

    The header must open, and a JPEG or PNG must end as one; if it does not, or in any
    other format, decoding decides.

    Raises:
        OSError: the system does not give the file, which says nothing of its content
    """
    try:
        with header_of(file) as image:
            turned = image.getexif().get(ExifTags.Base.Orientation) in _TURNED
            facts = Facts(
                *(image.size[::-1] if turned else image.size),
                len(image.getbands()),
                Image.MIME.get(image.format or "", "image"),
            )
            if image.format not in ("JPEG", "PNG", "MPO") or not _ends_well(file):
                image.load()
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        if file.seek(0, os.SEEK_END) == 0:
            return "the file is empty"
        if isinstance(error, UnidentifiedImageError):
            return "the file is no image of a known format"
        return str(error) or type(error).__name__
    return facts


def _ends_well(file: BinaryIO) -> bool:
    file.seek(0)
    start = file.read(2)
    file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
    return _ENDS.get(start, b"") in file.read().rstrip(b"\0")
