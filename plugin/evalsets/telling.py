"""How far something is, told to whoever listens."""

from __future__ import annotations

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
