"""One pass over the images of samples, for an encoder and for taggers together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import fiftyone as fo
import fiftyone.core.utils as fou

from evalsets.api.background import BackgroundWriter
from evalsets.api.steps import Finisher, Made, Part, Rows, Step
from evalsets.datasets.columns import read, write_rows
from evalsets.datasets.files import STAMP, URL
from evalsets.encoders.batches import Job, image_batches, portions
from evalsets.errors import ArgumentError, counted
from evalsets.similarity import VectorFile

_UNKNOWN_PIXELS = 12_000_000
"""What an image is taken to have whose size the dataset does not know."""


@dataclass(frozen=True)
class Task:
    """What a pass has to do.

    Args:
        ids: of the samples, in the order to take them
        jobs: their images
        steps: those with nothing to do cost nothing
        portions: positions of the images of each batch
        proven: numbers of the steps that are known to work
    """

    ids: Sequence[str]
    jobs: Sequence[Job]
    steps: Sequence[Step]
    portions: Sequence[Sequence[int]]
    proven: frozenset[int]


Engine: TypeAlias = Callable[[Task], Iterator[Made]]
"""Does a task, each image once, in any order."""


@dataclass(frozen=True)
class Passed:
    """What came of a pass.

    Args:
        done: ids of the samples for which everything was made
        failed: why, for the others, by id
        interrupted: the database went away meanwhile, and may have forgotten something
    """

    done: frozenset[str]
    failed: Mapping[str, str]
    interrupted: bool


def local(task: Task) -> Iterator[Made]:
    """Does a task in this process."""
    finish = Finisher(task.steps, task.proven)
    readers = [step.reader for step in task.steps]
    for batch in image_batches(task.jobs, readers, task.portions):
        yield finish(batch, task.ids)


def engine_named(name: str, workers: int | None) -> Engine:
    """The engine of that name.

    Args:
        name: ``local`` or ``ray``
        workers: of Ray

    Raises:
        ArgumentError: there is none of that name, or it is not installed
    """
    if name == "ray":
        from evalsets.api.onray import on_ray

        return on_ray(workers)
    if name != "local":
        raise ArgumentError(f"engine is '{name}'; give 'local' or 'ray'")
    if workers is not None:
        raise ArgumentError("Workers are those of Ray; give engine 'ray' too")
    return local


def run(
    dataset: fo.Dataset,
    view: fo.DatasetView,
    steps: Sequence[Step],
    *,
    vectors: VectorFile | None,
    batch_size: int,
    engine: Engine,
    progress: Any,
) -> Passed:
    """Takes the steps; what is finished is written meanwhile, and stays.

    Args:
        dataset: that holds the fields to be filled
        view: the samples, in the order to take them
        steps: those with nothing to do cost nothing
        vectors: where a step puts its vectors
        batch_size: images a batch
        engine: does the work
        progress: as FiftyOne takes it
    """
    task = _task(view, steps, batch_size)
    failed: dict[str, str] = {}

    def write(parts: list[Part]) -> None:
        rows: Rows = {}
        for part in parts:
            if vectors is not None and part.vectors is not None:
                vectors.add(part.ids, part.vectors)
            for i, row in part.rows.items():
                rows.setdefault(i, {}).update(row)
        write_rows(dataset, rows)

    bar = fou.ProgressBar(total=len(task.jobs), iters_str="images", progress=progress)
    with bar, BackgroundWriter(write) as writer:
        for made in engine(task) if task.jobs else ():
            failed |= made.failed
            for part in made.parts:
                writer.put(part)
            suffix = f"{counted(len(failed), 'image')} skipped" if failed else None
            bar.update(len(made.ids), suffix=suffix)
    return Passed(frozenset(task.ids) - failed.keys(), failed, writer.interrupted)


def _task(view: fo.DatasetView, steps: Sequence[Step], batch_size: int) -> Task:
    """The samples that some step wants, in order, each with the steps that do.

    A step is known to work where it wants only some of the samples: the others have what
    it makes.
    """
    paths = ["id", "filepath", "metadata.width", "metadata.height"]
    stored = [name for name in (URL, STAMP) if view.has_field(name)]
    columns = read(view, paths + (stored if len(stored) == 2 else []))
    ids, jobs, proven = [], [], set[int]()
    for i, path, width, height, *remote in zip(*columns.values(), strict=True):
        wanting = tuple(at for at, step in enumerate(steps) if i in step.wanted)
        proven |= {at for at in range(len(steps)) if at not in wanting}
        if wanting:
            ids.append(i)
            n_pixels = width * height if width and height else _UNKNOWN_PIXELS
            jobs.append(Job(path, wanting, n_pixels, *remote))
    whole = any(step.whole for step in steps)
    cut = portions(jobs, batch_size, whole=whole)
    return Task(ids, jobs, steps, cut, frozenset(proven))
