"""``search``: the samples that a query means."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from evalsets.datasets.columns import holding
from evalsets.datasets.compile import apply, read_fields
from evalsets.datasets.connect import Source, is_whole, open_both
from evalsets.datasets.populations import read_query, refuse_stale
from evalsets.datasets.schema import refuse_hidden
from evalsets.datasets.scores import (
    kept_fields,
    passing,
    query_vectors,
    term_values,
)
from evalsets.datasets.vectors import open_vectors
from evalsets.encoders.encoder import Vectors
from evalsets.query import (
    Expr,
    Members,
    Query,
    Similarity,
    Term,
    advise,
    column_of,
    evaluate,
    fields,
    replace,
    similarity_predicates,
    terms,
)
from evalsets.similarity import VectorFile

logger = logging.getLogger(__name__)

_LISTED, _SHARE = 10_000, 20  # ids, or a share, cheaper to list than to find in a view


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
        EvalsetsError: it names a population that was cut for another encoder

    Warns:
        PromptWarning: a prompt says "no", or a number, which encoders do not understand;
            or a comparison such as ``= NULL`` is never true
    """
    opened, view = open_both(dataset)
    parsed, checked, schema = read_query(opened, query)
    refuse_hidden(view, checked)
    advice = advise(parsed, schema)
    if advice is not None:
        warnings.warn(advice, stacklevel=2)
    asked = terms(checked)
    if not asked:
        return apply(view, checked)
    refuse_stale(opened, parsed)
    file = open_vectors(opened)
    kept = kept_fields(opened, asked, file)
    if len(kept) == len(asked) and all(map(view.has_field, kept.values())):
        return apply(view, checked, kept)
    queries = {term: query_vectors(opened, term, file) for term in asked}
    predicates = similarity_predicates(checked)
    found = {p: passing(p, file, queries) for p in predicates}
    passed = {p: mask for p, mask in found.items() if mask is not None}
    first = _nearest_first(checked, queries)
    sorting = {t for order in checked.order_by for t in terms(order)} - {first}
    needed = sorting.union(*(terms(p) for p in predicates if p not in passed))
    values = {term: term_values(term, file, queries[term]) for term in needed}
    decided = replace(checked, decide(view, predicates, file, values, passed))
    if first is not None and decided.limit is not None:
        found = apply(view, Query(decided.where))
        ids = _nearest(found, file, queries[first][0], decided.limit)
        return found.select(ids, ordered=True)
    by_id = {
        term: dict(zip(file.ids.tolist(), values[term].tolist(), strict=True))
        for term in sorting
    }
    return apply(view, decided, by_id)


def _nearest_first(query: Query, vectors: Mapping[Term, Any]) -> Term | None:
    """The similarity that a query orders by alone, best first, up to a limit.

    A search finds those samples without the scores of all.
    """
    if len(query.order_by) != 1 or not query.limit:
        return None
    order = query.order_by[0]
    plain = isinstance(order.key, Similarity) and vectors[order.key][1] is None
    best_first = order.descending and not order.nulls_first
    return order.key if plain and best_first else None  # type: ignore[return-value]


def _nearest(
    view: fo.DatasetView, file: VectorFile, query: Vectors, k: int
) -> list[str]:
    """The ``k`` samples of a view most similar to a query; at last any without vector."""
    if is_whole(view) and len(view) == len(file):
        return file.top_k(query, k)[0].tolist()
    ids = holding(view, k, lambda n: file.top_k(query, n)[0])
    places = file.find(ids)
    among = np.sort(places[places >= 0])
    found = file.top_k(query, k, among)[0] if among.size else among.astype("<U24")
    return np.concatenate([found, ids[places < 0]])[:k].tolist()


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
        none = np.zeros(len(file), dtype=bool)
        known: dict[Term | str, NDArray[Any]] = dict(values.items())
        return {
            p: _members(
                file.named, *((passed[p], none) if p in passed else evaluate(p, known))
            )
            for p in predicates
        }
    columns = read_fields(view, predicates)
    ids, place = np.asarray(columns["id"], dtype="<U24"), file.find(columns["id"])
    absent = place < 0
    if absent.any():
        logger.warning(
            "%d of %d samples have no vector and match no similarity; embed them",
            absent.sum(),
            len(ids),
        )
    table: dict[Term | str, NDArray[Any]] = {
        path: column_of(columns[path]) for path in asked
    }
    for term, found in values.items():
        table[term] = np.where(absent, np.nan, np.append(found, np.nan)[place])
    decided = {}
    for predicate in predicates:
        if predicate in passed:
            true, null = np.append(passed[predicate], False)[place] & ~absent, absent
        else:
            true, null = evaluate(predicate, table)
        decided[predicate] = _members(ids.__getitem__, true, null)
    return decided


def _covers(
    file: VectorFile, view: fo.DatasetView, decided: Sequence[NDArray[np.bool_] | None]
) -> bool:
    """Whether the file's samples can be listed for a view, which passes its own of them.

    All of its samples must be there, and of more than it has the lists must be short.
    """
    if view._is_generated or len(view._dataset) != len(file):
        return False
    most = max(_LISTED, len(file) // _SHARE)
    return is_whole(view) or all(
        mask is not None and min(mask.sum(), len(mask) - mask.sum()) <= most
        for mask in decided
    )


def _members(
    named: Callable[[NDArray[np.int64]], NDArray[np.str_]],
    true: NDArray[np.bool_],
    null: NDArray[np.bool_],
) -> Members:
    """Where a condition is true, and where it is NULL, by the ids that places have."""
    most = true.sum() > len(true) / 2

    def ids(where: NDArray[np.bool_]) -> frozenset[str]:
        return frozenset(named(np.flatnonzero(where)).tolist())

    return Members(ids(true), ids(null), ids(~true & ~null) if most else None)
