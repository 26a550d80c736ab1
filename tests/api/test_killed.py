"""Passes that are killed at any moment, and a database that goes away in between."""

import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

import evalsets as es
from evalsets.datasets.vectors import open_vectors
from evalsets.taggers import PixelTagger

pytestmark = pytest.mark.db

N = 120
BATCH = 4
BROKEN = "077.png"
ENCODER = Path(__file__).parents[2] / "examples" / "demo" / "models" / "clip"
FIELDS = (
    "brightness",
    "sharpness",
    "has_exif",
    "file_bytes",
    "mean",
    "odd",
    "light.label",
    "file_digest",
    "vanished",
)
LIGHT = {"field": "light", "classes": {"dark": "at night", "bright": "daylight"}}


class Slow(PixelTagger):
    """Writes down which images it has seen; one of its fields may stay empty."""

    kind = "slow"
    fields = {"mean": float, "odd": float}  # noqa: RUF012
    optional = frozenset({"odd"})

    def __init__(self, log):
        self._log = log

    def prepare(self, image):
        mean = float(np.asarray(image).mean())
        time.sleep(0.005)
        return {"mean": mean, "odd": mean if round(mean) % 2 else None}

    def tag(self, prepared):
        with Path(self._log).open("a") as file:
            file.writelines(f"{one['mean']!r}\n" for one in prepared)
        return super().tag(prepared)


def seen(log):
    """The images that were seen so far, told by their mean."""
    return list(map(float, log.read_text().split())) if log.exists() else []


def taggers(log):
    return [{"statistics": {}}, {"facts": {}}, {"zero_shot": LIGHT}, Slow(log)]


def embed_and_tag(name, log):
    """What the processes run that work at the same time."""
    from evalsets.api import background

    background.EVERY_S = 0.05
    es.embed(name, str(ENCODER), taggers=taggers(log), batch_size=BATCH)


def ingest(folder, name, log):
    """What the processes that are killed run: data arrives, and all is done for it."""
    es.sync(folder, name)
    embed_and_tag(name, log)


def draw_photo(path, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 1 + rng.integers(2, 255), (24, 32, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def draw_photos(folder):
    """Images of all shades."""
    folder.mkdir()
    for number in range(N):
        draw_photo(folder / f"{number:03}.png", number)


@pytest.fixture
def photos(dataset, tmp_path):
    """Images of all shades, one of which cannot be read any more."""
    folder = tmp_path / "photos"
    draw_photos(folder)
    es.sync(folder, dataset)
    with (folder / BROKEN).open("r+b") as file:
        file.truncate(100)
    return dataset


@pytest.fixture(scope="module")
def processes():
    """Starts processes out of one that has imported everything, in no time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "evalsets.encoders.clip"])
    return context


def everything(dataset):
    """Vectors and tags by file name."""
    dataset.reload()
    file = open_vectors(dataset)
    ids, paths, *tags = dataset.values(["id", "filepath", *FIELDS])
    return {
        Path(path).name: (file.get([i])[0] if i in file else None, *values)
        for i, path, *values in zip(ids, paths, *tags, strict=True)
    }


def killed(process, log, draw, most):
    """Kills a process at a random moment: early, or after up to ``most`` images."""
    before, wanted = len(seen(log)), draw.randrange(most)
    process.start()
    while process.is_alive() and wanted and len(seen(log)) < before + wanted:
        time.sleep(0.002)
    process.join(draw.uniform(0, 0.1 if wanted else 3))
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)  # it did not fail by itself


def change(folder):
    """New files, others with new content or a new name, some gone, one broken."""
    for number in range(12):
        draw_photo(folder / f"{number:03}.png", 1000 + number)
        draw_photo(folder / f"new {number}.png", 2000 + number)
        (folder / f"{20 + number:03}.png").rename(folder / f"moved {number}.png")
        (folder / f"{40 + number:03}.png").unlink()
    with (folder / BROKEN).open("r+b") as file:
        file.truncate(100)


def test_twenty_kills_over_one_ingest_lose_and_double_nothing(
    dataset, processes, tmp_path
):
    """Of sync, vectors and tags, first of all files, then of what has changed."""
    folder, log, draw = tmp_path / "photos", tmp_path / "log", random.Random(0)
    draw_photos(folder)
    twin, undisturbed = fo.Dataset(persistent=True), tmp_path / "undisturbed"
    for kills, most, changes in ((8, 24, lambda _: None), (12, 6, change)):
        changes(folder)
        ingest(folder, twin.name, undisturbed)
        for _ in range(kills):
            dataset.reload()
            finished = (
                set(dataset.values("mean")) if dataset.has_field("mean") else set()
            )
            before = len(seen(log))
            process = processes.Process(target=ingest, args=(folder, dataset.name, log))
            killed(process, log, draw, most)
            assert not finished & set(seen(log)[before:])
        ingest(folder, dataset.name, log)
        expected, found = everything(twin), everything(dataset)
        assert sorted(found) == sorted(expected)
        for name, (vector, *tags) in expected.items():
            assert list(found[name][1:]) == tags, name
            assert (found[name][0] is None) == (vector is None), name
            assert vector is None or np.allclose(found[name][0], vector, atol=1e-6)
        file = open_vectors(dataset)
        assert sum(vector is not None for vector, *_ in found.values()) == len(file)
        assert not file.damaged()
    assert len(found) == len(dataset) == N + 12
    assert sum(values[-1] for values in found.values()) == 12
    twin.delete()


def test_two_passes_at_once_do_the_work_once(photos, processes, tmp_path):
    both = [
        processes.Process(
            target=embed_and_tag, args=(photos.name, tmp_path / f"log{n}")
        )
        for n in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(one.exitcode for one in both) == [0, 1]
    photos.reload()
    assert len(open_vectors(photos)) == N - 1
    logs = [tmp_path / f"log{n}" for n in range(2)]
    assert sum(len(seen(log)) for log in logs) == N - 1


LOSES_DATABASE = """
import subprocess, sys, threading
from pymongo import monitoring

folder, encoder, *mongod = sys.argv[1:]

class Killer(monitoring.CommandListener):
    left = None
    def started(self, event):
        tags = str(event.command.get("update", "")).startswith("samples.")
        if Killer.left is not None and tags:
            if Killer.left == 0:
                server.kill()
                server.wait()
                threading.Timer(1.5, start).start()
            Killer.left -= 1
    def succeeded(self, event): pass
    def failed(self, event): pass

def start():
    global server
    server = subprocess.Popen(mongod, stdout=subprocess.DEVNULL)

start()
monitoring.register(Killer())
import evalsets as es
from evalsets.api import background
from evalsets.datasets.vectors import open_vectors

background.EVERY_S = 0
try:
    for n in (0, 4):
        dataset = es.sync(folder, f"road-{n}")
        Killer.left = n
        done = es.embed(dataset, encoder, taggers=[{"statistics": {}}], batch_size=4)
        assert Killer.left < 0
        Killer.left = None
        ids = dataset.values("id")  # MongoDB's own count is wrong after a crash
        assert done.done == len(ids) == 30, (str(done), len(ids))
        assert None not in dataset.values("brightness")
        assert set(open_vectors(dataset).ids) == set(ids)
finally:
    server.kill()
    server.wait()
"""


def test_a_database_that_comes_back_is_waited_for(world, tmp_path):
    folder, data = tmp_path / "photos", tmp_path / "mongo"
    data.mkdir()
    folder.mkdir()
    for path in sorted(world.glob("*.jpg"))[:30]:
        (folder / path.name).write_bytes(path.read_bytes())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    mongod = Path(fo.__file__).parent / "db" / "bin" / "mongod"
    options = ["--bind_ip", "127.0.0.1", "--port", port, "--nounixsocket"]
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-c", LOSES_DATABASE),
            *(folder, ENCODER, mongod, "--dbpath", data, *options),
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
    assert "MongoDB has gone away; waiting for it" in done.stderr
