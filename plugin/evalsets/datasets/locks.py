"""One writer at a time of schema, saved views and recipes.

FiftyOne loses fields and views under concurrent writers, so each holds this lock: an
atomic key in the dataset's execution store that names its holder and expires unless the
holder, while it lives, renews it.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
EXPIRES_S = 600
PATIENCE_S = 30.0

_held: ContextVar[frozenset[str]] = ContextVar("_held", default=frozenset())


@contextmanager
def writing(dataset: fo.Dataset, *, patience: float = PATIENCE_S) -> Iterator[None]:
    """Holds the dataset's writer lock; entering it again in the same thread is free.

    Args:
        dataset: whose schema, views or recipes are about to be written
        patience: seconds to wait for another writer to finish

    Raises:
        LockedError: another process still writes after ``patience``
    """
    name = dataset.name
    if name in _held.get():
        yield
        return
    store = ExecutionStore.create(STORE, dataset._doc.id)
    me = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "token": os.urandom(8).hex(),
    }
    _acquire(store, me, name, patience)
    token = _held.set(_held.get() | {name})
    try:
        with _renewing(store, me, name):
            dataset.reload()
            yield
    finally:
        _held.reset(token)
        if store.get(KEY) == me:
            store.delete(KEY)


@contextmanager
def _renewing(store: ExecutionStore, me: dict[str, Any], name: str) -> Iterator[None]:
    """Puts the lock's expiry off, from a thread, for as long as it is held."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(EXPIRES_S / 4):
            try:
                held = store.compare_and_set(KEY, me, me, ttl=EXPIRES_S)
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
    store: ExecutionStore, me: dict[str, Any], name: str, patience: float
) -> None:
    deadline = time.monotonic() + patience
    while not store.set_if_absent(KEY, me, ttl=EXPIRES_S):
        holder = store.get(KEY)
        if holder and _is_dead(holder):
            if store.compare_and_set(KEY, holder, me, ttl=EXPIRES_S):
                return
            continue
        if time.monotonic() > deadline:
            raise LockedError(
                f"Dataset '{name}' is being written by process {holder['pid']} on "
                f"{holder['host']}; wait for it to end, or try again later"
                if holder
                else f"Dataset '{name}' is being written by others; try again later"
            )
        time.sleep(0.1)


def _is_dead(holder: dict[str, Any]) -> bool:
    here = holder["host"] == socket.gethostname()
    return here and not psutil.pid_exists(holder["pid"])
