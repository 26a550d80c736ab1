"""Opening datasets, with MongoDB's failures told as one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TypeAlias

import fiftyone as fo
import pymongo
import pymongo.errors
from fiftyone.core.config import FiftyOneConfigError
from fiftyone.core.service import ServiceException

from evalsets.datasets.locks import schema_lock
from evalsets.errors import ArgumentError, DatabaseError, UnknownNameError

Source: TypeAlias = "str | fo.Dataset | fo.DatasetView"
"""What verbs take: a dataset, its name or, where they only read, a view."""


PATIENCE_MS = 5000
_OUT_OF_DISK_SPACE = 14031


@contextmanager
def database() -> Iterator[None]:
    """Turns every way MongoDB can be missing, or refuse, into a ``DatabaseError``."""
    try:
        _check_server()
        yield
    except (
        ServiceException,
        FiftyOneConfigError,
        ConnectionError,
        pymongo.errors.ConnectionFailure,
    ) as error:
        remedy = (
            "start it, or correct FIFTYONE_DATABASE_URI"
            if fo.config.database_uri
            else "run: evalsets doctor --mend"
        )
        raise DatabaseError(
            f"MongoDB cannot be reached ({_first_line(error)}); {remedy}"
        ) from error
    except pymongo.errors.PyMongoError as error:
        said = str(error).partition(", full error")[0]
        full = getattr(error, "code", None) == _OUT_OF_DISK_SPACE
        mend = "make room where it keeps its data" if full else "see its log"
        raise DatabaseError(
            f"MongoDB refuses what it is asked ({said}); {mend}, and run this again: it "
            "goes on where it stopped"
        ) from error


@cache
def _check_server() -> None:
    """Asks a server given by URI for a sign of life; FiftyOne would wait for 40 s."""
    if fo.config.database_uri:
        with pymongo.MongoClient(
            fo.config.database_uri, serverSelectionTimeoutMS=PATIENCE_MS
        ) as client:
            client.admin.command("ping")


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
                    "sync a folder to create it",
                )
            dataset = fo.load_dataset(source)
        else:
            raise ArgumentError(
                f"A dataset is wanted, or its name, not {type(source).__name__}"
            )
        with schema_lock:
            dataset.reload()
        return dataset


def open_view(source: Source) -> fo.DatasetView:
    """The samples to read: a view as it is, a dataset as a whole."""
    return open_both(source)[1]


def open_both(source: Source) -> tuple[fo.Dataset, fo.DatasetView]:
    """The dataset as :func:`open_dataset` gives it, and the samples to read."""
    dataset = open_dataset(source)
    view = source if isinstance(source, fo.DatasetView) else dataset.view()
    return dataset, view


def is_whole(view: fo.DatasetView) -> bool:
    """Whether a view shows its dataset as it is."""
    return not view._stages and not view._is_generated


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
    line = str(error).strip().partition("\n")[0]
    return line.partition(" (")[0].partition(". ")[0] or type(error).__name__
