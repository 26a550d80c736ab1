"""Every population's figures and verdicts, from outcomes settled once."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.metrics.catalog import METRICS
from evalsets.metrics.estimates import (
    Estimate,
    PairedProportion,
    Proportion,
    Resampled,
    effective_size,
)
from evalsets.metrics.outcomes import Codes, Floats, Outcomes
from evalsets.metrics.verdicts import Claim, Row, judge
from evalsets.suites.population import ALL, Population, Requirement

LEVEL = 0.95
_CHUNK = 4_000_000
"""Weights held at a time."""


@dataclass(frozen=True)
class _Figure:
    """One metric of one population, of the model and beside the baseline."""

    n: int
    estimate: Estimate
    baseline: float | None = None
    difference: Estimate | None = None


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
    """Figures with intervals, and verdicts, for every population and metric.

    A population's interval depends on nothing but its own samples and the seed.

    Args:
        outcomes: of the model on ``n`` samples
        membership: ``(n, p)`` which sample is in which population
        populations: ``(p,)``
        metrics: by default all that the outcomes allow; those that a requirement
            names are added
        baseline: outcomes of another model on the same samples
        groups: ``(n,)`` code of each sample's group, where samples of a group resemble
            each other; then groups are resampled, and count, not samples
        alpha: of the false PASS verdicts, and of the false FAIL verdicts, of the suite
        seed: of the bootstrap
        replicates: of the bootstrap
        unfit: reason by name of each population that must not pass, such as "stale"

    Returns:
        Rows of ``(all)``, then of each population in turn: one a metric, and one a
        requirement where a metric has several. A requirement on a drop is inconclusive
        where there is no baseline, or none with that metric

    Raises:
        ArgumentError: shapes that do not fit; a requirement outside the metric's range
        UnknownNameError: a metric that these outcomes cannot give
    """
    membership = np.asarray(membership, bool)
    _check_shapes(outcomes, membership, populations, baseline, groups)
    names = _metric_names(outcomes, metrics, populations)
    for population in populations:
        for requirement in population.require:
            _check_requirement(requirement, population.name)
    claims = []
    cases: list[tuple[Population | None, Codes]] = [(None, np.arange(len(outcomes)))]
    cases += [(p, np.flatnonzero(membership[:, i])) for i, p in enumerate(populations)]
    for case, samples in cases:
        model = outcomes.take(samples)
        other = None if baseline is None else baseline.take(samples)
        group = None if groups is None else groups[samples]
        name = ALL if case is None else case.name
        for metric in names:
            rng = np.random.default_rng([seed, *_words(name)])
            comparable = other is not None and metric in other.metrics
            compared = other if comparable else None
            figure = _figure(model, compared, metric, group, rng, replicates)
            claims += _claims(case, metric, figure, model, name not in (unfit or {}))
    return judge(claims, alpha)


def _words(name: str) -> list[int]:
    digest = hashlib.sha256(name.encode()).digest()
    return [int(word) for word in np.frombuffer(digest[:16], np.uint32)]


def _check_shapes(
    outcomes: Outcomes,
    membership: NDArray[np.bool_],
    populations: Sequence[Population],
    baseline: Outcomes | None,
    groups: Codes | None,
) -> None:
    n = len(outcomes)
    if not n:
        raise ArgumentError("There are no samples to evaluate")
    if membership.shape != (n, len(populations)):
        raise ArgumentError(
            f"membership has shape {membership.shape}; give ({n}, {len(populations)})"
        )
    if baseline is not None and (len(baseline), baseline.task) != (n, outcomes.task):
        raise ArgumentError(
            f"The baseline has {len(baseline)} samples of {baseline.task}, the model "
            f"{n} of {outcomes.task}; give outcomes on the same samples"
        )
    if groups is not None and len(groups) != n:
        raise ArgumentError(f"There are {len(groups)} group codes for {n} samples")


def _metric_names(
    outcomes: Outcomes, metrics: Sequence[str], populations: Sequence[Population]
) -> list[str]:
    asked = set(metrics or outcomes.metrics)
    asked |= {r.metric for p in populations for r in p.require}
    for name in sorted(asked - set(outcomes.metrics)):
        needs = METRICS[name].needs if name in METRICS else ""
        if needs and outcomes.task in METRICS[name].tasks:
            raise ArgumentError(f"'{name}' needs {needs}; upload predictions with them")
        raise UnknownNameError(f"metric for {outcomes.task}", name, outcomes.metrics)
    return [name for name in METRICS if name in asked]


def _check_requirement(requirement: Requirement, population: str) -> None:
    metric = METRICS[requirement.metric]
    bound = requirement.at_least
    bound = requirement.at_most if bound is None else bound
    if bound is not None and not metric.low <= bound <= metric.high:
        raise ArgumentError(
            f"'{requirement}' of population '{population}' can never be met or missed; "
            f"{metric.name} lies in [{metric.low:g}, {metric.high:g}]"
        )


def _figure(
    model: Outcomes,
    other: Outcomes | None,
    metric: str,
    groups: Codes | None,
    rng: np.random.Generator,
    replicates: int,
) -> _Figure:
    if METRICS[metric].proportion:
        return _counted(model, other, metric, groups)
    return _resampled(model, other, metric, groups, rng, replicates)


def _counted(
    model: Outcomes, other: Outcomes | None, metric: str, groups: Codes | None
) -> _Figure:
    hits, n = model.hits(metric), len(model)
    own = Proportion(hits.sum(), n, effective_size(hits, groups))
    if other is None:
        return _Figure(n, own)
    change = hits - other.hits(metric)
    gained, lost = float((change > 0).sum()), float((change < 0).sum())
    paired = PairedProportion(gained, lost, n, effective_size(change, groups))
    return _Figure(n, own, own.value - paired.value, paired)


def _resampled(
    model: Outcomes,
    other: Outcomes | None,
    metric: str,
    groups: Codes | None,
    rng: np.random.Generator,
    replicates: int,
) -> _Figure:
    n = len(model)
    if not n:
        empty = Resampled(math.nan, np.array([]), 0)
        return _Figure(0, empty, *((math.nan, empty) if other is not None else ()))
    kinds = model.kinds(metric)
    if other is not None:
        kinds = kinds * (int(other.kinds(metric).max()) + 1) + other.kinds(metric)
    if groups is not None:
        kinds = np.arange(n)
    _, first, counts = np.unique(kinds, return_index=True, return_counts=True)
    both = [o.take(first) for o in (model, other) if o is not None]
    values = [[o.measure(metric, counts[None].astype(float))] for o in both]
    group = None if groups is None else groups[first]
    for weights in _weights(counts, group, rng, replicates):
        for o, found in zip(both, values, strict=True):
            found.append(o.measure(metric, weights))
    units = n if groups is None else len(np.unique(groups))
    return _figure_of([np.concatenate(v) for v in values], model, metric, n, units)


def _figure_of(
    values: Sequence[Floats], model: Outcomes, metric: str, n: int, units: int
) -> _Figure:
    """From the figure and its replicates, of the model and of the baseline."""
    entry = METRICS[metric]
    bounded = math.isfinite(entry.span)
    unseen = 2 * entry.span / units if bounded else 0.0  # two units not yet met
    own = Resampled(
        float(values[0][0]),
        values[0][1:],
        units,
        max(unseen, model.least_error(metric)),
        entry.low,
        entry.high,
    )
    if len(values) == 1:
        return _Figure(n, own)
    change = values[0] - values[1]
    paired = Resampled(
        float(change[0]), change[1:], units, unseen, -entry.span, entry.span
    )
    return _Figure(n, own, float(values[1][0]), paired)


def _weights(
    counts: Codes, groups: Codes | None, rng: np.random.Generator, replicates: int
) -> Iterator[Floats]:
    """Bootstrap weights in chunks: as many draws, with replacement, as units.

    Samples of one kind are drawn as one, with the kind's share as its chance, which is
    the same as drawing them singly.
    """
    code = np.arange(len(counts))
    if groups is not None:
        _, code = np.unique(groups, return_inverse=True)
        counts = np.ones(int(code.max()) + 1, np.intp)
    n = int(counts.sum())
    at_once = max(1, _CHUNK // len(code))
    for start in range(0, replicates, at_once):
        size = min(at_once, replicates - start)
        yield rng.multinomial(n, counts / n, size).astype(float)[:, code]


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
        return [Claim(row, figure.estimate)]
    higher = model.higher_is_better(metric)
    claims = []
    for r in asked:
        required = replace(row, requirement=str(r))
        if r.max_drop is not None and figure.difference is None:
            claims.append(Claim(required, figure.estimate, fit=False))
            continue
        compared, bound, above = _bound(figure, r, higher)
        claims.append(Claim(required, compared, bound, above, population.min_size, fit))
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
        n=figure.n,
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
