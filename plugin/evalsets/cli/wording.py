"""What Python says, in the words of the shell."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, get_type_hints

from typer.models import OptionInfo

from evalsets.errors import EvalsetsError, QueryError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_running: ContextVar[Callable[..., Any] | None] = ContextVar("_running", default=None)
_OPTION = re.compile(
    r"(?<!\w)'[^']*'(?!\w)"  # what is quoted stays
    r"|(?P<word>option )?\b(?P<name>[a-z]\w*)"
    r"(?P<given>=(?P<value>'[^']*'|\"[^\"]*\"|\w[\w.]*|)(?:\{\})?)?"
)


def spoken(run: Callable[_P, _T]) -> Callable[_P, _T]:
    """The command, whose options are those that messages speak of while it runs."""

    @wraps(run)
    def call(*args: _P.args, **options: _P.kwargs) -> _T:
        _running.set(run)
        return run(*args, **options)

    return call


def is_running(*commands: Callable[..., Any]) -> bool:
    """Whether the command that runs, or ran last, is one of these."""
    return _running.get() in commands


def sentence(error: Exception) -> str:
    """What a shell says of an error, in one sentence."""
    if isinstance(error, QueryError):  # its words are those of the language
        return str(error)
    if isinstance(error, EvalsetsError):
        return in_shell(str(error))
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def in_shell(text: str) -> str:
    """A sentence with the options of the running command as the shell writes them.

    ``near_duplicates=0.9`` becomes ``--near-duplicates 0.9``. A plain word stays, since
    it may mean just itself.
    """
    run = _running.get()
    hints = get_type_hints(run, include_extras=True) if run else {}
    options = {
        name
        for name, hint in hints.items()
        if any(isinstance(m, OptionInfo) for m in getattr(hint, "__metadata__", ()))
    }

    def written(found: re.Match[str]) -> str:
        name, value = found["name"] or "", found["value"]
        if name not in options or not (found["word"] or found["given"] or "_" in name):
            return found[0]
        option = f"--{name.replace('_', '-')}"
        return option if value in (None, "", "True") else f"{option} {value}"

    return _OPTION.sub(written, text)


class Words(logging.Formatter):
    """Messages in the words of the shell."""

    def format(self, record: logging.LogRecord) -> str:
        """The message alone."""
        return in_shell(super().format(record))
