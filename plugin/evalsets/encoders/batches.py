"""One pass over images: each is decoded once, ahead of the model, for all who need it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from evalsets.encoders.cores import cores
from evalsets.images import local_copy, open_image

logger = logging.getLogger(__name__)

_Item: TypeAlias = tuple[int, dict[int, Any], str | None]
"""Position, what each reader made of the image, and why it could not be read."""

PIXELS_AT_ONCE = 64_000_000
"""A batch that keeps whole images holds no more pixels, unless one image does."""


@dataclass(frozen=True)
class Reader:
    """What one of those who need images makes of each.

    Args:
        of_image: takes the decoded RGB image, which is shared and must not be changed
        of_path: takes the path instead; then the image need not be decoded
    """

    of_image: Callable[[Image.Image], Any] | None = None
    of_path: Callable[[str], Any] | None = None


@dataclass(frozen=True)
class Job:
    """One image.

    Args:
        path: of the file
        readers: who needs it, as positions in the list of readers
        n_pixels: as far as it is known
        url: where the file came from, if not from this machine
        stamp: of what lay at the URL
    """

    path: str
    readers: tuple[int, ...]
    n_pixels: int = 0
    url: str | None = None
    stamp: str | None = None


@dataclass
class Batch:
    """Some of the images.

    Args:
        read: by reader, the positions of its images in the list of jobs, and what it
            made of them, collated: tensors are stacked
        failed: position and reason of each image that could not be read
    """

    read: dict[int, tuple[list[int], Any]]
    failed: list[tuple[int, str]]

    def pin_memory(self) -> Batch:
        """Puts tensors where a GPU can fetch them; the loader calls it."""
        for reader, (positions, items) in self.read.items():
            if isinstance(items, torch.Tensor):
                self.read[reader] = positions, items.pin_memory()
        return self


def image_batches(
    jobs: Sequence[Job],
    readers: Sequence[Reader],
    portions: Sequence[Sequence[int]],
) -> Iterator[Batch]:
    """Images in batches, in order; one that cannot be read is skipped and named.

    Args:
        jobs: the images
        readers: shared by threads; beside a GPU pickled to loader processes
        portions: positions of the images of each batch
    """
    if not torch.cuda.is_available():
        yield from batches_ahead(jobs, readers, portions, cores())
        return
    workers = cores() // 2
    yield from DataLoader(
        _Images(jobs, readers),
        batch_sampler=portions,
        num_workers=workers,
        collate_fn=_batch,
        pin_memory=True,
        # a forked child must not inherit MongoDB's connections
        multiprocessing_context="spawn" if workers else None,
    )


def batches_ahead(
    jobs: Sequence[Job],
    readers: Sequence[Reader],
    portions: Sequence[Sequence[int]],
    threads: int,
) -> Iterator[Batch]:
    """Batches read by threads, the next while the model is busy with one.

    Decoding frees Python's lock, and threads need neither pickling nor seconds to start.
    """
    images = _Images(jobs, readers)
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[list[Future[_Item]]] = deque()
        try:
            for portion in portions:
                ahead.append([pool.submit(images.__getitem__, at) for at in portion])
                if len(ahead) > 1:
                    yield _batch([future.result() for future in ahead.popleft()])
            while ahead:
                yield _batch([future.result() for future in ahead.popleft()])
        finally:
            pool.shutdown(cancel_futures=True)


def portions(
    jobs: Sequence[Job], batch_size: int, *, whole: bool = False
) -> list[list[int]]:
    """The positions of the images of each batch, in order.

    Args:
        jobs: the images
        batch_size: images a batch
        whole: readers keep all pixels, so that batches of large images are smaller
    """
    cut: list[list[int]] = [[]]
    n_pixels = 0
    for at, job in enumerate(jobs):
        n_pixels += job.n_pixels
        full = whole and n_pixels > PIXELS_AT_ONCE
        if cut[-1] and (full or len(cut[-1]) == batch_size):
            cut.append([])
            n_pixels = job.n_pixels
        cut[-1].append(at)
    return cut if jobs else []


class _Images(Dataset[Any]):
    def __init__(self, jobs: Sequence[Job], readers: Sequence[Reader]) -> None:
        self._jobs = list(jobs)
        self._readers = list(readers)

    def __len__(self) -> int:
        return len(self._jobs)

    def __getitem__(self, position: int) -> _Item:
        job = self._jobs[position]
        try:
            return position, self._read(job), None
        except Exception as error:  # a file can make a decoder raise anything
            logger.debug("%s cannot be read", job.path, exc_info=True)
            return position, {}, reason(error)

    def _read(self, job: Job) -> dict[int, Any]:
        found: dict[int, Any] = {}
        path = local_copy(job.path, job.url, job.stamp)
        made: dict[Any, Any] = {}  # some readers are one function
        image = None
        for number in job.readers:
            reader = self._readers[number]
            if reader.of_path is not None:
                found[number] = reader.of_path(path)
            elif reader.of_image is not None:
                image = image or open_image(path)
                if reader.of_image not in made:
                    made[reader.of_image] = reader.of_image(image)
                found[number] = made[reader.of_image]
        return found


def reason(error: Exception) -> str:
    """Why an image gave nothing, in one line; of an error that nobody expects, with its name."""
    said = " ".join(str(error).split())
    expected = isinstance(error, (OSError, ValueError, SyntaxError))
    return said if said and expected else f"{type(error).__name__}: {said}"


def _batch(items: list[_Item]) -> Batch:
    read: dict[int, tuple[list[int], list[Any]]] = {}
    for position, found, _ in items:
        for reader, item in found.items():
            positions, made = read.setdefault(reader, ([], []))
            positions.append(position)
            made.append(item)
    return Batch(
        {
            reader: (positions, collate(made))
            for reader, (positions, made) in read.items()
        },
        [(position, reason) for position, _, reason in items if reason is not None],
    )


def collate(items: list[Any]) -> Any:
    """Tensors of one shape stacked; anything else as a list."""
    shapes = {getattr(item, "shape", None) for item in items}
    tensors = all(isinstance(item, torch.Tensor) for item in items)
    return torch.stack(items) if tensors and len(shapes) == 1 else items
