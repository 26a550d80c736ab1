"""A sync that is killed at any moment ends, made again, with exactly the right samples."""

import hashlib
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import evalsets as es
import evalsets.api.sync as sync_module
from evalsets.api.sync import last_sync
from evalsets.datasets.vectors import home, open_vectors

pytestmark = [pytest.mark.db, pytest.mark.slow]

# Forks one sync a line of input and kills it before its n-th write to the database, or
# after some seconds.
SYNCER = """
import os, signal, sys, threading, time
from pymongo import monitoring

WRITES = {"insert", "update", "delete", "findAndModify", "createIndexes", "create"}

class Killer(monitoring.CommandListener):
    left = None
    def started(self, event):
        if Killer.left is not None and event.command_name in WRITES:
            if Killer.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            Killer.left -= 1
    def succeeded(self, event): pass
    def failed(self, event): pass

monitoring.register(Killer())
import evalsets as es
import evalsets.api.sync

folder, name = sys.argv[1:]
for line in sys.stdin:
    writes, seconds = line.split()
    child = os.fork()
    if child == 0:
        Killer.left = int(writes)
        kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
        timer = threading.Timer(float(seconds), kill)
        timer.daemon = True
        timer.start()
        es.sync(folder, name)
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(60):
        draw(folder / f"{number}.png", number)
    return folder


@pytest.fixture
def sync_killed(dataset, folder):
    """Syncs in another process, which is killed; says whether it was."""
    command = [sys.executable, "-W", "ignore", "-c", SYNCER, str(folder), dataset.name]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:

        def sync(writes: int = 10**9, seconds: float = 100.0) -> bool:
            process.stdin.write(f"{writes} {seconds}\n")
            process.stdin.flush()
            return process.stdout.readline().strip() != "0"

        yield sync
        process.stdin.close()


def draw(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
        for path in folder.glob("*.png")
        if path.stat().st_size
    }


def stored(dataset, *fields):
    dataset.reload()
    return list(zip(*dataset.values(["filepath", *fields]), strict=True))


def test_a_first_sync_killed_anywhere_loses_and_doubles_no_file(
    dataset, folder, sync_killed
):
    (folder / "broken.png").touch()
    (folder / "copy.png").write_bytes((folder / "7.png").read_bytes())
    chance = random.Random(0)
    kills = [sync_killed(writes=n) for n in range(0, 24, 2)]
    kills += [sync_killed(seconds=chance.uniform(0.0, 0.3)) for _ in range(4)]
    assert sum(kills) > 8
    assert not sync_killed()
    assert sorted(stored(dataset, "file_digest")) == sorted(digests(folder).items())
    assert sum(d is not None for d in dataset.values("duplicate_of")) == 1
    assert list(last_sync(dataset).skipped) == [str(folder / "broken.png")]


def test_a_sync_killed_late_looks_only_at_what_it_had_not_seen(
    dataset, folder, monkeypatch
):
    seen, real = [], sync_module.look_at
    others = set((home() / "looks").glob("*"))

    def dies_late(listing, name):
        if len(seen) == 50:
            raise KeyboardInterrupt
        seen.append(name)
        return real(listing, name)

    monkeypatch.setattr(sync_module, "look_at", dies_late)
    with pytest.raises(KeyboardInterrupt):
        es.sync(folder, dataset)
    assert len(dataset) == 0
    monkeypatch.setattr(
        sync_module, "look_at", lambda *a: seen.append(a[1]) or real(*a)
    )
    draw(Path(seen[0]), 1000)
    es.sync(folder, dataset)
    assert set(seen[50:]) >= {str(p) for p in folder.glob("*.png")} - set(seen[1:50])
    assert len(seen) < 60 + 20  # what waited for its turn in the journal is seen again
    assert sorted(stored(dataset, "file_digest")) == sorted(digests(folder).items())
    assert set((home() / "looks").glob("*")) == others


def test_a_sync_of_changes_killed_anywhere_forgets_no_change(
    dataset, folder, sync_killed, encoder
):
    es.sync(folder, dataset)
    kills = 0
    for n in range(0, 28, 3):
        es.embed(dataset, encoder)
        before = dict(stored(dataset, "id"))
        changed, moved = folder / f"{n}.png", folder / f"moved {n}.png"
        draw(changed, 1000 + n)
        draw(folder / f"new {n}.png", 2000 + n)
        (folder / f"{n + 1}.png").rename(moved)
        (folder / f"{n + 30}.png").unlink()
        kills += sync_killed(writes=n)
        assert not sync_killed()
        after = dict(stored(dataset, "id"))
        assert after[str(changed)] == before[str(changed)]
        assert after[str(moved)] == before[str(folder / f"{n + 1}.png")]
        gone = {path for path, vanished in stored(dataset, "vanished") if vanished}
        assert {*digests(folder), *gone} == set(after)
        assert str(folder / f"{n + 30}.png") in gone
        assert len(after) == len(before) + 1 == len(dataset)
        current = dict(stored(dataset, "file_digest"))
        assert digests(folder).items() <= current.items()
        vectors = open_vectors(dataset)
        assert after[str(changed)] not in vectors
        assert after[str(moved)] in vectors
    assert kills > 5
