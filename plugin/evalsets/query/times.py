"""Text → dates and times."""

from __future__ import annotations

from datetime import date, datetime, timezone


def time_of(text: str) -> datetime:
    """The time an ISO 8601 text stands for, in UTC and without a zone.

    Raises:
        ValueError: what is wrong with the text, as the end of a sentence
    """
    time = _read_time(text)
    try:
        if time.tzinfo:
            time = time.astimezone(timezone.utc).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999 in UTC") from None
    if time.microsecond % 1000:
        raise ValueError("is finer than the milliseconds that are stored; round it")
    return time


def date_of(text: str) -> date:
    """The date an ISO 8601 text stands for; a time of day is left out, as SQL does.

    Raises:
        ValueError: what is wrong with the text, as the end of a sentence
    """
    return _read_time(text).date()


def _read_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        problem = "is not a date or time; write it as ISO 8601: '2024-01-31 12:00:00'"
        raise ValueError(problem) from None
