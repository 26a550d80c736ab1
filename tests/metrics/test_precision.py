"""Where the compiled walk down the boxes is kept."""

from numba.core import caching

from evalsets.metrics import precision


def _doubled(n):
    return 2 * n


def test_machine_code_that_can_be_kept_nowhere_is_made_in_each_process(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert precision._compiled(_doubled)(21) == 42
