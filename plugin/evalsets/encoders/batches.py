"""One pass over images: decoded and prepared in loader workers, given in batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset


@dataclass(frozen=True)
class Batch:
    """Some of the images.

    Args:
        positions: which images, as positions in the list of paths
        items: what ``prepare`` made of each, collated: tensors are stacked
        failed: position and reason of each image that could not be read
    """

    positions: list[int]
    items: Any
    failed: list[tuple[int, str]]


def image_batches(
    paths: Sequence[str],
    prepare: Callable[[str], Any],
    *,
    batch_size: int,
    workers: int | None = None,
) -> Iterator[Batch]:
    """Prepared images in batches, in order; an unreadable one is skipped and named.

    Args:
        paths: of the images
        prepare: opens and prepares one image; raises ``OSError`` or ``ValueError`` if
            the image cannot be read
        batch_size: images a batch
        workers: loader processes; by default half of the cores beside a GPU, none on a
            CPU, where the model uses all cores already
    """
    cuda = torch.cuda.is_available()
    if workers is None:
        workers = (os.cpu_count() or 1) // 2 if cuda else 0
    yield from DataLoader(
        _Images(paths, prepare),
        batch_size=batch_size,
        num_workers=workers,
        collate_fn=_batch,
        pin_memory=cuda,
        # a forked child must not inherit MongoDB's connections
        multiprocessing_context="spawn" if workers else None,
    )


class _Images(Dataset[Any]):
    def __init__(self, paths: Sequence[str], prepare: Callable[[str], Any]) -> None:
        self._paths = list(paths)
        self._prepare = prepare

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, position: int) -> tuple[int, Any, str | None]:
        try:
            return position, self._prepare(self._paths[position]), None
        except (OSError, ValueError, SyntaxError) as error:
            return position, None, str(error) or type(error).__name__


def _batch(items: list[tuple[int, Any, str | None]]) -> Batch:
    good = [(position, item) for position, item, reason in items if reason is None]
    return Batch(
        positions=[position for position, _ in good],
        items=collate([item for _, item in good]),
        failed=[(p, reason) for p, _, reason in items if reason is not None],
    )


def collate(items: list[Any]) -> Any:
    """Tensors stacked; anything else as a list."""
    if items and isinstance(items[0], torch.Tensor):
        return torch.stack(items)
    return items
