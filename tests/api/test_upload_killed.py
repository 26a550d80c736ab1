"""An upload that is killed leaves exactly the old predictions, or exactly the new."""

import subprocess
import sys

import fiftyone as fo
import pytest

import evalsets as es

pytestmark = [pytest.mark.db, pytest.mark.slow]

# Forks one uploader a line of input and kills it at its n-th write to the database.
UPLOADER = """
import os, signal, sys
from pymongo import monitoring

WRITES = {"insert", "update", "delete", "findAndModify", "createIndexes"}

class Killer(monitoring.CommandListener):
    left = None
    def started(self, event):
        if Killer.left is not None and event.command_name in WRITES:
            if Killer.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            Killer.left -= 1
    def succeeded(self, event): pass
    def failed(self, event): pass

monitoring.register(Killer())
import evalsets as es
from evalsets.predictions import sources
import evalsets.api.upload

sources.ROWS = 20
name = sys.argv[1]
for line in sys.stdin:
    n, label = line.split()
    child = os.fork()
    if child == 0:
        Killer.left = int(n)
        predictions = {f"/images/{at}.jpg": label for at in range(60)}
        seen = [f"/images/{at}.jpg" for at in range(int(n))]
        es.upload_predictions(name, "m", predictions, trained_on=seen, overwrite=True)
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture
def uploader(dataset):
    command = [sys.executable, "-W", "ignore", "-c", UPLOADER, dataset.name]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        yield process
        process.stdin.close()


def test_a_kill_at_any_write_leaves_the_old_or_the_new(dataset, uploader):
    dataset.add_samples([fo.Sample(f"/images/{at}.jpg") for at in range(60)])
    held, trained = None, None
    outcomes = []
    for n in range(0, 200, 2):
        uploader.stdin.write(f"{n} v{n}\n")
        uploader.stdin.flush()
        killed = uploader.stdout.readline().strip() != "0"
        again = fo.load_dataset(dataset.name, reload=True)
        known = es.models(again)
        labels = set()
        if known:
            labels = set(again.values(f"{known['m'].field}.label"))
        assert len(labels) <= 1, n
        new = labels == {f"v{n}"}
        assert new or labels == ({held} if held else set()), n
        held = labels.pop() if labels else None
        outcomes.append((killed, new))
        assert len(list(again.iter_samples())) == 60  # every sample still loads
        if not killed:
            break
        trained = n if new else trained
    assert outcomes[-1] == (False, True)
    assert (True, False) in outcomes  # killed before the switch
    assert (True, True) in outcomes  # and after it
    fields = [f for f in again.get_field_schema() if f.startswith("pred_")]
    assert fields == [es.models(again)["m"].field]
    assert len(again.list_runs(method="evalsets/training")) == 1
