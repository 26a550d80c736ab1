import hypothesis.strategies as st
import numpy as np
import pandas as pd
from hypothesis import given, settings
from scipy.optimize import linprog

from evalsets.splits import assign


def frame(members) -> pd.DataFrame:
    members = np.asarray(members, dtype=bool)
    return pd.DataFrame(
        members,
        index=[f"s{i}" for i in range(len(members))],
        columns=list("abcdef"[: members.shape[1]]),
    )


def test_only_those_that_force_it_are_named():
    # b and c lie within a, and do not overlap; d overlaps all but asks for little
    members = np.zeros((100, 4))
    members[:, 0] = 1
    members[:40, 1] = members[40:80, 2] = members[::2, 3] = 1
    asked = {"a": 0.1, "b": 0.5, "c": 0, "d": 0.1}
    (conflict,) = assign(frame(members), asked).report.conflicts
    assert (conflict.population, conflict.by) == ("a", ("b",))
    assert "'a' got 20 of its 100 samples in test instead of 10" in str(conflict)


def test_two_that_only_together_force_it_are_both_named():
    members = np.zeros((100, 3))
    members[:, 0] = 1
    members[:40, 1] = members[40:80, 2] = 1
    asked = {"a": 0.35, "b": 0.5, "c": 0.5}
    (conflict,) = assign(frame(members), asked).report.conflicts
    assert (conflict.population, conflict.by) == ("a", ("b", "c"))


def _fewest_of(members, at, others, asked) -> float:
    """The fewest of one population in test that meet the quotas of others."""
    if not others:
        return 0
    wanted = np.ceil(members.sum(axis=0) * asked - 1e-9)
    bounds = [(0, 1)] * len(members)
    inside = members[:, others].T
    return linprog(members[:, at], -inside, -wanted[others], bounds=bounds).fun


@given(st.integers(0, 5000))
@settings(max_examples=40, deadline=None)
def test_no_named_population_can_be_left_out(seed):
    rng = np.random.default_rng(seed)
    n, p = rng.integers(20, 60), rng.integers(2, 6)
    members = (rng.random((n, p)) < rng.uniform(0.2, 0.9, p)).astype(float)
    asked = rng.choice([0, 0.1, 0.3, 0.6, 0.9], p)
    names = list("abcdef"[:p])
    report = assign(frame(members), dict(zip(names, asked, strict=True))).report
    wanted = np.ceil(members.sum(axis=0) * asked - 1e-9)
    for conflict in report.conflicts:
        at = names.index(conflict.population)
        by = [names.index(other) for other in conflict.by]
        if _fewest_of(members, at, by, asked) <= wanted[at] + 1e-6:
            continue  # the excess could as well lie elsewhere: all that hold are named
        for one in by:
            fewer = [other for other in by if other != one]
            assert _fewest_of(members, at, fewer, asked) <= wanted[at] + 1e-6


def test_contradictory_quotas_are_met_and_named():
    members = np.ones((50, 2))
    report = assign(frame(members), {"a": 0.1, "b": 1.0}).report
    assert report.frame["got"].tolist() == [1, 1]
    assert report.conflicts[0].by == ("b",)


def test_no_quota_is_blamed_for_what_none_forces():
    # groups of four make an excess that other quotas do not force
    rng = np.random.default_rng(2)
    blamed = 0
    for _ in range(30):
        n, p = 48, 4
        members = rng.random((n, p)) < rng.uniform(0.2, 0.9, p)
        asked = dict(zip("abcd", rng.choice([0.1, 0.3, 0.5], p), strict=True))
        groups = np.arange(n) // 4
        counts = np.stack([members[groups == g].sum(axis=0) for g in range(12)])
        wanted = np.ceil(members.sum(axis=0) * list(asked.values()) - 1e-9)
        report = assign(frame(members), asked, groups=groups).report
        for conflict in report.conflicts:
            at = list(asked).index(conflict.population)
            others = ["abcd".index(other) for other in conflict.by]
            bounds = [(0, 1)] * 12
            inside = counts[:, others].T
            least = linprog(counts[:, at], -inside, -wanted[others], bounds=bounds)
            assert least.fun > wanted[at] + 1e-6
            blamed += 1
    assert blamed


def test_of_many_causes_five_are_named_and_the_others_counted():
    # eight populations lie apart within one that wants less than they do together
    members = np.zeros((160, 9))
    members[:, 0] = 1
    for at in range(8):
        members[20 * at : 20 * at + 20, 1 + at] = 1
    names = ["all", *(f"part {at}" for at in range(8))]
    membership = pd.DataFrame(members.astype(bool), np.arange(160).astype(str), names)
    asked = {"all": 0.45} | dict.fromkeys(names[1:], 0.5)
    (conflict,) = assign(membership, asked).report.conflicts
    assert len(conflict.by) == 8
    assert "'part 4' and 3 more" in str(conflict)
    assert "part 5" not in str(conflict)
    assert "got 80 of its 160 samples in test instead of 72" in str(conflict)
