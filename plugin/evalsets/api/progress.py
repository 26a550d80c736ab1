"""How far long work is, and how it ended."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import fiftyone as fo

Progress: TypeAlias = bool | Callable[[Any], None] | None
"""Whether to show a bar, or what to call with it; None is as FiftyOne is set."""


def sum_up(
    logger: logging.Logger, text: str, *, warn: bool, progress: Progress
) -> None:
    """Logs how work ended; beneath its bar it is shown even where nobody set up logging.

    Args:
        logger: of the module that did it
        text: the sum
        warn: something needs a look
        progress: as the work took it
    """
    shows = fo.config.show_progress_bars if progress is None else progress is True
    if warn:
        logger.warning("%s", text)
    elif shows and not logging.getLogger().handlers:
        sys.stderr.write(text + "\n")
    else:
        logger.info("%s", text)
