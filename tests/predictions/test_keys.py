"""Keys of a table find their samples, or one clear error."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.errors import PredictionsError
from evalsets.predictions import match_keys

PATHS = ["/data/x/a.jpg", "/data/y/a.jpg", "/data/y/b.jpg", "/data/b/c.jpg"]


def test_keys_match_whatever_their_order():
    match = match_keys(["c", "a"], ["a", "b", "c", None])
    assert match.positions.tolist() == [2, 0]
    assert match.missing.tolist() == [1, 3]
    assert match.unknown == ()


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
    assert match_keys([key], PATHS).positions.tolist() == [place]


def test_a_path_relative_to_here_matches(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = [str(tmp_path / "photos" / "a.jpg"), "/else/photos/a.jpg"]
    assert match_keys(["photos/a.jpg"], known).positions.tolist() == [0]


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
        match_keys(keys, known)


def test_unknown_keys_may_be_reported_instead():
    match = match_keys(["a", "z"], ["a", "b"], allow_unknown=True)
    assert match.positions.tolist() == [0, -1]
    assert match.unknown == ("z",)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(min_size=1), unique=True, min_size=1), st.randoms())
def test_each_key_finds_itself(known, random):
    keys = [k for k in known if random.random() < 0.7]
    random.shuffle(keys)
    match = match_keys(keys, known)
    assert [known[p] for p in match.positions] == keys
    assert sorted([*match.positions, *match.missing]) == list(range(len(known)))
