"""Files that a ledger knows, under whatever ids."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.splits.identity import identify
from evalsets.splits.ledger import CAME_BACK, replay
from evalsets.splits.standing import RENAMED, TAKEN_OVER, standing


def _record(*keys, folder=None, of="old"):
    entry = {"side": "test", "samples": [f"{of} {k}" for k in keys], "keys": [*keys]}
    return {"entries": [entry], **({"folder": folder} if folder else {})}


def _found(records, *paths, known=None):
    """By path of a new sample the keys it had; and the folders that may be meant.

    Args:
        records: of the ledger
        paths: of new samples
        known: paths of samples that the ledger knows, by id
    """
    at = {f"new {path}": path for path in paths} | (known or {})
    found = identify(records, at, {}, "/")
    folders = [list(several) for several in found.folders]
    return {at[i]: _before(found, i) for i in found.file}, folders


def _before(identity, sample):
    had = identity.before(sample)
    return [*had.maybe, *had.sure]


@pytest.mark.parametrize("folder", ["/data", None], ids=["kept", "not kept"])
def test_files_added_again_where_they_were_are_known(folder):
    found, folders = _found(
        [_record("a/1", "2", folder=folder)], "/data/a/1", "/data/2"
    )
    assert found == {"/data/a/1": ["old a/1"], "/data/2": ["old 2"]}
    assert folders == []


def test_namesakes_elsewhere_are_others_while_the_folder_is_there():
    record = _record("1", "2", "3", folder="/data/x")
    found, folders = _found([record], "/data/x/1", "/data/z/2")
    assert (found, folders) == ({"/data/x/1": ["old 1"]}, [])


def test_a_folder_with_more_of_the_files_than_the_one_before_has_them_too():
    record = _record("1", "2", "3", folder="/data")
    found, folders = _found([record], "/data/1", "/mnt/data/2", "/mnt/data/3")
    assert found == {
        "/data/1": ["old 1"],
        "/mnt/data/2": ["old 2"],
        "/mnt/data/3": ["old 3"],
    }
    assert folders == [["/data", "/mnt/data"]]


def test_the_folder_is_there_for_a_later_record_of_one_file_that_is_gone():
    first = _record("1", "2", folder="/data")
    later = _record("2", folder="/data", of="later")
    assert _found([first, later], "/data/1", "/other/2")[0] == {"/data/1": ["old 1"]}


def test_a_tree_that_moved_is_found_by_the_end_of_its_name():
    record = _record("1", "2", "3", folder="/data/train")
    moved = {f"/mnt/train/{n}": [f"old {n}"] for n in "123"}
    assert _found([record], *moved, "/mnt/copy/1") == (moved, [])


def test_one_namesake_in_a_folder_of_that_name_does_not_hide_a_tree_that_moved():
    record = _record("1", "2", "3", folder="/home/images")
    moved = {f"/mnt/photos/{n}": [f"old {n}"] for n in "123"}
    found, folders = _found([record], *moved, "/mnt/other/images/1")
    assert found == moved | {"/mnt/other/images/1": ["old 1"]}
    assert folders == [["/mnt/other/images", "/mnt/photos"]]


def test_samples_that_the_ledger_knows_are_no_sign_of_another_folder():
    first = _record(*map(str, range(1, 11)), folder="/cam1")
    second = _record(*[f"cam2/{n}" for n in range(1, 8)], folder="/", of="second")
    known = {f"second cam2/{n}": f"/cam2/{n}" for n in range(1, 8)}
    known |= {"old 9": "/cam1/9", "old 10": "/cam1/10"}
    assert _found([first, second], "/cam2/8", known=known) == ({}, [])
    gone = [f"/cam1/{n}" for n in range(1, 9)]
    assert [*identify([first, second], known, {}, "/").missing] == gone


def test_samples_of_one_path_share_what_was_before_them():
    record = {"entries": [], "folder": "/data"}
    many = [f"old {n}" for n in range(300)]
    record["entries"] = [{"side": "test", "samples": many, "keys": ["1"] * 300}]
    paths = {f"new {n}": "/data/1" for n in range(300)}
    found = identify([record], paths, {}, "/")
    assert len(found.had) == 1
    assert _before(found, "new 7") == many


def test_where_several_folders_may_be_meant_the_files_of_all_are_taken():
    record = _record("c/1", "c/2", folder="/data")
    moved = [f"/mnt/{folder}/c/{n}" for folder in "ab" for n in (1, 2)]
    found, folders = _found([record], *moved, "/mnt/d/c/1")
    assert {path: before for path, before in found.items() if "/d/" not in path} == {
        path: [f"old c/{path[-1]}"] for path in moved
    }
    assert folders == [["/mnt/a", "/mnt/b", "/mnt/d"]]


def test_a_folder_with_fewer_than_half_of_the_files_is_not_meant():
    record = _record("1", "2", "3")
    found, folders = _found([record], "/a/1", "/a/2", "/a/3", "/b/1")
    assert ("/b/1" in found, folders) == (False, [])


def test_files_are_looked_for_in_all_folders_where_others_are_by_their_ids():
    record = _record("1", "2", "3", folder="/gone")
    known = {"old 1": "/p/1", "old 2": "/q/2"}
    assert _found([record], "/p/3", "/r/3", known=known) == ({"/p/3": ["old 3"]}, [])


def test_each_id_that_a_file_had_is_one_before_it():
    first = _record("x/1", folder="/data")
    second = _record("1", folder="/data/x", of="older")
    found, _ = _found([first, second], "/data/x/1", "/data/z/1")
    assert found == {"/data/x/1": ["old x/1", "older 1"]}


def test_content_is_known_wherever_it_lies_and_names_of_known_content_are_not():
    record = _record("digest", "1", folder="/data")
    paths = {"new": "/other/9", "same name": "/data/1"}
    found = identify([record], paths, {"new": "digest"}, "/")
    assert _before(found, "new") == ["old digest"]
    assert _before(found, "same name") == ["old 1"]


def test_two_samples_of_one_file_are_both_known():
    paths = dict.fromkeys("ab", "/data/1")
    found = identify([_record("1", folder="/data")], paths, {}, "/")
    assert _before(found, "a") == _before(found, "b") == ["old 1"]


def test_a_sample_is_renamed_where_no_record_has_its_file():
    records = [_record("1", "2", "digest", folder="/data")]
    paths = {"old 1": "/data/1", "old 2": "/data/3", "old digest": "/data/9"}
    digests = {"old digest": "digest"}
    found = identify(records, paths, digests, "/").renamed
    assert found == {"old 2", "old digest"}
    records.append(_record("9", folder="/data", of="old"))
    records[-1]["entries"][0].update(samples=["old 2", "old digest"], keys=["3", "9"])
    assert identify(records, paths, digests, "/").renamed == set()


def test_a_file_is_there_under_whichever_id_the_ledger_knows_it():
    first, later = _record("1", "2", folder="/d"), _record("1", folder="/d", of="new")
    found = identify([first, later], {"new 1": "/d/1"}, {}, "/")
    assert (found.missing, found.file) == ({"/d/2": ["old 2"]}, {})


def _entry(rule, side, **samples):
    return {
        "side": side,
        "rule": rule,
        "retire": rule == "retired",
        "samples": [*samples],
        "keys": [*samples.values()],
    }


def _stand(records, **paths):
    """The sides of samples that have none yet, by id."""
    identity = identify(records, paths, {}, "/")
    ledger = [entry for record in records for entry in record["entries"]]
    found = standing(ledger, list(paths), [""] * len(paths), identity)
    return dict(zip(paths, found.side, strict=True))


def test_those_that_came_back_are_a_sign_of_where_the_tree_is_now():
    first = _record(*map(str, range(1, 11)), folder="/data")
    back = {f"back{n}": str(n) for n in range(1, 10)}
    second = {"entries": [_entry(CAME_BACK, "test", **back)], "folder": "/mnt"}
    known = {f"back{n}": f"/mnt/{n}" for n in range(1, 10)}
    others = [f"/other/{n}" for n in (8, 9, 10)]
    found, _ = _found([first, second], "/mnt/10", *others, known=known)
    assert found == {"/mnt/10": ["old 10"]}


def test_what_may_be_another_file_takes_none_out_of_test():
    first = {"entries": [_entry("", "test", x="1")], "folder": "/cam2"}
    second = {"entries": [_entry(CAME_BACK, "test", a="1")], "folder": "/cam1"}
    third = {"entries": [_entry("retired", "quarantine", a="1")], "folder": "/cam1"}
    assert _stand([first, second, third], y="/cam2/1") == {"y": "test"}
    assert _stand([first, second, third], y="/cam1/1") == {"y": "quarantine"}


def test_what_may_be_another_file_puts_no_retired_one_into_test():
    first = {"entries": [_entry("", "test", b="1", z="9")], "folder": "/cam2"}
    retired = {"entries": [_entry("retired", "quarantine", b="1")], "folder": "/cam2"}
    other = {"entries": [_entry("", "test", a1="1", a2="2")], "folder": "/cam1"}
    sides = _stand([first, retired, other], c="/cam2/1", d="/cam2/9")
    assert sides == {"c": "quarantine", "d": "test"}


def test_those_that_came_back_for_a_file_protect_it_where_it_was_first():
    train = {"entries": [_entry("", "train", b="1", z="9")], "folder": "/cam2"}
    other = {"entries": [_entry("", "test", a="1")], "folder": "/cam1"}
    paths = {"c": "/cam2/1", "d": "/cam2/9"}
    assert _stand([train, other], **paths) == dict.fromkeys(paths, "train")
    other["entries"][0] |= {"rule": CAME_BACK, "before": [["b"]]}
    assert _stand([train, other], **paths) == {"c": "test", "d": "train"}


def test_namesakes_in_two_folders_stay_apart_where_all_are_there_but_one():
    names = [*map(str, range(20))]
    first = {"entries": [_entry("", "test", **{f"a{n}": n for n in names})]}
    second = {"entries": [_entry("", "train", **{f"b{n}": f"cam2/{n}" for n in names})]}
    first["folder"], second["folder"] = "/cam1", "/"
    paths = {f"new {n}": f"/cam1/{n}" for n in names[1:]}
    others = {f"other {n}": f"/cam2/{n}" for n in names}
    sides = _stand([first, second], **paths, **others)
    assert sides == dict.fromkeys(paths, "test") | dict.fromkeys(others, "train")


def _content(side, rule="", **samples):
    """Samples by path and content, below /data."""
    entry = _entry(rule, side, **{one: path for one, (path, _) in samples.items()})
    return entry | {"digests": [digest for _, digest in samples.values()]}


def _stand_by_content(*entries, **samples):
    records = [{"entries": [entry], "folder": "/data"} for entry in entries]
    paths = {one: f"/data/{path}" for one, (path, _) in samples.items()}
    digests = {one: digest for one, (_, digest) in samples.items() if digest}
    identity = identify(records, paths, digests, "/")
    told = replay(entries)
    had = [told.get(one, "") for one in paths]
    found = standing(entries, list(paths), had, identity)
    return dict(zip(paths, zip(found.side, found.rule, strict=True), strict=True))


def test_what_is_known_by_content_is_nothing_else_by_name():
    held = _content("test", a=("in/1", "A"), b=("in/2", "B"), c=("in/3", "C"))
    learned = _content("train", d=("arch/1", "D"), e=("arch/2", "E"))
    remade = {"new": ("in/1", "D"), "x": ("in/2", "B"), "y": ("in/3", "C")}
    assert _stand_by_content(held, learned, **remade)["new"][0] == "train"


def test_a_file_edited_where_it_lies_is_no_other():
    held = _content("test", a=("cam1/2", "A"), b=("cam1/1", "B"))
    learned = _content("train", c=("cam2/2", "C"))
    after = {"b": ("cam2/1", "B"), "c": ("cam2/2", "edited")}
    assert _stand_by_content(held, learned, **after)["c"] == ("train", RENAMED)


def test_files_numbered_anew_take_the_content_of_test_out_of_train():
    held = _content("test", b=("2", "B"))
    learned = _content("train", a=("1", "A"), c=("3", "C"))
    after = _stand_by_content(held, learned, a=("1", "B"), b=("2", "C"))
    assert after["a"] == ("quarantine", TAKEN_OVER)
    assert after["b"] == ("test", RENAMED)
    swapped = _stand_by_content(held, learned, a=("1", "A"), b=("2", "C"), c=("3", "B"))
    assert (swapped["a"][0], swapped["c"][0]) == ("train", "quarantine")


def test_the_original_of_a_file_of_test_that_was_edited_is_in_test():
    held = _content("test", a=("1", "A"))
    after = _stand_by_content(held, a=("1", "edited"), new=("original", "A"))
    assert after["new"] == ("test", CAME_BACK)


def test_the_retired_namesake_of_a_file_of_test_speaks_for_itself():
    held = _content("test", a=("1", "A"), b=("2", "B"))
    back = _content("test", CAME_BACK, c=("2", "B")) | {"before": [["b"]]}
    over = _content("quarantine", "retired", c=("2", "B"))
    assert _stand_by_content(held, back, over, new=("2", "A"))["new"][0] == "test"


def test_a_sample_that_has_another_file_now_is_held_by_who_had_that():
    record = {"entries": [_entry("", "test", a="1"), _entry("", "train", b="2")]}
    record["folder"] = "/data"
    assert _stand([record], b="/data/1") == {"b": "quarantine"}
    assert _stand([record], b="/data/2") == {"b": "train"}
    assert _stand([record], a="/data/1", b="/data/1") == {"a": "test", "b": "train"}
    record["entries"][1]["digests"] = ["content"]
    assert identify([record], {"b": "/data/1"}, {"b": "content"}, "/").file == {}
    assert identify([record], {"b": "/data/2"}, {"b": "other"}, "/").renamed == {"b"}


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_no_path_that_was_in_test_is_ever_on_another_side(seed):
    chance = random.Random(seed)
    paths, records, held, known = {}, [], set(), set()
    for turn in range(8):
        if chance.random() < 0.3:  # a dataset made anew from some of the files
            paths = {}
        gone = [i for i in paths if chance.random() < 0.3]
        paths = {i: path for i, path in paths.items() if i not in gone}
        folder = chance.choice(["/d/x", "/d/y", "/d/x/z", "/copy/x", "/w"])
        known |= {f"{folder}/{n}" for n in range(chance.randint(1, 6))}
        absent = sorted(known - {*paths.values()})
        back = {f"{turn} {path}": path for path in absent if chance.random() < 0.6}
        paths |= back
        if not paths:
            continue
        root = os.path.commonpath([path.rpartition("/")[0] for path in paths.values()])
        keys = {i: os.path.relpath(path, root) for i, path in paths.items()}
        ledger = [entry for record in records for entry in record["entries"]]
        identity = identify(records, paths, {}, "/")
        stands = standing(ledger, list(paths), [""] * len(paths), identity)
        sides = dict(zip(paths, stands.side, strict=True))
        assert {sides[i] for i, path in paths.items() if path in held} <= {"test"}
        drawn = {i: sides[i] or chance.choice(["train", "test"]) for i in paths}
        held |= {path for i, path in paths.items() if drawn[i] == "test"}
        new = [i for i in paths if i not in stands.told]
        made = [
            {"side": drawn[i], "rule": "", "samples": [i], "keys": [keys[i]]}
            for i in new
        ]
        records.append({"entries": made, "folder": root})
