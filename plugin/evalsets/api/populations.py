"""Populations: ``compose``, ``populations``, ``remove``, ``refresh``, ``membership``."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import fiftyone as fo
import pandas as pd

from evalsets.datasets.connect import Source, open_dataset, open_view
from evalsets.datasets.locks import writing
from evalsets.datasets.populations import (
    Recipe,
    check_names,
    delete_recipe,
    load_recipes,
    members,
    resolve,
    save_population_view,
    save_recipe,
    used_terms,
)
from evalsets.datasets.scores import (
    drop_scores,
    keep_scores,
    query_vectors,
    refresh_scores,
)
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.query import Query, parse, references, terms
from evalsets.suites import Population

logger = logging.getLogger(__name__)


def compose(
    dataset: Source, population: Population | Iterable[Population]
) -> fo.DatasetView | list[fo.DatasetView]:
    """Names a query: a population that new samples enter by themselves.

    A population of that name is redefined; its version grows if its query changes.
    Nothing is written unless every population given can be.

    Args:
        dataset: or its name
        population: one, or several that may refer to each other

    Returns:
        its saved view, or a list of them in the order given

    Raises:
        QueryError: a query cannot be read, or does not fit the dataset's fields
        NameTakenError: a saved view that is no population has that name
        NoVectorsError: a query asks for similarity, but nothing has been embedded
    """
    one = isinstance(population, Population)
    given = [population] if isinstance(population, Population) else list(population)
    _check_given(given)
    opened = open_dataset(dataset)
    with writing(opened):
        recipes = load_recipes(opened)
        check_names(opened, recipes, [p.name for p in given])
        known = {name: recipe.population for name, recipe in recipes.items()}
        known |= {p.name: p for p in given}
        queries, failed = resolve(opened, known)
        touched = _dependents(known, {p.name for p in given})
        for name in failed.keys() & touched:
            raise failed[name]
        asked = {t for p in given for t in terms(queries[p.name])}
        found = {term: query_vectors(opened, term) for term in asked}
        keep_scores(opened, found)
        refresh_scores(opened, found)
        views = {
            name: save_population_view(opened, known[name], queries[name])
            for name in touched
        }
        for p in given:
            save_recipe(opened, Recipe(p, _version(recipes.get(p.name), p)))
        drop_scores(opened, used_terms(known))
    return views[given[0].name] if one else [views[p.name] for p in given]


def populations(dataset: Source) -> dict[str, Population]:
    """The populations of a dataset by name, oldest first."""
    recipes = load_recipes(open_dataset(dataset))
    return {name: recipe.population for name, recipe in recipes.items()}


def remove(dataset: Source, name: str) -> None:
    """Removes a population, its saved view and the scores that only it used.

    Raises:
        UnknownNameError: there is no such population
        ArgumentError: another population's query refers to it
    """
    opened = open_dataset(dataset)
    with writing(opened):
        known = {n: r.population for n, r in load_recipes(opened).items()}
        if name not in known:
            raise UnknownNameError("population", name, known)
        users = sorted(
            other for other, p in known.items() if name in references(parse(p.query))
        )
        if users:
            raise ArgumentError(
                f"Population '{name}' is used by '{users[0]}'; remove that one first, "
                "or change its query"
            )
        delete_recipe(opened, name)
        del known[name]
        drop_scores(opened, used_terms(known))


def refresh(dataset: Source) -> dict[str, str]:
    """Brings every population up to date with samples that were embedded since.

    Populations without similarity need nothing: MongoDB matches them live.

    Returns:
        the populations that are stale nevertheless, with the reason and the remedy
    """
    opened = open_dataset(dataset)
    known = {n: r.population for n, r in load_recipes(opened).items()}
    if not known:
        return {}
    queries, stale = current_queries(opened, known)
    lost = [name for name in queries if not opened.has_saved_view(name)]
    if lost:
        with writing(opened):
            for name in lost:
                save_population_view(opened, known[name], queries[name])
    return stale


def membership(dataset: Source) -> pd.DataFrame:
    """Which samples are in which population.

    Args:
        dataset: or its name, or a view

    Returns:
        bool frame, sample id × population; a stale population is False everywhere and
        named in a warning

    """
    view = open_view(dataset)
    opened = open_dataset(dataset)
    known = {n: r.population for n, r in load_recipes(opened).items()}
    queries, stale = current_queries(opened, known)
    for name, reason in stale.items():
        logger.warning("Population '%s' is stale: %s", name, reason)
    frame = members(view, {n: q for n, q in queries.items() if n not in stale})
    return frame.reindex(columns=list(known), fill_value=False)


def current_queries(
    dataset: fo.Dataset, known: dict[str, Population]
) -> tuple[dict[str, Query], dict[str, str]]:
    """Checked queries with their scores up to date, and why some are stale."""
    queries, failed = resolve(dataset, known)
    asked = {t for query in queries.values() for t in terms(query)}
    stale = refresh_scores(dataset, asked)
    reason = (
        "the dataset has been embedded with another encoder since; compose it again "
        "and check its threshold"
    )
    unfit = {n: reason for n, q in queries.items() if stale & set(terms(q))}
    return queries, unfit | {name: str(error) for name, error in failed.items()}


def _check_given(given: list[Population]) -> None:
    if not given:
        raise ArgumentError("Give at least one population to compose")
    for p in given:
        if not isinstance(p, Population):
            raise ArgumentError(
                f"A Population is wanted, not {type(p).__name__}; write "
                "evalsets.Population(name, query)"
            )
        query = parse(p.query)
        if query.limit is not None or query.order_by or query.where is None:
            raise ArgumentError(
                f"Population '{p.name}' needs a condition without ORDER BY and LIMIT; "
                "for the n most similar samples write RANK(text('...')) <= n"
            )
    names = [p.name for p in given]
    doubled = [name for name in names if names.count(name) > 1]
    if doubled:
        raise ArgumentError(f"Population '{doubled[0]}' is given more than once")


def _version(before: Recipe | None, population: Population) -> int:
    if before is None:
        return 1
    return before.version + (before.population.query != population.query)


def _dependents(known: dict[str, Population], changed: set[str]) -> set[str]:
    """The changed populations and all whose queries refer to them, at any remove."""
    uses = {name: references(parse(p.query)) for name, p in known.items()}
    touched = set(changed)
    while more := {n for n, used in uses.items() if used & touched} - touched:
        touched |= more
    return touched
