"""Results that are written behind a pass."""

import threading
import time

import pytest
from pymongo.errors import AutoReconnect

from evalsets.api import background
from evalsets.api.background import BackgroundWriter
from evalsets.errors import DatabaseError, EvalsetsError


def test_parts_are_written_in_order_and_many_at_a_time():
    calls = []
    with BackgroundWriter(calls.append) as writer:
        for number in range(50):
            writer.put(number)
    assert [n for parts in calls for n in parts] == list(range(50))
    assert len(calls) < 10


def test_what_was_put_is_written_soon_even_if_nothing_follows(monkeypatch):
    monkeypatch.setattr(background, "EVERY_S", 0.1)
    written = threading.Event()
    with BackgroundWriter(lambda parts: written.set()) as writer:
        writer.put(1)
        assert written.wait(5)


def test_a_failure_to_write_is_raised_where_the_pass_is_and_ends_it(monkeypatch):
    monkeypatch.setattr(background, "EVERY_S", 0)

    def write(parts):
        raise EvalsetsError("refused")

    def pass_on():
        with BackgroundWriter(write) as writer:
            for number in range(10_000):
                writer.put(number)
                time.sleep(0.001)

    with pytest.raises(EvalsetsError, match="refused"):
        pass_on()
    assert "evalsets-writer" not in {thread.name for thread in threading.enumerate()}


def _interrupted(write):
    with BackgroundWriter(write) as writer:
        writer.put(1)
        raise KeyboardInterrupt


def test_an_error_of_the_pass_goes_before_one_of_writing():
    def write(parts):
        raise EvalsetsError("refused")

    with pytest.raises(KeyboardInterrupt):
        _interrupted(write)


def test_what_was_put_before_an_interrupt_is_written():
    calls = []
    with pytest.raises(KeyboardInterrupt):
        _interrupted(calls.append)
    assert calls == [[1]]


def test_a_pass_that_is_faster_than_writing_waits(monkeypatch):
    monkeypatch.setattr(background, "EVERY_S", 0)
    free, waiting = threading.Event(), []

    def write(parts):
        waiting.append(len(parts))
        free.wait(10)

    with BackgroundWriter(write) as writer:
        writer.put(0)
        done = []

        def put_many():
            for number in range(100):
                writer.put(number)
                done.append(number)

        thread = threading.Thread(target=put_many)
        thread.start()
        time.sleep(0.5)
        assert len(done) <= background.AHEAD + 1
        free.set()
        thread.join()
    assert sum(waiting) == 101


def test_a_database_that_goes_away_for_a_while_is_waited_for(caplog):
    calls = []

    def write(parts):
        calls.append(list(parts))
        if len(calls) < 3:
            raise AutoReconnect("connection closed")

    with BackgroundWriter(write) as writer:
        writer.put(1)
    assert calls == [[1]] * 3
    assert writer.interrupted
    assert caplog.text.count("gone away") == 1


def test_a_database_that_stays_away_ends_the_pass(monkeypatch):
    monkeypatch.setattr(background, "PATIENCE_S", 0)

    def write(parts):
        raise AutoReconnect("connection closed")

    def pass_on():
        with BackgroundWriter(write) as writer:
            writer.put(1)

    with pytest.raises(DatabaseError, match="goes on where it stopped"):
        pass_on()


def test_a_disk_that_is_full_is_named():
    def write(parts):
        raise OSError(28, "No space left on device")

    def pass_on():
        with BackgroundWriter(write) as writer:
            writer.put(1)

    with pytest.raises(EvalsetsError, match="No space left on device"):
        pass_on()
