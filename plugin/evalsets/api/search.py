"""``search``: the samples that a query means."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from evalsets.datasets.compile import apply, read_fields
from evalsets.datasets.connect import Source, is_whole, open_both
from evalsets.datasets.populations import load_recipes, schema_of
from evalsets.datasets.schema import refuse_hidden
from evalsets.datasets.scores import (
    kept_fields,
    passing,
    query_vectors,
    term_values,
)
from evalsets.datasets.vectors import open_vectors
from evalsets.query import (
    Expr,
    Members,
    Term,
    advise,
    check,
    column_of,
    evaluate,
    fields,
    inline,
    parse,
    references,
    replace,
    similarity_predicates,
    terms,
)
from evalsets.similarity import VectorFile

logger = logging.getLogger(__name__)

_LISTED = 10_000  # ids that are cheaper to list than to look for in a view


def search(dataset: Source, query: str) -> fo.DatasetView:
    """The samples for which a query is true, as a FiftyOne view.

    Args:
        dataset: or its name, or a view to search in
        query: a condition over fields, text and images, or a whole ``SELECT``

    Returns:
        a view; a live match without similarity, and with those that populations keep
        scores of; with others it holds the samples found now

    Raises:
        QueryError: the query cannot be read, or does not fit the fields that the dataset
            has and the view shows
        NoVectorsError: it asks for similarity, but nothing has been embedded

    Warns:
        PromptWarning: a prompt says "no", or a number, which encoders do not understand
    """
    opened, view = open_both(dataset)
    recipes, parsed = load_recipes(opened), parse(query)
    named = recipes if references(parsed) else {}
    known = {n: parse(r.population.query) for n, r in named.items()}
    schema = schema_of(opened, recipes)
    checked = check(inline(parsed, known), schema)
    refuse_hidden(view, checked)
    advice = advise(parsed, schema)
    if advice is not None:
        warnings.warn(advice, stacklevel=2)
    asked = terms(checked)
    kept = kept_fields(opened, asked) if asked else {}
    if len(kept) == len(asked) and all(map(view.has_field, kept.values())):
        return apply(view, checked, kept)
    file = open_vectors(opened)
    queries = {term: query_vectors(opened, term) for term in asked}
    predicates = similarity_predicates(checked)
    found = {p: passing(p, file, queries) for p in predicates}
    passed = {p: mask for p, mask in found.items() if mask is not None}
    sorting = {t for order in checked.order_by for t in terms(order)}
    needed = sorting.union(*(terms(p) for p in predicates if p not in passed))
    values = {term: term_values(term, file, queries[term]) for term in needed}
    decided = decide(view, predicates, file, values, passed)
    by_id = {
        term: dict(zip(file.ids.tolist(), values[term].tolist(), strict=True))
        for term in sorting
    }
    return apply(view, replace(checked, decided), by_id)


def decide(
    view: fo.DatasetView,
    predicates: tuple[Expr, ...],
    file: VectorFile,
    values: Mapping[Term, NDArray[Any]],
    passed: Mapping[Expr, NDArray[np.bool_]] | None = None,
) -> dict[Expr, Members]:
    """Where each predicate is true, and where it is NULL, as sample ids.

    Args:
        view: whose samples are decided on
        predicates: conditions on similarities
        file: with vectors of the samples
        values: of the similarities, in the order of ``file.ids``
        passed: predicates that are decided already, in that order
    """
    passed = passed or {}
    asked = {path for p in predicates for path in fields(p)}
    if not asked and _covers(file, view, [passed.get(p) for p in predicates]):
        ids, place = file.ids, np.arange(len(file))
        columns: dict[str, list[Any]] = {}
    else:
        columns = read_fields(view, predicates)
        ids = np.asarray(columns["id"], dtype="<U24")
        place = file.find(columns["id"])
    table: dict[Term | str, NDArray[Any]] = {
        path: column_of(columns[path]) for path in asked
    }
    for term, found in values.items():
        table[term] = np.where(place < 0, np.nan, np.append(found, np.nan)[place])
    missing = int((place < 0).sum())
    if missing:
        logger.warning(
            "%d of %d samples have no vector and match no similarity; embed them",
            missing,
            len(ids),
        )
    decided = {}
    for predicate in predicates:
        if predicate in passed:
            null = place < 0
            true = np.append(passed[predicate], False)[place] & ~null
        else:
            true, null = evaluate(predicate, table)
        most = true.sum() > len(ids) / 2
        decided[predicate] = Members(
            frozenset(ids[true].tolist()),
            frozenset(ids[null].tolist()),
            frozenset(ids[~true & ~null].tolist()) if most else None,
        )
    return decided


def _covers(
    file: VectorFile, view: fo.DatasetView, decided: Sequence[NDArray[np.bool_] | None]
) -> bool:
    """Whether the file's samples can be listed for a view, which passes its own of them.

    All of its samples must be there, and of more than it has the lists must be short.
    """
    if view._is_generated or len(view._dataset) != len(file):
        return False
    return is_whole(view) or all(
        mask is not None and min(mask.sum(), len(mask) - mask.sum()) <= _LISTED
        for mask in decided
    )
