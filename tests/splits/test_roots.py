"""The folder that the paths of a ledger are below, where it is another by now."""

from __future__ import annotations

from evalsets.splits.roots import entries_today


def _record(*keys, side="test"):
    entry = {"side": side, "samples": [f"id of {k}" for k in keys], "keys": [*keys]}
    return {"entries": [entry]}


def _read(records, *paths, ids=None):
    """The keys that entries have, and the folders that may be meant."""
    keys = {f"/data/{path}": path for path in paths}
    at = {f"new {path}": f"/data/{path}" for path in paths} | (ids or {})
    entries, folders = entries_today(records, at, keys, "/")
    return [entry["keys"] for entry in entries], folders


def test_the_folder_with_most_of_the_files_is_that_of_a_record():
    record = _record("c/1", "c/2", "c/3")
    found = _read([record], "a/c/1", "a/c/2", "a/c/3", "b/c/1")
    assert found == ([["a/c/1", "a/c/2", "a/c/3"]], [])


def test_of_folders_with_the_same_files_none_is_guessed_and_all_are_taken():
    keys, folders = _read([_record("c/1", "c/2")], "a/c/1", "a/c/2", "b/c/1", "b/c/2")
    assert keys == [["a/c/1", "a/c/2"], ["b/c/1", "b/c/2"]]
    assert folders == [["/data/a/", "/data/b/"]]


def test_one_file_that_is_gone_does_not_make_a_copy_the_original():
    keys, _ = _read([_record("1", "2", "3")], "a/1", "a/2", "b/1", "b/2", "b/3")
    assert keys == [["a/1", "a/2", "/data/a/3"], ["b/1", "b/2", "b/3"]]


def test_files_below_the_common_folder_are_none_of_a_record_in_others():
    record = _record("c/1", "c/2", "c/3")
    inside = [f"{folder}/c/{n}" for folder in "ab" for n in (1, 2, 3)]
    keys, _ = _read([record], "c/1", *inside)
    assert all("c/1" not in named for named in keys)


def test_a_file_that_another_record_is_sure_of_is_not_taken_for_its_namesake():
    first, second = _record("1", "2"), _record("b/1", "b/2", "c/3")
    found = _read([first, second], "a/1", "a/2", "b/1", "b/2", "c/3")
    assert found == ([["a/1", "a/2"], ["b/1", "b/2", "c/3"]], [])


def test_a_record_whose_samples_went_two_ways_is_looked_for_in_both():
    ids = {"id of 1": "/data/p/1", "id of 2": "/data/q/2"}
    keys, _ = _read([_record("1", "2", "3")], "p/1", "q/2", "p/3", ids=ids)
    assert keys == [["p/1", "/data/p/2", "p/3"], ["/data/q/1", "q/2", "/data/q/3"]]
