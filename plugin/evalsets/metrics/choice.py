"""Which metrics to report, and of which of a model's outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalsets.errors import ArgumentError
from evalsets.metrics.outcomes import Outcomes
from evalsets.metrics.scores import Scores
from evalsets.suites.population import Population, Requirement


def choose_metrics(
    outcomes: Sequence[Outcomes],
    metrics: Iterable[str],
    populations: Iterable[Population],
) -> dict[str, int]:
    """Every metric to report, and the place of the outcomes that give it.

    Args:
        outcomes: predictions and scores of one model
        metrics: that are asked for; where none are, all that the outcomes show
        populations: whose requirements name further ones

    Raises:
        UnknownNameError: a metric that none of them gives
        ArgumentError: one that two scores give
    """
    asked = [part for name in metrics for part in _expanded(name, outcomes)]
    asked += [r.metric for p in populations for r in p.require]
    chosen = {} if metrics else _shown(outcomes)
    for name in asked:
        if name not in chosen:
            chosen[name] = _giver(name, outcomes)
    return chosen


def check_requirement(
    requirement: Requirement, population: str, outcomes: Outcomes
) -> None:
    """Refuses a bound that no value could reach or miss."""
    metric = outcomes.metric(requirement.metric)
    bound = requirement.at_least
    bound = requirement.at_most if bound is None else bound
    if bound is not None and not metric.low <= bound <= metric.high:
        raise ArgumentError(
            f"'{requirement}' of population '{population}' can never be met or missed; "
            f"{metric.name} lies in [{metric.low:g}, {metric.high:g}]"
        )


def _expanded(name: str, outcomes: Sequence[Outcomes]) -> list[str]:
    base, _, part = name.partition(":")
    if part != "*":
        return [name]
    classes = [c for o in outcomes for c in o.classes]
    return [f"{base}:{one}" for one in classes] or [base]


def _shown(outcomes: Sequence[Outcomes]) -> dict[str, int]:
    """What reports give unasked; of several scores, each under its name."""
    several = sum(isinstance(one, Scores) for one in outcomes) > 1
    chosen = {}
    for at, one in enumerate(outcomes):
        for name in one.metrics:
            if several and isinstance(one, Scores):
                chosen[f"{name}:{one.name}"] = at
            else:
                chosen[name] = at
    return chosen


def _giver(name: str, outcomes: Sequence[Outcomes]) -> int:
    found = [at for at, one in enumerate(outcomes) if one.gives(name)]
    if not found:
        outcomes[0].metric(name)
    if len(found) > 1:
        names = " or ".join(
            f"'{name}:{getattr(outcomes[at], 'name', '')}'" for at in found
        )
        raise ArgumentError(f"'{name}' is of several scores; write {names}")
    return found[0]
