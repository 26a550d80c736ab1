"""Progress of long operators, as the App shows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo

from evalsets.telling import Told, listening

EVERY_S = 1.0


def shown(ctx: foo.ExecutionContext) -> Callable[[Any], None] | None:
    """What a verb takes as ``progress``; None where the App shows no progress.

    The App's list of runs shows the progress of what was delegated: the share that is
    done, with counts and rate.
    """
    if not ctx.delegated:
        return None

    def tell(bar: Any) -> None:
        counted = getattr(bar, "_iters_str", "images")
        label = f"{bar.iteration:,} of {bar.total:,} {counted}"
        if bar.elapsed_time > 0:
            label += f", {bar.iteration / bar.elapsed_time:,.1f} a second"
        skipped = getattr(bar, "_suffix", "")
        ctx.set_progress(bar.progress, f"{label}, {skipped}" if skipped else label)

    return fo.report_progress(tell, dt=EVERY_S)


@contextmanager
def heard(ctx: foo.ExecutionContext) -> Iterator[None]:
    """Has the App's list of runs show what a delegated verb tells of its steps."""
    if not ctx.delegated:
        yield
        return
    shown_at, last = 0.0, Told()

    def hear(told: Told) -> None:
        nonlocal shown_at, last
        last = told
        if told.share is None or time.monotonic() >= shown_at + EVERY_S:
            shown_at = time.monotonic()
            ctx.set_progress(told.share, told.words)

    with listening(hear):
        yield
    if last.words:
        ctx.set_progress(last.share, last.words)
