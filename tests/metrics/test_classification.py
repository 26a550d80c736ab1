"""Classification metrics agree with scikit-learn, weighted or not."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from evalsets.errors import ArgumentError
from evalsets.metrics import Classification, Scores

SK = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "precision": lambda t, p: sk.precision_score(
        t, p, average="macro", zero_division=0
    ),
    "recall": lambda t, p: sk.recall_score(t, p, average="macro", zero_division=0),
    "f1": lambda t, p: sk.f1_score(t, p, average="macro", zero_division=0),
}
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:sklearn")


def one(outcomes, metric):
    return outcomes.measure(metric, np.ones((1, len(outcomes))))[0]


def random_outcomes(seed, n=60, classes=8):
    rng = np.random.default_rng(seed)
    probability = rng.dirichlet(np.full(classes, 0.5), n)
    truth = np.where(
        rng.random(n) < 0.5, probability.argmax(1), rng.integers(0, classes, n)
    )
    predicted = probability.argmax(1)
    names = tuple(f"c{i}" for i in range(classes))
    return Classification(truth, predicted, probability.max(1), probability, names)


def test_by_hand():
    outcomes = Classification.of(["a", "a", "b", "b"], ["a", "b", "b", None])
    assert one(outcomes, "accuracy") == 0.5
    assert one(outcomes, "recall") == 0.5
    assert one(outcomes, "precision") == 0.75
    assert one(outcomes, "f1") == pytest.approx((2 / 3 + 2 / 4) / 2)


@pytest.mark.parametrize("metric", SK)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_counts_agree_with_scikit_learn(metric, seed):
    outcomes = random_outcomes(seed, n=1 + seed % 40)
    expected = SK[metric](outcomes.truth, outcomes.predicted)
    assert one(outcomes, metric) == pytest.approx(expected)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_probability_metrics_agree_with_scikit_learn(seed):
    outcomes = random_outcomes(seed)
    labels = range(8)
    loss = sk.log_loss(outcomes.truth, outcomes.probability, labels=labels)
    assert one(outcomes, "log_loss") == pytest.approx(loss)
    top = sk.top_k_accuracy_score(
        outcomes.truth, outcomes.probability, k=5, labels=labels
    )
    assert one(outcomes, "top5") == pytest.approx(top)


def test_calibration_error_is_the_mean_gap_over_bins():
    outcomes = random_outcomes(3, n=500)
    edges = np.linspace(0, 1, 16)
    total = 0.0
    for low, high in itertools.pairwise(edges):
        held = (outcomes.confidence > low) & (outcomes.confidence <= high)
        if held.any():
            right = (outcomes.truth == outcomes.predicted)[held].mean()
            total += held.mean() * abs(right - outcomes.confidence[held].mean())
    assert one(outcomes, "ece") == pytest.approx(total)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_weight_is_as_good_as_a_copy(seed):
    outcomes = random_outcomes(seed, n=30)
    weights = np.random.default_rng(seed).integers(0, 3, (4, 30))
    weights[:, 0] = 1
    for metric in outcomes.metrics:
        copies = [
            one(outcomes.take(np.repeat(np.arange(30), w)), metric) for w in weights
        ]
        assert outcomes.measure(metric, weights.astype(float)) == pytest.approx(copies)


def test_a_missing_prediction_is_wrong_and_its_loss_uniform():
    outcomes = Classification.of(
        ["a", "b"], ["a", None], None, np.array([[1.0, 0.0], [0, 0]]), ["a", "b"]
    )
    assert one(outcomes, "accuracy") == 0.5
    assert one(outcomes, "top5") == 0.5
    assert one(outcomes, "log_loss") == pytest.approx(np.log(2) / 2)


def test_what_was_not_uploaded_is_not_offered():
    bare = Classification.of(["a"], ["a"])
    assert bare.metrics == (
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
    )
    with pytest.raises(ArgumentError, match="no true label"):
        Classification.of([None], ["a"])


def test_scores_average():
    scores = Scores(np.array([1.0, 2.0, 6.0]))
    assert scores.measure("mean", np.array([[1.0, 1, 1], [2, 0, 0]])).tolist() == [3, 1]
    with pytest.raises(ArgumentError, match="not a finite number"):
        Scores(np.array([1.0, np.nan]))


@pytest.mark.shared
def test_resnet20_on_real_photographs_has_its_accuracy(shared):
    import pandas as pd

    folder = shared / "data" / "cifar10-test"
    truth = pd.read_csv(folder / "labels.csv")["label"]
    predicted = pd.read_csv(folder / "predictions_resnet20.csv")["prediction"]
    outcomes = Classification.of(list(truth), list(predicted))
    assert one(outcomes, "accuracy") == (truth == predicted).mean()
    assert one(outcomes, "f1") == pytest.approx(SK["f1"](truth, predicted))
