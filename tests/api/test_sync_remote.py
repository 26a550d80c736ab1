"""``sync`` from object stores: fsspec's own memory, and S3 over HTTP."""

import contextlib
import os
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

import evalsets as es
from evalsets.api.sync import last_sync
from evalsets.errors import NoImagesError, SourceError
from evalsets.remote import trim

pytestmark = pytest.mark.db


@pytest.fixture
def memory(world):
    """A bucket in memory that holds some of the drawn world."""
    import fsspec

    fs = fsspec.filesystem("memory")
    for path in sorted(world.glob("*.jpg"))[:5]:
        fs.pipe(f"/bucket/day/{path.name}", path.read_bytes())
    yield fs
    fs.rm("/bucket", recursive=True)


@pytest.fixture
def s3(world, monkeypatch):
    """A bucket behind a real S3 server on this machine."""
    import s3fs

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    reset = urllib.request.Request(
        f"http://{host}:{port}/moto-api/reset", method="POST"
    )
    urllib.request.urlopen(reset).close()
    fs = s3fs.S3FileSystem(anon=False)
    fs.mkdir("photos")
    for path in sorted(world.glob("*.jpg"))[:5]:
        fs.pipe(f"photos/day/{path.name}", path.read_bytes())
    yield fs, server
    s3fs.S3FileSystem.clear_instance_cache()
    with contextlib.suppress(RuntimeError):  # a test has stopped it
        server.stop()


def test_a_url_becomes_samples_with_copies_on_this_machine(dataset, memory):
    es.sync("memory://bucket", dataset)
    assert len(dataset) == 5
    assert all(Path(path).is_file() for path in dataset.values("filepath"))
    assert all(u.startswith("memory://") for u in dataset.values("source_url"))
    assert all(w == 288 for w in dataset.values("metadata.width"))


def test_a_remote_file_that_changes_or_vanishes_is_noticed(dataset, memory, world):
    es.sync("memory://bucket", dataset)
    first, second, *_ = sorted(memory.ls("/bucket/day", detail=False))
    memory.pipe(first, sorted(world.glob("*.jpg"))[9].read_bytes())
    memory.rm(second)
    before = dict(
        zip(dataset.values("source_url"), dataset.values("file_digest"), strict=True)
    )
    es.sync("memory://bucket", dataset)
    after = dict(
        zip(dataset.values("source_url"), dataset.values("file_digest"), strict=True)
    )
    assert [u for u in after if after[u] != before[u]] == [f"memory://{first}"]
    (gone,) = es.search(dataset, "vanished").values("source_url")
    assert gone == f"memory://{second}"


def test_a_copy_that_was_dropped_comes_back_when_it_is_needed(dataset, memory, encoder):
    es.sync("memory://bucket", dataset)
    assert trim(0) >= 5
    assert not any(Path(path).is_file() for path in dataset.values("filepath"))
    assert es.embed(dataset, encoder).done == 5


def test_copies_stay_within_the_bound(dataset, memory, monkeypatch):
    sizes = [memory.size(p) for p in memory.ls("/bucket/day", detail=False)]
    monkeypatch.setenv("EVALSETS_CACHE_GB", str(sum(sizes) / 2 / 1e9))
    es.sync("memory://bucket", dataset)
    held = [
        Path(p).stat().st_size for p in dataset.values("filepath") if Path(p).is_file()
    ]
    assert 0 < sum(held) <= sum(sizes) / 2
    assert len(dataset) == 5


def test_a_bucket_over_http_is_synced_and_synced_again(dataset, s3):
    fs, _ = s3
    es.sync("s3://photos/day", dataset)
    before = dataset.values("id")
    es.sync("s3://photos/day", dataset)
    assert dataset.values("id") == before
    one = sorted(fs.ls("photos/day"))[0]
    fs.mv(one, "photos/day/renamed.jpg")
    es.sync("s3://photos/day", dataset)
    assert sorted(dataset.values("id")) == sorted(before)
    assert "s3://photos/day/renamed.jpg" in dataset.values("source_url")


def test_a_bucket_that_fails_changes_nothing_and_says_so(dataset, s3, monkeypatch):
    _, server = s3
    es.sync("s3://photos/day", dataset)
    server.stop()
    monkeypatch.setattr("evalsets.remote.filesystems.FIRST_WAIT_S", 0.01)
    with pytest.raises(SourceError, match="nothing was changed"):
        es.sync("s3://photos/day", dataset)
    assert dataset.values("vanished") == [False] * 5


def test_a_bucket_that_fails_for_a_while_is_waited_for(dataset, s3):
    _, server = s3
    host, port = server.get_host_and_port()
    server.stop()
    again = ThreadedMotoServer(ip_address=host, port=port)
    timer = threading.Timer(1.0, again.start)
    timer.start()
    es.sync("s3://photos/day", dataset)
    timer.join()
    again.stop()
    assert len(dataset) == 5
    assert last_sync(dataset).skipped == {}


def test_a_bucket_that_fails_midway_leaves_nothing_half_done(
    dataset, s3, monkeypatch, tmp_path
):
    fs, server = s3
    host, port = server.get_host_and_port()
    photo = fs.cat(fs.ls("photos/day")[0])
    for number in range(200):
        fs.pipe(f"photos/day/{number}.jpg", photo + bytes([number]))
    urls = sorted(f"s3://{key}" for key in fs.find("photos/day"))
    monkeypatch.setenv("EVALSETS_HOME", str(tmp_path))
    monkeypatch.setattr("evalsets.remote.filesystems.FIRST_WAIT_S", 0.01)
    with ThreadPoolExecutor(1) as pool:
        syncing = pool.submit(es.sync, "s3://photos/day", dataset)
        while not any(tmp_path.glob("cache/*/*.jpg")):
            time.sleep(0.01)
        server.stop()
        with pytest.raises(SourceError, match="nothing was changed"):
            syncing.result()
    assert len(dataset) == 0
    again = ThreadedMotoServer(ip_address=host, port=port)
    again.start()
    es.sync("s3://photos/day", dataset)
    again.stop()
    assert sorted(dataset.values("source_url")) == urls
    assert last_sync(dataset).skipped == {}


def test_odd_keys_are_synced_as_they_are(dataset, s3):
    fs, _ = s3
    photo = fs.cat(fs.ls("photos/day")[0])
    keys = ["a b.jpg", 'it\'s "q".jpg', "Ü 日本.jpg", "x::y.jpg", "100%20#1?.jpg"]
    keys += ["long " * 60 + ".jpg", "a/../../climbs.jpg"]
    for number, key in enumerate(keys):
        fs.pipe(f"photos/odd/{key}", photo + bytes([number]))
    es.sync("s3://photos/odd", dataset)
    urls = [f"s3://photos/odd/{key}" for key in keys]
    assert sorted(dataset.values("source_url")) == sorted(urls)
    home = Path(os.environ["EVALSETS_HOME"]).resolve()
    paths = [Path(path) for path in dataset.values("filepath")]
    assert all(path.resolve().is_relative_to(home / "cache") for path in paths)
    assert all(path.is_file() for path in paths)


def test_a_missing_bucket_is_named(dataset, s3):
    with pytest.raises(NoImagesError, match="nothing at 's3://photos/night'"):
        es.sync("s3://photos/night", dataset)


def test_a_bucket_that_asks_for_credentials_is_asked_once(
    dataset, s3, monkeypatch, tmp_path, caplog
):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    type(s3[0]).clear_instance_cache()
    with pytest.raises(SourceError, match=r"'s3://photos/day' .* without credentials"):
        es.sync("s3://photos/day", dataset)
    assert not caplog.messages
