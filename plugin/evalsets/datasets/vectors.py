"""Which vectors a dataset has, and the encoder that made them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import fiftyone as fo

from evalsets.datasets.locks import writing
from evalsets.datasets.runs import delete_run, load_runs, save_run
from evalsets.encoders import Encoder, load_encoder
from evalsets.errors import EncoderError, NoVectorsError
from evalsets.similarity import VectorFile

KIND = "vectors"

_encoders: dict[str, Encoder] = {}  # by fingerprint, those this process has used
_files: dict[Path, VectorFile] = {}  # the one that this process opened last


def home() -> Path:
    """Where vectors lie: ``EVALSETS_HOME``, by default ``~/.evalsets``."""
    return Path(os.environ.get("EVALSETS_HOME", "~/.evalsets")).expanduser()


def open_vectors(dataset: fo.Dataset) -> VectorFile:
    """The vectors of a dataset.

    Raises:
        NoVectorsError: it has not been embedded
    """
    recorded = load_runs(dataset, KIND).get(KIND)
    remedy = "embed it first"
    if recorded is None:
        raise NoVectorsError(f"Dataset '{dataset.name}' has no vectors; {remedy}")
    folder = Path(recorded["folder"])
    if not folder.is_dir():
        raise NoVectorsError(
            f"The vectors of dataset '{dataset.name}' are gone from {folder}; {remedy}"
        )
    file = _opened(folder)
    _drop_deleted(dataset, file, recorded)
    return file


def _opened(folder: Path) -> VectorFile:
    """The file as it is now; what was worked out when it was open before is kept."""
    known = _files.get(folder)
    try:
        file = VectorFile(folder) if known is None else known.again()
    except EncoderError:  # deleted and made anew
        file = VectorFile(folder)
    _files.clear()
    _files[folder] = file
    return file


def _drop_deleted(
    dataset: fo.Dataset, file: VectorFile, recorded: dict[str, Any]
) -> None:
    """Forgets vectors of samples that were deleted since this was done last."""
    deleted = dataset.last_deletion_at
    when = None if deleted is None else deleted.isoformat()
    own = file.folder.parent.name == str(dataset._doc.id)  # a clone reads another's
    if own and when != recorded.get("swept"):
        embedded = file.ids.tolist()  # before the samples, or a new one seems deleted
        there = set(dataset.values("id"))
        file.remove([i for i in embedded if i not in there])
        with writing(dataset):
            if load_runs(dataset, KIND).get(KIND) == recorded:
                save_run(dataset, KIND, KIND, {**recorded, "swept": when})


def fingerprint_of(dataset: fo.Dataset) -> str:
    """Fingerprint of the dataset's encoder; empty when it has not been embedded."""
    return str(load_runs(dataset, KIND).get(KIND, {}).get("fingerprint", ""))


def create_vectors(
    dataset: fo.Dataset, encoder: Encoder, *, overwrite: bool = False
) -> VectorFile:
    """The file that this encoder's vectors of the dataset go to.

    Raises:
        EncoderError: the dataset has vectors of another encoder, unless ``overwrite``
    """
    _encoders[encoder.fingerprint] = encoder
    with writing(dataset):
        recorded = load_runs(dataset, KIND).get(KIND)
        if recorded and recorded["fingerprint"] != encoder.fingerprint:
            if not overwrite:
                raise EncoderError(
                    f"The vectors of dataset '{dataset.name}' were made by "
                    f"'{recorded['name']}' ({recorded['fingerprint'][:8]}), not by "
                    f"'{encoder.name}' ({encoder.fingerprint[:8]}); use that encoder, "
                    "or overwrite the vectors (option overwrite) to embed all "
                    "samples again"
                )
            delete_run(dataset, KIND, KIND)
        folder = home() / "vectors" / str(dataset._doc.id) / encoder.fingerprint[:16]
        file = VectorFile.create(folder, encoder.dim, encoder.name, encoder.fingerprint)
        save_run(
            dataset,
            KIND,
            KIND,
            {
                "name": encoder.name,
                "fingerprint": encoder.fingerprint,
                "dim": encoder.dim,
                "folder": str(folder),
            },
        )
    return file


def encoder_of(dataset: fo.Dataset, file: VectorFile | None = None) -> Encoder:
    """The encoder that made the dataset's vectors, loaded again by its name.

    Args:
        dataset: that was embedded
        file: its vectors, where they are open already

    Raises:
        NoVectorsError: the dataset has not been embedded
        EncoderError: the encoder cannot be loaded, or its weights have changed
    """
    file = file or open_vectors(dataset)
    if file.fingerprint in _encoders:
        return _encoders[file.fingerprint]
    encoder = load_encoder(file.encoder)
    if encoder.fingerprint != file.fingerprint:
        raise EncoderError(
            f"The weights of encoder '{file.encoder}' have changed since dataset "
            f"'{dataset.name}' was embedded; embed it again, overwriting its vectors"
        )
    _encoders[file.fingerprint] = encoder
    return encoder
