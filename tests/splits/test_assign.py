import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from scipy.optimize import Bounds, LinearConstraint, milp

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.splits import assign, connected, entries, replay

NAMES = ["crowded", "night", "rain", "windy"]


def frame(members, ids=None) -> pd.DataFrame:
    members = np.asarray(members, dtype=bool)
    ids = [f"s{i}" for i in range(len(members))] if ids is None else ids
    return pd.DataFrame(members, index=ids, columns=NAMES[: members.shape[1]])


def random_frame(n: int, shares, seed=0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return frame(rng.random((n, len(shares))) < shares)


@st.composite
def histories(draw):
    """Steps of one dataset: what is there, what is asked, who belongs together."""
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    n_populations = draw(st.integers(1, 4))
    names = NAMES[:n_populations]
    everyone = frame(rng.random((60, n_populations)) < rng.uniform(0.1, 0.9))
    labels = np.array(
        [f"scene{i}" for i in rng.integers(0, draw(st.integers(5, 60)), 60)]
    )
    near = rng.integers(0, 60, (draw(st.sampled_from([0, 3, 10])), 2))
    there = np.zeros(60, dtype=bool)
    steps = []
    for _ in range(draw(st.integers(1, 4))):
        there |= rng.random(60) < draw(st.sampled_from([0.02, 0.3, 0.7]))
        there &= rng.random(60) > draw(st.sampled_from([0, 0, 0.1]))
        if draw(st.booleans()):  # a population is redefined
            everyone[names[0]] = rng.random(60) < 0.4
        if draw(st.integers(0, 3)) == 0:  # two scenes turn out to be one
            labels[labels == labels[0]] = labels[1]
        share = st.sampled_from([0, 0.1, 0.2, 0.5, 1])
        kept = names if draw(st.booleans()) else names[1:] or names  # one is removed
        asked = {name: draw(share) for name in kept}
        step = everyone.loc[there, kept]
        place = np.cumsum(there) - 1
        edges = place[near[there[near].all(axis=1)]]
        together = connected(len(step), labels[there], edges)
        steps.append((step, asked, together, draw(st.sampled_from([0, 0.1, 0.3]))))
    return seed, steps


def split(step, before=None, seed=0, order=None):
    """One step after another: the assignment and the sides it starts from."""
    membership, asked, labels, val = step
    rows = np.arange(len(membership)) if order is None else order
    sides, shares, val_before = before or ({}, None, None)
    members = membership.iloc[rows]
    previous = [sides.get(i, "") for i in members.index]
    found = assign(
        members,
        asked,
        groups=connected(len(rows), labels[rows]),
        previous=previous,
        holdout_before=shares,
        val=val,
        val_before=val_before,
        seed=seed,
    )
    return found, np.array(previous)


def walk(seed, steps):
    """Every step with its assignment and what was before it; the seed changes."""
    before, sides = None, {}
    for at, step in enumerate(steps):
        found, previous = split(step, before, seed + at)
        yield step, found, previous, before
        sides = sides | dict(zip(step[0].index, found.side.tolist(), strict=True))
        before = (sides, step[1], step[3])


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_order_of_rows_and_populations_changes_nothing(history, random):
    seed, steps = history
    for at, (step, found, _, before) in enumerate(walk(seed, steps)):
        order = list(range(len(step[0])))
        random.shuffle(order)
        turned = (step[0][step[0].columns[::-1]], *step[1:])
        again, _ = split(turned, before, seed + at, np.array(order, dtype=int))
        assert (again.side == found.side[order]).all()
        assert (again.rule == found.rule[order]).all()


@given(histories())
@settings(max_examples=60, deadline=None)
def test_no_sample_ever_leaves_test(history):
    for _, found, previous, _ in walk(*history):
        assert (found.side[previous == "test"] == "test").all()
        assert not [move for move in found.report.moved if move.before == "test"]


@given(histories())
@settings(max_examples=60, deadline=None)
def test_no_group_straddles_test_or_val(history):
    for step, found, _, _ in walk(*history):
        sides = pd.Series(found.side[found.side != "quarantine"])
        kinds = sides.groupby(step[2][found.side != "quarantine"]).nunique()
        assert (kinds <= 1).all()
        assert found.report.leaks == []


@given(histories())
@settings(max_examples=60, deadline=None)
def test_a_sample_is_called_into_test_only_for_a_raised_share(history):
    for step, found, previous, before in walk(*history):
        called = np.isin(previous, ["train", "val"]) & (found.side == "test")
        shares = before[1] if before else step[1]
        raised = [
            name for name, share in step[1].items() if share > shares.get(name, 0)
        ]
        for scene in set(step[2][called]):
            assert step[0][raised][step[2] == scene].to_numpy().any()


@given(histories())
@settings(max_examples=60, deadline=None)
def test_val_and_quarantine_keep_their_samples(history):
    for step, found, previous, before in walk(*history):
        after = set(found.side[previous == "val"])
        assert after <= {"val", "test", "quarantine"}
        assert set(found.side[previous == "quarantine"]) <= {"quarantine"}
        if before and step[3] <= before[2]:
            assert "val" not in found.side[previous == "train"]


@given(histories())
@settings(max_examples=60, deadline=None)
def test_a_quota_is_met_unless_nothing_is_left_to_take(history):
    for step, found, previous, _ in walk(*history):
        membership, asked, labels, _ = step
        fresh = pd.Series(previous == "").groupby(labels).transform("all").to_numpy()
        for name, share in asked.items():
            members = membership[name].to_numpy(dtype=bool)
            wanted = int(np.ceil(share * members.sum() - 1e-9))
            if (members & (found.side == "test")).sum() < wanted:
                assert (found.side[members & fresh] == "test").all()
                assert name in [c.population for c in found.report.conflicts]
        if (previous == "").all():
            assert (found.report.frame["deviation"].fillna(0) >= -1e-9).all()


@given(histories())
@settings(max_examples=30, deadline=None)
def test_the_ledger_replays_to_the_same_sides(history):
    ledger, sides = [], {}
    for step, found, _, _ in walk(*history):
        ledger += entries(list(step[0].index), found, suite=1)
        sides |= dict(zip(step[0].index, found.side.tolist(), strict=True))
    assert replay(ledger) == sides


def test_shares_are_met_exactly_where_nothing_overlaps():
    membership = frame(np.repeat(np.eye(4), 50, axis=0))
    asked = dict(zip(NAMES, [0.1, 0.2, 0.5, 0], strict=True))
    report = assign(membership, asked, val=0.1).report
    assert report.frame["got"].tolist() == [0.1, 0.2, 0.5, 0]
    assert report.sizes == {"train": 144, "val": 16, "test": 40, "quarantine": 0}
    assert report.conflicts == []


def test_overlapping_equal_shares_are_met_to_within_one_sample():
    membership = random_frame(2000, [0.4, 0.3, 0.5, 0.05])
    report = assign(membership, dict.fromkeys(NAMES, 0.2)).report
    excess = report.frame["deviation"] * report.frame["n"]
    assert excess.between(0, 1 - 1e-9).all()
    assert report.gap == 0


def test_groups_meet_quotas_to_within_one_group():
    membership = random_frame(3000, [0.4, 0.3, 0.5, 0.05])
    groups = np.arange(3000) // 6
    found = assign(membership, dict.fromkeys(NAMES, 0.2), groups=groups)
    excess = (found.report.frame["deviation"] * found.report.frame["n"]).to_numpy()
    assert (excess > -1e-9).all()
    assert (excess < 6).all()
    assert (pd.Series(found.side).groupby(groups).nunique() == 1).all()


@pytest.mark.parametrize("seed", [*range(20), 47, 61, 155, 211, 251, 354])
def test_no_quota_is_exceeded_by_more_than_a_group_where_that_can_be(seed):
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(10, 200)), int(rng.integers(2, 7))
    rates = rng.uniform(0.05, 0.7, p)
    groups = rng.integers(0, max(2, int(n / rng.uniform(1, 5))), n)
    membership = pd.DataFrame(
        rng.random((n, p)) < rates, [f"s{i}" for i in range(n)], list("abcdef"[:p])
    )
    shares = {
        name: float(rng.choice([0.1, 0.2, 0.25, 0.3, 0.5])) for name in membership
    }
    counts = membership.groupby(groups).sum().to_numpy()
    asked = np.ceil(np.array(list(shares.values())) * counts.sum(axis=0) - 1e-9)
    most = asked + counts.max(axis=0)
    possible = milp(
        np.zeros(len(counts)),
        constraints=LinearConstraint(counts.T, asked, most),
        bounds=Bounds(0, 1),
        integrality=np.ones(len(counts)),
    )
    found = assign(membership, shares, groups=groups, val=0.1)
    got = membership[found.side == "test"].sum().to_numpy()
    if possible.success:
        assert (got >= asked).all()
        assert (got <= most).all()


def test_a_test_set_is_a_fair_draw_of_every_overlap():
    membership = random_frame(4000, [0.6, 0.5, 0.5, 0.5])
    found = assign(membership, {"crowded": 0.25, "night": 0.25})
    test = found.side == "test"
    both = (membership["crowded"] & membership["night"]).to_numpy()
    only = (membership["crowded"] & ~membership["night"]).to_numpy()
    assert test[both].mean() == pytest.approx(0.25, abs=0.01)
    assert test[only].mean() == pytest.approx(0.25, abs=0.01)
    crowded = membership["crowded"].to_numpy()
    # nobody asked for rain: it must be neither avoided nor sought
    share = membership["rain"].to_numpy()[test & crowded].mean()
    assert share == pytest.approx(membership["rain"][crowded].mean(), abs=0.06)


def test_val_is_a_fair_draw_of_what_was_held_out_too():
    membership = random_frame(4000, [0.3, 0.3, 0.3, 0.3])
    asked = dict(zip(NAMES, [0.8, 0.4, 0.1, 0], strict=True))
    found = assign(membership, asked, val=0.25)
    rest = found.side != "test"
    for name in NAMES:
        share = (found.side[rest & membership[name].to_numpy()] == "val").mean()
        assert share == pytest.approx(0.25, abs=0.07)


def test_forced_excess_names_the_population_that_forces_it():
    # rain lies within night; night wants half, rain a tenth, and there is no other night
    members = np.zeros((100, 3))
    members[:, 1] = 1
    members[:90, 2] = 1
    report = assign(frame(members), {"night": 0.5, "rain": 0.1}).report
    assert report.frame.loc["night", "got"] == 0.5
    assert report.frame.loc["rain", "got"] == pytest.approx(40 / 90)
    (conflict,) = report.conflicts
    assert (conflict.population, conflict.by) == ("rain", ("night",))
    assert "needed for 'night'" in str(conflict)


def test_samples_in_no_population_are_train_or_val():
    membership = random_frame(500, [0.2, 0.2])
    found = assign(membership, {"crowded": 0.5, "night": 0.3}, val=0.2)
    nowhere = ~membership.to_numpy().any(axis=1)
    assert set(found.side[nowhere]) == {"train", "val"}


def test_growth_alone_moves_nothing_and_keeps_the_quota():
    membership = random_frame(1000, [0.4, 0.3, 0.5, 0.05])
    asked = dict.fromkeys(NAMES, 0.2)
    previous = [""] * 1000
    for n in (300, 301, 310, 600, 1000):
        found = assign(
            membership[:n],
            asked,
            previous=previous[:n],
            holdout_before=asked,
            val=0.1,
            val_before=0.1,
        )
        assert found.report.moved == []
        assert (found.report.frame["deviation"] >= 0).all()
        excess = found.report.frame["deviation"] * found.report.frame["n"]
        assert (excess < 4).all()
        previous = [*found.side.tolist(), *[""] * 1000]


def test_a_new_population_calls_train_samples_and_says_so():
    membership = frame(np.ones((100, 2)))
    first = assign(membership, {"crowded": 0.1})
    second = assign(
        membership,
        {"crowded": 0.1, "night": 0.3},
        previous=first.side,
        holdout_before={"crowded": 0.1},
    )
    assert second.report.frame.loc["night", "got"] == 0.3
    assert len(second.report.moved) == 20
    assert {str(move.why) for move in second.report.moved} == {
        "called into test for 'night'"
    }


def test_a_called_sample_names_a_population_of_its_own():
    inside = [[1, i < 10, i >= 90] for i in range(100)]
    membership = pd.DataFrame(inside, index=frame(np.ones((100, 1))).index, dtype=bool)
    membership.columns = ["all", "fog", "night"]
    found = assign(
        membership,
        {"all": 0.2, "fog": 0.5, "night": 0.5},
        previous=["train"] * 100,
        holdout_before={},
    )
    for name in ("fog", "night"):
        called = membership[name].to_numpy() & (found.side == "test")
        assert called.any()
        assert set(found.rule[called]) == {f"called into test for '{name}'"}
    others = ~membership[["fog", "night"]].any(axis=1).to_numpy()
    said = set(found.rule[others & (found.side == "test")])
    assert said == {"called into test for 'all'"}


def test_new_samples_of_train_groups_leave_a_population_short():
    scene = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    first = assign(frame(np.ones((10, 1))), {"crowded": 0.2}, groups=scene)
    train = next(
        s for s, side in zip(scene, first.side, strict=True) if side == "train"
    )
    grown = assign(
        frame(np.ones((20, 1))),
        {"crowded": 0.2},
        groups=[*scene, *[train] * 10],
        previous=[*first.side, *[""] * 10],
        holdout_before={"crowded": 0.2},
    )
    assert grown.report.moved == []
    assert grown.report.frame.loc["crowded", "got"] == 0.1
    assert "had their side before (18 in train)" in str(grown.report.conflicts[0])
    assert set(grown.rule[10:]) == {"its group is in train"}


def test_data_that_joins_two_sides_sends_train_to_quarantine():
    found = assign(
        frame(np.ones((5, 1))),
        {"crowded": 0.2},
        groups=[0, 0, 0, 1, 2],
        previous=["test", "train", "", "train", "train"],
        holdout_before={"crowded": 0.2},
    )
    assert found.side.tolist() == ["test", "quarantine", "test", "train", "train"]
    assert found.rule.tolist() == ["", "touches test", "its group is in test", "", ""]
    assert [str(move) for move in found.report.moved] == [
        "s1: train → quarantine (touches test)"
    ]
    assert found.report.frame.loc["crowded", "got"] == 0.4


def test_lowering_a_share_keeps_test_and_gives_the_reason():
    membership = frame(np.ones((50, 1)))
    first = assign(membership, {"crowded": 0.4})
    second = assign(
        membership,
        {"crowded": 0.1},
        previous=first.side,
        holdout_before={"crowded": 0.4},
    )
    assert (second.side == first.side).all()
    assert "samples once in test stay there" in str(second.report)


def test_one_giant_group_goes_whole():
    found = assign(frame(np.ones((40, 1))), {"crowded": 0.1}, groups=[0] * 40, val=0.5)
    assert set(found.side) == {"test"}
    (conflict,) = found.report.conflicts
    assert "got 40 of its 40 samples in test instead of 4" in str(conflict)
    assert "its largest group has 40 of 40 samples" in str(conflict)


def test_val_has_its_share_of_every_population_and_of_all():
    membership = random_frame(2000, [0.4, 0.3, 0.005, 0.05])
    found = assign(membership, {"crowded": 0.2, "night": 0.5}, val=0.15)
    rest = found.side != "test"
    val = found.side == "val"
    assert val.sum() == pytest.approx(0.15 * rest.sum(), abs=3)
    for name in NAMES:
        inside = membership[name].to_numpy()
        least = max(1, int(0.15 * (rest & inside).sum()))
        assert least <= (val & inside).sum() <= least + 1


def test_val_never_takes_a_group_of_more_than_half_of_the_rest():
    found = assign(frame(np.ones((40, 1))), {}, groups=[0] * 30 + [1] * 10, val=0.1)
    assert found.side.tolist() == ["train"] * 30 + ["val"] * 10


@given(histories())
@settings(max_examples=30, deadline=None)
def test_a_first_split_has_its_share_of_every_population_in_val(history):
    _, [(membership, asked, labels, share), *_] = history
    found, _ = split((membership, asked, labels, share))
    rest = found.side != "test"
    small = (
        pd.Series(rest).groupby(labels).transform("sum").to_numpy() * 2 <= rest.sum()
    )
    for name in membership:
        inside = membership[name].to_numpy(dtype=bool) & rest
        wanted = int(share * inside.sum() + 1e-9)
        assert (found.side[inside] == "val").sum() >= min(
            wanted, (inside & small).sum()
        )


def test_500_populations_are_split():
    rng = np.random.default_rng(0)
    members = rng.random((3000, 500)) < rng.uniform(0.001, 0.05, 500)
    names = [f"population {i}" for i in range(500)]
    membership = pd.DataFrame(members, columns=names, index=np.arange(3000).astype(str))
    report = assign(membership, dict.fromkeys(names, 0.2), val=0.1).report
    assert (report.frame["deviation"].dropna() >= 0).all()
    excess = report.frame["deviation"] * report.frame["n"]
    assert excess.quantile(0.9) <= 3


def test_groups_with_a_side_count_before_fresh_ones_are_left_in_train():
    # night is raised: its train groups are called and bring rain; fresh rain fills up
    membership = frame([[1, 1]] * 4 + [[0, 1]] * 4)
    found = assign(
        membership,
        {"crowded": 1, "night": 1},
        previous=["train"] * 4 + [""] * 4,
        holdout_before={"crowded": 0.1, "night": 1},
    )
    assert set(found.side) == {"test"}


def test_an_empty_dataset_and_an_empty_population_have_an_answer():
    assert len(assign(frame(np.ones((0, 2))), {"crowded": 0.2}).side) == 0
    report = assign(frame([[True, False]] * 5), {"crowded": 0.2, "night": 0.5}).report
    assert report.frame.loc["night", "n"] == 0
    assert np.isnan(report.frame.loc["night", "got"])


def test_frame_has_its_columns_in_the_order_of_the_populations():
    report = assign(random_frame(50, [0.5, 0.5]), {"night": 0.2}).report
    assert list(report.frame.columns) == ["n", "asked", "got", "deviation"]
    assert list(report.frame.index) == ["crowded", "night"]
    assert report.frame.index.name == "population"


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"holdout": {"crowded": 1.2}}, ArgumentError, "share of 'crowded' is 1.2"),
        ({"val": -0.1}, ArgumentError, "share of 'val' is -0.1"),
        ({"holdout": {"crowdy": 0.1}}, UnknownNameError, "did you mean 'crowded'"),
        ({"previous": ["train"]}, ArgumentError, "1 previous sides for 3 samples"),
        ({"previous": ["train", "", "tset"]}, UnknownNameError, "No side 'tset'"),
        ({"keys": ["a", "a", "b"]}, ArgumentError, "same key"),
        ({"keys": ["a", "b"]}, ArgumentError, "2 keys for 3 samples"),
        ({"groups": [0, 1]}, ArgumentError, "2 group codes for 3 samples"),
    ],
)
def test_what_cannot_be_split_is_refused(options, error, says):
    holdout = options.pop("holdout", {"crowded": 0.2})
    with pytest.raises(error, match=says):
        assign(frame(np.ones((3, 1))), holdout, **options)


def test_a_new_sample_of_a_quarantined_group_is_quarantined_too():
    # what its group touched in test was deleted since: it is neither fit to learn from
    found = assign(
        frame(np.ones((4, 1))),
        {"crowded": 1.0},
        groups=[0, 0, 1, 2],
        previous=["quarantine", "", "test", "train"],
        holdout_before={"crowded": 1.0},
    )
    assert found.side.tolist() == ["quarantine", "quarantine", "test", "train"]
    assert found.rule[1] == "its group is in quarantine"
    (conflict,) = found.report.conflicts
    assert "asked for 4 of its 4 samples in test and got 1" in str(conflict)
    assert "1 in train" in str(conflict)
    assert "raise its share" not in str(conflict)
    assert "add data" in str(conflict)


def test_a_group_that_is_most_of_a_population_is_named():
    groups = [0] * 90 + list(range(1, 11))
    report = assign(frame(np.ones((100, 1))), {"crowded": 0.2}, groups=groups).report
    (conflict,) = report.conflicts
    assert conflict.giant
    assert "its largest group has 90 of 100 samples; name a finer" in str(conflict)
    assert str(conflict) in str(report)
    # ten that are alone suffice
    assert not assign(
        frame(np.ones((100, 1))), {"crowded": 0.1}, groups=groups
    ).report.conflicts


def test_what_asks_in_vain_is_told_in_a_line():
    membership = frame([[True, False]] * 5)
    report = assign(membership, {"crowded": 0.2, "night": 0.5}).report
    assert report.notes == ("Without a sample to hold out: 'night'",)
    assert report.notes[0] in str(report)
    assert "No population asks" in assign(membership, {"crowded": 0}).report.notes[0]
