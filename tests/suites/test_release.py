from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.errors import EvalsetsError
from evalsets.suites import Population
from evalsets.suites.difference import compare
from evalsets.suites.release import Frozen, Release, checksum, pack, unpack

SIDES = ["", "quarantine", "test", "train", "val"]


def made(frozen, number=1, meaning=None, **changes):
    """A sealed release of these samples."""
    names = list(frozen.membership)
    release = Release(
        number=number,
        note="é",
        created="2026-01-31T12:00:00+00:00",
        populations=tuple(Population(name, "x > 1") for name in names),
        versions=dict.fromkeys(names, 1),
        meaning=meaning or {name: f"{name} > 1" for name in names},
        n={name: int(frozen.membership[name].sum()) for name in names},
        sizes={},
        settings={"val": 0.1},
    )
    release = replace(release, **changes)
    return replace(release, checksum=checksum(release, pack(frozen)))


def frozen_of(rows, names=("a", "b")):
    """From ``{id number: (side, inside …)}``."""
    index = pd.Index([f"{n:024x}" for n in rows], name="id", dtype=object)
    inside = [row[1:] for row in rows.values()]
    frame = pd.DataFrame(inside, index=index, columns=list(names), dtype=bool)
    side = pd.Series([row[0] for row in rows.values()], index=index, dtype=object)
    return Frozen.of(frame, side)


rows = st.dictionaries(
    st.integers(0, 2**96 - 1),
    st.tuples(st.sampled_from(SIDES), st.booleans(), st.booleans()),
    max_size=40,
)


@settings(max_examples=50, deadline=None)
@given(rows)
def test_a_release_reads_as_it_was_frozen(given_rows):
    frozen = frozen_of(given_rows)
    found = unpack(made(frozen), pack(frozen))
    pd.testing.assert_frame_equal(found.membership, frozen.membership)
    pd.testing.assert_series_equal(found.side, frozen.side)


@settings(max_examples=50, deadline=None)
@given(rows, rows)
def test_other_samples_never_pass_for_the_released(first, second):
    one, other = frozen_of(first), frozen_of(second)
    same = one.membership.equals(other.membership) and one.side.equals(other.side)
    if same:
        unpack(made(one), pack(other))
    else:
        with pytest.raises(EvalsetsError, match="Release 1 is not what was released"):
            unpack(made(one), pack(other))


@pytest.mark.parametrize("part", ["ids", "sides", "members", "side_names"])
@pytest.mark.parametrize("broken", ["", "xyz", None])
def test_a_broken_part_is_told(part, broken):
    frozen = frozen_of({1: ("test", True, False)})
    packed = {**pack(frozen), part: broken}
    with pytest.raises(EvalsetsError, match="checksum"):
        unpack(made(frozen), packed)


@settings(max_examples=50, deadline=None)
@given(rows, rows)
def test_a_diff_turns_one_release_into_the_other(first, second):
    before, after = frozen_of(first), frozen_of(second)
    found = compare((made(before), before), (made(after, 2), after))
    for name in ("a", "b"):
        members = set(before.membership.index[before.membership[name]])
        rows_of = found.samples[found.samples["population"] == name]
        entered = rows_of.loc[rows_of["change"] == "entered", "sample_id"]
        left = rows_of.loc[rows_of["change"] == "left", "sample_id"]
        assert set(left) <= members
        assert not set(entered) & members
        told = (members - set(left)) | set(entered)
        assert told == set(after.membership.index[after.membership[name]])
        assert found.frame.loc[name].tolist() == [
            *(len(members), len(told), len(entered), len(left))
        ]
    sides = before.side.replace("", "no side").to_dict()
    for _, move in found.moves.iterrows():
        assert sides.pop(move["sample_id"], "new") == move["before"]
        if move["after"] != "deleted":
            sides[move["sample_id"]] = move["after"]
    assert sides == after.side.replace("", "no side").to_dict()


def test_a_rename_is_no_removal():
    frozen = frozen_of({1: ("test", True, False)})
    other = frozen_of({1: ("test", True, False)}, names=("c", "b"))
    after = made(other, 2, meaning={"c": "a > 1", "b": "b > 1"})
    found = compare((made(frozen), frozen), (after, other))
    assert (found.renamed, found.added, found.removed) == ({"a": "c"}, (), ())
    assert found.samples.empty
    assert found.frame.loc["c", "entered"] == 0


def test_a_release_of_many_samples_is_small():
    n, rng = 100_000, np.random.default_rng(0)
    index = pd.Index([f"65f0c0ff{'ab' * 5}{i:06x}" for i in range(n)], name="id")
    inside = rng.random((n, 20)) < 0.05
    frame = pd.DataFrame(inside, index=index, columns=[f"p{i}" for i in range(20)])
    side = pd.Series(rng.choice(SIDES[2:], n), index=index)
    packed = pack(Frozen.of(frame, side))
    assert sum(map(len, packed.values())) < 12 * n
