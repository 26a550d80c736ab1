"""The folder that the paths of a ledger are below, where it is another by now."""

from __future__ import annotations

from evalsets.splits.roots import entries_today

RECORD = {"entries": [{"side": "test", "samples": ["x", "y"], "keys": ["c/1", "c/2"]}]}


def _keys_today(*paths):
    keys = {f"/data/{path}": path for path in paths}
    at = {f"new {path}": f"/data/{path}" for path in paths}
    (entry,) = entries_today([RECORD], at, keys, "/")
    return entry["keys"]


def test_the_folder_with_most_of_the_files_is_that_of_a_record():
    assert _keys_today("a/c/1", "a/c/2", "b/c/1") == ["a/c/1", "a/c/2"]


def test_none_of_two_folders_with_the_same_files_is_guessed():
    assert _keys_today("a/c/1", "a/c/2", "b/c/1", "b/c/2") == ["c/1", "c/2"]
