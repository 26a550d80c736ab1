"""Tells FiftyOne's Brain of the similarity back-end ``faiss``, without importing it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

NAME = "faiss"
CONFIG = "evalsets.brain.similarity.FaissSimilarityConfig"

_BACKENDS = "FIFTYONE_BRAIN_SIMILARITY_BACKENDS"
_CONFIG_CLS = "FIFTYONE_BRAIN_SIMILARITY_FAISS_CONFIG_CLS"


def register_backend() -> None:
    """Adds ``faiss`` to the back-ends that ``compute_similarity`` knows.

    A Brain that is loaded already is told so; one that is not reads it from the
    environment when it is. Whatever a user has set, there or in Brain's own
    configuration file, stays as it is.
    """
    brain = sys.modules.get("fiftyone.brain")
    if brain is not None:
        backends = brain.brain_config.similarity_backends
        backends.setdefault(NAME, {}).setdefault("config_cls", CONFIG)
        return
    declared = _declared_in_file()
    if "config_cls" not in declared.get(NAME, {}):
        os.environ.setdefault(_CONFIG_CLS, CONFIG)
    # once the variable is there, Brain forgets what only its file declares
    names = os.environ.get(_BACKENDS) or ",".join(["*", *declared])
    if NAME not in names.split(","):
        names = f"{names},{NAME}"
    os.environ[_BACKENDS] = names


def _declared_in_file() -> dict[str, Any]:
    """Back-ends of Brain's configuration file, which itself complains of a broken one."""
    path = os.environ.get("FIFTYONE_BRAIN_CONFIG_PATH", "~/.fiftyone/brain_config.json")
    try:
        content = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
        return dict(content.get("similarity_backends", {}))
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
