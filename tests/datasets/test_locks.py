import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import fiftyone as fo
import pytest
from fiftyone.operators.store import ExecutionStore

from evalsets.datasets import locks
from evalsets.datasets.columns import declare, drop, write
from evalsets.datasets.locks import KEY, STORE, writing
from evalsets.datasets.populations import delete_recipe
from evalsets.datasets.runs import delete_run, load_runs, save_run
from evalsets.errors import LockedError

pytestmark = pytest.mark.db


@pytest.fixture
def store(dataset):
    return ExecutionStore.create(STORE, dataset._doc.id)


def test_the_lock_is_free_again_afterwards_even_after_an_error(dataset, store):
    def fail_inside():
        with writing(dataset):
            assert store.get(KEY)["pid"] == os.getpid()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert store.get(KEY) is None


def test_a_holder_may_enter_again(dataset, store):
    with writing(dataset), writing(dataset, patience=0):
        pass
    assert store.get(KEY) is None


def test_a_living_holder_is_waited_for_and_then_named(dataset, store):
    holder = {"host": socket.gethostname(), "pid": os.getppid(), "token": "x"}
    store.set(KEY, holder)
    with (
        pytest.raises(LockedError, match=str(os.getppid())),
        writing(dataset, patience=0),
    ):
        pass
    assert store.get(KEY) == holder


def test_the_lock_of_a_dead_process_is_taken_over(dataset, store):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    store.set(KEY, {"host": socket.gethostname(), "pid": dead.pid, "token": "x"})
    with writing(dataset, patience=0):
        assert store.get(KEY)["pid"] == os.getpid()
    assert store.get(KEY) is None


def test_a_lock_that_this_process_left_behind_is_taken_over(dataset, store):
    me = {"host": socket.gethostname(), "pid": os.getpid(), "token": "left"}
    store.set(KEY, me)
    with writing(dataset, patience=0):
        assert store.get(KEY)["token"] != "left"
    assert store.get(KEY) is None


def test_another_thread_of_this_process_is_waited_for(dataset, store):
    def enter():
        with writing(dataset, patience=0):
            pass

    with writing(dataset), ThreadPoolExecutor(1) as pool:
        with pytest.raises(LockedError):
            pool.submit(enter).result()
        assert store.get(KEY)["pid"] == os.getpid()


def test_a_lock_is_renewed_for_as_long_as_it_is_held(dataset, store, monkeypatch):
    monkeypatch.setattr(locks, "EXPIRES_S", 2)
    with writing(dataset):
        first = store.get_metadata(KEY)["expires_at"]
        time.sleep(1.2)
        assert store.get_metadata(KEY)["expires_at"] > first
    assert store.get(KEY) is None
    assert "evalsets-lock" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    "step",
    [
        lambda d: save_run(d, "kind", "second", {}),
        lambda d: delete_run(d, "kind", "first"),
        lambda d: declare(d, {"more": float}),
        lambda d: write(d, "some", d.values("id"), [2.0]),
        lambda d: drop(d, "some"),
        lambda d: delete_recipe(d, "mine"),
    ],
    ids=["save_run", "delete_run", "declare", "write", "drop", "delete_recipe"],
)
def test_a_writer_that_slept_while_another_took_over_writes_nothing_more(
    dataset, store, monkeypatch, step
):
    dataset.add_sample(fo.Sample("/a.png", some=1.0))
    dataset.save_view("mine", dataset.limit(1))
    other = {"host": "elsewhere", "pid": 1, "token": "x"}
    with writing(dataset):
        save_run(dataset, "kind", "first", {})
        store.set(KEY, other)
        slept = time.time() + 700
        monkeypatch.setattr(locks.time, "time", lambda: slept)
        with pytest.raises(LockedError, match="another writer"):
            step(dataset)
    dataset.reload()
    assert list(load_runs(dataset, "kind")) == ["first"]
    assert dataset.values("some") == [1.0]
    assert not dataset.has_field("more")
    assert dataset.has_saved_view("mine")
    assert store.get(KEY) == other  # which is not ours to release


def test_locks_are_of_a_dataset_not_of_its_name(dataset):
    name = dataset.name
    with writing(dataset):
        dataset.name = f"{name}-old"
        again = fo.Dataset(name)
        try:
            with writing(again):
                there = ExecutionStore.create(STORE, again._doc.id)
                assert there.get(KEY)["pid"] == os.getpid()
        finally:
            again.delete()
