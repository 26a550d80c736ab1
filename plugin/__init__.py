"""FiftyOne's way in: registers what ``operators/`` and ``panels/`` list."""

import importlib.util
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
__path__ = [str(_HERE.parent)]  # so that .operators and .panels are ours alone

if not getattr(importlib.util.find_spec("evalsets"), "origin", None):
    sys.path.append(str(_HERE))  # a bare checkout: nothing is installed


def register(p):
    """Registers every operator and panel; FiftyOne calls this often, so it is light."""
    from . import operators, panels

    for cls in (*operators.OPERATORS, *panels.PANELS):
        p.register(cls)
