import json
from datetime import datetime, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsets.errors import EvalsetsError
from evalsets.splits import (
    assign,
    entries,
    history,
    replay,
    retirement,
    seal,
    verify,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def membership(n: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"crowded": np.ones(n, dtype=bool)}, index=list("abcdefghij"[:n])
    )


def test_only_what_was_decided_is_entered():
    first = assign(membership(5), {"crowded": 0.2})
    ledger = entries(list("abcde"), first, suite=1, seed=7, time=NOON)
    assert sum(len(entry["samples"]) for entry in ledger) == 5
    assert {entry["time"] for entry in ledger} == {"2026-01-31T12:00:00+00:00"}
    assert {(e["suite"], e["seed"], e["side"], e["rule"]) for e in ledger} == {
        (1, "7", "test", "drawn for test"),
        (1, "7", "train", "not held out"),
    }
    second = assign(
        membership(6),
        {"crowded": 0.2},
        previous=[*first.side, ""],
        groups=[0, 1, 2, 3, 4, 4],
    )
    (entry,) = entries(list("abcdef"), second, suite=1)
    assert entry["samples"] == ["f"]
    assert replay([*ledger, entry])["f"] == replay(ledger)["e"]


def test_a_sample_has_its_history():
    before, after = (
        {"side": s, "rule": "", "samples": ["a", "b"], "groups": ["x", "y"]}
        for s in ("train", "quarantine")
    )
    other = {**before, "samples": ["c"], "groups": ["z"]}
    found = history([before, other, after], "b")
    assert [(e["side"], e["samples"], e["groups"]) for e in found] == [
        ("train", ["b"], ["y"]),
        ("quarantine", ["b"], ["y"]),
    ]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"side": "train", "samples": ["a"]}, "Entry 2 .* takes sample a out of test"),
        ({"side": "tset", "samples": ["b"]}, "Entry 2 of the split ledger is broken"),
        ({"side": "train"}, "Entry 2 of the split ledger is broken"),
    ],
)
def test_a_broken_or_impossible_entry_is_refused(entry, says):
    with pytest.raises(EvalsetsError, match=says):
        replay([{"side": "test", "samples": ["a"]}, entry])


records = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.integers(1, 99),
            "val": st.floats(0, 1),
            "entries": st.lists(st.fixed_dictionaries({"rule": st.text(max_size=5)})),
        }
    ),
    min_size=1,
    max_size=4,
)


def sealed(plain):
    found = []
    for record in plain:
        found.append(seal(record, found[-1]["hash"] if found else ""))
    return found


@settings(max_examples=50, deadline=None)
@given(records, st.data())
def test_any_edit_of_the_past_shows(plain, data):
    chain = sealed(plain)
    verify(chain)
    verify(json.loads(json.dumps(chain)))
    at = data.draw(st.integers(0, len(chain) - 1))
    edited = [dict(record) for record in chain]
    edited[at]["number"] += 1
    with pytest.raises(EvalsetsError, match=f"Split {at + 1} of the ledger"):
        verify(edited)
    if at < len(chain) - 1:
        with pytest.raises(EvalsetsError, match=f"Split {at + 1} of the ledger"):
            verify(chain[:at] + chain[at + 1 :])


def test_what_would_be_read_otherwise_than_it_is_sealed_is_refused():
    with pytest.raises(TypeError):
        seal({"number": 1, "val": NOON, "entries": []}, "")


def test_only_retirement_takes_a_sample_out_of_test():
    test = {"side": "test", "samples": ["a", "b"]}
    out = retirement(["a"], "blurred", suite=2, time=NOON)
    assert replay([test, out]) == {"a": "quarantine", "b": "test"}
    with pytest.raises(EvalsetsError, match="only retire may"):
        replay([test, {**out, "retire": False}])
