"""Where an index keeps its vectors, and what writing to them means.

An index shows the dataset's own vectors, or has a file of its own: one folder below
``brain/<dataset id>/``, which goes when its run is deleted.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
from numpy.typing import ArrayLike

from evalsets.brain.model import encode_files
from evalsets.datasets.columns import write
from evalsets.datasets.locks import writing
from evalsets.datasets.runs import load_runs
from evalsets.datasets.scores import KIND
from evalsets.datasets.vectors import encoder_of, home, open_vectors
from evalsets.errors import ArgumentError, EncoderError
from evalsets.similarity import VectorFile, unit

_CHECKED = 32  # vectors encoded again; another encoder or order differs in the first
_SAME = 0.999  # cosine; decoders and processors differ by less


def new_folder(dataset: fo.Dataset, root: Path | None = None) -> Path:
    """A folder for an index of its own; nothing is written yet."""
    return (root or home() / "brain") / str(dataset._doc.id) / uuid.uuid4().hex


def belongs_to(folder: Path, dataset: fo.Dataset) -> bool:
    """Whether files are the dataset's; a clone reads those of its original."""
    return folder.parent.name == str(dataset._doc.id)


def delete_folder(folder: str | None, dataset: fo.Dataset) -> None:
    """Removes an index's own files, if it has any and they are not another dataset's."""
    if folder is not None and belongs_to(Path(folder), dataset):
        shutil.rmtree(folder, ignore_errors=True)


def delete_orphans(dataset: fo.Dataset) -> None:
    """Removes files whose run was deleted where our class could not be loaded."""
    folders = list((home() / "brain" / str(dataset._doc.id)).glob("*"))
    if not folders:
        return
    dataset.reload()  # after listing: a folder is younger than the run that names it
    runs = dataset.list_brain_runs(method="faiss")
    used = {dataset.get_brain_info(key).config.folder for key in runs}
    for folder in folders:
        if str(folder) not in used:
            delete_folder(str(folder), dataset)


def open_writable(dataset: fo.Dataset) -> VectorFile:
    """The dataset's vectors, unless they are those of the dataset it was cloned from.

    Raises:
        ArgumentError: they are
    """
    file = open_vectors(dataset)
    if not belongs_to(file.folder, dataset):
        raise ArgumentError(
            f"Dataset '{dataset.name}' is a clone and shows the vectors of its "
            "original; embed the clone before changing them"
        )
    return file


def add_checked(dataset: fo.Dataset, ids: Sequence[str], vectors: ArrayLike) -> None:
    """Adds to the dataset's vectors what its encoder has made of these samples.

    Populations are defined by these vectors, so some of the images are encoded again
    and compared.

    Raises:
        EncoderError: the vectors are not those of the encoder, or an image to compare
            with cannot be read
        ArgumentError: the vectors have another length, or the dataset is a clone
    """
    file = open_writable(dataset)
    rows = unit(vectors)
    if rows.shape[1:] == (file.dim,):
        some = np.unique(
            np.linspace(0, len(ids) - 1, min(len(ids), _CHECKED), dtype=int)
        )
        chosen = [ids[position] for position in some]
        path = dict(
            zip(*dataset.select(chosen).values(["id", "filepath"]), strict=True)
        )
        known = [
            (i, row) for i, row in zip(chosen, rows[some], strict=True) if i in path
        ]
        positions, made, failed = encode_files(
            encoder_of(dataset), [path[i] for i, _ in known]
        )
        if failed or len(known) < len(chosen):
            missing = next(iter(failed), chosen[0])
            raise EncoderError(
                f"'{missing}' cannot be read, so its vector cannot be compared with "
                f"what '{file.encoder}' makes of it; leave it out"
            )
        cosine = np.einsum("ij,ij->i", made, np.stack([known[p][1] for p in positions]))
        if cosine.min() < _SAME:
            raise EncoderError(
                f"The vector of sample '{known[int(cosine.argmin())][0]}' is not what "
                f"'{file.encoder}' makes of it (cosine {cosine.min():.3f}), and "
                "populations are defined by that encoder's vectors; give those of "
                "index.compute_embeddings(samples), or pass embeddings= to "
                "compute_similarity for an index of its own"
            )
    file.add(ids, rows)


def remove_and_clear(dataset: fo.Dataset, ids: Sequence[str]) -> None:
    """Forgets vectors of the dataset, and the scores that populations took from them."""
    open_writable(dataset).remove(ids)
    with writing(dataset):
        fields: list[Any] = [run["field"] for run in load_runs(dataset, KIND).values()]
        for field in fields:
            if dataset.has_sample_field(field):
                write(dataset, field, ids, [None] * len(ids))
