"""Rows and verdicts of populations: what passes, what fails, what stays open."""

import dataclasses

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.metrics import (
    FAIL,
    INCONCLUSIVE,
    PASS,
    Boxes,
    Classification,
    Detection,
    Evaluated,
    Row,
    Scores,
    evaluate_models,
    evaluate_populations,
    gate,
    not_given,
)
from evalsets.reports import Report
from evalsets.suites import Population, Requirement

COLUMNS = [
    "population",
    "metric",
    "n",
    "value",
    "low",
    "high",
    "requirement",
    "verdict",
    "needed",
    "baseline",
    "delta",
    "delta_low",
    "delta_high",
    "p_adjusted",
]


def outcomes(correct):
    """Two classes; right where ``correct``."""
    truth = np.arange(len(correct)) % 2
    return Classification(
        truth, np.where(correct, truth, 1 - truth), classes=("a", "b")
    )


def right(share, n):
    return np.arange(n) < round(share * n)


def population(name, *require, min_size=1):
    return Population(name, "TRUE", require=require, min_size=min_size)


def judged(correct, *require, metrics=("accuracy",), **options):
    """The rows of one population that is everything."""
    min_size = options.pop("min_size", 1)
    rows = evaluate_populations(
        outcomes(correct),
        np.ones((len(correct), 1)),
        [population("p", *require, min_size=min_size)],
        metrics,
        **options,
    )
    return [row for row in rows if row.population == "p"]


AT_LEAST = Requirement("accuracy", at_least=0.9)


def test_rows_have_the_columns_of_the_frame():
    assert [f.name for f in dataclasses.fields(Row)] == COLUMNS


@pytest.mark.parametrize(
    ("share", "n", "verdict"),
    [
        (1, 29, PASS),
        (1, 28, INCONCLUSIVE),
        (0.97, 200, PASS),
        (0.8, 100, FAIL),
        (0.9, 1000, INCONCLUSIVE),
        (0.5, 2, INCONCLUSIVE),
    ],
)
def test_a_verdict_needs_evidence(share, n, verdict):
    (row,) = judged(right(share, n), AT_LEAST)
    assert row.verdict == verdict
    assert (row.needed is not None) == (verdict == INCONCLUSIVE and share != 0.9)
    assert row.low <= row.value <= row.high


def test_the_samples_needed_would_settle_it():
    (row,) = judged(right(1, 10), AT_LEAST)
    assert row.needed == 19
    (row,) = judged(right(1, 10 + row.needed), AT_LEAST)
    assert row.verdict == PASS


def test_a_bound_from_above_turns_the_verdict():
    values = np.random.default_rng(0).normal(1.0, 0.1, 200)
    for bound, verdict in ((1.2, PASS), (0.8, FAIL), (1.0, INCONCLUSIVE)):
        rows = evaluate_populations(
            Scores(values, higher_better=False),
            np.ones((200, 1)),
            [population("p", Requirement("mean", at_most=bound))],
            ("mean",),
        )
        assert rows[1].verdict == verdict


def test_two_requirements_on_a_metric_are_two_rows():
    correct = right(0.95, 400)
    rows = judged(
        correct,
        AT_LEAST,
        Requirement("accuracy", max_drop=0.02),
        baseline=outcomes(correct),
    )
    assert [r.requirement for r in rows] == ["accuracy >= 0.9", "accuracy drop <= 0.02"]
    assert [r.verdict for r in rows] == [PASS, PASS]
    assert rows[0].delta == 0
    assert rows[0].delta_low < 0 < rows[0].delta_high


@pytest.mark.parametrize(
    ("lost", "gained", "n", "verdict"),
    [
        (0, 0, 500, PASS),
        (40, 0, 500, FAIL),
        (5, 5, 500, INCONCLUSIVE),
        (0, 0, 50, INCONCLUSIVE),
        (2, 40, 500, PASS),
    ],
)
def test_a_drop_is_judged_on_the_same_samples(lost, gained, n, verdict):
    before = np.ones(n, bool)
    before[:gained] = False
    after = np.ones(n, bool)
    after[gained : gained + lost] = False
    drop = Requirement("accuracy", max_drop=0.01)
    (row,) = judged(after, drop, baseline=outcomes(before))
    assert row.verdict == verdict
    assert row.delta == pytest.approx((gained - lost) / n)
    assert row.baseline == pytest.approx(1 - gained / n)


def test_a_drop_of_nothing_allows_no_loss_by_mcnemar():
    after, before = right(1, 100), np.arange(100) >= 5
    zero = Requirement("accuracy", max_drop=0)
    (row,) = judged(after, zero, baseline=outcomes(before))
    assert row.p_adjusted == pytest.approx(0.5**5)
    assert row.verdict == PASS
    (row,) = judged(after, zero, baseline=outcomes(after))
    assert row.verdict == INCONCLUSIVE


def test_populations_that_are_empty_small_or_unfit_never_pass():
    n = 400
    names = ["empty", "small", "unfit"]
    members = np.column_stack([np.zeros(n), np.arange(n) < 60, np.ones(n)])
    easy = [population(name, AT_LEAST, min_size=100) for name in names]
    rows = evaluate_populations(
        outcomes(right(1, n)), members, easy, ("accuracy",), unfit={"unfit": "stale"}
    )
    by_name = {row.population: row for row in rows}
    assert [by_name[name].verdict for name in names] == [INCONCLUSIVE] * 3
    assert [by_name[name].needed for name in names] == [100, 40, None]
    assert by_name["empty"].value is None
    assert gate(rows) == INCONCLUSIVE


def test_a_small_population_may_still_fail():
    (row,) = judged(right(0.2, 50), AT_LEAST, min_size=100)
    assert row.verdict == FAIL


def test_few_samples_that_are_all_right_do_not_pass_by_bootstrap():
    for metric in ("f1", "balanced_accuracy"):
        (row,) = judged(
            right(1, 8), Requirement(metric, at_least=0.9), metrics=(metric,)
        )
        assert row.verdict == INCONCLUSIVE
        assert row.low < 0.9


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([PASS, PASS], PASS),
        ([PASS, INCONCLUSIVE], INCONCLUSIVE),
        ([INCONCLUSIVE, FAIL], FAIL),
        ([], INCONCLUSIVE),
        ([""], INCONCLUSIVE),
    ],
)
def test_the_gate_is_as_good_as_its_worst_requirement(verdicts, expected):
    assert gate([Row("p", "accuracy", 1, verdict=v) for v in verdicts]) == expected


def test_p_values_are_holms_over_the_suite():
    rng = np.random.default_rng(3)
    correct = rng.random(900) < 0.93
    members = rng.random((900, 12)) < 0.3
    named = [population(str(i), AT_LEAST) for i in range(12)]
    rows = evaluate_populations(outcomes(correct), members, named, ("accuracy",))[1:]
    alone = [judged(correct[m], AT_LEAST)[0] for m in members.T]
    expected = multipletests([r.p_adjusted for r in alone], method="holm")[1]
    assert [r.p_adjusted for r in rows] == pytest.approx(expected)


def test_a_figure_depends_on_its_own_samples_and_the_seed_only():
    correct = np.random.default_rng(0).random(300) < 0.8
    members = np.column_stack([np.arange(300) < 150, np.arange(300) < 200])
    named = [population("a"), population("b")]
    both = evaluate_populations(outcomes(correct), members, named, ("f1",))
    alone = evaluate_populations(outcomes(correct), members[:, 1:], named[1:], ("f1",))
    assert both[2] == alone[1]
    other = evaluate_populations(outcomes(correct), members, named, ("f1",), seed=1)
    assert other[2].low != both[2].low
    assert other[2].value == both[2].value


def test_the_whole_data_comes_first_with_every_metric():
    rows = evaluate_populations(outcomes(right(0.9, 50)), np.zeros((50, 0)), [])
    assert {r.population for r in rows} == {"(all)"}
    assert [r.metric for r in rows] == list(outcomes([True]).metrics)
    assert gate(rows) == INCONCLUSIVE


def test_groups_widen_what_samples_alone_would_narrow():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 25)
    correct = np.repeat(rng.random(40) < 0.8, 25)
    for metric in ("accuracy", "f1"):
        (alone,) = judged(correct, metrics=(metric,))
        (grouped,) = judged(correct, metrics=(metric,), groups=groups)
        assert grouped.value == alone.value
        assert grouped.high - grouped.low > 3 * (alone.high - alone.low)


def test_detections_are_judged_too():
    image = np.arange(60)
    zeros = np.zeros(60, int)
    box = np.tile([10.0, 10.0, 20.0, 20.0], (60, 1))
    truth = Boxes(image, zeros, box)
    found = Detection.of(
        truth, Boxes(image, zeros, box, np.linspace(0.6, 0.9, 60)), 60, ["a"]
    )
    rows = evaluate_populations(
        found,
        np.ones((60, 1)),
        [population("p", Requirement("map", at_least=0.9))],
        baseline=found,
    )
    assert [r.metric for r in rows[:5]] == ["map", "map50", "precision", "recall", "f1"]
    assert rows[5].verdict == PASS
    assert rows[5].delta == 0


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"metrics": ("acuracy",)}, UnknownNameError, "did you mean 'accuracy'"),
        ({"metrics": ("log_loss",)}, ArgumentError, "needs probabilities"),
        ({"membership": np.ones((3, 1))}, ArgumentError, "membership"),
        ({"baseline": outcomes([True])}, ArgumentError, "1 samples"),
        ({"groups": np.zeros(3)}, ArgumentError, "3 group codes"),
        ({"outcomes": outcomes([])}, ArgumentError, "no samples"),
        (
            {"populations": [population("p", Requirement("accuracy", at_least=90))]},
            ArgumentError,
            "lies in \\[0, 1\\]",
        ),
        (
            {"populations": [population("p", Requirement("map", at_least=0.1))]},
            UnknownNameError,
            "Population 'p': No metric for classification 'map'",
        ),
    ],
)
def test_what_cannot_be_evaluated_is_refused(changes, error, said):
    given = {
        "outcomes": outcomes(right(1, 10)),
        "membership": np.ones((10, 1)),
        "populations": [population("p")],
    } | changes
    if len(given["outcomes"]) == 0:
        given["membership"] = np.ones((0, 1))
    with pytest.raises(error, match=said):
        evaluate_populations(**given)


def test_a_drop_that_nothing_is_compared_with_stays_open():
    drop = population("p", Requirement("accuracy", max_drop=0.1))
    _, row = evaluate_populations(
        outcomes(right(99, 100)), np.ones((100, 1)), [drop], ["accuracy"]
    )
    assert (row.requirement, row.verdict) == ("accuracy drop <= 0.1", INCONCLUSIVE)
    assert row.needed is None
    assert "no baseline" in Report((row,)).explain(row)


def test_a_drop_counts_the_samples_that_the_baseline_answered():
    n = 100
    paired = np.where(np.arange(n) < 20, np.arange(n), -1)
    part = Evaluated(
        outcomes(right(1, n)), np.ones((n, 1)), outcomes(right(1, n)), paired
    )
    easy = Requirement("accuracy", max_drop=0.8)
    verdicts = {}
    for size in (1, 50):
        rows = evaluate_models(
            [part], [population("p", easy, min_size=size)], ["accuracy"]
        )
        verdicts[size] = rows[1].verdict, rows[1].needed
    assert verdicts == {1: (PASS, None), 50: (INCONCLUSIVE, 30)}


def test_what_a_drop_needs_is_counted_from_the_compared_samples():
    n, few = 1000, 10
    drop = population("p", Requirement("accuracy", max_drop=0.05))
    paired = np.where(np.arange(n) < few, np.arange(n), -1)
    whole = Evaluated(
        outcomes(right(1, few)), np.ones((few, 1)), outcomes(right(1, few))
    )
    part = Evaluated(
        outcomes(right(1, n)), np.ones((n, 1)), outcomes(right(1, n)), paired
    )
    needed = [
        evaluate_models([p], [drop], ["accuracy"])[1].needed for p in (whole, part)
    ]
    assert needed[0] == needed[1] > 0


def test_a_figure_of_one_class_counts_the_samples_of_that_class():
    names = ["cat", "cat", "cat", "dog", "dog", "owl"]
    predicted = ["cat", "dog", "dog", "dog", "dog", "cat"]
    found = Classification.of([*names, "cat"], [*predicted, None])
    metrics = ["accuracy", "recall:*", "precision:*", "f1:dog", "recall"]
    nights = population("night", Requirement("recall:cat", at_least=0.1), min_size=5)
    members = np.arange(7)[:, None] < 6
    rows = evaluate_populations(found, members, [nights], metrics)
    everywhere = {row.metric: row.n for row in rows if row.population == "(all)"}
    assert everywhere == {
        "accuracy": 7,
        "recall": 7,
        "f1:dog": 4,
        "recall:cat": 4,
        "recall:dog": 2,
        "recall:owl": 1,
        "precision:cat": 2,
        "precision:dog": 4,
        "precision:owl": 0,
    }
    (required,) = (row for row in rows if row.requirement)
    assert (required.n, required.verdict) == (3, INCONCLUSIVE)
    assert required.needed is not None  # of the population, which is large enough


def test_the_recall_and_precision_of_a_class_are_shares_of_its_samples():
    """Each is the accuracy of a population: what has the class, or was taken for it."""
    rng = np.random.default_rng(0)
    names, n = np.array(["cat", "dog", "owl"]), 300
    true, taken, before = (names[rng.integers(0, 3, n)] for _ in range(3))
    right = rng.random(n) < 0.7
    found = Classification.of(true, np.where(right, true, taken))
    earlier = Classification.of(true, np.where(rng.random(n) < 0.6, true, before))
    groups = rng.integers(0, 60, n)
    cats, as_cats = true == "cat", found.predicted == 0
    require = [
        Requirement("accuracy", at_least=0.6),
        Requirement("accuracy", max_drop=0.2),
    ]
    of_class = [dataclasses.replace(r, metric="recall:cat") for r in require]
    shared = {"baseline": earlier, "groups": groups}
    everyone = [population("all", *of_class), population("cats", *require)]
    members = np.column_stack([np.ones(n, bool), cats])
    rows = evaluate_populations(found, members, everyone, ["accuracy"], **shared)
    ours = [r for r in rows if r.population == "all" and r.metric == "recall:cat"]
    theirs = [r for r in rows if r.population == "cats" and r.metric == "accuracy"]
    figures = ("n", "value", "low", "high", "delta", "delta_low", "delta_high")
    for one, other in zip(ours, theirs, strict=True):
        assert [getattr(one, f) for f in figures] == [
            getattr(other, f) for f in figures
        ]
        assert (one.verdict, one.p_adjusted) == (other.verdict, other.p_adjusted)
    taken_for = [population("as cats")]
    (_, row) = evaluate_populations(
        found, as_cats[:, None], taken_for, ["accuracy"], groups=groups
    )
    (whole,) = evaluate_populations(
        found, np.ones((n, 0)), [], ["precision:cat"], groups=groups
    )
    assert [getattr(whole, f) for f in figures[:4]] == [
        getattr(row, f) for f in figures[:4]
    ]


def test_two_of_eleven_are_no_recall_of_four_fifths():
    true = ["church"] * 11 + ["truck"] * 60
    taken = ["church"] * 2 + ["truck"] * 69
    require = Requirement("recall:church", at_least=0.8)
    found = Classification.of(true, taken)
    rows = evaluate_populations(found, np.ones((71, 1)), [population("p", require)])
    (row,) = (row for row in rows if row.requirement)
    low, high = proportion_confint(2, 11, 0.05, "wilson")
    assert (row.low, row.high) == pytest.approx((low, high))
    assert (row.n, row.verdict) == (11, FAIL)


def test_boxes_of_one_class_count_the_images_that_have_them():
    box = np.array([[0, 0, 9, 9], [20, 20, 9, 9], [0, 0, 9, 9]])
    truth = Boxes(np.array([0, 0, 1]), np.array([0, 0, 1]), box)
    guess = Boxes(np.array([0, 2, 2]), np.array([0, 1, 1]), box, np.full(3, 0.9))
    found = Detection.of(truth, guess, 4, ["car", "dog"])
    metrics = ["recall:car", "precision:dog", "map50:dog", "recall"]
    rows = evaluate_populations(found, np.ones((4, 0)), [], metrics)
    assert {row.metric: row.n for row in rows} == {
        "recall:car": 1,
        "precision:dog": 1,
        "map50:dog": 1,
        "recall": 4,
    }


def test_a_class_or_score_that_is_not_there_leaves_its_row_open_alone():
    absent = [
        Requirement("recall:zebra", at_least=0.5),
        Requirement("loss", at_most=1),
        Requirement("log_loss", at_most=1),
    ]
    asked = [population("p", AT_LEAST, *absent)]
    rows = evaluate_populations(outcomes(right(1, 100)), np.ones((100, 1)), asked)
    found = {r.requirement: (r.verdict, r.value, r.n) for r in rows if r.requirement}
    assert found == {
        "accuracy >= 0.9": (PASS, 1, 100),
        **{str(r): (INCONCLUSIVE, None, 100) for r in absent},
    }
    reasons = not_given([outcomes(right(1, 100))], asked)
    assert "zebra" in reasons["recall:zebra"]
    assert "needs probabilities" in reasons["log_loss"]


def test_a_calibration_error_leaves_out_what_was_not_predicted():
    truth = np.zeros(1000, int)
    guess = np.where(np.arange(1000) % 10 < 6, 0, 1)
    sure = np.full(1000, 0.9)
    asked = [population("p", Requirement("ece", at_most=0.5))]
    found = []
    for answered in (np.full(1000, True), np.arange(1000) % 20 < 10):
        model = Classification(
            truth,
            np.where(answered, guess, -1),
            np.where(answered, sure, 0),
            classes=("a", "b"),
        )
        found.append(evaluate_populations(model, np.ones((1000, 1)), asked, ["ece"])[1])
    assert [(r.n, r.verdict) for r in found] == [(1000, PASS), (500, INCONCLUSIVE)]
    assert [r.value for r in found] == pytest.approx([0.3, 0.3])
    assert found[1].needed is None


def test_calibration_errors_are_compared_on_what_the_model_answered():
    n = 100
    answered = np.arange(n) < 40
    truth = np.zeros(n, np.intp)
    whole = Classification(truth, truth, np.where(answered, 0.8, 0.5), classes=("a",))
    part = dataclasses.replace(whole, predicted=np.where(answered, truth, -1))
    row, *_ = evaluate_populations(
        part, np.ones((n, 0)), [], ["ece"], baseline=whole, replicates=40
    )
    assert (row.baseline, row.delta) == (pytest.approx(0.2), pytest.approx(0))
