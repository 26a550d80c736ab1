"""Opening datasets, with MongoDB's failures told as one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import fiftyone as fo
import pymongo.errors
from fiftyone.core.service import ServiceException

from evalsets.errors import ArgumentError, DatabaseError, UnknownNameError

Source: TypeAlias = "str | fo.Dataset | fo.DatasetView"
"""What verbs take: a dataset, its name or, where they only read, a view."""


@contextmanager
def database() -> Iterator[None]:
    """Turns every way MongoDB can be missing into a ``DatabaseError``."""
    try:
        yield
    except (ServiceException, pymongo.errors.ConnectionFailure) as error:
        raise DatabaseError(
            f"MongoDB cannot be reached ({_first_line(error)}); "
            "run: evalsets doctor --mend"
        ) from error


def open_dataset(source: Source) -> fo.Dataset:
    """The dataset of that name or behind that view, with its newest schema.

    Raises:
        UnknownNameError: there is no dataset of that name
        DatabaseError: MongoDB cannot be reached
    """
    with database():
        if isinstance(source, fo.DatasetView):
            dataset = source._dataset
        elif isinstance(source, fo.Dataset):
            dataset = source
        elif isinstance(source, str):
            if not fo.dataset_exists(source):
                raise UnknownNameError(
                    "dataset",
                    source,
                    fo.list_datasets(),
                    "create it with evalsets.sync(folder, dataset=...)",
                )
            dataset = fo.load_dataset(source)
        else:
            raise ArgumentError(
                f"A dataset is wanted, or its name, not {type(source).__name__}"
            )
        dataset.reload()
        return dataset


def open_view(source: Source) -> fo.DatasetView:
    """The samples to read: a view as it is, a dataset as a whole."""
    dataset = open_dataset(source)
    return source if isinstance(source, fo.DatasetView) else dataset.view()


def exists(name: str) -> bool:
    """Whether there is a dataset of that name."""
    with database():
        return bool(fo.dataset_exists(name))


def create_dataset(name: str) -> fo.Dataset:
    """The dataset of that name, made persistent if it is new."""
    if exists(name):
        return open_dataset(name)
    try:
        return fo.Dataset(name, persistent=True)
    except ValueError as error:
        raise ArgumentError(f"'{name}' cannot name a dataset: {error}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].partition(",")[0] or repr(error)
