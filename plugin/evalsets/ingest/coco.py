"""True boxes from COCO annotations."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evalsets.errors import ArgumentError
from evalsets.ingest.sidecar import match_paths

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Box:
    """One object: class, ``(x, y, width, height)`` relative to the image, COCO's flags."""

    label: str
    bounds: tuple[float, float, float, float]
    crowd: bool
    area: float


def read_coco(source: str | Path, names: list[str]) -> dict[str, list[Box]]:
    """The boxes of every annotated image, by the name it is listed under.

    Args:
        source: annotations in COCO's format
        names: of the images, as paths or URLs

    Raises:
        ArgumentError: the file is missing or not in that format, or fits no image
    """
    path = Path(source).expanduser()
    if not path.is_file():
        raise ArgumentError(f"There is no file '{source}'; check the path")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        images = {image["id"]: image for image in content["images"]}
        classes = {entry["id"]: str(entry["name"]) for entry in content["categories"]}
        _refuse_doubled("id", (image["id"] for image in content["images"]))
        files = [str(image["file_name"]) for image in images.values()]
        matched = dict(zip(images, match_paths(files, names), strict=True))
        _refuse_doubled("file", filter(None, matched.values()))
        found: dict[str, list[Box]] = {n: [] for n in matched.values() if n}
        for entry in content["annotations"]:
            name = matched[entry["image_id"]]
            if name is not None:
                found[name].append(_box(entry, images[entry["image_id"]], classes))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArgumentError(
            f"'{source}' does not hold COCO annotations ({type(error).__name__}: "
            f"{error}); give images, categories and annotations"
        ) from error
    if not found:
        raise ArgumentError(f"None of the images in '{source}' is in the source")
    lost = [file for file, n in zip(files, matched.values(), strict=True) if n is None]
    if lost:
        logger.warning(
            "%d of %d images in '%s' are left out, for example '%s': no image of the "
            "source has that path, or more than one has",
            *(len(lost), len(files), source, lost[0]),
        )
    return found


def _refuse_doubled(what: str, values: Iterable[object]) -> None:
    twice = next((value for value, n in Counter(values).items() if n > 1), None)
    if twice is not None:
        raise ValueError(f"more than one image has the {what} '{twice}'")


def _box(entry: dict, image: dict, classes: dict[int, str]) -> Box:  # type: ignore[type-arg]
    x, y, width, height = (float(value) for value in entry["bbox"])
    across, down = float(image["width"]), float(image["height"])
    if not (across > 0 and down > 0):
        raise ValueError(
            f"image '{image['file_name']}' is {across:g} × {down:g} pixels"
        )
    if not (width >= 0 and height >= 0 and math.isfinite(x + y + width + height)):
        raise ValueError(f"image '{image['file_name']}' has a box {entry['bbox']}")
    return Box(
        classes[entry["category_id"]],
        (x / across, y / down, width / across, height / down),
        bool(entry.get("iscrowd", 0)),
        float(entry.get("area", width * height)),
    )
