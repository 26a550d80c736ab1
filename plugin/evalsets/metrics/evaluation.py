"""Every population's figures and verdicts, from outcomes settled once."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from evalsets.errors import ArgumentError
from evalsets.metrics.catalog import check_bound, order
from evalsets.metrics.choice import choose_metrics
from evalsets.metrics.estimates import Estimate
from evalsets.metrics.figures import NOTHING, Sampled, difference
from evalsets.metrics.outcomes import Codes, Outcomes
from evalsets.metrics.verdicts import Claim, Row, judge
from evalsets.suites.population import ALL, Population, Requirement
from evalsets.telling import Tally

LEVEL = 0.95
_Draws: TypeAlias = tuple[Sequence[str], int, Sequence[int], int]
"""Metrics, seeds and number of replicates, as :meth:`Sampled.of` takes them."""


@dataclass(frozen=True)
class Evaluated:
    """What a model did on some samples, and where they belong.

    Args:
        outcomes: of the model on ``n`` samples
        membership: ``(n, p)`` which sample is in which population
        baseline: outcomes of another model
        paired: ``(n,)`` place of each sample in the baseline's, -1 where that has no
            answer; None where the samples are the same
        groups: ``(n,)`` code of each sample's group, where samples of a group resemble
            each other; then groups are resampled, and count, not samples
        unfit: reason by name of each population that must not pass, such as "stale"
        silent: ``(n,)`` samples that the model left out; metrics that this may spare do
            not pass where it is any
    """

    outcomes: Outcomes
    membership: NDArray[np.bool_]
    baseline: Outcomes | None = None
    paired: Codes | None = None
    groups: Codes | None = None
    unfit: Mapping[str, str] = field(default_factory=dict)
    silent: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class _Figure:
    """One metric of one population, of the model and beside the baseline.

    Args:
        n: samples
        estimate: of the metric
        whole: whether every sample counts in it, so that it may be judged
        baseline: the metric of the baseline
        difference: from the baseline
        compared: samples that the difference rests on
        own: samples that the figure is of: those of its class, for a metric of one
    """

    n: int
    estimate: Estimate
    whole: bool = True
    baseline: float | None = None
    difference: Estimate | None = None
    compared: int = 0
    own: int = 0


def evaluate_populations(
    outcomes: Outcomes,
    membership: NDArray[np.bool_],
    populations: Sequence[Population],
    metrics: Sequence[str] = (),
    *,
    baseline: Outcomes | None = None,
    groups: Codes | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    replicates: int = 1000,
    unfit: Mapping[str, str] | None = None,
) -> list[Row]:
    """Figures with intervals, and verdicts, of one kind of outcomes.

    The arguments are those of :class:`Evaluated` and :func:`evaluate_models`.
    """
    one = Evaluated(outcomes, membership, baseline, None, groups, unfit or {})
    return evaluate_models(
        [one],
        populations,
        metrics,
        alpha=alpha,
        seed=seed,
        replicates=replicates,
    )


def evaluate_models(
    parts: Sequence[Evaluated],
    populations: Sequence[Population],
    metrics: Sequence[str] = (),
    *,
    alpha: float = 0.05,
    seed: int = 0,
    replicates: int = 1000,
) -> list[Row]:
    """Figures with intervals, and verdicts, for every population and metric.

    A population's interval depends on nothing but its own samples and the seed.

    Args:
        parts: a model's predictions, and each of its scores, if any
        populations: ``(p,)``
        metrics: by default all that the outcomes allow; those that a requirement
            names are added; ``recall:*`` stands for the recall of every class
        alpha: of the false PASS verdicts, and of the false FAIL verdicts, of the suite
        seed: of the bootstrap
        replicates: of the bootstrap

    Returns:
        Rows of ``(all)``, then of each population in turn: one a metric, and one a
        requirement where a metric has several. A requirement is inconclusive where the
        model does not give its metric (:func:`~evalsets.metrics.choice.not_given` says
        why), and one on a drop where there is no baseline, or none with that metric

    Raises:
        ArgumentError: shapes that do not fit; a requirement outside the metric's range
        UnknownNameError: a metric that is asked for and these outcomes cannot give; a
            required one of another task
    """
    for part in parts:
        _check_shapes(part, len(populations))
    chosen = choose_metrics([part.outcomes for part in parts], metrics, populations)
    for population in populations:
        for requirement in population.require:
            if requirement.metric in chosen:
                outcomes = parts[chosen[requirement.metric]].outcomes
                metric = outcomes.metric(requirement.metric)
                check_bound(requirement, population.name, metric)
    claims: list[Claim] = []
    tally = Tally("Scoring populations", 1 + len(populations))
    for at, case in enumerate([None, *populations], -1):
        found: dict[str, list[Claim]] = {}
        for number, part in enumerate(parts):
            names = [name for name, of in chosen.items() if of == number]
            members = np.arange(len(part.outcomes))
            if case is not None:
                members = np.flatnonzero(np.asarray(part.membership, bool)[:, at])
            draws = (names, seed, _words(case.name if case else ALL), replicates)
            found |= _of_population(part, members, case, draws)
        if case is not None:
            found |= _not_given(case, parts[0].membership[:, at], chosen)
        claims += [claim for name in sorted(found, key=order) for claim in found[name]]
        tally.at(at + 2)
    return judge(claims, alpha)


def _of_population(
    part: Evaluated,
    members: Codes,
    population: Population | None,
    draws: _Draws,
) -> dict[str, list[Claim]]:
    """The claims on one population, by metric."""
    model = Sampled.of(part.outcomes, members, part.groups, *draws)
    fit = population is None or population.name not in part.unfit
    everyone = _pair(part, members, model, draws)
    silent = part.silent is not None and bool(part.silent[members].any())
    claims = {}
    for name in draws[0]:
        n, counts = len(members), model.outcomes.counts(name)
        counted = int(np.count_nonzero(counts))
        spared = silent and model.outcomes.metric(name).spared
        figure = _Figure(counted, model.estimate(name), counted == n and not spared)
        figure = replace(figure, own=model.outcomes.own(name))
        pair = everyone if counted == n else _pair(part, members[counts], model, draws)
        if pair is not None and pair[1].gives(name):
            whole = figure.whole and bool(pair[1].counts(name).all())
            figure = replace(figure, compared=len(pair[1]), whole=whole)
            figure = replace(figure, **difference(*pair, name))
        claims[name] = _claims(population, name, figure, part.outcomes, fit)
    return claims


def _not_given(
    population: Population, members: NDArray[np.bool_], given: Container[str]
) -> dict[str, list[Claim]]:
    """Claims on metrics that the model does not give: they stay open."""
    lacking: dict[str, list[Claim]] = {}
    for r in population.require:
        if r.metric not in given:
            n = int(np.count_nonzero(members))
            row = Row(population.name, r.metric, n, requirement=str(r))
            lacking.setdefault(r.metric, []).append(Claim(row, NOTHING, 0, fit=False))
    return lacking


def _pair(
    part: Evaluated,
    members: Codes,
    model: Sampled,
    draws: _Draws,
) -> tuple[Sampled, Outcomes] | None:
    """Both models on the samples that the baseline has answers for."""
    if part.baseline is None:
        return None
    paired = np.arange(len(part.outcomes)) if part.paired is None else part.paired
    common = members[paired[members] >= 0]
    if len(common) < len(model.outcomes):
        model = Sampled.of(part.outcomes, common, part.groups, *draws)
    return model, part.baseline.take(paired[common])


def _words(name: str) -> list[int]:
    digest = hashlib.sha256(name.encode()).digest()
    return [int(word) for word in np.frombuffer(digest[:16], np.uint32)]


def _check_shapes(part: Evaluated, n_populations: int) -> None:
    n, baseline = len(part.outcomes), part.baseline
    if not n:
        raise ArgumentError("There are no samples to evaluate; choose others")
    if np.shape(part.membership) != (n, n_populations):
        raise ArgumentError(
            f"membership has shape {np.shape(part.membership)}; give ({n}, "
            f"{n_populations})"
        )
    task = part.outcomes.task
    m = n if part.paired is None or baseline is None else len(baseline)
    if baseline is not None and (len(baseline), baseline.task) != (m, task):
        raise ArgumentError(
            f"The baseline has {len(baseline)} samples of {baseline.task}, the model "
            f"{n} of {task}; give outcomes on the same samples"
        )
    if part.groups is not None and len(part.groups) != n:
        raise ArgumentError(
            f"There are {len(part.groups)} group codes for {n} samples; give one a sample"
        )


def _claims(
    population: Population | None,
    metric: str,
    figure: _Figure,
    model: Outcomes,
    fit: bool,
) -> list[Claim]:
    """One claim a requirement on the metric; one without a bound where there is none."""
    name, asked = ALL, []
    if population is not None:
        name = population.name
        asked = [r for r in population.require if r.metric == metric]
    row = _row(name, metric, figure)
    if population is None or not asked:
        return [Claim(row, figure.estimate, figure.n)]
    fit = fit and figure.whole
    higher = model.metric(metric).higher_is_better
    claims = []
    for r in asked:
        required = replace(row, requirement=str(r))
        if r.max_drop is not None and figure.difference is None:
            claims.append(Claim(required, figure.estimate, 0, fit=False))
            continue
        n = figure.n if r.max_drop is None else figure.compared
        judged = _bound(figure, r, higher)
        claims.append(
            Claim(required, judged[0], n, *judged[1:], population.min_size, fit)
        )
    return claims


def _bound(
    figure: _Figure, requirement: Requirement, higher: bool
) -> tuple[Estimate, float, bool]:
    """What is compared with which bound, and whether it must lie above.

    ``max_drop`` is non-inferiority: the truth may be worse than the baseline's by at
    most that margin.
    """
    if requirement.at_least is not None:
        return figure.estimate, requirement.at_least, True
    if requirement.at_most is not None:
        return figure.estimate, requirement.at_most, False
    if figure.difference is None or requirement.max_drop is None:
        raise ValueError(f"'{requirement}' needs the difference from a baseline")
    margin = requirement.max_drop
    return figure.difference, -margin if higher else margin, higher


def _row(name: str, metric: str, figure: _Figure) -> Row:
    """The row of a figure, without verdict."""
    low, high = figure.estimate.interval(LEVEL)
    difference = figure.difference
    ends = (math.nan, math.nan) if difference is None else difference.interval(LEVEL)
    return Row(
        population=name,
        metric=metric,
        n=figure.own,
        value=_known(figure.estimate.value),
        low=_known(low),
        high=_known(high),
        baseline=_known(figure.baseline),
        delta=None if difference is None else _known(difference.value),
        delta_low=_known(ends[0]),
        delta_high=_known(ends[1]),
    )


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
