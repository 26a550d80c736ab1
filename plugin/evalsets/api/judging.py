"""What people are asked about a population, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import fiftyone as fo
import numpy as np

from evalsets.api.cuts import Cut, find_cut, without_cut
from evalsets.api.populations import current_queries
from evalsets.api.search import search
from evalsets.calibration import Answers, Bools, Counts, Floats, draw, lots, window
from evalsets.datasets import answers as stored
from evalsets.datasets.columns import read
from evalsets.datasets.connect import Source
from evalsets.datasets.populations import load_recipes, view_of
from evalsets.datasets.scores import field_of
from evalsets.datasets.vectors import fingerprint_of
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.query import Query, parse, to_text
from evalsets.suites import Population


@dataclass(frozen=True)
class Scored:
    """The samples that a cut decides on, by falling similarity.

    Args:
        population: whose cut it is
        query: as parsed
        cut: the comparison
        ids: ``(n,)``
        score: ``(n,)`` similarity, times the cut's sign
        subject: tells the scores and the candidates from others
    """

    population: Population
    query: Query
    cut: Cut
    ids: list[str]
    score: Floats
    subject: str

    def lots(self, secret: str) -> Floats:
        """Of the round of judging that has this secret."""
        return lots(self.ids, secret)

    def chosen(self, round_: stored.Round) -> Bools:
        """Whom a round proposes, or would have proposed."""
        return self.lots(round_.secret) < round_.design.rate(self.score)

    def judged(self, answers: stored.Judgements) -> tuple[Answers, Counts]:
        """The answers, and how many rounds there were when each was given."""
        return (
            np.array([answers.belongs.get(i, -1) for i in self.ids], dtype=np.int8),
            np.array([answers.since.get(i, 0) for i in self.ids], dtype=np.int64),
        )


def score_candidates(dataset: fo.Dataset, name: str, term: str | None) -> Scored:
    """The samples that the cut of a population decides on.

    Raises:
        UnknownNameError: no such population
        ArgumentError: its query has no clear cut, it is stale, or nothing meets the rest
    """
    recipes = load_recipes(dataset)
    if name not in recipes:
        raise UnknownNameError("population", name, recipes)
    population = recipes[name].population
    query = parse(population.query)
    cut = find_cut(name, query, term)
    everyone = replace(population, query=to_text(without_cut(query, cut)))
    uncut = {**recipes, name: replace(recipes[name], population=everyone)}
    queries, stale = current_queries(dataset, uncut)
    if name in stale:
        raise ArgumentError(f"Population '{name}' is stale: {stale[name]}")
    columns = read(view_of(dataset, queries[name]), ["id", field_of(cut.term)])
    ids, values = (list(column) for column in columns.values())
    if not ids:
        raise ArgumentError(
            f"No sample meets the rest of the query of '{name}', so that there is "
            "nothing to judge; change the query or add data"
        )
    score = cut.sign * np.array(values, dtype=np.float64)
    order = np.lexsort((ids, -score))
    subject = f"{to_text(cut.term)} in {to_text(queries[name])} by "
    return Scored(
        population,
        query,
        cut,
        [ids[i] for i in order],
        score[order],
        f"{subject}{fingerprint_of(dataset)}",
    )


def propose(
    dataset: fo.Dataset, scored: Scored, precision: float, n: int
) -> fo.DatasetView:
    """The samples to judge next; those of a half-judged round first."""
    name = scored.population.name
    answers = stored.load_answers(dataset, name)
    answer, _ = scored.judged(answers)
    unknown = answer < 0
    if not unknown.any():
        raise ArgumentError(
            f"Every sample that the cut of '{name}' decides on is judged; call "
            "calibrate with answers={} to set the cut"
        )
    last = answers.rounds[-1] if answers.rounds else None
    if last is not None and not answers.open and last.subject == scored.subject:
        left = unknown & scored.chosen(last)
        if left.any():
            return _ordered(dataset, scored, left, last)
    secret = f"{name}:{len(answers.rounds) + (not answers.open)}"
    above = int((scored.score > scored.cut.sign * scored.cut.value).sum())
    places = np.cumsum(unknown)
    low, high = (
        max(1, int(places[size - 1])) for size in window(answer, n, above, precision)
    )
    lot = scored.lots(secret)[unknown]
    design = draw(scored.score[unknown], lot, n, (low, high))
    made = stored.Round(design, scored.subject, secret)
    stored.add_round(dataset, name, made)
    return _ordered(dataset, scored, unknown & scored.chosen(made), made)


def _ordered(
    dataset: fo.Dataset, scored: Scored, chosen: Bools, round_: stored.Round
) -> fo.DatasetView:
    """Chosen samples, so that any number from the first on is spread like all."""
    rate = round_.design.rate(scored.score)
    share = scored.lots(round_.secret) / np.maximum(rate, 1e-300)
    rows = [i for i in np.argsort(share, kind="stable").tolist() if chosen[i]]
    return dataset.select([scored.ids[i] for i in rows], ordered=True)


def read_answers(
    dataset: Source, opened: fo.Dataset, answers: Mapping[str, bool] | str
) -> dict[str, bool]:
    """Answers by sample id."""
    if isinstance(answers, str):
        right = search(dataset, answers).values("id")
        wrong = search(dataset, f"NOT ({answers})").values("id")
        if not right and not wrong:
            raise ArgumentError(f"'{answers}' is NULL for every sample: none is judged")
        return {**dict.fromkeys(right, True), **dict.fromkeys(wrong, False)}
    if not isinstance(answers, Mapping):
        raise ArgumentError(
            "answers must be a dict of sample id and True or False, or a condition as "
            f"text, not {type(answers).__name__}"
        )
    for key, value in answers.items():
        if not isinstance(value, (bool, np.bool_)):
            raise ArgumentError(
                f"The answer for sample '{key}' is {value!r}; give True or False, and "
                "leave out what nobody judged"
            )
    unknown = set(answers) - set(opened.values("id")) if answers else set()
    if unknown:
        raise UnknownNameError(
            "sample", str(min(unknown, key=str)), remedy="answers go by sample id"
        )
    return {key: bool(value) for key, value in answers.items()}
