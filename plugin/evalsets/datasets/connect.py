"""Opening datasets, with MongoDB's failures told as one sentence."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeAlias

import fiftyone as fo
import fiftyone.core.utils as fou
import pymongo
import pymongo.errors
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from fiftyone.core.config import FiftyOneConfigError
from fiftyone.core.odm import get_db_client, get_db_conn
from fiftyone.core.service import ServiceException

from evalsets.datasets.locks import schema_lock
from evalsets.errors import ArgumentError, DatabaseError, UnknownNameError

Source: TypeAlias = "str | fo.Dataset | fo.DatasetView"
"""What verbs take: a dataset, its name or, where they only read, a view."""


PATIENCE_MS = 5000
_SIGN_OF_LIFE_S = 3
_OUT_OF_DISK_SPACE = 14031
_RAW = CodecOptions(RawBSONDocument)
_LEFT = {"last_loaded_at": 0, "_media_sources": 0, "_media_source_layouts": 0}
"""What FiftyOne does not load, and what loading writes."""
_read: dict[str, tuple[weakref.ref[Any], bytes]] = {}
"""By name of a dataset what it was last loaded into, and from."""


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


@contextmanager
def answering() -> Iterator[None]:
    """As :func:`database`, for whoever waits: FiftyOne takes 30 s to notice an outage."""
    with database():
        with pymongo.timeout(_SIGN_OF_LIFE_S):
            get_db_client().admin.command("ping")
        yield


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
        _catch_up(dataset)
        return dataset


def _catch_up(dataset: fo.Dataset) -> None:
    """Reloads a dataset whose document has changed since this was done last.

    To compare what MongoDB holds takes a tenth of the time: a reload makes objects of all
    runs and saved views, and writes down that it happened.
    """
    name = dataset.name
    with schema_lock:
        stored = (
            get_db_conn().datasets.with_options(_RAW).find_one({"name": name}, _LEFT)
        )
        doc, seen = _read.get(name, (None, None))
        if (
            stored is None
            or doc is None
            or doc() is not dataset._doc
            or seen != stored.raw
        ):
            dataset.reload()
        if stored is not None:
            _read[name] = weakref.ref(dataset._doc), stored.raw


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


def check_name(name: str) -> None:
    """Refuses what can name no dataset.

    Raises:
        ArgumentError: FiftyOne could make no address of it
    """
    try:
        fou.to_slug(name)
    except ValueError as error:
        raise ArgumentError(
            f"'{name}' cannot name a dataset; give 1 to 100 characters with letters or "
            "digits among them"
        ) from error


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
