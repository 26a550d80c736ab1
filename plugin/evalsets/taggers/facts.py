"""What a file says of itself: its format, and how the photograph was taken."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from evalsets.images import header_of, quiet
from evalsets.taggers.tagger import FileTagger

logger = logging.getLogger(__name__)

_Exif = Mapping[int, Any]


class FileFacts(FileTagger):
    """Format, size and frames of a file, and what its EXIF tells.

    ``taken_at`` is in UTC where the camera told its time zone, else as the camera's
    clock had it. Latitude and longitude are degrees, north and east positive. What the
    file does not tell, or tells in a way that cannot be read, stays empty.
    """

    kind = "facts"
    fields: Mapping[str, type] = {
        "file_format": str,
        "file_bytes": int,
        "n_frames": int,
        "has_exif": bool,
        "camera": str,
        "taken_at": datetime,
        "exposure_s": float,
        "f_number": float,
        "iso": int,
        "focal_mm": float,
        "flash": bool,
        "latitude": float,
        "longitude": float,
    }
    optional = frozenset(fields) - {"file_format", "file_bytes", "n_frames", "has_exif"}

    def read(self, path: str) -> dict[str, Any]:
        """The facts of one file."""
        with header_of(path) as image:
            found = {
                "file_format": image.format or "",
                "file_bytes": Path(path).stat().st_size,
                "n_frames": int(getattr(image, "n_frames", 1)),
            }
            main, photo, place = _exif(image, path)
        return {**found, "has_exif": bool(main or photo), **_told(main, photo, place)}


def _exif(image: Image.Image, path: str) -> tuple[_Exif, _Exif, _Exif]:
    """The main block, the photograph's and the place's; empty where broken."""
    try:
        with quiet():  # what is broken stays empty
            exif = image.getexif()
            return (
                dict(exif),
                exif.get_ifd(ExifTags.IFD.Exif),
                exif.get_ifd(ExifTags.IFD.GPSInfo),
            )
    except Exception as error:  # noqa: BLE001 - broken EXIF can make Pillow raise anything
        logger.debug("EXIF of %s cannot be read: %s", path, error)
        return {}, {}, {}


def _told(main: _Exif, photo: _Exif, place: _Exif) -> dict[str, Any]:
    base, gps = ExifTags.Base, ExifTags.GPS
    iso = photo.get(base.ISOSpeedRatings)
    speed = _number(iso[0] if isinstance(iso, tuple) and iso else iso)
    flash = photo.get(base.Flash)
    return {
        "camera": _camera(main.get(base.Make), main.get(base.Model)),
        "taken_at": _time(
            photo.get(base.DateTimeOriginal), photo.get(base.OffsetTimeOriginal)
        ),
        "exposure_s": _number(photo.get(base.ExposureTime)),
        "f_number": _number(photo.get(base.FNumber)),
        "iso": None if speed is None else int(speed),
        "focal_mm": _number(photo.get(base.FocalLength)),
        "flash": bool(flash & 1) if isinstance(flash, int) else None,
        "latitude": _degrees(place, gps.GPSLatitude, gps.GPSLatitudeRef, "S", 90),
        "longitude": _degrees(place, gps.GPSLongitude, gps.GPSLongitudeRef, "W", 180),
    }


def _camera(make: Any, model: Any) -> str | None:
    """Maker and model, without the maker twice."""
    words = [str(part).replace("\0", "").strip() for part in (make, model) if part]
    if len(words) == 2 and words[1].lower().startswith(words[0].lower()):
        words = words[1:]
    return " ".join(filter(None, words))[:200] or None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and 0 <= number < 2**53 else None


def _time(text: Any, offset: Any) -> datetime | None:
    try:
        told = datetime.strptime(str(text).strip("\0 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return None
    try:
        zone = datetime.strptime(str(offset).strip("\0 "), "%z").utcoffset()
    except ValueError:
        zone = None
    try:
        return (told - (zone or timedelta())).replace(tzinfo=timezone.utc)
    except OverflowError:
        return None


def _degrees(
    place: _Exif, value: int, side: int, negative: str, most: float
) -> float | None:
    parts = place.get(value)
    if not isinstance(parts, (tuple, list)) or len(parts) != 3:
        return None
    numbers = [_number(part) for part in parts]
    if None in numbers:
        return None
    degrees = sum(n / 60**i for i, n in enumerate(numbers) if n is not None)
    if degrees > most:
        return None
    return -degrees if str(place.get(side)).upper().startswith(negative) else degrees
