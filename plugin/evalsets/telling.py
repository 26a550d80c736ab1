"""How far something is, told to whoever listens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_listener: ContextVar[Callable[[Told], None] | None] = ContextVar(
    "_listener", default=None
)


@dataclass(frozen=True)
class Told:
    """What is known of something that goes on.

    Args:
        words: the step it is at; empty where none was told
        share: of it that is done, in [0, 1]; None where nobody knows
    """

    words: str = ""
    share: float | None = None


@contextmanager
def listening(listener: Callable[[Told], None]) -> Iterator[None]:
    """Has a listener hear what this thread tells."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(words: str, share: float | None = None) -> None:
    """Tells the step that begins, and the share that is done."""
    listener = _listener.get()
    if listener is not None:
        listener(Told(words, share))


class Tally:
    """Tells how many of something are done, and how many a second.

    Args:
        words: what is being done, and to what
        total: how many there are
        begin: the share of the whole that is done before
        end: and after it
    """

    def __init__(
        self, words: str, total: int, begin: float = 0.0, end: float = 1.0
    ) -> None:
        self._words = words
        self._total = total
        self._begin = begin
        self._span = end - begin
        self._started = time.monotonic()

    def at(self, done: int, more: str = "") -> None:
        """Tells that so many are done, and what else is to be said."""
        took = time.monotonic() - self._started
        words = f"{self._words}: {done:,} of {self._total:,}"
        if took > 0:
            words += f", {done / took:,.1f} a second"
        share = min(1.0, done / self._total) if self._total else 1.0
        tell(words + (f", {more}" if more else ""), self._begin + self._span * share)
