"""What came of a pass over samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Processed:
    """How many samples a pass took, and the ones it had to leave out.

    Args:
        done: samples processed now
        kept: samples that needed nothing, since an earlier pass had done them
        skipped: why each image that was left out was, by path
    """

    done: int
    kept: int
    skipped: Mapping[str, str]

    def __str__(self) -> str:
        text = f"{self.done:,} done, {self.kept:,} kept, {len(self.skipped):,} skipped"
        named = [f"\n  {path}: {why}" for path, why in list(self.skipped.items())[:10]]
        more = len(self.skipped) - len(named)
        return "".join([text, *named, f"\n  and {more:,} more" if more else ""])
