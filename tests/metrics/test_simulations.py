"""What intervals and verdicts promise, held against simulated suites."""

import numpy as np
import pytest
from scipy import stats

from evalsets.metrics import FAIL, PASS, Classification, evaluate_populations
from evalsets.metrics.estimates import Proportion
from evalsets.suites import Population, Requirement

SUITES = 200


def verdicts(share, n_populations, n, at_least, rng, groups=None):
    """Verdicts of one suite of overlapping populations of about ``n`` samples."""
    total = max(n * n_populations // 4, n * 2)
    members = rng.random((total, n_populations)) < n / total
    truth = np.zeros(total, int)
    correct = rng.random(total) < share
    if groups is not None:
        correct = correct[groups[:total]]
    require = (Requirement("accuracy", at_least=at_least),)
    rows = evaluate_populations(
        Classification(truth, np.where(correct, 0, 1), classes=("a", "b")),
        members,
        [Population(str(i), "TRUE", require=require) for i in range(n_populations)],
        ("accuracy",),
        groups=None if groups is None else groups[:total],
    )
    return [row.verdict for row in rows if row.verdict]


@pytest.mark.parametrize("n_populations", [1, 20])
@pytest.mark.parametrize("share", [0.9, 0.98])
def test_a_gate_seldom_fails_a_model_at_the_threshold(share, n_populations):
    rng = np.random.default_rng(7)
    alarms = [
        FAIL in verdicts(share, n_populations, 100, share, rng) for _ in range(SUITES)
    ]
    assert np.mean(alarms) <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / SUITES)


def test_a_gate_seldom_passes_a_population_just_below_the_threshold():
    rng = np.random.default_rng(8)
    wrong = [PASS in verdicts(0.8999, 20, 100, 0.9, rng) for _ in range(SUITES)]
    assert np.mean(wrong) <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / SUITES)


def test_a_fine_model_passes_and_a_bad_one_fails():
    rng = np.random.default_rng(9)
    assert set(verdicts(0.97, 20, 1000, 0.9, rng)) == {PASS}
    assert set(verdicts(0.8, 20, 1000, 0.9, rng)) == {FAIL}


def test_groups_hold_the_level_that_samples_alone_would_break():
    rng = np.random.default_rng(10)
    groups = np.repeat(np.arange(100), 10)
    grouped, alone = [], []
    require = (Requirement("accuracy", at_least=0.8),)
    for _ in range(SUITES):
        correct = np.repeat(rng.random(100) < 0.8, 10)
        outcomes = Classification(
            np.zeros(1000, int), np.where(correct, 0, 1), classes=("a", "b")
        )
        for found, code in ((grouped, groups), (alone, None)):
            rows = evaluate_populations(
                outcomes,
                np.ones((1000, 1)),
                [Population("p", "TRUE", require=require)],
                ("accuracy",),
                groups=code,
            )
            found.append(rows[1].verdict != "inconclusive")
    assert np.mean(grouped) <= 0.1 + 2.5 * np.sqrt(0.1 * 0.9 / SUITES)  # two sides
    assert np.mean(alone) > 0.3


@pytest.mark.parametrize(("metric", "n"), [("f1", 150), ("balanced_accuracy", 400)])
def test_a_bootstrap_interval_covers_near_its_level(metric, n):
    rng = np.random.default_rng(11)
    share = np.array([0.5, 0.3, 0.2])
    right = np.array([0.95, 0.85, 0.7])

    def draw(n):
        truth = rng.choice(3, n, p=share)
        predicted = np.where(rng.random(n) < right[truth], truth, rng.integers(0, 3, n))
        return Classification(truth, predicted, classes=("a", "b", "c"))

    many = draw(400_000)
    value = many.measure(metric, np.ones((1, len(many))))[0]
    covered = 0
    for _ in range(SUITES):
        (row,) = evaluate_populations(
            draw(n), np.zeros((n, 0)), [], (metric,), replicates=300
        )
        covered += row.low <= value <= row.high
    assert 0.89 <= covered / SUITES <= 0.99


@pytest.mark.parametrize("n_populations", [100, 200])
def test_a_gate_over_many_populations_seldom_cries_wolf(n_populations):
    rng = np.random.default_rng(12)
    rounds = 40
    alarms = [FAIL in verdicts(0.9, n_populations, 60, 0.9, rng) for _ in range(rounds)]
    assert np.mean(alarms) <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / rounds)


@pytest.mark.parametrize("n", [20, 50, 200, 1000, 5000])
def test_an_accuracys_interval_covers_near_its_level(n):
    covered = []
    for rate in (0.5, 0.8, 0.9, 0.95, 0.98, 0.99):
        hits = np.arange(n + 1)
        chance = stats.binom.pmf(hits, n, rate)
        likely = hits[chance > 1e-7]
        ends = np.array([Proportion(h, n, n).interval(0.95) for h in likely])
        inside = (ends[:, 0] <= rate) & (rate <= ends[:, 1])
        covered.append(chance[likely] @ inside)
    assert min(covered) > 0.9
    assert 0.94 <= np.mean(covered) <= 0.96


def test_groups_cover_where_images_do_not():
    rng = np.random.default_rng(13)
    groups = np.repeat(np.arange(60), 10)
    inside = {"groups": 0, "images": 0}
    for _ in range(SUITES):
        luck = np.repeat(rng.beta(1.8, 0.2, 60), 10)
        truth = rng.integers(0, 2, 600)
        wrong = rng.random(600) > luck
        outcomes = Classification(
            truth, np.where(wrong, 1 - truth, truth), classes=("a", "b")
        )
        for name, by in (("groups", groups), ("images", None)):
            (row,) = evaluate_populations(
                outcomes, np.zeros((600, 0)), [], ("f1",), groups=by, replicates=200
            )[:1]
            inside[name] += row.low <= 0.9 <= row.high
    assert inside["groups"] / SUITES >= 0.9
    assert inside["images"] / SUITES <= 0.8


def test_the_calibration_errors_interval_knows_its_bias():
    rng = np.random.default_rng(14)
    covered = 0
    for _ in range(SUITES):
        said = rng.uniform(0.5, 1, 100)
        right = rng.random(100) < said - 0.1  # ten points too sure
        outcomes = Classification(
            np.zeros(100, int), np.where(right, 0, 1), said, classes=("a", "b")
        )
        (row,) = evaluate_populations(
            outcomes, np.zeros((100, 0)), [], ("ece",), replicates=200
        )
        covered += row.low <= 0.1 <= row.high
    assert covered / SUITES >= 0.85
