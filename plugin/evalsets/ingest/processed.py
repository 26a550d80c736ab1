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
        seconds: how long the pass took; 0 where nobody measured it
    """

    done: int
    kept: int
    skipped: Mapping[str, str]
    seconds: float = 0.0

    def __str__(self) -> str:
        text = f"{self.done:,} done, {self.kept:,} kept, {len(self.skipped):,} skipped"
        if self.done and self.seconds:
            rate = self.done / self.seconds
            text += f" in {self.seconds:,.1f} s ({rate:,.{0 if rate >= 10 else 1}f}/s)"
        named = [f"\n  {path}: {why}" for path, why in list(self.skipped.items())[:10]]
        more = len(self.skipped) - len(named)
        return "".join([text, *named, f"\n  and {more:,} more" if more else ""])
