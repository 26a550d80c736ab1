"""Passes on a real Ray of two workers: equal to the local engine, whoever dies."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
import ray
from fiftyone.core.models import Model
from PIL import Image

import evalsets as es
from evalsets.api import onray
from evalsets.datasets.vectors import open_vectors
from evalsets.errors import ArgumentError, EvalsetsError
from evalsets.taggers import PixelTagger

pytestmark = [pytest.mark.db, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
LIGHT = {"field": "light", "classes": {"dark": "at night", "bright": "daylight"}}
RAY = {"engine": "ray", "workers": 2}


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Two workers on this machine; what is defined here is sent to them as it stands."""
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=100_000_000,
    )
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    ray.shutdown()


def die_once(marker):
    """As the kernel ends a process when memory is short."""
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)


class Mortal(PixelTagger):
    """Ends the first worker in the middle of its work."""

    kind = "mortal"
    fields = {"wide": int}  # noqa: RUF012

    def __init__(self, marker):
        self._marker = str(marker)

    def prepare(self, image):
        return {"wide": image.width}

    def tag(self, prepared):
        die_once(self._marker)
        return super().tag(prepared)


class Shade(PixelTagger):
    """The shade of an image; two shades end the worker: one each time, one once."""

    kind = "shade"
    fields = {"shade": int}  # noqa: RUF012

    def __init__(self, once):
        self._once = once

    def prepare(self, image):
        shade = image.getpixel((0, 0))[0]
        if shade == 30:
            os.kill(os.getpid(), signal.SIGKILL)
        if shade == 70:
            die_once(self._once)
        return {"shade": shade}


class Classifies(Model):
    media_type = "image"
    ragged_batches = False

    def predict_all(self, images):
        return [fo.Classification(label="a") for _ in images]


@pytest.fixture
def greys(dataset, tmp_path):
    """Thirty images, each of one shade; the first cannot be read any more."""
    for shade in range(0, 150, 5):
        Image.new("RGB", (24, 24), (shade,) * 3).save(tmp_path / f"{shade:03}.png")
    es.sync(tmp_path, dataset)
    with (tmp_path / "000.png").open("r+b") as file:
        file.truncate(20)
    return dataset


def test_ray_gives_what_the_local_engine_gives_though_a_worker_is_killed(
    drawn, encoder, tmp_path
):
    mortal = Mortal(tmp_path / "died")
    taggers = [{"statistics": {}}, {"zero_shot": LIGHT}, {"facts": {}}, mortal]
    fields = [
        "brightness",
        "sharpness",
        "light.label",
        "light.confidence",
        "file_bytes",
    ]
    twin = drawn.clone()
    there = es.embed(drawn, encoder, taggers=taggers, batch_size=7, **RAY)
    assert (tmp_path / "died").exists()
    here = es.embed(twin, encoder, taggers=taggers, batch_size=7)
    assert (there.done, there.skipped) == (here.done, here.skipped) == (len(drawn), {})
    drawn.reload()
    twin.reload()
    assert drawn.values(fields) == twin.values(fields)
    vectors = [open_vectors(one).get(one.values("id")) for one in (drawn, twin)]
    assert np.array_equal(*vectors)
    again = es.embed(drawn, encoder, taggers=taggers, **RAY)
    assert (again.done, again.kept) == (0, len(drawn))
    twin.delete()


def test_workers_that_die_and_poisoned_files_cost_nothing_but_themselves(
    greys, tmp_path
):
    died = tmp_path / "died"
    done = es.tag(greys, [Shade(str(died))], batch_size=2, **RAY)
    assert died.exists()
    why = {Path(path).name: why for path, why in done.skipped.items()}
    assert why.pop("030.png") == "its worker died"
    assert list(why) == ["000.png"]
    found = {
        Path(path).name: shade
        for path, shade in zip(*greys.values(["filepath", "shade"]), strict=True)
    }
    assert found == {
        f"{shade:03}.png": None if shade in (0, 30) else shade
        for shade in range(0, 150, 5)
    }


def test_what_cannot_work_on_ray_is_told_in_a_sentence(greys, monkeypatch):
    taggers = [{"count": {"model": "m", "fields": {"n": "thing"}}}]
    model = Classifies()
    with pytest.raises(ArgumentError, match="needs Detections; choose a detector"):
        es.tag(greys, taggers, models={"m": model}, **RAY)
    model.lock = threading.Lock()
    with pytest.raises(ArgumentError, match="cannot be sent to Ray's workers"):
        es.tag(greys, taggers, models={"m": model}, **RAY)
    with pytest.raises(ArgumentError, match="at least 1"):
        es.tag(greys, taggers, models={"m": model}, engine="ray", workers=0)
    with pytest.raises(ArgumentError, match="engine 'ray' too"):
        es.tag(greys, taggers, models={"m": model}, workers=2)
    with pytest.raises(ArgumentError, match="engine is 'spark'"):
        es.tag(greys, taggers, models={"m": model}, engine="spark")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ArgumentError, match=r"pip install 'evalsets\[ray\]'"):
        es.tag(greys, taggers, models={"m": model}, **RAY)


def test_a_cluster_that_stays_full_is_waited_for_and_then_ends_the_pass(
    greys, monkeypatch, caplog
):
    monkeypatch.setattr(onray, "_PATIENCE_S", 0.5)
    monkeypatch.setattr(onray, "_WAITS", 3)
    other = ray.remote(num_cpus=2)(threading.Event).remote()
    ray.get(other.is_set.remote())
    try:
        with pytest.raises(EvalsetsError, match=r"begun for 2 s; .* call again"):
            es.tag(greys, [{"statistics": {}}], **RAY)
    finally:
        ray.kill(other)
    assert caplog.text.count("No worker of Ray has begun") == 2


DRIVER = """
    import sys, time
    import evalsets as es
    from evalsets.api import background
    from evalsets.taggers import PixelTagger

    background.EVERY_S = 0

    class Slow(PixelTagger):
        kind = "slow"
        fields = {"first": int}

        def prepare(self, image):
            time.sleep(0.3)
            return {"first": image.getpixel((0, 0))[0]}

    es.tag(sys.argv[1], [Slow()], batch_size=2, engine="ray", workers=2)
"""


class Slow(PixelTagger):
    """As the driver's."""

    kind = "slow"
    fields = {"first": int}  # noqa: RUF012
    seen: list[int] = []  # noqa: RUF012

    def prepare(self, image):
        self.seen.append(image.getpixel((0, 0))[0])
        return {"first": self.seen[-1]}


def test_a_driver_that_is_killed_goes_on_where_it_stopped(greys, tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(DRIVER)]
    address = ray.get_runtime_context().gcs_address
    driver = subprocess.Popen(
        [*command, greys.name], cwd=ROOT, env={**os.environ, "RAY_ADDRESS": address}
    )
    deadline = time.monotonic() + 120
    while not greys.has_field("first") or len(greys.exists("first")) < 8:
        assert driver.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
        greys.reload()
    driver.kill()
    driver.wait()
    time.sleep(1)  # what it had sent may still arrive
    finished = [shade for shade in greys.values("first") if shade is not None]
    assert 8 <= len(finished) < 29
    done = es.tag(greys, [Slow()])
    assert (done.done, done.kept) == (29 - len(finished), len(finished))
    assert not set(finished) & set(Slow.seen)
    assert greys.values("first") == [None, *range(5, 150, 5)]
