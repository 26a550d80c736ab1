"""What was seen of files, kept until it is written to the dataset."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

from evalsets.ingest.changes import Look, Refused
from evalsets.ingest.images import Facts

ABANDONED_S = 7 * 86_400
"""After so long without a look nobody goes on with the first sync of a dataset."""


class Journal:
    """Looks into files by name, so that a sync that is killed need not repeat them.

    A look counts for the stamp it was taken at. A journal that cannot be written or read
    costs time and nothing else.

    Args:
        folder: of journals
        dataset: name of the dataset
    """

    def __init__(self, folder: Path, dataset: str) -> None:
        self._path = folder / _file_name(dataset)
        self._file: TextIO | None = None

    def __enter__(self) -> Journal:
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a", buffering=1, encoding="utf-8")
            self._file.write("\n")  # ends a line that a kill cut off
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            if self._file is not None:
                self._file.close()

    def looks(self, stamp: Mapping[str, str]) -> dict[str, Look]:
        """Those that were taken of files as they are now.

        Args:
            stamp: of each file, by name
        """
        found = {}
        with suppress(OSError), self._path.open(encoding="utf-8") as lines:
            for line in lines:
                with suppress(ValueError, TypeError):
                    name, taken_at, path, digest, *facts = json.loads(line)
                    if stamp.get(name) == taken_at:
                        found[name] = Look(path, Facts(*facts), digest)
        return found

    def note(self, name: str, stamp: str, look: Look | Refused) -> Look | Refused:
        """Keeps a look into a file; gives it back."""
        if self._file is not None and isinstance(look, Look):
            entry = [name, stamp, look.path, look.digest, *vars(look.facts).values()]
            with suppress(OSError):
                self._file.write(json.dumps(entry) + "\n")
        return look

    def drop(self) -> None:
        """Forgets all: the dataset knows it now."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def sweep(folder: Path, datasets: Iterable[str]) -> None:
    """Drops journals that were given up: of no dataset that is, and a week old.

    Args:
        folder: of journals
        datasets: names of those that are; a first sync has none yet
    """
    kept = {_file_name(name) for name in datasets}
    given_up = time.time() - ABANDONED_S
    for path in folder.glob("*.jsonl"):
        with suppress(OSError):  # another process may be as far
            if path.name not in kept and path.stat().st_mtime < given_up:
                path.unlink()


def _file_name(dataset: str) -> str:
    return f"{hashlib.sha256(dataset.encode()).hexdigest()[:32]}.jsonl"
