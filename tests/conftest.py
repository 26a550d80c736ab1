"""One throw-away FiftyOne for the whole run: own database, plugins and vectors."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
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


class Mongo:
    """A MongoDB of our own: FiftyOne would take any that runs already.

    Args:
        binary: of the server
        home: folder for its data and its log
    """

    def __init__(self, binary: Path, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        folder = home / "mongo"
        folder.mkdir()
        self._command = [binary, "--dbpath", folder, "--port", str(self.port)]
        self._command += ["--bind_ip", "127.0.0.1", "--nounixsocket"]
        self._command += ["--setParameter", "enableTestCommands=1"]  # it may be failed
        self._log = home / "mongod.log"
        self.start()

    def start(self) -> None:
        """Starts it on the data that is there, and waits until it listens."""
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(self._command, stdout=log)
        while self.runs:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.1)

    @property
    def runs(self) -> bool:
        """Whether it was not killed."""
        return self._server.poll() is None

    def kill(self) -> None:
        """Ends it as a power cut would, after a checkpoint.

        Counts of collections are only as new as the last checkpoint after that.
        """
        import pymongo

        with pymongo.MongoClient("127.0.0.1", self.port) as client:
            client.admin.command("fsync")
        self._server.kill()
        self._server.wait()

    def stop(self) -> None:
        """Ends it; its folder goes with the process."""
        self._server.terminate()
        self._server.wait()


_mongos: list[Mongo] = []


def pytest_configure() -> None:
    """Starts our MongoDB before anything imports FiftyOne."""
    binary = _mongod()
    if binary is None:  # FiftyOne says what is missing
        return
    _mongos.append(Mongo(binary, Path(_HOME.name)))
    os.environ["FIFTYONE_DATABASE_URI"] = f"mongodb://127.0.0.1:{_mongos[0].port}"


def pytest_unconfigure() -> None:
    """Ends our MongoDB."""
    for mongo in _mongos:
        mongo.stop()


@pytest.fixture
def mongo() -> Iterator[Mongo]:
    """Our MongoDB, to be killed; it runs again after the test."""
    yield _mongos[0]
    if not _mongos[0].runs:
        _mongos[0].start()


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


@pytest.fixture
def postscript(tmp_path, monkeypatch) -> Path:
    """A grey image of 4 × 4 pixels that is a program, with the name of a photograph."""
    from PIL import Image

    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_: pytest.fail("run"))
    path = tmp_path / "postscript.jpg"
    Image.new("L", (4, 4)).save(path, "EPS")
    return path


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
