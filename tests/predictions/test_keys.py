"""Keys of a table find their samples, or one clear error."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.errors import PredictionsError
from evalsets.predictions import ClassificationTable, Keys, Placing

PATHS = ["/data/x/a.jpg", "/data/y/a.jpg", "/data/y/b.jpg", "/data/b/c.jpg"]


def placed(known, *lists, skip_unknown=False):
    """All of the lists of keys, placed; one table each."""
    placing = Placing(Keys(known))
    found = []
    for keys in lists:
        found += placing.place(ClassificationTable(keys, keys))[1].tolist()
    placing.finish(skip_unknown)
    return found, placing


def test_keys_match_whatever_their_order():
    found, placing = placed(["a", "b", "c", None], ["c"], ["a"])
    assert found == [2, 0]
    assert placing.seen.tolist() == [True, False, True, False]
    assert placing.unknown == 0


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("/data/y/a.jpg", 1),
        ("/data/./y/../y/a.jpg", 1),
        ("y/a.jpg", 1),
        ("./y/a.jpg", 1),
        ("y\\a.jpg", 1),
        ("b.jpg", 2),
        ("data/b/c.jpg", 3),
    ],
)
def test_paths_match_whole_or_by_their_tail(key, place):
    assert Keys(PATHS).all_of([key]).tolist() == [place]


def test_a_path_relative_to_here_matches(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = [str(tmp_path / "photos" / "a.jpg"), "/else/photos/a.jpg"]
    assert Keys(known).all_of(["photos/a.jpg"]).tolist() == [0]


@pytest.mark.parametrize(
    ("keys", "known", "said"),
    [
        (["a.jpg"], PATHS, "fits 2 samples.*give more of the path"),
        (["/other/b.jpg"], PATHS, "1 of 1 key belongs to no sample"),
        (["b.jpg", "y/b.jpg"], PATHS, "mean the same sample"),
        (["ab", "c"], ["x/ab"], "2 of 2 keys belong to no sample"),
        (["scene-12"], ["scene-11", "q"], "did you mean 'scene-11'"),
        (["zzz"], ["q"], "name as the key the field"),
        (["a"], [None], "no sample has a value"),
        (["a"], ["a", "a"], "Two samples have the key 'a'"),
    ],
)
def test_keys_that_cannot_be_placed_are_refused(keys, known, said):
    with pytest.raises(PredictionsError, match=said):
        placed(known, keys)


def test_a_key_in_two_tables_is_refused_like_one_in_one():
    with pytest.raises(PredictionsError, match="more than once, such as 'a'"):
        placed(["a", "b"], ["a"], ["b", "a"])


def test_unknown_keys_may_be_skipped_and_are_counted():
    found, placing = placed(["a", "b"], ["a", "z"], ["y"], skip_unknown=True)
    assert found == [0, -1, -1]
    assert (placing.unknown, placing.unknown_examples) == (2, ["z", "y"])
    with pytest.raises(PredictionsError, match="2 of 2 keys belong to no sample"):
        placed(["a"], ["y", "z"], skip_unknown=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(min_size=1), unique=True, min_size=1), st.randoms())
def test_each_key_finds_itself(known, random):
    keys = [k for k in known if random.random() < 0.7]
    random.shuffle(keys)
    assert [known[p] for p in Keys(known).find(keys)] == keys
