"""Whoever is imported first, FiftyOne's Brain knows the back-end ``faiss``."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
@pytest.mark.parametrize("first", ["", "import fiftyone.brain"])
def test_loading_the_plugin_is_enough(first, tmp_path):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "evalsets").symlink_to(ROOT)
    load = (
        "from fiftyone.operators.registry import OperatorRegistry; OperatorRegistry()"
    )
    script = f"{first}\n{load}\nimport fiftyone.brain as fob\n{NAMES}"
    assert "faiss" in run(script, tmp_path, FIFTYONE_PLUGINS_DIR=str(plugins))[-1]


def test_what_a_user_declared_stays(tmp_path):
    file = tmp_path / "brain.json"
    mine = {"similarity_backends": {"mine": {"config_cls": "my.Config", "size": 3}}}
    file.write_text(json.dumps(mine))
    script = f"import evalsets, fiftyone.brain as fob; {NAMES}; print("
    script += "fob.brain_config.similarity_backends['mine'])"
    names, own = run(script, tmp_path, FIFTYONE_BRAIN_CONFIG_PATH=str(file))
    assert all(name in names for name in ["mine", "faiss", *BUILTIN])
    assert own == "{'config_cls': 'my.Config', 'size': 3}"


def test_a_users_own_choice_of_backends_is_only_added_to(tmp_path):
    script = f"import evalsets, fiftyone.brain as fob; {NAMES}"
    env = {"FIFTYONE_BRAIN_SIMILARITY_BACKENDS": "sklearn,qdrant"}
    assert run(script, tmp_path, **env) == ["['faiss', 'qdrant', 'sklearn']"]


def test_another_backend_called_faiss_stays_the_users(tmp_path):
    script = f"import evalsets, fiftyone.brain as fob; {OURS}"
    env = {"FIFTYONE_BRAIN_SIMILARITY_FAISS_CONFIG_CLS": "my.Config"}
    assert run(script, tmp_path, **env) == ["my.Config"]
    file = tmp_path / "brain.json"
    theirs = {"similarity_backends": {"faiss": {"config_cls": "their.Config"}}}
    file.write_text(json.dumps(theirs))
    env = {"FIFTYONE_BRAIN_CONFIG_PATH": str(file)}
    assert run(script, tmp_path, **env) == ["their.Config"]


def test_a_broken_configuration_file_is_fiftyones_to_report(tmp_path):
    file = tmp_path / "brain.json"
    file.write_text("[1")
    env = {"FIFTYONE_BRAIN_CONFIG_PATH": str(file)}
    assert run("import evalsets; print('imported')", tmp_path, **env) == ["imported"]
