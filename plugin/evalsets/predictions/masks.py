"""From arrays or image files to a checked table of masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsets.errors import PredictionsError
from evalsets.images import header_of
from evalsets.predictions.tables import MaskTable, check_keys

_GREY = ("L", "P", "1", "I", "I;16")
_LARGEST = 65_535


def mask_table(
    keys: list[str], values: Sequence[Any], folder: Path | None = None
) -> MaskTable:
    """Checks masks by key; files stay where they are and are read when evaluated.

    Args:
        keys: one a sample
        values: for each an array ``(h, w)`` of whole numbers, the path of an image of
            one channel, or a FiftyOne ``Segmentation``
        folder: where relative paths start; by default the working directory

    Raises:
        PredictionsError: a mask that cannot be taken
    """
    check_keys(keys)
    masks: list[NDArray[Any] | str] = []
    sizes: list[tuple[int, int]] = []
    for key, value in zip(keys, values, strict=True):
        mask, size = _mask(key, _plain(value), folder)
        masks.append(mask)
        sizes.append(size)
    return MaskTable(keys, masks, np.array(sizes, np.intp).reshape(-1, 2))


def _plain(value: Any) -> Any:
    path = getattr(value, "mask_path", None)
    return path if path else getattr(value, "mask", value)


def _mask(
    key: str, value: Any, folder: Path | None
) -> tuple[NDArray[Any] | str, tuple[int, int]]:
    if isinstance(value, str | Path):
        path = (folder or Path.cwd()) / value
        return str(path), _size(key, path)
    try:
        mask = np.asarray(value)
    except ValueError as problem:
        raise PredictionsError(
            f"The rows of the mask of '{key}' differ in length; give (height, width)"
        ) from problem
    if not mask.ndim:
        raise PredictionsError(
            f"The mask of '{key}' is {value!r}; give an array (height, width), or the "
            "path of an image"
        )
    if mask.ndim != 2 or not mask.size:
        raise PredictionsError(
            f"The mask of '{key}' has shape {mask.shape}; give (height, width), for "
            "scores by class their argmax"
        )
    whole = mask.astype(np.int64) if mask.dtype.kind in "biuf" else None
    if whole is None or (whole != mask).any():
        raise PredictionsError(
            f"The mask of '{key}' does not hold whole numbers; give the class of each "
            "pixel"
        )
    if whole.min() < 0 or whole.max() > _LARGEST:
        raise PredictionsError(
            f"The mask of '{key}' holds {whole.min()} to {whole.max()}; give classes "
            f"from 0 to {_LARGEST}"
        )
    kind = np.uint8 if whole.max() <= np.iinfo(np.uint8).max else np.uint16
    return whole.astype(kind), (mask.shape[1], mask.shape[0])


def _size(key: str, path: Path) -> tuple[int, int]:
    try:
        with header_of(str(path)) as image:
            mode, size = image.mode, image.size
    except (OSError, ValueError) as problem:
        raise PredictionsError(
            f"The mask of '{key}', '{path}', cannot be read; check the path: {problem}"
        ) from problem
    if mode not in _GREY:
        raise PredictionsError(
            f"The mask of '{key}', '{path}', has colours ({mode}); give an image of one "
            "channel that holds the class of each pixel"
        )
    return size
