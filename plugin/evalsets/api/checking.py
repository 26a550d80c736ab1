"""Arguments of a wrong kind, refused before anything is done."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from evalsets.errors import ArgumentError


def check_flags(**flags: Any) -> None:
    """Refuses what is neither True nor False, such as the text "no".

    Raises:
        ArgumentError: names the option
    """
    for name, value in flags.items():
        if not isinstance(value, (bool, np.bool_)):
            raise ArgumentError(f"{name} is {value!r}; give True or False")


def check_whole(least: int = 1, **numbers: Any) -> None:
    """Refuses what is no whole number, or too small a one.

    Raises:
        ArgumentError: names the option
    """
    for name, value in numbers.items():
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not whole or int(value) < least:
            raise ArgumentError(
                f"{name} is {value!r}; give a whole number of at least {least}"
            )
