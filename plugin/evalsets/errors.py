"""Every exception a user can meet, each with its remedy.

::

    EvalsetsError
    ├── ArgumentError (ValueError)      a value that no call can take
    │   ├── SeveralCutsError            a query of which it is not clear what to cut
    │   └── UnprovenError               answers that do not prove a cut yet
    ├── QueryError                      text of a query; knows the position
    ├── UnknownNameError (LookupError)  no such field, population, model, dataset …
    ├── NameTakenError                  the name belongs to something else
    ├── NoImagesError                   a source without one readable image
    ├── EncoderError                    an encoder cannot be loaded or does not match
    ├── NoVectorsError                  similarity was asked for before ``embed``
    ├── PredictionsError                an upload that cannot be taken as it is
    ├── DatabaseError                   MongoDB cannot be reached, or refuses
    └── LockedError                     another process writes to the dataset
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class EvalsetsError(Exception):
    """Base of every error: one sentence with what was wrong, where, and what to do."""


class ArgumentError(EvalsetsError, ValueError):
    """An argument that no call can take."""


class SeveralCutsError(ArgumentError):
    """A query that cuts several similarities, of which one is to be chosen.

    Args:
        problem: what is wrong, and the remedy
        terms: the similarities, as the query writes them
    """

    def __init__(self, problem: str, terms: Iterable[str]) -> None:
        self.terms = tuple(terms)
        super().__init__(problem)


class UnprovenError(ArgumentError):
    """No cut is proven to be precise enough; the answers are kept."""


class UnknownNameError(EvalsetsError, LookupError):
    """A name that does not exist, with the nearest one that does.

    Args:
        kind: what was looked for, as a user calls it: "field", "population" …
        name: the name that was given
        known: the names that exist
        remedy: what to do when no name is near; by default the known names
    """

    def __init__(
        self, kind: str, name: str, known: Iterable[str] = (), remedy: str = ""
    ) -> None:
        self.kind = kind
        self.name = name
        self.known = sorted(known)
        super().__init__(f"No {kind} '{name}'{suggest(name, self.known, remedy)}")


class NameTakenError(EvalsetsError):
    """A name that already belongs to something else."""


class QueryError(EvalsetsError):
    """A query that cannot be read, with the place where it fails.

    ``line`` and ``column`` say the position as editors do, counted from 1.

    Args:
        problem: one sentence, without the position
        text: the whole query
        position: offset into ``text`` of the offending word, 0-based
        word: the offending word; empty at the end of the text
    """

    def __init__(
        self, problem: str, text: str = "", position: int = 0, word: str = ""
    ) -> None:
        self.problem = problem
        self.text = text
        self.position = position
        self.word = word
        self.line = text.count("\n", 0, position) + 1
        self.column = position - text.rfind("\n", 0, position)
        super().__init__(self._pointed() if text else problem)

    def _pointed(self) -> str:
        """The problem and, below it, the line of the query with the word marked."""
        place = f"position {self.position}"
        if "\n" in self.text:
            place += f", line {self.line}, column {self.column}"
        line, before = self.text.split("\n")[self.line - 1], self.column - 1
        left = max(0, before - 40)
        shown = "".join(c if c.isprintable() else " " for c in line[left : left + 80])
        length = max(
            1, min(len(self.word.partition("\n")[0]), len(shown) - before + left)
        )
        caret = " " * (before - left) + "^" * length
        return f"{self.problem} (at {place})\n  {shown}\n  {caret}"


class NoImagesError(EvalsetsError):
    """A source that holds no image we can read."""


class SourceError(EvalsetsError):
    """A source that cannot be reached, or fails again and again."""


class EncoderError(EvalsetsError):
    """An encoder that cannot be loaded, or that does not match the stored vectors."""


class NoVectorsError(EvalsetsError):
    """Similarity was asked of samples that have not been embedded."""


class PredictionsError(EvalsetsError):
    """Predictions or scores that cannot be taken as they are; nothing was written."""


class DatabaseError(EvalsetsError):
    """MongoDB cannot be reached, or refuses what it is asked."""


class LockedError(EvalsetsError):
    """Another process is writing to the dataset."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant; empty where none is near."""
    folded = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else ""


def suggest(name: str, known: Iterable[str], remedy: str = "") -> str:
    """The end of a sentence: what was probably meant, else the remedy or the list."""
    name, known = str(name), list(known)
    meant = nearest(name, known)
    if meant:
        return f"; did you mean '{meant}'?"
    if remedy:
        return f"; {remedy}"
    if not known:
        return "; there is none yet"
    shown = ", ".join(f"'{other}'" for other in known[:10])
    return f"; known: {shown}{' …' if len(known) > 10 else ''}"


def separated(columns: Sequence[object]) -> str:
    """The end of a sentence on a table of one column, where commas were forgotten."""
    one = str(columns[0]) if len(columns) == 1 else ""
    by = next((mark for mark in (";", "\t", "|") if mark in one), "")
    return f"; it looks separated by {by!r}, write commas" if by else ""


def counted(n: int, one: str, many: str = "") -> str:
    """A number with what it counts: "1 sample", "2 samples".

    Args:
        n: the number
        one: what follows 1
        many: what follows any other number; by default ``one`` with an s
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"
