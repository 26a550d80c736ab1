"""What intervals and verdicts promise, held against simulated truth.

Run ``python benchmarks/statistics.py``; ``--rounds 100`` is a quick look. Every figure is a
share of simulated evaluations, beside its Monte Carlo error; nothing here needs FiftyOne.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import sysconfig

if __name__ == "statistics":  # a script beside this one wants Python's own module
    _spec = importlib.machinery.PathFinder.find_spec(
        __name__, [sysconfig.get_path("stdlib")]
    )
    sys.modules[__name__] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[__name__])

import argparse
from collections.abc import Callable, Sequence

import numpy as np

from evalsets.metrics import (
    FAIL,
    PASS,
    Boxes,
    Classification,
    Detection,
    Outcomes,
    Regression,
    evaluate_populations,
)
from evalsets.metrics.estimates import Proportion
from evalsets.suites import Population, Requirement

SIZES = (20, 50, 100, 200, 500, 1000, 5000)
RATES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
NAMES = ("a", "b", "c", "d")


def main() -> None:
    """Prints every table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=400)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    rng = np.random.default_rng(given.seed)
    error = 1.96 * (0.05 * 0.95 / given.rounds) ** 0.5
    print(f"{given.rounds} rounds; Monte Carlo error at .05 or .95: ± {error:.3f}\n")
    proportions(rng)
    bootstraps(rng, given.rounds)
    groups(rng, given.rounds)
    alarms(rng, given.rounds)
    power(rng, given.rounds)
    paired(rng, given.rounds)
    sparse(rng, given.rounds)


def table(title: str, head: Sequence[object], rows: Sequence[Sequence[object]]) -> None:
    """Prints one table, shares with three decimals."""
    print(title)
    for row in (head, *rows):
        cells = [f"{c:.3f}" if isinstance(c, float) else str(c) for c in row]
        print("  " + "".join(f"{cell:>18}" for cell in cells).rstrip())
    print(flush=True)


def proportions(rng: np.random.Generator, rounds: int = 20_000) -> None:
    """Coverage of the 95 % interval of an accuracy."""
    rows = []
    for n in SIZES:
        found = []
        for rate in RATES:
            hits, counts = np.unique(rng.binomial(n, rate, rounds), return_counts=True)
            ends = np.array([Proportion(h, n, n).interval(0.95) for h in hits])
            inside = (ends[:, 0] <= rate) & (rate <= ends[:, 1])
            found.append(float(counts @ inside / rounds))
        rows.append([n, *found, float(np.mean(found))])
    table(
        f"Coverage of the 95 % interval of an accuracy ({rounds:,} rounds, ± .003)",
        ["n", *RATES, "mean"],
        rows,
    )


def classified(rng: np.random.Generator, n: int) -> Classification:
    """A model that is a little surer than it is right."""
    chance = rng.dirichlet(np.full(len(NAMES), 0.4), n)
    said = chance**1.3
    said /= said.sum(axis=1, keepdims=True)
    truth = (rng.random(n)[:, None] > chance.cumsum(axis=1)).sum(axis=1)
    truth = truth.clip(max=len(NAMES) - 1)
    return Classification(truth, said.argmax(axis=1), said.max(axis=1), said, NAMES)


def measured(rng: np.random.Generator, n: int) -> Regression:
    """Numbers with errors of heavy tails."""
    truth = rng.normal(50, 10, n)
    return Regression(truth, truth + rng.standard_t(5, n))


def detected(rng: np.random.Generator, n: int) -> Detection:
    """Two classes, images with one to five objects, each found with its own luck."""
    counts = rng.integers(1, 6, n)
    image = np.repeat(np.arange(n), counts)
    k = len(image)
    label = rng.integers(0, 2, k)
    box = np.column_stack(
        [60.0 * rng.permutation(k), np.zeros(k), *np.full((2, k), 20.0)]
    )
    seen = rng.random(k) < 0.8
    extra = rng.random(k) < 0.3
    off = box[extra] + [0, 400, 0, 0]
    predicted = Boxes(
        np.concatenate([image[seen], image[extra]]),
        np.concatenate([label[seen], label[extra]]),
        np.concatenate([box[seen] + rng.normal(0, 1, (seen.sum(), 4)), off]),
        np.concatenate([rng.beta(4, 2, seen.sum()), rng.beta(2, 4, extra.sum())]),
    )
    return Detection.of(Boxes(image, label, box), predicted, n, NAMES[:2])


def bootstraps(rng: np.random.Generator, rounds: int) -> None:
    """Coverage of the intervals of everything else."""
    tasks: list[tuple[Callable[..., Outcomes], tuple[str, ...], Sequence[int]]] = [
        (classified, ("f1", "balanced_accuracy", "log_loss", "ece"), SIZES),
        (measured, ("mae", "rmse", "r2"), SIZES),
        (detected, ("map50", "recall", "precision"), SIZES[:4]),
    ]
    for draw, metrics, sizes in tasks:
        truth = {
            m: value_of(draw(rng, 200_000 if draw is not detected else 4000), m)
            for m in metrics
        }
        fewer = rounds if draw is not detected else min(rounds, 100)
        rows = []
        for n in sizes:
            inside = np.zeros(len(metrics))
            for _ in range(fewer):
                found = evaluate_populations(
                    draw(rng, n), np.zeros((n, 0)), [], metrics, replicates=400
                )
                ends = {row.metric: (row.low, row.high) for row in found}
                inside += [ends[m][0] <= truth[m] <= ends[m][1] for m in metrics]
            rows.append([n, *(inside / fewer).tolist()])
        table(f"Coverage of the 95 % interval ({fewer} rounds)", ["n", *metrics], rows)


def value_of(outcomes: Outcomes, metric: str) -> float:
    """The figure itself."""
    return float(outcomes.measure(metric, np.ones((1, len(outcomes))))[0])


def groups(rng: np.random.Generator, rounds: int, size: int = 10) -> None:
    """Coverage where the images of a group share their luck."""

    def draw(n_groups: int) -> tuple[Classification, np.ndarray]:
        luck = np.repeat(rng.beta(1.8, 0.2, n_groups), size)
        truth = np.repeat(rng.integers(0, 2, n_groups), size)
        wrong = rng.random(len(luck)) > luck
        outcomes = Classification(
            truth, np.where(wrong, 1 - truth, truth), classes=("a", "b")
        )
        return outcomes, np.repeat(np.arange(n_groups), size)

    large, _ = draw(100_000)
    metrics = ("accuracy", "f1")
    truth = {m: value_of(large, m) for m in metrics}
    rows = []
    for n_groups in (20, 50, 100, 500):
        inside = np.zeros(4)
        for _ in range(rounds):
            outcomes, code = draw(n_groups)
            empty = np.zeros((len(outcomes), 0))
            for at, by in enumerate((code, None)):
                found = evaluate_populations(
                    outcomes, empty, [], metrics, groups=by, replicates=400
                )
                inside[2 * at : 2 * at + 2] += [
                    row.low <= truth[row.metric] <= row.high for row in found
                ]
        rows.append([n_groups, n_groups * size, *(inside / rounds).tolist()])
    head = [
        "groups",
        "images",
        "accuracy, groups",
        "f1, groups",
        "accuracy, images",
        "f1, images",
    ]
    table(
        "Coverage where 10 images of a group share their luck, by what is drawn",
        head,
        rows,
    )


def suite(
    rng: np.random.Generator, rates: Sequence[float], n: int, at_least: float
) -> tuple[list[str], np.ndarray]:
    """Verdicts and observed accuracies of overlapping populations of about ``n``."""
    k = len(rates)
    total = max(n * k // 4, 2 * n)
    members = rng.random((total, k)) < n / total
    order = rng.permutation(k)
    owner = np.full(total, rates[0])
    for at in order:  # a sample in several populations has the rate of one of them
        owner[members[:, at]] = rates[at]
    correct = rng.random(total) < owner
    require = (Requirement("accuracy", at_least=at_least),)
    rows = evaluate_populations(
        Classification(
            np.zeros(total, int), np.where(correct, 0, 1), classes=("a", "b")
        ),
        members,
        [Population(str(at), "TRUE", require=require) for at in range(k)],
        ("accuracy",),
    )
    judged = [row for row in rows if row.requirement]
    return [row.verdict for row in judged], np.array([row.value for row in judged])


def alarms(rng: np.random.Generator, rounds: int, n: int = 100) -> None:
    """How often a gate over many populations is wrong at all."""
    rows = []
    for k in (1, 20, 100, 200):
        at = [suite(rng, [0.9] * k, n, 0.9)[0] for _ in range(rounds)]
        below = [suite(rng, [0.8999] * k, n, 0.9)[0] for _ in range(rounds)]
        fine = [suite(rng, [0.92] * k, n, 0.9) for _ in range(rounds)]
        rows.append(
            [
                k,
                float(np.mean([FAIL in v for v in at])),
                float(np.mean([PASS in v for v in below])),
                float(np.mean([FAIL in v for v, _ in fine])),
                float(np.mean([(values < 0.9).any() for _, values in fine])),
            ]
        )
    head = [
        "populations",
        "FAIL at bound",
        "PASS below it",
        "FAIL if fine",
        "naive red if fine",
    ]
    table(
        f"Gates wrong at all (required .90, n about {n} each; fine is .92)", head, rows
    )


def power(rng: np.random.Generator, rounds: int, k: int = 20) -> None:
    """How often the one bad population of twenty is found, and the fine ones pass."""
    rows = []
    for n in (50, 100, 200, 500, 1000):
        found, passed, red, false_red = [], [], [], []
        for _ in range(rounds):
            verdicts, values = disjoint(rng, [0.8] + [0.97] * (k - 1), n, 0.9)
            found.append(verdicts[0] == FAIL)
            passed.append(np.mean([v == PASS for v in verdicts[1:]]))
            red.append(values[0] < 0.9)
            verdicts, values = disjoint(rng, [0.92] * k, n, 0.9)
            false_red.append((values < 0.9).any())
        rows.append([n, *(float(np.mean(x)) for x in (found, passed, red, false_red))])
    head = [
        "n",
        "FAIL of the bad",
        "PASS of the fine",
        "naive red, bad",
        "naive false red",
    ]
    table(
        "One of 20 populations at .80, the others at .97, required .90; naive false red "
        "is any red where all are at .92",
        head,
        rows,
    )


def disjoint(
    rng: np.random.Generator, rates: Sequence[float], n: int, at_least: float
) -> tuple[list[str], np.ndarray]:
    """Verdicts and observed accuracies of populations that share no sample."""
    k = len(rates)
    correct = rng.random((k, n)) < np.array(rates)[:, None]
    require = (Requirement("accuracy", at_least=at_least),)
    rows = evaluate_populations(
        Classification(
            np.zeros(k * n, int), np.where(correct.ravel(), 0, 1), classes=("a", "b")
        ),
        np.repeat(np.eye(k, dtype=bool), n, axis=0),
        [Population(str(at), "TRUE", require=require) for at in range(k)],
        ("accuracy",),
    )
    judged = [row for row in rows if row.requirement]
    return [row.verdict for row in judged], np.array([row.value for row in judged])


def paired(rng: np.random.Generator, rounds: int, margin: float = 0.02) -> None:
    """Wrong verdicts on a drop from a baseline, where the truth is the margin itself."""
    rows = []
    for n in SIZES[1:]:
        wrong = np.zeros(2)
        settled = 0
        for _ in range(rounds):
            for drop in (margin, 0.0):
                lost = rng.random(n) < 0.03 + drop
                gained = ~lost & (rng.random(n) < 0.03 / (1 - 0.03 - drop))
                right = rng.random(n) < 0.9
                ours = np.where(gained, True, np.where(lost, False, right))
                theirs = np.where(gained, False, np.where(lost, True, right))
                sides = [
                    Classification(
                        np.zeros(n, int), np.where(x, 0, 1), classes=("a", "b")
                    )
                    for x in (ours, theirs)
                ]
                require = (Requirement("accuracy", max_drop=margin),)
                verdict = evaluate_populations(
                    sides[0],
                    np.ones((n, 1)),
                    [Population("p", "TRUE", require=require)],
                    ("accuracy",),
                    baseline=sides[1],
                )[-1].verdict
                if drop:
                    wrong += [verdict == PASS, verdict == FAIL]
                else:
                    settled += verdict == PASS
        rows.append([n, *(wrong / rounds).tolist(), settled / rounds])
    head = ["n", "PASS at margin", "FAIL at margin", "PASS if equal"]
    table(f"A drop of at most {margin} from a baseline, 6 % discordant", head, rows)


def sparse(rng: np.random.Generator, rounds: int, bound: float = 0.9) -> None:
    """Wrong verdicts on shares of few objects or guesses, where the truth is the bound."""
    asked = ("recall", "map50", "precision:a", "recall:a", "balanced_accuracy")
    rows = []
    for k in (1, 3, 10, 17, 30, 100):
        counts = []
        for metric in asked:
            drawn = [_few(rng, metric, k, bound) for _ in range(rounds)]
            counts += [_judged(d, Requirement(metric, at_least=bound)) for d in drawn]
            theirs = [_few(rng, metric, k, 1.0) for _ in range(rounds)]
            drop = Requirement(metric, max_drop=1 - bound)
            pairs = zip(drawn, theirs, strict=True)
            counts += [_judged(d, drop, other) for d, other in pairs]
        shares = [
            np.reshape([v == verdict for v in counts], (-1, 2, rounds)).mean(axis=2)
            for verdict in (PASS, FAIL)
        ]
        rows.append([k, *np.hstack([share.max(axis=0) for share in shares]).tolist()])
    table(
        f"Wrong verdicts where k objects or guesses decide; the worst of {len(asked)} "
        "metrics",
        ["k", "PASS", "PASS, drop", "FAIL", "FAIL, drop"],
        rows,
    )


def _few(rng: np.random.Generator, metric: str, k: int, share: float) -> Outcomes:
    """What a model did where ``k`` objects or guesses decide a metric."""
    right = rng.random(k) < share
    if metric in ("recall", "map50"):
        image, zeros = np.arange(k), np.zeros(k, int)
        box = np.tile([0.1, 0.1, 0.3, 0.3], (k, 1))
        found = Boxes(image[right], zeros[right], box[right], np.full(right.sum(), 0.9))
        return Detection.of(Boxes(image, zeros, box), found, 200, ("a",))
    if metric == "balanced_accuracy":  # three of four classes are right throughout
        truth = np.append(np.repeat([1, 2, 3], 60), np.zeros(k, int))
        right = rng.random(k) < 1 - 4 * (1 - share)
        guess = np.append(truth[:180], np.where(right, 0, 1))
        return Classification(truth, guess, classes=NAMES)
    truth, guess = np.ones(200 + k, int), np.ones(200 + k, int)
    held = truth if metric == "recall:a" else guess
    held[:k] = 0
    (guess if metric == "recall:a" else truth)[:k] = np.where(right, 0, 1)
    return Classification(truth, guess, classes=NAMES[:2])


def _judged(
    outcomes: Outcomes, required: Requirement, other: Outcomes | None = None
) -> str:
    """The verdict on one requirement over everything."""
    return evaluate_populations(
        outcomes,
        np.ones((len(outcomes), 1)),
        [Population("p", "TRUE", require=(required,))],
        (required.metric,),
        baseline=other,
        replicates=200,
    )[-1].verdict


if __name__ == "__main__":
    main()
