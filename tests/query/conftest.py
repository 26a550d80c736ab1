"""A second of the query language's own time."""

import gc
import time
from contextlib import contextmanager

import pytest


@pytest.fixture
def a_second():
    """Holds a block to a second of CPU, whatever else the test process has to do.

    Other threads and what other tests left on the heap are not the query's.
    """

    @contextmanager
    def measured():
        gc.collect()
        gc.freeze()
        start = time.thread_time()
        try:
            yield
            assert time.thread_time() - start < 1
        finally:
            gc.unfreeze()

    return measured
