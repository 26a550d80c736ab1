"""Results written behind a pass, by one thread, in bulk."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, Full, Queue
from types import TracebackType
from typing import Generic, TypeVar

from pymongo.errors import ConnectionFailure

from evalsets.errors import DatabaseError, EvalsetsError

logger = logging.getLogger(__name__)

EVERY_S = 2.0
"""What was put is written after that many seconds; a crash loses no more."""
AHEAD = 8
"""Parts that may wait while others are written; then the pass waits too."""
PATIENCE_S = 300.0
"""For how long a database that has gone away is waited for."""

Part = TypeVar("Part")


class BackgroundWriter(Generic[Part]):
    """Writes parts in the order they were put, many at a time.

    Leaving it writes what is left and raises what writing raised.

    Args:
        write: writes some parts; where the database goes away it is called with them
            again, so it must not matter how often

    Attributes:
        interrupted: the database went away meanwhile
    """

    def __init__(self, write: Callable[[list[Part]], None]) -> None:
        self._write = write
        self._parts: Queue[Part | None] = Queue(AHEAD)
        self._error: BaseException | None = None
        self._broken_off = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="evalsets-writer", daemon=True
        )
        self.interrupted = False

    def __enter__(self) -> BackgroundWriter[Part]:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._broken_off.set()
        self._hand_over(None)
        self._thread.join()
        if error is None:
            self._raise()

    def put(self, part: Part) -> None:
        """Has a part written; raises what writing an earlier one raised."""
        self._hand_over(part)
        self._raise()

    def _hand_over(self, part: Part | None) -> None:
        while self._error is None:
            try:
                self._parts.put(part, timeout=0.2)
            except Full:
                continue
            return

    def _raise(self) -> None:
        if isinstance(self._error, OSError):
            raise EvalsetsError(
                f"What was computed cannot be written ({self._error}); make room and "
                "run it again: it goes on where it stopped"
            ) from self._error
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            for parts in self._gathered():
                self._insist(parts)
        except BaseException as error:  # noqa: BLE001 - raised where the pass is
            self._error = error

    def _gathered(self) -> Iterator[list[Part]]:
        parts: list[Part] = []
        due = 0.0
        while True:
            if parts and time.monotonic() >= due:
                yield parts
                parts = []
            left = max(0.0, due - time.monotonic()) if parts else None
            try:
                part = self._parts.get(timeout=left)
            except Empty:
                continue
            if part is None:
                break
            if not parts:
                due = time.monotonic() + EVERY_S
            parts.append(part)
        if parts:
            yield parts

    def _insist(self, parts: list[Part]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._write(parts)
            except ConnectionFailure as error:
                if time.monotonic() > deadline or self._broken_off.is_set():
                    raise DatabaseError(
                        "MongoDB has gone away and not come back; start it and run this "
                        "again: it goes on where it stopped"
                    ) from error
                if not self.interrupted:
                    logger.warning("MongoDB has gone away; waiting for it: %s", error)
                self.interrupted = True
                self._broken_off.wait(1)
