"""The plugin as FiftyOne finds it."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def plugin():
    """The loaded plugin of this checkout."""
    import fiftyone.plugins.context as contexts

    from evalsets.install import PLUGIN, install_plugin

    install_plugin()
    (found,) = [c for c in contexts.build_plugin_contexts() if c.name == PLUGIN]
    return found


@pytest.fixture
def isolated(tmp_path, monkeypatch):
    """Runs a script where evalsets is not installed, unless ``path`` has it."""
    monkeypatch.setenv("FIFTYONE_PLUGINS_DIR", str(tmp_path / "plugins"))

    def run(script: str, *path: Path) -> str:
        # -S keeps the .pth file of the editable install from being read
        path = [*map(str, path), sysconfig.get_path("purelib")]
        script = f"import sys; sys.path.extend({path!r})\n{script}"
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
