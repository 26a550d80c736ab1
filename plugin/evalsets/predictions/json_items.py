"""A JSON array or object read one item at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import IO, Any

_PIECE = 1 << 20
_MARKS = (",", ":", "]", "}")
_SPACE = re.compile(r"\s*")


def json_items(
    file: IO[str], pairs_hook: Callable[[list[tuple[str, Any]]], Any]
) -> Iterator[Any]:
    """The items of an array, or the pairs of an object, as they are read.

    Args:
        file: of one JSON array or object
        pairs_hook: makes each object inside of an item

    Raises:
        ValueError: it is cut off, or is no JSON array or object
    """
    text = _Text(file, json.JSONDecoder(object_pairs_hook=pairs_hook))
    opening = text.mark()
    if opening not in ("[", "{"):
        raise ValueError("it is neither an array nor an object")
    closing = "]" if opening == "[" else "}"
    text.skip()
    while text.mark() != closing:
        item = text.value()
        if opening == "{":
            if not isinstance(item, str) or text.mark() != ":":
                raise ValueError("an object's key is no text followed by a colon")
            text.skip()
            item = (item, text.value())
        yield item
        if text.mark() == ",":
            text.skip()
        elif text.mark() != closing:
            raise ValueError(f"an item is followed by '{text.mark()}'")
    text.skip()
    if text.mark():
        raise ValueError("text follows its end")


class _Text:
    """What was read of a file and not used up yet."""

    def __init__(self, file: IO[str], decoder: json.JSONDecoder) -> None:
        self._file, self._decode = file, decoder.raw_decode
        self._text, self._at = "", 0

    def mark(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read(_PIECE):
                return ""

    def skip(self) -> None:
        """Uses up one character."""
        self._at += 1

    def value(self) -> Any:
        """The next value; reads as much as that takes."""
        size = _PIECE
        self.mark()
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as problem:
                if not self._read(size):
                    raise ValueError(problem.msg) from None
            else:
                after = _SPACE.match(self._text, end)
                end = after.end() if after else end
                # a number may go on in the next piece
                if self._text[end : end + 1] in _MARKS or not self._read(size):
                    self._at = end
                    return value
            size *= 2

    def _read(self, size: int) -> bool:
        """Reads on, and says whether there was more."""
        more = self._file.read(size)
        self._text, self._at = self._text[self._at :] + more, 0
        return bool(more)
