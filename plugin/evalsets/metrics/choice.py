"""Which metrics to report, and of which of a model's outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalsets.errors import ArgumentError, EvalsetsError
from evalsets.metrics.catalog import METRICS
from evalsets.metrics.outcomes import Outcomes
from evalsets.metrics.scores import Scores
from evalsets.suites.population import Population


def choose_metrics(
    outcomes: Sequence[Outcomes],
    metrics: Iterable[str],
    populations: Sequence[Population],
) -> dict[str, int]:
    """Every metric to report, and the place of the outcomes that give it.

    Args:
        outcomes: predictions and scores of one model
        metrics: that are asked for; where none are, all that the outcomes show
        populations: whose requirements name further ones; those that none of the
            outcomes gives are left out

    Raises:
        UnknownNameError: a metric that is asked for and none of them gives
        ArgumentError: one that two scores give
    """
    asked = [part for name in metrics for part in _expanded(name, outcomes)]
    lacking = not_given(outcomes, populations)
    required = [r.metric for p in populations for r in p.require]
    asked += [name for name in required if name not in lacking]
    chosen = {} if metrics else _shown(outcomes)
    for name in asked:
        if name not in chosen:
            chosen[name] = _giver(name, outcomes)
    return chosen


def not_given(
    outcomes: Sequence[Outcomes], populations: Iterable[Population]
) -> dict[str, str]:
    """Why the model does not give a required metric, by metric.

    It may lack a score or probabilities, or its data a class. A metric of another task,
    or of two scores, is a mistake in the suite.

    Raises:
        UnknownNameError: a required metric is of another task
        ArgumentError: two scores give it
    """
    reasons = {}
    owners: dict[str, str] = {}
    for population in populations:
        for requirement in population.require:
            owners.setdefault(requirement.metric, population.name)
    for name, owner in owners.items():
        try:
            _giver(name, outcomes)
        except EvalsetsError as error:
            several = any(one.gives(name) for one in outcomes)
            if several or _of_another_task(name, outcomes[0].task):
                error.args = (f"Population '{owner}': {error}",)
                raise
            reasons[name] = str(error)
    return reasons


def _of_another_task(name: str, task: str) -> bool:
    known = METRICS.get(name.partition(":")[0])
    if known is None or Scores.task in (task, *known.tasks):
        return False
    return task not in known.tasks


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
