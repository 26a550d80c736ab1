"""Whoever is imported first, FiftyOne's Brain knows the back-end ``faiss``."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evalsets.brain.registration import register_backend

ROOT = Path(__file__).resolve().parents[2]

NAMES = "print(sorted(fob.brain_config.similarity_backends))"
OURS = "print(fob.brain_config.similarity_backends['faiss']['config_cls'])"
BUILTIN = ["sklearn", "qdrant", "lancedb", "mongodb"]


def run(script, tmp_path, **env):
    """What a fresh process prints, whose home is empty."""
    env = {"HOME": str(tmp_path), **env}
    cleared = {
        k: v for k, v in os.environ.items() if not k.startswith("FIFTYONE_BRAIN")
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**cleared, **env},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()


def test_importing_evalsets_imports_neither_fiftyone_nor_torch(tmp_path):
    heavy = "{'fiftyone', 'torch', 'faiss', 'numpy', 'pandas', 'plotly'}"
    script = f"import evalsets, sys; print(sorted({heavy} & set(sys.modules)))"
    assert run(script, tmp_path) == ["[]"]


@pytest.mark.parametrize("first", ["evalsets", "fiftyone.brain"])
def test_the_order_of_imports_does_not_matter(first, tmp_path):
    script = f"import {first}, evalsets, fiftyone.brain as fob; {NAMES}; {OURS}"
    names, config = run(script, tmp_path)
    assert "faiss" in names
    assert all(name in names for name in BUILTIN)
    assert config == "evalsets.brain.similarity.FaissSimilarityConfig"


@pytest.mark.db
def test_loading_the_plugin_is_enough(tmp_path):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "evalsets").symlink_to(ROOT)
    load = (
        "from fiftyone.operators.registry import OperatorRegistry; OperatorRegistry()"
    )
    script = f"{load}\nimport fiftyone.brain as fob\n{NAMES}"
    assert "faiss" in run(script, tmp_path, FIFTYONE_PLUGINS_DIR=str(plugins))[-1]


@pytest.fixture
def register(monkeypatch, tmp_path):
    """Registers in a given environment; returns what a Brain loaded after it knows."""
    from fiftyone.brain.config import load_brain_config

    file = tmp_path / "brain.json"

    def registered(content="{}", **env):
        file.write_text(content)
        for name in [name for name in os.environ if name.startswith("FIFTYONE_BRAIN")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("FIFTYONE_BRAIN_CONFIG_PATH", str(file))
        for name, value in env.items():
            monkeypatch.setenv(f"FIFTYONE_BRAIN_SIMILARITY_{name}", value)
        with monkeypatch.context() as without:
            without.delitem(sys.modules, "fiftyone.brain")
            register_backend()
        return load_brain_config().similarity_backends

    return registered


def test_what_a_users_file_declares_stays(register):
    mine = {"mine": {"config_cls": "my.Config", "size": 3}}
    known = register(json.dumps({"similarity_backends": mine}))
    assert known["mine"] == mine["mine"]
    assert {"faiss", *BUILTIN} <= known.keys()


def test_a_users_own_choice_of_backends_is_only_added_to(register):
    assert sorted(register(BACKENDS="sklearn,qdrant")) == ["faiss", "qdrant", "sklearn"]


def test_another_backend_called_faiss_stays_the_users(register):
    assert register(FAISS_CONFIG_CLS="my.Config")["faiss"] == {
        "config_cls": "my.Config"
    }
    theirs = {"similarity_backends": {"faiss": {"config_cls": "their.Config"}}}
    assert register(json.dumps(theirs))["faiss"] == {"config_cls": "their.Config"}


def test_a_broken_configuration_file_is_fiftyones_to_report(register):
    with pytest.raises(ValueError, match="parse JSON"):
        register("[1")
