"""One throw-away FiftyOne for the whole run: own database, plugins and vectors."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("EVALSETS_SHARED", ROOT.parent / "shared"))
_HOME = tempfile.TemporaryDirectory(prefix="evalsets-tests-")

# Set before anything imports fiftyone, which reads them once.
os.environ.update(
    FIFTYONE_DEFAULT_DATASET_DIR=f"{_HOME.name}/datasets",
    FIFTYONE_PLUGINS_DIR=f"{_HOME.name}/plugins",
    FIFTYONE_MODEL_ZOO_DIR=f"{_HOME.name}/zoo",
    FIFTYONE_DATABASE_VALIDATION="false",
    FIFTYONE_SHOW_PROGRESS_BARS="false",
    FIFTYONE_DO_NOT_TRACK="1",
    EVALSETS_HOME=f"{_HOME.name}/evalsets",
)
Path(f"{_HOME.name}/plugins").mkdir()
_servers: list[subprocess.Popen[bytes]] = []


def pytest_configure() -> None:
    """Starts a MongoDB of our own: FiftyOne would take any that runs already."""
    binary = _mongod()
    if binary is None:  # FiftyOne says what is missing
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(f"{_HOME.name}/mongo")
    folder.mkdir()
    options = ["--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket"]
    options += ["--setParameter", "enableTestCommands=1"]  # it can be made to fail
    with Path(f"{_HOME.name}/mongod.log").open("wb") as log:
        _servers.append(
            subprocess.Popen([binary, "--dbpath", folder, *options], stdout=log)
        )
    os.environ["FIFTYONE_DATABASE_URI"] = f"mongodb://127.0.0.1:{port}"


def pytest_unconfigure() -> None:
    """Ends our MongoDB; its folder goes with the process."""
    for server in _servers:
        server.terminate()
        server.wait()


def _mongod() -> Path | None:
    """The server that came with FiftyOne, found without importing it."""
    spec = importlib.util.find_spec("fiftyone")
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).parent / "db" / "bin" / "mongod"
    return binary if binary.is_file() else None


@pytest.fixture
def dataset():
    """An empty, persistent dataset that is gone after the test."""
    import fiftyone as fo

    created = fo.Dataset(persistent=True)
    yield created
    if not created.deleted:
        created.delete()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real photographs and models."""
    if not SHARED.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SHARED} is missing, and CI may skip nothing but gpu")
        pytest.skip(f"no real data at {SHARED}; set EVALSETS_SHARED to have it")
    return SHARED


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The package as people install it, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def pytest_sessionfinish(session):
    """In CI nothing is skipped but what needs a GPU."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or reporter is None:
        return
    skipped = [
        report.nodeid
        for report in reporter.stats.get("skipped", [])
        if "gpu" not in getattr(report, "keywords", {})
    ]
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"\nskipped, which CI may not: {', '.join(skipped)}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
