"""One writer at a time of schema, saved views and recipes; one pass over pixels.

FiftyOne loses fields and views under concurrent writers, so each holds a lock: an atomic
key in the dataset's execution store that names its holder and expires unless the holder,
while it lives, renews it. Passes that embed and tag, which take hours, hold another one.
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
from typing import Any

import fiftyone as fo
import psutil
from fiftyone.operators.store import ExecutionStore
from pymongo.errors import PyMongoError

from evalsets.errors import LockedError

logger = logging.getLogger(__name__)

STORE = "evalsets"
KEY = "writer"
PASSING = "pass over pixels"
EXPIRES_S = 600
PATIENCE_S = 30.0

_held: ContextVar[frozenset[tuple[str, str]]] = ContextVar("_held", default=frozenset())
"""Id of the dataset and key of the locks that this thread holds."""
schema_lock = threading.RLock()
"""Held by whoever changes or reloads a schema: the threads of a process share FiftyOne's
dataset objects, and a reload in one would take fields from under another."""
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
def _alone(
    dataset: fo.Dataset, key: str, patience: float, doing: str
) -> Iterator[None]:
    name, own = dataset.name, (str(dataset._doc.id), key)
    if own in _held.get():
        yield
        return
    store = ExecutionStore.create(STORE, dataset._doc.id)
    me: dict[str, Any] = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "token": os.urandom(8).hex(),
    }
    _alive.add(me["token"])
    token = _held.set(_held.get() | {own})
    try:
        _acquire(store, key, me, f"Dataset '{name}' is being {doing} by", patience)
        with _renewing(store, key, me, name):
            with schema_lock:
                dataset.reload()
            yield
    finally:
        _held.reset(token)
        _alive.discard(me["token"])
        with suppress(PyMongoError):  # the next holder finds it left behind
            if store.get(key) == me:
                store.delete(key)


@contextmanager
def _renewing(
    store: ExecutionStore, key: str, me: dict[str, Any], name: str
) -> Iterator[None]:
    """Puts the lock's expiry off, from a thread, for as long as it is held."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(EXPIRES_S / 4):
            try:
                held = store.compare_and_set(key, me, me, ttl=EXPIRES_S)
            except PyMongoError as error:
                logger.warning("The lock of '%s' was not renewed: %s", name, error)
                continue
            if not held:
                logger.warning("The lock of '%s' was lost to another writer", name)
                return

    thread = threading.Thread(target=renew, name="evalsets-lock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _acquire(
    store: ExecutionStore, key: str, me: dict[str, Any], said: str, patience: float
) -> None:
    deadline = time.monotonic() + patience
    while not store.set_if_absent(key, me, ttl=EXPIRES_S):
        holder = store.get(key)
        if holder and _is_dead(holder):
            if store.compare_and_set(key, holder, me, ttl=EXPIRES_S):
                return
            continue
        if time.monotonic() > deadline:
            raise LockedError(
                f"{said} process {holder['pid']} on {holder['host']}; wait for it to "
                "end, or try again later"
                if holder
                else f"{said} others; try again later"
            )
        time.sleep(0.1)


def _is_dead(holder: dict[str, Any]) -> bool:
    if holder["host"] != socket.gethostname():
        return False
    if holder["pid"] == os.getpid():  # left behind where the database went away
        return holder["token"] not in _alive
    try:
        return bool(psutil.Process(holder["pid"]).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
