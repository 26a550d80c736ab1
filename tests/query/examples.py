"""How many random queries each test of agreement tries.

``EVALSETS_QUERIES`` says so; without it there are more in CI than at a desk.
"""

from __future__ import annotations

import os

EXAMPLES = int(
    os.environ.get("EVALSETS_QUERIES")
    or (1000 if os.environ.get("CI") == "true" else 150)
)
TEXTS = EXAMPLES * 3
"""Texts that are compared with DuckDB: these need no database."""
