"""What takes longer than an event may goes on, and is shown when it is done."""

import threading

import fiftyone as fo
import pytest
from fiftyone.operators import types

from evalsets.errors import EvalsetsError
from evalsets.telling import tell
from panels import _work
from panels._events import told
from panels._work import Worker

from .tab import Tab

pytestmark = pytest.mark.db


class Slow(Worker):
    """Works until it is told to end."""

    def __init__(self):
        super().__init__()
        self.end = threading.Event()
        self.at = threading.Event()

    @property
    def config(self):
        return fo.operators.PanelConfig(name="slow", label="Slow")

    @told
    def begin(self, ctx):
        def run():
            tell("half of it", 0.5)
            self.at.set()
            self.end.wait(60)
            if ctx.params.get("fails"):
                raise EvalsetsError("It cannot be done; do something else")
            return 42

        def then(later, got):
            later.panel.set_state("got", got)

        self.work(ctx, "begin", "Working hard", run, then)

    def fail(self, ctx, event, error):
        ctx.panel.set_state("failed", [event, str(error)])

    def render(self, ctx):
        root = types.Object()
        if key := self.waits_for(ctx)[1]:
            self.draw_work(root, key)
        return types.Property(root)


@pytest.fixture
def tab(dataset, monkeypatch):
    monkeypatch.setattr(_work, "PATIENCE_S", 0.01)
    tab = Tab(Slow(), dataset)
    yield tab
    tab.panel.end.set()


def test_an_event_answers_before_its_work_is_done_and_says_how_far_it_is(tab):
    tab.send("begin")
    assert "Working hard" in tab.text
    tab.panel.at.wait(60)
    key = tab.state["work"]
    known = {"done": False, "label": "half of it", "share": 0.5}
    assert tab.send("progress", work=key) == known
    tab.send("finish")  # too early
    assert tab.state["work"] == key
    tab.panel.end.set()
    tab.event("finish")
    assert tab.state["got"] == 42
    assert "Working hard" not in tab.text


def test_what_a_lost_event_would_have_shown_is_shown_by_the_next(tab):
    tab.send("begin")
    before = dict(tab.state)
    tab.panel.end.set()
    tab.event("finish")
    tab.state = before  # the answer never came
    tab.event("finish")
    assert tab.state["got"] == 42


def test_an_error_of_the_work_is_told_as_one_of_its_event(tab):
    tab.send("begin", fails=True)
    tab.panel.end.set()
    tab.event("finish")
    assert tab.state["failed"] == ["begin", "It cannot be done; do something else"]
    assert tab.notices == ["It cannot be done; do something else"]


def test_a_second_work_waits_for_the_first(tab):
    tab.send("begin")
    key = tab.state["work"]
    tab.send("begin")
    assert "Still busy: Working hard" in tab.state["failed"][1]
    assert tab.state["work"] == key


def test_work_of_a_server_that_is_gone_is_told_and_the_panel_is_free(tab):
    tab.state["work"] = "of another process"
    assert tab.send("progress", work="of another process")["done"]
    tab.send("finish")
    assert "nobody knows what came of it" in tab.state["failed"][1]
    assert not tab.state["work"]


def test_what_was_done_to_another_dataset_is_not_shown(tab):
    tab.send("begin")
    tab.dataset = fo.Dataset(persistent=False)
    tab.panel.end.set()
    tab.event("finish")
    assert "got" not in tab.state
    assert not tab.state["work"]
