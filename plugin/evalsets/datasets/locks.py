"""One writer at a time of schema, saved views and recipes; one pass over pixels.

FiftyOne loses fields and views under concurrent writers, so each holds a lock: an atomic
key in the dataset's execution store that names its holder and expires unless the holder,
while it lives, renews it. Long work that only writes values holds a lock of its own
kind, and the writer's only while it declares fields and while it makes them count.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import psutil
from bson import ObjectId
from fiftyone.operators.store import ExecutionStore
from pymongo.errors import PyMongoError

from evalsets.errors import LockedError

logger = logging.getLogger(__name__)

STORE = "evalsets"
KEY = "writer"
PASSING = "pass over pixels"
SYNCING = "sync"
EXPIRES_S = 600
PATIENCE_S = 120.0
SETTLING_S = 600.0
"""Patience of work that is done but for its last step: it is not given up for less."""


@dataclass
class _Lock:
    """One lock that is held: where, what the store has of its holder, and since when.

    ``renewed`` is by the clock on the wall, which goes on while a machine sleeps.
    """

    store: ExecutionStore
    key: str
    me: dict[str, Any]
    renewed: float = 0

    def renew(self) -> bool:
        """Puts its expiry off; False where another has it by now."""
        now, me = time.time(), self.me
        if not self.store.compare_and_set(self.key, me, me, ttl=EXPIRES_S):
            return False
        self.renewed = now
        return True

    def is_held(self) -> bool:
        """Whether nobody else can have it for a while, renewed if that may be short."""
        return abs(time.time() - self.renewed) < EXPIRES_S / 2 or self.renew()

    def release(self) -> None:
        """Leaves it to the next, unless that has it already."""
        with suppress(PyMongoError):  # the next holder finds it left behind
            if self.renew():  # or it might go to another before it is deleted
                self.store.delete(self.key)


_held: ContextVar[dict[tuple[ObjectId, str], _Lock]] = ContextVar("_held", default={})  # noqa: B039
"""The locks that this thread holds, by dataset and key; never changed in place."""
schema_lock = threading.RLock()
"""Held by whoever changes or reloads schema, views or runs: the threads of a process share
FiftyOne's dataset objects, and a reload in one would take fields from under another."""
_alive: set[str] = set()  # tokens of the locks that this process holds or waits for


@contextmanager
def writing(dataset: fo.Dataset, *, patience: float = PATIENCE_S) -> Iterator[None]:
    """Holds the dataset's writer lock; entering it again in the same thread is free.

    Args:
        dataset: whose schema, views or recipes are about to be written
        patience: seconds to wait for another writer to finish

    Raises:
        LockedError: another process still writes after ``patience``
    """
    with _alone(dataset, KEY, patience, "written"):
        yield


@contextmanager
def passing(dataset: fo.Dataset) -> Iterator[None]:
    """Holds the dataset's lock of passes, so that no two do the same work.

    Raises:
        LockedError: another process embeds or tags the dataset
    """
    with _alone(dataset, PASSING, 0, "embedded or tagged"):
        yield


@contextmanager
def syncing(dataset: fo.Dataset) -> Iterator[None]:
    """Holds the dataset's lock of syncs: two would add the same files twice.

    Raises:
        LockedError: another process still syncs the dataset after a while
    """
    with _alone(dataset, SYNCING, PATIENCE_S, "synced"):
        yield


@contextmanager
def filling(dataset: fo.Dataset, field: str, *, patience: float = 0) -> Iterator[None]:
    """Holds the lock of an upload, whose field is no leftover while it is held.

    Args:
        dataset: that is uploaded to
        field: name of what is uploaded
        patience: seconds to wait for another upload of that name to finish

    Raises:
        LockedError: another process uploads the same
    """
    with _alone(dataset, f"upload of {field}", patience, f"given '{field}'"):
        yield


def check_held(dataset: fo.Dataset) -> None:
    """Refuses to go on where a lock that this thread took on a dataset was lost.

    That happens to a process that slept, or did not reach MongoDB, for ten minutes.
    What passes has its locks for minutes more.

    Raises:
        LockedError: another writer has one of them
    """
    for (known, _), lock in _held.get().items():
        if known == dataset._doc.id and not lock.is_held():
            raise LockedError(
                f"Dataset '{dataset.name}' went to another writer while this one was "
                "interrupted; nothing more was written: run it again"
            )


@contextmanager
def _alone(
    dataset: fo.Dataset, key: str, patience: float, doing: str
) -> Iterator[None]:
    place = (dataset._doc.id, key)
    if place in _held.get():
        yield
        return
    me: dict[str, Any] = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "token": os.urandom(8).hex(),
    }
    lock = _Lock(ExecutionStore.create(STORE, dataset._doc.id), key, me)
    _alive.add(me["token"])
    token = _held.set({**_held.get(), place: lock})
    try:
        _acquire(lock, f"Dataset '{dataset.name}' is being {doing} by", patience)
        with _renewing(lock, dataset.name):
            with schema_lock:
                dataset.reload()
            yield
    finally:
        _held.reset(token)
        _alive.discard(me["token"])
        lock.release()


@contextmanager
def _renewing(lock: _Lock, name: str) -> Iterator[None]:
    """Puts the lock's expiry off, from a thread, for as long as it is held."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(EXPIRES_S / 4):
            try:
                if not lock.renew():  # what is written next finds it out
                    return
            except PyMongoError as error:
                logger.warning("The lock of '%s' was not renewed: %s", name, error)

    thread = threading.Thread(target=renew, name="evalsets-lock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _acquire(lock: _Lock, said: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    store, key, me = lock.store, lock.key, lock.me
    while not store.set_if_absent(key, me, ttl=EXPIRES_S):
        holder = store.get(key)
        if holder and _is_dead(holder):
            if store.compare_and_set(key, holder, me, ttl=EXPIRES_S):
                break
            continue
        if time.monotonic() > deadline:
            raise LockedError(
                f"{said} process {holder['pid']} on {holder['host']}; wait for it to "
                "end, or try again later"
                if holder
                else f"{said} others; try again later"
            )
        time.sleep(0.1)
    lock.renewed = time.time()


def _is_dead(holder: dict[str, Any]) -> bool:
    if holder["host"] != socket.gethostname():
        return False
    if holder["pid"] == os.getpid():  # left behind where the database went away
        return holder["token"] not in _alive
    try:
        return bool(psutil.Process(holder["pid"]).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
