"""What ``sync`` makes of a disk that fills, and of a database that goes away."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import fiftyone as fo
import pytest

pytestmark = [pytest.mark.db, pytest.mark.slow]

MONGOD = Path(fo.__file__).parent / "db" / "bin" / "mongod"

# The database is killed before the n-th write of a sync, and started again; then the
# same process syncs once more.
LOSES_DATABASE = """
import os, signal, subprocess, sys
from pymongo import monitoring

WRITES = {"insert", "update", "delete", "findAndModify", "createIndexes", "create"}
folder, *mongod = sys.argv[1:]

class Killer(monitoring.CommandListener):
    left = None
    def started(self, event):
        if Killer.left is not None and event.command_name in WRITES:
            if Killer.left == 0:
                server.kill()
                server.wait()
            Killer.left -= 1
    def succeeded(self, event): pass
    def failed(self, event): pass

def start():
    return subprocess.Popen(mongod, stdout=subprocess.DEVNULL)

server = start()
monitoring.register(Killer())
import evalsets as es

said = []
for n in range(0, 30, 6):
    with open(f"{folder}/{n}.jpg", "rb") as first, open(f"{folder}/new {n}.jpg", "wb") as new:
        new.write(first.read() + bytes([n]))
    Killer.left = n
    try:
        es.sync(folder, "road")
    except es.EvalsetsError as error:
        said.append(error)
    Killer.left = None
    if server.poll() is not None:
        server = start()
    dataset = es.sync(folder, "road")
    paths = dataset.values("filepath")
    on_disk = {f"{folder}/{name}" for name in os.listdir(folder)}
    assert len(paths) == len(set(paths)) and set(paths) == on_disk, n
    assert None not in dataset.values("file_stamp")
server.terminate()
server.wait()
assert len(said) >= 3, said
for error in said:
    assert type(error).__name__ == "DatabaseError", repr(error)
print(said[-1])
"""

FILLS_DISK = """
import resource, sys
from pathlib import Path

import fsspec
import evalsets as es

folder, name = sys.argv[1:]
fs = fsspec.filesystem("memory")
for path in sorted(Path(folder).glob("*.jpg"))[:5]:
    fs.pipe(f"/bucket/{path.name}", path.read_bytes())
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
try:
    es.sync("memory://bucket", name)
except es.EvalsetsError as error:
    print(type(error).__name__, error)
assert not __import__("fiftyone").dataset_exists(name)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
print(len(es.sync("memory://bucket", name)))
"""


def test_a_database_that_goes_away_and_comes_back_loses_and_doubles_nothing(
    world, tmp_path
):
    folder, data = tmp_path / "photos", tmp_path / "mongo"
    folder.mkdir()
    data.mkdir()
    for number, path in enumerate(sorted(world.glob("*.jpg"))[:30]):
        (folder / f"{number}.jpg").write_bytes(path.read_bytes())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    options = ["--bind_ip", "127.0.0.1", "--port", port, "--nounixsocket"]
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-c", LOSES_DATABASE, str(folder)),
            *(str(MONGOD), "--dbpath", str(data), *options),
        ],
        env={
            **os.environ,
            "FIFTYONE_DATABASE_URI": f"mongodb://127.0.0.1:{port}"
            "/?serverSelectionTimeoutMS=2000",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "MongoDB cannot be reached" in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_full_disk_is_one_clear_error_and_nothing_is_left_out_for_it(world):
    name = "full disk"
    command = [sys.executable, "-W", "ignore", "-c", FILLS_DISK, str(world), name]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said, n_samples = done.stdout.strip().splitlines()
    assert said.startswith("SourceError Copies cannot be kept in ")
    assert "nothing was changed: make room, or set EVALSETS_CACHE_GB" in said
    assert n_samples == "5"
    fo.delete_dataset(name)
