"""An event that fails says what to do, and the panel stays."""

import types

import pymongo
import pytest

from panels._editing import answered
from panels._events import told

pytestmark = pytest.mark.db


class Panel:
    """Fails as a handler does whose MongoDB went away."""

    def fail(self, ctx, event, error):
        self.failed = (event, str(error))

    @told
    def search(self, ctx):
        raise pymongo.errors.ServerSelectionTimeoutError("127.0.0.1: refused")

    @answered
    def look(self, ctx):
        raise pymongo.errors.ServerSelectionTimeoutError("127.0.0.1: refused")


def test_a_database_that_is_gone_is_told_with_its_remedy():
    notices = []
    ops = types.SimpleNamespace(notify=lambda words, **_: notices.append(words))
    panel = Panel()
    panel.search(types.SimpleNamespace(ops=ops))
    event, said = panel.failed
    assert event == "search"
    assert "MongoDB cannot be reached" in said
    assert "start it, or correct" in said
    assert notices == [said]
    assert "MongoDB cannot be reached" in panel.look(None)["problem"]
