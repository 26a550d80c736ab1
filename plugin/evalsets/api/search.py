"""``search``: the samples that a query means."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from evalsets.datasets.columns import read
from evalsets.datasets.compile import apply
from evalsets.datasets.connect import Source, open_dataset, open_view
from evalsets.datasets.populations import load_recipes, schema_of
from evalsets.datasets.scores import query_vectors, term_values
from evalsets.datasets.vectors import open_vectors
from evalsets.query import (
    Expr,
    Members,
    Term,
    check,
    evaluate,
    fields,
    inline,
    parse,
    replace,
    similarity_predicates,
    terms,
)

logger = logging.getLogger(__name__)


def search(dataset: Source, query: str) -> fo.DatasetView:
    """The samples for which a query is true, as a FiftyOne view.

    Args:
        dataset: or its name, or a view to search in
        query: a condition over fields, text and images, or a whole ``SELECT``

    Returns:
        a view; without similarity it is a live match, with similarity it holds the
        samples found now

    Raises:
        QueryError: the query cannot be read, or does not fit the dataset's fields
        NoVectorsError: it asks for similarity, but nothing has been embedded
    """
    view = open_view(dataset)
    opened = open_dataset(dataset)
    known = {n: parse(r.population.query) for n, r in load_recipes(opened).items()}
    checked = check(inline(parse(query), known), schema_of(opened, known))
    asked = terms(checked)
    if not asked:
        return apply(view, checked, {})
    values = _values(opened, asked)
    predicates = similarity_predicates(checked)
    return apply(view, replace(checked, _decided(view, predicates, values)), values)


def _values(
    dataset: fo.Dataset, asked: tuple[Term, ...]
) -> dict[Term, dict[str, float]]:
    """The values of every term by sample id."""
    file = open_vectors(dataset)
    ids = file.ids.tolist()
    return {
        term: dict(
            zip(
                ids,
                term_values(term, file, query_vectors(dataset, term)).tolist(),
                strict=True,
            )
        )
        for term in asked
    }


def _decided(
    view: fo.DatasetView,
    predicates: tuple[Expr, ...],
    values: Mapping[Term, Mapping[str, float]],
) -> dict[Expr, Members]:
    """Where each predicate is true, and where it is NULL, as sample ids."""
    paths = sorted({path for p in predicates for path in fields(p)})
    columns = read(view, ["id", *paths])
    ids = np.asarray(columns.pop("id"), dtype=object)
    table: dict[Term | str, NDArray[Any]] = {
        path: _column(column) for path, column in columns.items()
    }
    for term, by_id in values.items():
        table[term] = np.asarray([by_id.get(i, np.nan) for i in ids], dtype=np.float64)
    missing = sum(i not in next(iter(values.values())) for i in ids)
    if missing:
        logger.warning(
            "%d of %d samples have no vector and match no similarity; embed them",
            missing,
            len(ids),
        )
    decided = {}
    for predicate in predicates:
        true, null = evaluate(predicate, table)
        decided[predicate] = Members(frozenset(ids[true]), frozenset(ids[null]))
    return decided


def _column(values: list[Any]) -> NDArray[Any]:
    """Numbers with NaN for NULL where all are numbers, else the values as they are."""
    if all(v is None or type(v) in (int, float) for v in values):
        return np.asarray(values, dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
