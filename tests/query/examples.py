"""How many random queries each test of agreement tries."""

from __future__ import annotations

import os

EXAMPLES = int(os.environ.get("EVALSETS_QUERIES", "150"))
