"""MongoDB goes away while a panel is open, and comes back."""

import time
from contextlib import contextmanager

import fiftyone as fo
import pytest
from fiftyone.core.odm import get_db_client

import evalsets as es
from panels.evaluation import Evaluation
from panels.populations import Populations

from .tab import Tab

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("plugin")]


@contextmanager
def gone():
    """MongoDB hangs up on whoever asks it anything."""
    admin = get_db_client().admin
    asked = ["find", "aggregate", "count", "distinct", "update", "insert", "getMore"]
    fails = {"failCommands": asked, "closeConnection": True}
    admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=fails)
    try:
        yield
    finally:
        admin.command("configureFailPoint", "failCommand", mode="off")


@pytest.fixture
def grey(dataset):
    dataset.add_samples(fo.Sample(f"/nowhere/{n}.png", shade=n) for n in range(9))
    es.compose(dataset, es.Population("dark", "shade < 5"))
    return dataset


@pytest.mark.parametrize("panel", [Populations, Evaluation])
def test_a_panel_says_that_mongodb_is_gone_and_goes_on_when_it_is_back(grey, panel):
    tab = Tab(panel(), grey).event("on_load")
    before = tab.text
    with gone():
        tab.send("on_load")
        assert "MongoDB cannot be reached" in tab.text
        assert "Try again" in tab.text
        assert "MongoDB cannot be reached" in tab.notices[0]
    tab.event("on_load")
    assert tab.text == before


def test_what_was_typed_is_there_when_mongodb_is_back(grey):
    tab = Tab(Populations(), grey).event("on_load")
    tab.state["find0"] = {"query": "shade < 3"}
    with gone():
        tab.send("search")
        assert "MongoDB cannot be reached" in tab.text
    assert len(tab.event("on_load").event("search").view()) == 3


@pytest.mark.parametrize("panel", [Populations, Evaluation])
def test_a_panel_tells_soon_that_mongodb_was_killed_and_goes_on(grey, panel, mongo):
    tab = Tab(panel(), grey).event("on_load")
    before, state = tab.text, dict(tab.state)
    mongo.kill()
    begun = time.monotonic()
    tab.send("on_load")
    assert time.monotonic() - begun < 20
    assert "MongoDB cannot be reached" in tab.text
    assert "Try again" in tab.text
    assert "Topology" not in tab.text
    assert tab.state == state
    mongo.start()
    tab.event("on_load")
    assert tab.text == before
