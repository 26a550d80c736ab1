"""Lower and upper case one character at a time, which a database can do as well."""

from __future__ import annotations

import string
from functools import lru_cache

_LAST_CASED = 0x1F000
_GAP = 32  # characters between two that change, for which one range is kept


@lru_cache(maxsize=2)
def table(case: str) -> dict[str, str]:
    """The characters beyond ASCII that change, with what they become.

    Unicode's simple mapping: a character whose other case is longer than one character
    stays as it is, except ``İ`` → ``i`` and ``ß`` → ``ẞ``, as in DuckDB.

    Args:
        case: ``lower`` or ``upper``
    """
    changed = {"İ": "i"} if case == "lower" else {"ß": "ẞ"}
    for c in map(chr, range(128, _LAST_CASED)):
        other = c.lower() if case == "lower" else c.upper()
        if len(other) > 1 and case == "upper":
            other = c.title()
        if len(other) == 1 and other != c:
            changed.setdefault(c, other)
    return changed


@lru_cache(maxsize=2)
def ranges(case: str) -> list[tuple[str, str]]:
    """First and last characters of few ranges that hold all of the :func:`table`."""
    found: list[tuple[str, str]] = []
    for c in sorted(table(case)):
        if found and ord(c) - ord(found[-1][1]) <= _GAP:
            found[-1] = (found[-1][0], c)
        else:
            found.append((c, c))
    return found


@lru_cache(maxsize=1)
def _written_as() -> dict[str, str]:
    written: dict[str, str] = {c: c + c.upper() for c in string.ascii_lowercase}
    for c, small in table("lower").items():
        written[small] = written.get(small, small) + c
    return written


def same_lower(letter: str) -> str:
    """The characters whose lower case is ``letter``, which is lower case itself."""
    return _written_as().get(letter, letter)


def lower(text: str) -> str:
    """``text`` in lower case, of the same length."""
    return _changed(text, "lower")


def upper(text: str) -> str:
    """``text`` in upper case, of the same length."""
    return _changed(text, "upper")


def _changed(text: str, case: str) -> str:
    if text.isascii():
        return getattr(str, case)(text)  # type: ignore[no-any-return]
    return "".join(
        getattr(str, case)(c) if c.isascii() else table(case).get(c, c) for c in text
    )
