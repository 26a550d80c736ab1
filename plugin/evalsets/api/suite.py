"""Suites as files: ``save_suite``, ``load_suite``."""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping
from math import ceil
from pathlib import Path

import fiftyone as fo
import pandas as pd

from evalsets.api.checking import check_flags
from evalsets.api.populations import check_population, write_populations
from evalsets.datasets.columns import SPLIT, read
from evalsets.datasets.connect import Source, open_dataset
from evalsets.datasets.locks import writing
from evalsets.datasets.populations import (
    check_names,
    load_recipes,
    members,
    resolve,
    used_terms,
)
from evalsets.datasets.predictions import score_names
from evalsets.datasets.releases import load_release
from evalsets.datasets.settings import save_settings, stated_settings
from evalsets.datasets.vectors import open_vectors
from evalsets.errors import ArgumentError, EvalsetsError, QueryError
from evalsets.files import path_of
from evalsets.query import Query, terms
from evalsets.suites import Population
from evalsets.suites.reading import SuiteFile, read_suite
from evalsets.suites.suite import Suite, SuitePlan, two_holdouts
from evalsets.suites.suite import plan as compare
from evalsets.suites.writing import write_suite

logger = logging.getLogger(__name__)


def save_suite(dataset: Source, path: str | Path) -> Path:
    """Writes every population, and how the dataset is split, to a YAML file for git.

    In a file that is there, what did not change keeps its text, comments included.

    Raises:
        ArgumentError: the dataset has no populations, or two of one query and different
            hold-outs; the file that is there is no suite, or cannot be written
    """
    file = path_of(path)
    opened = open_dataset(dataset)
    suite = _suite(opened)
    if not suite.populations:
        raise ArgumentError(
            f"Dataset '{opened.name}' has no populations yet; compose some first"
        )
    for one, other in two_holdouts(suite.populations):
        raise ArgumentError(
            f"'{other.name}' has the query of '{one.name}' and another hold-out: "
            f"{other.holdout:g} and {one.holdout:g}; give both the same, or remove one"
        )
    write_suite(path, suite)
    return file


def load_suite(dataset: Source, path: str | Path, *, plan: bool = False) -> SuitePlan:
    """Makes the populations of a dataset those of a file, all or nothing.

    Populations that the file does not have are removed. The options of ``split`` that
    it states are what ``split`` goes by from then on. A sample in test stays there.

    Args:
        dataset: or its name
        path: of the file
        plan: only say what would change

    Returns:
        what changes

    Raises:
        ArgumentError: what is wrong in which line of the file
        QueryError: a query that cannot be read, or does not fit the dataset's fields
        NameTakenError: a saved view that is no population has that name
        NoVectorsError: a query asks for similarity, but nothing has been embedded
    """
    check_flags(plan=plan)
    file = read_suite(path)
    opened = open_dataset(dataset)
    scores = score_names(opened)
    for population in file.suite.populations:
        _located(file, population, scores)
    if plan:
        return _planned(opened, file)
    with writing(opened):
        found = _planned(opened, file)
        given = [*found.added, *(new for _, new in found.changed.values())]
        if given or found.removed:
            write_populations(opened, given, removed=found.removed)
        if found.split:
            save_settings(opened, dict(file.suite.split))
    logger.info("Loaded '%s' into '%s': %s", path, opened.name, found)
    return found


def check_suite(dataset: Source, path: str | Path, release: int | None = None) -> None:
    """Refuses a dataset, or a release of it, whose populations are not those of a file.

    Raises:
        ArgumentError: it has others, with what loading the file would change
        UnknownNameError: no such release
    """
    opened = open_dataset(dataset)
    if release is None:
        found, whose = load_suite(opened, path, plan=True), f"Dataset '{opened.name}'"
        remedy = "load it first"
    else:
        frozen, _ = load_release(opened, release)
        wanted = read_suite(path).suite
        found = compare(Suite(frozen.populations, wanted.split), wanted)
        whose = f"Release {release} of dataset '{opened.name}'"
        remedy = "load it, and make another release"
    if not found.same:
        raise ArgumentError(
            f"{whose} does not have the suite of '{path}'; {remedy}:\n{found}"
        )


def _suite(dataset: fo.Dataset) -> Suite:
    known = tuple(r.population for r in load_recipes(dataset).values())
    return Suite(known, stated_settings(dataset))


def _located(file: SuiteFile, population: Population, scores: Container[str]) -> None:
    try:
        check_population(population, scores)
    except QueryError as error:
        raise _placed(error, file, population.name) from error
    except EvalsetsError as error:
        raise ArgumentError(f"{file.at(population.name)}: {error}") from error


def _placed(error: QueryError, file: SuiteFile, name: str) -> QueryError:
    where = file.at(name, query=True)
    problem = f"{where}: population '{name}': {error.problem}"
    return QueryError(problem, error.text, error.position, error.word)


def _planned(dataset: fo.Dataset, file: SuiteFile) -> SuitePlan:
    """What loading changes, once it is sure that it can be loaded."""
    before = _suite(dataset)
    found = compare(before, file.suite)
    known = {p.name: p for p in before.populations}
    wanted = {p.name: p for p in file.suite.populations}
    for name in wanted:
        try:
            check_names(dataset, known, [name], found.removed)
        except ArgumentError as error:
            raise ArgumentError(f"{file.at(name)}: {error}") from error
    queries, failed = resolve(dataset, wanted)
    for name, problem in failed.items():
        raise _placed(problem, file, name)
    touched = {n: queries[n] for n in [*(p.name for p in found.added), *found.changed]}
    if any(terms(query) for query in touched.values()):
        open_vectors(dataset)  # says what to do where there are none
    frame = _frame(dataset, known, wanted, touched)
    return compare(before, file.suite, frame)


def _frame(
    dataset: fo.Dataset,
    known: Mapping[str, Population],
    wanted: Mapping[str, Population],
    touched: Mapping[str, Query],
) -> pd.DataFrame:
    """Sizes of populations, and of their part in test, without writing scores."""
    scored = used_terms(known)
    ready = {n: q for n, q in touched.items() if scored.issuperset(terms(q))}
    inside = members(dataset.view(), ready)
    split = dataset.has_sample_field(SPLIT)
    columns = read(dataset, ["id", SPLIT]) if split else {"id": [], SPLIT: []}
    side = pd.Series(columns[SPLIT], index=columns["id"], dtype=object)
    test = (side.reindex(inside.index) == "test").to_numpy()
    rows = {
        name: (n, int(inside[name][test].sum()), ceil(wanted[name].holdout * n - 1e-9))
        for name, n in ((name, int(inside[name].sum())) for name in ready)
    }
    columns_of = ["n", "in_test", "asked"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns_of, dtype=int)
