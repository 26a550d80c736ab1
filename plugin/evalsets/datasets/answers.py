"""Who belongs to a population, as people judged it, in custom runs.

Each proposal of samples to judge, and each lot of answers, is a run of its own that
nothing rewrites, so that no interruption costs an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import fiftyone as fo

from evalsets.calibration import Design
from evalsets.datasets.runs import (
    delete_run,
    has_results,
    load_results,
    load_runs,
    save_run,
)

KIND = "answers"


@dataclass(frozen=True)
class Round:
    """One proposal of samples to judge.

    Args:
        design: how they were chosen
        subject: the scores and candidates that they were chosen from
        secret: of the lots that chose them; a new name of the population keeps it
    """

    design: Design
    subject: str
    secret: str


@dataclass(frozen=True)
class Judgements:
    """All that was judged of a population.

    Args:
        belongs: by sample id, the newest answer
        since: by sample id, how many rounds there were when it was first answered
        rounds: proposals, oldest first; one that was never answered is replaced by
            the next
        open: whether the last round has no answers yet
    """

    belongs: Mapping[str, bool]
    since: Mapping[str, int]
    rounds: tuple[Round, ...]
    open: bool


def load_answers(dataset: fo.Dataset, population: str) -> Judgements:
    """Replays what was proposed and answered."""
    belongs: dict[str, bool] = {}
    since: dict[str, int] = {}
    rounds: list[Round] = []
    unanswered = False
    for run in _runs(dataset, population):
        if run["design"] is not None:
            cuts, rates = run["design"]
            if unanswered:
                rounds.pop()
            design = Design(tuple(cuts), tuple(rates))
            rounds.append(Round(design, run["subject"], run["secret"]))
            unanswered = True
        elif has_results(dataset, KIND, _name(population, run["number"])):
            name = _name(population, run["number"])
            given = load_results(dataset, KIND, name, "answers")
            belongs |= given
            since = {**dict.fromkeys(given, len(rounds)), **since}
            unanswered = False
    return Judgements(belongs, since, tuple(rounds), unanswered)


def add_round(dataset: fo.Dataset, population: str, round_: Round) -> None:
    """Keeps a proposal."""
    design = [list(round_.design.cuts), list(round_.design.rates)]
    number = _next(dataset, population)
    content = {
        "population": population,
        "number": number,
        "design": design,
        "subject": round_.subject,
        "secret": round_.secret,
    }
    save_run(dataset, KIND, _name(population, number), content)


def add_answers(
    dataset: fo.Dataset, population: str, belongs: Mapping[str, bool]
) -> None:
    """Keeps answers by sample id."""
    number = _next(dataset, population)
    content = {"population": population, "number": number, "design": None}
    results = {"answers": dict(belongs)}
    save_run(dataset, KIND, _name(population, number), content, results)


def rename_answers(dataset: fo.Dataset, population: str, new: str) -> None:
    """Moves all answers and proposals to another name."""
    for run in _runs(dataset, population):
        old, name = (_name(p, run["number"]) for p in (population, new))
        if run["design"] is not None:
            save_run(dataset, KIND, name, {**run, "population": new})
        elif has_results(dataset, KIND, old):
            answers = load_results(dataset, KIND, old, "answers")
            content = {**run, "population": new}
            save_run(dataset, KIND, name, content, {"answers": answers})
        delete_run(dataset, KIND, old)


def delete_answers(dataset: fo.Dataset, population: str) -> None:
    """Forgets all answers and proposals of a population."""
    for run in _runs(dataset, population):
        delete_run(dataset, KIND, _name(population, run["number"]))


def _runs(dataset: fo.Dataset, population: str) -> list[dict[str, Any]]:
    found = load_runs(dataset, KIND).values()
    ours = [run for run in found if run["population"] == population]
    return sorted(ours, key=lambda run: run["number"])


def _next(dataset: fo.Dataset, population: str) -> int:
    return max((run["number"] for run in _runs(dataset, population)), default=0) + 1


def _name(population: str, number: int) -> str:
    return f"{population}/{number:06d}"
