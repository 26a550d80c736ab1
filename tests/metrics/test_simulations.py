"""What intervals and verdicts promise, held against simulated suites."""

import numpy as np
import pytest
from scipy import stats

from evalsets.metrics import (
    FAIL,
    PASS,
    Boxes,
    Classification,
    Detection,
    MultiLabel,
    evaluate_populations,
)
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


def boxes_found(rng, n_objects, share, other=None, guesses=None):
    """Detectors on 200 images with few objects; each box is right with its chance."""
    image = rng.choice(200, n_objects, replace=False)
    zeros = np.zeros(n_objects, int)
    box = np.tile([0.1, 0.1, 0.3, 0.3], (n_objects, 1))
    found = []
    for chance in (share, other or share):
        right = rng.random(n_objects) < chance
        made = right if guesses is None else np.arange(n_objects) < guesses
        said = np.where(right[:, None], box, [0.6, 0.6, 0.3, 0.3])[made]
        predicted = Boxes(image[made], zeros[made], said, np.full(made.sum(), 0.9))
        found.append(
            Detection.of(Boxes(image, zeros, box), predicted, 200, ["cat", "dog"])
        )
    return found


def labels_right(rng, n_rare, shares, task=Classification):
    """Classifiers of 400 samples, of which few are cats; one for each share of cats."""
    truth = np.repeat([0, 1, 2], [(400 - n_rare) // 2, (401 - n_rare) // 2, n_rare])
    found = []
    for share in shares:
        right = rng.random(400) < np.array([0.95, 0.95, share])[truth]
        guess = np.where(right, truth, np.where(truth == 0, 1, 0))
        if task is Classification:
            found.append(Classification(truth, guess, classes=("a", "b", "cat")))
        else:
            sides = [[{"ab"[c] if c < 2 else "cat"} for c in x] for x in (truth, guess)]
            found.append(
                MultiLabel.of(sides[0], [dict.fromkeys(s, 1.0) for s in sides[1]])
            )
    return found


def guessed_right(rng, guesses, share):
    """A classifier that says cat a few times only."""
    truth = np.repeat([0, 1], 100)
    right = rng.random(guesses) < share
    guess = np.zeros(200, int)
    guess[np.where(right, 100, 0) + np.arange(guesses)] = 1
    return [Classification(truth, guess, classes=("a", "cat"))]


SPARSE = {
    "three objects": (
        "recall >= 0.9",
        lambda rng: boxes_found(rng, 3, 0.8),
    ),
    "seventeen objects": (
        "recall >= 0.9",
        lambda rng: boxes_found(rng, 17, 0.89),
    ),
    "thirty objects of a class": (
        "recall:cat >= 0.9",
        lambda rng: boxes_found(rng, 30, 0.89),
    ),
    "three guesses of boxes": (
        "precision >= 0.9",
        lambda rng: boxes_found(rng, 100, 0.7, guesses=3),
    ),
    "four objects by F1": (
        "f1 >= 0.9",
        lambda rng: boxes_found(rng, 4, 0.8),
    ),
    "three objects, by a drop": (
        "map50 drop <= 0.05",
        lambda rng: boxes_found(rng, 3, 0.6, 0.9),
    ),
    "two samples of a class, by a drop": (
        "recall:cat drop <= 0.05",
        lambda rng: labels_right(rng, 2, (0.5, 0.9)),
    ),
    "a rare class among others, by a drop": (
        "balanced_accuracy drop <= 0.05",
        lambda rng: labels_right(rng, 2, (0.7, 0.9)),
    ),
    "a rare class among others": (
        "balanced_accuracy >= 0.87",
        lambda rng: labels_right(rng, 7, (0.7,)),
    ),
    "three guesses of a class": (
        "precision:cat >= 0.9",
        lambda rng: guessed_right(rng, 3, 0.7),
    ),
    "three true labels": (
        "recall:cat >= 0.9",
        lambda rng: labels_right(rng, 3, (0.8,), MultiLabel),
    ),
}


@pytest.mark.parametrize("case", SPARSE)
def test_few_objects_or_guesses_seldom_pass_what_is_missed(case):
    required, draw = SPARSE[case]
    rng = np.random.default_rng(15)
    require = (Requirement.parse(required),)
    wrong = []
    for seed in range(80):
        model, *other = draw(rng)
        *_, row = evaluate_populations(
            model,
            np.ones((len(model), 1)),
            [Population("p", "TRUE", require=require)],
            (require[0].metric,),
            baseline=other[0] if "drop" in required else None,
            replicates=100,
            seed=seed,
        )
        wrong.append(row.verdict == PASS)
    assert np.mean(wrong) <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 80)


def test_a_share_that_few_samples_bear_out_passes_with_more_of_them():
    rng = np.random.default_rng(16)
    require = (Requirement("recall", at_least=0.8),)
    for n, verdict in ((5, "inconclusive"), (100, PASS)):
        model = boxes_found(rng, n, 1)[0]
        *_, row = evaluate_populations(
            model,
            np.ones((200, 1)),
            [Population("p", "TRUE", require=require)],
            ("recall",),
        )
        assert row.verdict == verdict
