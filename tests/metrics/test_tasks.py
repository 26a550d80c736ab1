"""Multi-label, segmentation, regression and scores agree with scikit-learn and numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn import metrics as sk

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.metrics import (
    Classification,
    Detection,
    MultiLabel,
    Regression,
    Scores,
    Segmentation,
)
from evalsets.metrics.bootstrap import Resampling

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:sklearn")
SEEDS = st.integers(0, 10**6)


def one(outcomes, metric):
    return outcomes.measure(metric, np.ones((1, len(outcomes))))[0]


def multilabel(seed, n=40, classes=5, steps=6):
    """Outcomes, and the same as scikit-learn takes them; scores have ties."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, classes)) < 0.4
    truth[0], truth[1] = True, False
    score = np.round((0.4 * truth + 0.6 * rng.random((n, classes))) * steps) / steps
    names = [f"c{at}" for at in range(classes)]
    outcomes = MultiLabel.of(
        [[c for c, true in zip(names, row, strict=True) if true] for row in truth],
        [dict(zip(names, row, strict=True)) for row in score.tolist()],
    )
    return outcomes, truth, score


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_multilabel_agrees_with_scikit_learn(seed):
    outcomes, truth, score = multilabel(seed)
    guess = score >= 0.5
    assert one(outcomes, "accuracy") == sk.accuracy_score(truth, guess)
    macro = {"average": "macro", "zero_division": 0}
    for name, theirs in (
        ("precision", sk.precision_score),
        ("recall", sk.recall_score),
        ("f1", sk.f1_score),
    ):
        assert one(outcomes, name) == pytest.approx(theirs(truth, guess, **macro))
        each = theirs(truth, guess, average=None, zero_division=0)
        assert one(outcomes, f"{name}:c2") == pytest.approx(each[2])
    expected = sk.average_precision_score(truth, score, average="macro")
    assert one(outcomes, "map") == pytest.approx(expected)


def test_without_an_answer_a_sample_has_no_labels_and_is_wrong():
    outcomes = MultiLabel.of([["a"], [], []], [{"a": None}, {}, None])
    assert one(outcomes, "accuracy") == pytest.approx(2 / 3)
    assert outcomes.quality.tolist() == [1, 1, 0]
    with pytest.raises(ArgumentError, match="'map' needs confidences"):
        outcomes.metric("map")


def masks(seed, n=6, classes=4):
    rng = np.random.default_rng(seed)
    shape = (n, 5, 7)
    truth = rng.integers(0, classes, shape)
    guess = np.where(rng.random(shape) < 0.6, truth, rng.integers(0, classes, shape))
    return truth, guess


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_segmentation_agrees_with_scikit_learn(seed):
    truth, guess = masks(seed)
    outcomes = Segmentation.of(zip(truth, guess, strict=True))
    flat = truth.ravel(), guess.ravel()
    assert one(outcomes, "pixel_accuracy") == sk.accuracy_score(*flat)
    assert one(outcomes, "miou") == pytest.approx(
        sk.jaccard_score(*flat, average="macro")
    )
    each = sk.jaccard_score(*flat, average=None)
    found = [one(outcomes, f"miou:{c}") for c in outcomes.classes]
    assert found == pytest.approx(each.tolist())
    right = (truth == guess).mean(axis=(1, 2))
    assert outcomes.quality == pytest.approx(right)


def test_void_pixels_count_nowhere_and_a_missing_mask_is_wrong():
    truth = np.array([[0, 1, 255, 7]])
    guess = np.array([[0, 9, 1, 0]])
    outcomes = Segmentation.of([(truth, guess), (truth, None)], {0: "sky", 1: "road"})
    assert one(outcomes, "pixel_accuracy") == 0.25
    assert one(outcomes, "miou:sky") == 0.5
    assert one(outcomes, "miou:road") == 0
    assert Segmentation.of([(truth, guess)]).classes == ("0", "1", "7", "9")


def test_masks_of_another_size_are_refused():
    with pytest.raises(ArgumentError, match="7 × 5 pixels, the true one 5 × 7"):
        Segmentation.of([(np.zeros((7, 5), int), np.zeros((5, 7), int))])


@pytest.mark.shared
def test_real_masks_agree_with_scikit_learn(shared):
    files = sorted((shared / "data" / "camvid" / "valannot").glob("*.png"))[:8]
    frames = [np.array(Image.open(file)) for file in files]
    pairs = list(zip(frames[1:], frames[:-1], strict=True))  # the frame before guesses
    flat = [np.concatenate([p[side].ravel() for p in pairs]) for side in (0, 1)]
    counts = flat[0] != 255
    expected = sk.jaccard_score(flat[0][counts], flat[1][counts], average="macro")
    assert one(Segmentation.of(pairs), "miou") == pytest.approx(expected)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_regression_agrees_with_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    truth = rng.normal(1000, 5, 30)
    guess = truth + rng.normal(0, 2, 30)
    outcomes = Regression(truth, guess)
    for name, theirs in (
        ("mae", sk.mean_absolute_error),
        ("rmse", sk.root_mean_squared_error),
        ("r2", sk.r2_score),
    ):
        assert one(outcomes, name) == pytest.approx(theirs(truth, guess))
    assert np.isnan(one(Regression(np.ones(3), np.arange(3.0)), "r2"))


@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=50))
def test_quantiles_are_those_of_numpy(values):
    scores = Scores(np.array(values), name="loss")
    for name, share in (("q05", 0.05), ("median", 0.5), ("q95", 0.95)):
        expected = np.quantile(values, share, method="inverted_cdf")
        assert one(scores, name) == one(scores, f"{name}:loss") == expected
    assert one(scores, "loss") == one(scores, "mean") == pytest.approx(np.mean(values))
    with pytest.raises(UnknownNameError, match="gain"):
        scores.metric("mean:gain")


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_a_weight_is_as_good_as_a_copy_in_every_task(seed):
    rng = np.random.default_rng(seed)
    n = 12
    truth, guess = masks(seed, n)
    every = [
        multilabel(seed, n)[0],
        Segmentation.of(zip(truth, guess, strict=True)),
        Regression(rng.normal(size=n), rng.normal(size=n)),
        Scores(rng.normal(size=n)),
    ]
    weights = rng.integers(0, 3, (3, n))
    weights[:, 0] = 1
    for outcomes in every:
        for name in outcomes.metrics:
            copies = [
                one(outcomes.take(np.repeat(np.arange(n), w)), name) for w in weights
            ]
            found = outcomes.measure(name, weights.astype(float))
            assert found == pytest.approx(copies, nan_ok=True), name


def test_ranked_labels_give_top5_without_probabilities():
    ranked = [list("abcde"), list("bcdef"), None]
    outcomes = Classification.of(["e", "a", "a"], ["a", "b", None], ranked=ranked)
    assert one(outcomes, "top5") == pytest.approx(1 / 3)
    assert "top5" in outcomes.metrics
    short = Classification.of(["e"], ["a"], ranked=[["a", "b"]])
    with pytest.raises(ArgumentError, match="five ranked labels"):
        short.metric("top5")


def test_one_class_of_an_average_is_its_own_metric():
    outcomes = Classification.of(list("aab"), list("aba"))
    assert one(outcomes, "recall:a") == 0.5
    assert one(outcomes, "recall:b") == 0
    with pytest.raises(UnknownNameError, match="No class 'c'"):
        outcomes.metric("recall:c")
    with pytest.raises(UnknownNameError, match="accuracy:a"):
        outcomes.metric("accuracy:a")


def test_parts_of_a_detection_join_by_the_names_of_classes():
    from tests.metrics.boxes import random_boxes

    first = Detection.of(*random_boxes(1), 6, ["a", "b", "c"])
    second = Detection.of(*random_boxes(2), 6, ["b", "c", "d"])
    joined = Detection.joined([first, second])
    assert joined.classes == ("a", "b", "c", "d")
    for part, samples in ((first, np.arange(6)), (second, np.arange(6, 12))):
        for name in ("map", "map75", "f1", "recall:b", "map50:c"):
            assert one(joined.take(samples), name) == pytest.approx(one(part, name))


def test_blocks_have_the_standard_error_of_single_samples():
    n = 20_000
    rng = np.random.default_rng(3)
    scores = Scores(rng.exponential(size=n))
    resampling = Resampling.of(n, None, 3, [], 1000)
    assert resampling.weights.shape == (1001, 1000)
    figures = resampling.figures(scores, "mean")
    assert figures[0] == pytest.approx(scores.values.mean())
    assert figures[1:].std() == pytest.approx(scores.values.std() / n**0.5, rel=0.1)
    groups = np.repeat(np.arange(n // 10), 10)
    grouped = Resampling.of(n, groups, 3, [], 300)
    assert grouped.independent == n // 10
    same = np.repeat(rng.exponential(size=n // 10), 10)
    figures = grouped.figures(Scores(same), "mean")
    assert figures[1:].std() == pytest.approx(same.std() / (n / 10) ** 0.5, rel=0.15)


def test_replicates_of_large_numbers_keep_their_digits():
    values = 1e9 + np.random.default_rng(4).normal(size=500)
    resampling = Resampling.of(500, None, 0, [], 400)
    figures = resampling.figures(Scores(values), "mean")
    assert figures[0] == values.mean()
    assert figures[1:].std() == pytest.approx(values.std() / 500**0.5, rel=0.15)
