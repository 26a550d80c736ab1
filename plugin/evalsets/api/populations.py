"""Populations: ``compose``, ``populations``, ``remove``, ``refresh``, ``membership``."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import replace
from typing import Any

import fiftyone as fo
import pandas as pd

from evalsets.api.absent import absent_texts
from evalsets.datasets.answers import delete_answers, rename_answers
from evalsets.datasets.connect import Source, open_dataset, open_view
from evalsets.datasets.locks import writing
from evalsets.datasets.populations import (
    Measured,
    Recipe,
    check_names,
    delete_recipe,
    is_saved,
    load_recipes,
    members,
    resolve,
    save_population_views,
    save_recipe,
    schema_of,
    used_terms,
    view_of,
)
from evalsets.datasets.predictions import score_names
from evalsets.datasets.scores import (
    OTHER_ENCODER,
    drop_scores,
    keep_scores,
    refresh_scores,
)
from evalsets.datasets.vectors import fingerprint_of
from evalsets.errors import ArgumentError, NameTakenError, UnknownNameError
from evalsets.metrics import check_bound, find_metric, turned
from evalsets.query import (
    Query,
    advise,
    parse,
    references,
    renamed,
    terms,
    to_text,
)
from evalsets.suites import Population
from evalsets.suites.population import refuse_impossible

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

    Warns:
        PromptWarning: a prompt says "no", or a number, which encoders do not understand;
            or a comparison such as ``= NULL`` is never true
    """
    one = isinstance(population, Population)
    given = [population] if isinstance(population, Population) else _several(population)
    opened = open_dataset(dataset)
    _check_given(given, score_names(opened))
    views = write_populations(opened, given)
    schema = schema_of(opened, load_recipes(opened))
    for advice in (advise(parse(p.query), schema) for p in given):
        if advice is not None:
            warnings.warn(advice, stacklevel=2)
    return views[given[0].name] if one else [views[p.name] for p in given]


def write_populations(
    opened: fo.Dataset,
    given: list[Population],
    measured: Measured | None = None,
    removed: Collection[str] = (),
) -> dict[str, fo.DatasetView]:
    """Composes checked populations.

    Args:
        opened: where
        given: populations that are free to be composed
        measured: of the only one given; without it, each keeps what was measured of it
            as long as its query stays
        removed: names of populations to remove, to which none of the others refers

    Returns:
        the views of all populations that changed, by name
    """
    with writing(opened):
        recipes = load_recipes(opened)
        check_names(opened, recipes, [p.name for p in given], removed)
        known = {n: r.population for n, r in recipes.items() if n not in removed}
        known |= {p.name: p for p in given}
        queries, failed = resolve(opened, known)
        touched = _dependents(known, {p.name for p in given})
        for name in failed.keys() & touched:
            raise failed[name]
        asked = {t for p in given for t in terms(queries[p.name])}
        views = {n: view_of(opened, queries[n]) for n in known if n in touched}
        keep_scores(opened, asked)
        refresh_scores(opened, asked)
        encoder = fingerprint_of(opened)
        for p in given:  # before the views, which can be made again from them
            before = recipes.get(p.name, Recipe(p))
            save_recipe(opened, before.changed(p, measured, encoder))
        for name in removed:
            delete_answers(opened, name)
            delete_recipe(opened, name)
        save_population_views(opened, [(known[n], v) for n, v in views.items()])
        drop_scores(opened, used_terms(known))
    for said in absent_texts(opened, [queries[p.name] for p in given]):
        logger.warning("%s", said)
    return views


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
    if not isinstance(name, str):
        raise ArgumentError(f"name is {name!r}; give the name of a population")
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
        delete_answers(opened, name)
        delete_recipe(opened, name)
        del known[name]
        drop_scores(opened, used_terms(known))


def rename(dataset: Source, name: str, new: str) -> None:
    """Gives a population another name, in the queries that refer to it as well.

    Its versions, its calibration and the hold-out it has got stay. What a kill leaves
    half done is finished by renaming it again.

    Raises:
        UnknownNameError: there is no such population
        NameTakenError: the new name belongs to something else
    """
    opened = open_dataset(dataset)
    with writing(opened):
        recipes = load_recipes(opened)
        if name not in recipes:
            raise UnknownNameError("population", name, recipes)
        called = replace(recipes[name].population, name=new)
        if new in recipes and recipes[new].population != called:
            raise NameTakenError(f"There is a population '{new}' already")
        check_names(opened, recipes, [new], [name])
        save_recipe(opened, replace(recipes[name], population=called))
        for other, recipe in recipes.items():
            query = parse(recipe.population.query)
            if name in references(query):
                text = renamed(query, name, new)
                changed = replace(recipe.population, query=text)
                recipes[other] = replace(recipe, population=changed)
                save_recipe(opened, recipes[other])
        rename_answers(opened, name, new)
        delete_recipe(opened, name)
    refresh(opened)


def versions(dataset: Source, name: str) -> pd.DataFrame:
    """How a population was defined, from its first version to the one that holds.

    Returns:
        frame by version: ``query``, and ``since`` when it was composed

    Raises:
        UnknownNameError: there is no such population
    """
    recipes = load_recipes(open_dataset(dataset))
    if name not in recipes:
        raise UnknownNameError("population", name, recipes)
    recipe = recipes[name]
    now = {
        "version": recipe.version,
        "query": recipe.population.query,
        "since": recipe.since,
    }
    return pd.DataFrame([*recipe.earlier, now]).set_index("version")


def refresh(dataset: Source) -> dict[str, str]:
    """Brings every population up to date with samples that were embedded since.

    Populations without similarity are matched live by MongoDB; their saved views are
    only made again where they are lost or match a field that is no longer meant. The
    saved view of a stale population is empty until it is none any more.

    Returns:
        the populations that are stale nevertheless, with the reason and the remedy
    """
    opened = open_dataset(dataset)
    stale, differing = _compared(opened)
    if differing:
        with writing(opened):
            stale, differing = _compared(opened)
            save_population_views(opened, differing)
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
    recipes = load_recipes(opened)
    queries, stale = current_queries(opened, recipes)
    for name, reason in stale.items():
        logger.warning("Population '%s' is stale: %s", name, reason)
    frame = members(view, {n: q for n, q in queries.items() if n not in stale})
    return frame.reindex(columns=list(recipes), fill_value=False)


def current_queries(
    dataset: fo.Dataset, recipes: Mapping[str, Recipe]
) -> tuple[dict[str, Query], dict[str, str]]:
    """Checked queries with their scores up to date, and why some are stale."""
    known = {name: recipe.population for name, recipe in recipes.items()}
    queries, failed = resolve(dataset, known)
    asked = {t for query in queries.values() for t in terms(query)}
    outdated = refresh_scores(dataset, asked)
    stale = {name: str(error) for name, error in failed.items()}
    for name, query in queries.items():
        for term in set(terms(query)) & outdated.keys():
            stale[name] = outdated[term]
    encoder = fingerprint_of(dataset) if asked else ""
    foreign = {n for n, r in recipes.items() if r.encoder not in ("", encoder)}
    cut_for_another = _dependents(known, foreign)
    for name in queries:
        if name in cut_for_another:
            stale.setdefault(name, OTHER_ENCODER)
    return queries, stale


def meanings(dataset: fo.Dataset, known: dict[str, Population]) -> dict[str, str]:
    """Queries with those they refer to written out: what a rename does not change."""
    queries, _ = resolve(dataset, known)
    return {
        name: to_text(queries[name]) if name in queries else p.query
        for name, p in known.items()
    }


def _compared(
    dataset: fo.Dataset,
) -> tuple[dict[str, str], list[tuple[Population, fo.DatasetView]]]:
    """Why some populations are stale, and the views that are not saved as meant."""
    recipes = load_recipes(dataset)
    if not recipes:
        return {}, []
    queries, stale = current_queries(dataset, recipes)
    views = {name: view_of(dataset, query) for name, query in queries.items()}
    views |= dict.fromkeys(stale, dataset.match({"$expr": False}))
    return stale, [
        (recipes[name].population, view)
        for name, view in views.items()
        if not is_saved(name, view)
    ]


def _several(given: Any) -> list[Population]:
    if isinstance(given, Iterable):
        return list(given)
    raise ArgumentError(
        f"A Population is wanted, or several, not {type(given).__name__}; write "
        "evalsets.Population(name, query)"
    )


def _check_given(given: list[Population], scores: Container[str]) -> None:
    if not given:
        raise ArgumentError("Give at least one population to compose")
    for population in given:
        check_population(population, scores)
    names = [p.name for p in given]
    doubled = [name for name in names if names.count(name) > 1]
    if doubled:
        raise ArgumentError(f"Population '{doubled[0]}' is given more than once")


def check_population(p: Population, scores: Container[str] = ()) -> None:
    """Refuses what can be composed nowhere, and warns of bounds the wrong way round.

    Args:
        p: to check
        scores: names of uploaded scores, which are metrics too

    Raises:
        QueryError: the query cannot be read
        ArgumentError: no population, its query has ORDER BY or LIMIT, or requirements
            that can never be met or missed, or are said twice
        UnknownNameError: a requirement on a metric that does not exist
    """
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
    try:
        refuse_impossible(p.require)
    except ArgumentError as error:
        raise ArgumentError(f"Population '{p.name}' requires {error}") from error
    for requirement in p.require:
        try:
            metric = find_metric(requirement.metric, scores)
        except UnknownNameError as error:
            kind = f"metric for population '{p.name}':"
            raise UnknownNameError(kind, error.name, error.known) from None
        check_bound(requirement, p.name, metric)
        alone = [r.metric for r in p.require].count(requirement.metric) == 1
        if alone and (meant := turned(requirement, metric)) is not None:
            logger.warning(
                "'%s' of population '%s' is met by the worse models; write '%s' if that "
                "is meant",
                *(requirement, p.name, meant),
            )


def _dependents(known: dict[str, Population], changed: set[str]) -> set[str]:
    """The changed populations and all whose queries refer to them, at any remove."""
    uses = {name: references(parse(p.query)) for name, p in known.items()}
    touched = set(changed)
    while more := {n for n, used in uses.items() if used & touched} - touched:
        touched |= more
    return touched
