"""What was seen of files stays while someone may need it."""

import os

from evalsets.ingest import Facts, Journal, Look, sweep

WEEK_AND_MORE = 8 * 86_400


def test_the_looks_of_a_dataset_that_is_gone_go_after_a_week(tmp_path):
    seen = Look("/a.png", Facts(5, 4, 3, "image/png"), "d" * 32)
    for name in ("there", "gone", "being made"):
        with Journal(tmp_path, name) as journal:
            journal.note("/a.png", "stamp", seen)
    for path in tmp_path.iterdir():
        old = path.stat().st_mtime - WEEK_AND_MORE
        os.utime(path, (old, old))
    with Journal(tmp_path, "being made") as journal:
        journal.note("/b.png", "stamp", seen)
    sweep(tmp_path, ["there"])
    left = {
        n
        for n in ("there", "gone", "being made")
        if Journal(tmp_path, n).looks({"/a.png": "stamp"})
    }
    assert left == {"there", "being made"}
