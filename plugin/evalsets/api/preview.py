"""What a query finds, looked at while it is being written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from evalsets.api.cuts import Cut, find_cut, others
from evalsets.api.search import search
from evalsets.datasets.connect import Source, database, open_dataset
from evalsets.datasets.populations import load_recipes, read_query, schema_of
from evalsets.datasets.scores import query_vectors, term_values
from evalsets.datasets.vectors import open_vectors
from evalsets.errors import ArgumentError, SeveralCutsError
from evalsets.query import (
    Query,
    Similarity,
    evaluate,
    parse,
    terms,
    to_text,
)
from evalsets.query.syntax import Compare, Constant
from evalsets.query.writing import field_condition, joined, with_constant

BINS = 48
_SHARE = 0.05


@dataclass(frozen=True)
class Histogram:
    """How a similarity is spread over the samples that meet the rest of a query.

    Args:
        counts: ``(bins,)``
        low: least similarity
        high: greatest
    """

    counts: tuple[int, ...]
    low: float
    high: float


@dataclass(frozen=True)
class Preview:
    """What a query finds.

    Args:
        n: samples found
        samples: of the dataset
        term: the similarity that is cut; empty where none is
        terms: all that are cut
        cut: value that the similarity is compared with
        above: whether greater similarities are kept
        histogram: of the similarity
        first: ids of the samples found that are most similar, or of the first found
        inside: ids of others found that are nearest to the cut, nearest last
        outside: ids of samples that it leaves out, nearest first
    """

    n: int
    samples: int
    first: tuple[str, ...]
    term: str = ""
    terms: tuple[str, ...] = ()
    cut: float | None = None
    above: bool = True
    histogram: Histogram | None = None
    inside: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


def preview(dataset: Source, query: str, *, term: str = "", shown: int = 6) -> Preview:
    """What a query finds, without writing anything.

    Args:
        dataset: or its name
        query: a condition, or a whole ``SELECT``
        term: the similarity whose cut is looked at; the first one where there is no
            such
        shown: samples of each kind

    Raises:
        QueryError: the query cannot be read, or does not fit the dataset
        NoVectorsError: it asks for similarity, but nothing has been embedded
        EncoderError: the encoder of a prompt cannot be loaded
    """
    opened = open_dataset(dataset)
    parsed, _, _ = read_query(opened, query)
    cuts = _cuts(parsed)
    with database():
        samples = len(opened)
        if not cuts or parsed.limit is not None:
            view = search(opened, query)
            first = view.limit(shown).values("id")
            return Preview(view.count(), samples, tuple(first))
        cut = next((c for c in cuts if to_text(c.term) == term), cuts[0])
        ids, score, found = _scored(opened, parsed, cut)
    order = np.argsort(-cut.sign * score, kind="stable")
    sorted_ids = ids[order]
    n = int(found.sum())
    return Preview(
        n,
        samples,
        _names(sorted_ids[: min(shown, n)]),
        to_text(cut.term),
        tuple(to_text(c.term) for c in cuts),
        cut.value,
        cut.sign > 0,
        _histogram(score),
        _names(sorted_ids[max(min(shown, n), n - shown) : n]),
        _names(sorted_ids[n : n + shown]),
    )


def with_cut_at(query: str, term: str, value: float) -> str:
    """A query's text with another cut of a similarity; the rest stays as typed.

    Raises:
        QueryError: the query cannot be read
        ArgumentError: it does not cut that similarity
    """
    parsed = parse(query)
    cuts = [cut for cut in _cuts(parsed) if to_text(cut.term) == term]
    if not cuts:
        raise ArgumentError(f"The query does not cut {term}; write {term} > {value:g}")
    sides = (cuts[0].comparison.left, cuts[0].comparison.right)
    (constant,) = (side for side in sides if isinstance(side, Constant))
    return with_constant(query, constant, value) or query


def with_field(
    dataset: Source, query: str, path: str, operator: str, value: str
) -> str:
    """A query's text with a condition on a field added.

    Raises:
        QueryError: the query cannot be read, or there is no such field
        ArgumentError: an operator or a value that the field cannot take
    """
    opened = open_dataset(dataset)
    schema = schema_of(opened, load_recipes(opened))
    return joined(query, field_condition(schema, path, operator, value))


def with_similarity(
    dataset: Source,
    query: str,
    kind: str,
    examples: Sequence[str],
    *,
    less: bool = False,
) -> str:
    """A query's text with a cut of a similarity added, that the nearest samples pass.

    Args:
        dataset: or its name
        query: as typed
        kind: ``text`` or ``image``
        examples: prompts, or ids of samples
        less: whether the nearest samples are left out rather than kept

    Raises:
        QueryError: the query cannot be read
        NoVectorsError: the dataset has not been embedded
        EncoderError: the encoder of a prompt cannot be loaded
    """
    opened = open_dataset(dataset)
    written = to_text(Similarity(kind, tuple(examples)))
    (term,) = terms(parse(f"{written} > 0"))  # refuses too many, or none
    file = open_vectors(opened)
    score = term_values(term, file, query_vectors(opened, term, file))
    cut = float(np.quantile(score, 1 - _SHARE)) if len(score) else 0.0
    value = math.floor(1000 * cut) / 1000
    return joined(query, Compare("<" if less else ">", term, Constant(value)))


def _cuts(query: Query) -> list[Cut]:
    """The comparisons of similarities with numbers, one of each similarity."""
    try:
        return [find_cut("", query, None)]
    except SeveralCutsError as error:
        named = dict.fromkeys(error.terms)
        return [c for name in named if (c := _cut_of(query, name)) is not None]
    except ArgumentError:
        return []


def _cut_of(query: Query, term: str) -> Cut | None:
    try:
        return find_cut("", query, term)
    except ArgumentError:
        return None


def _scored(
    dataset: fo.Dataset, query: Query, cut: Cut
) -> tuple[NDArray[np.str_], NDArray[np.float64], NDArray[np.bool_]]:
    """Ids and similarities of the samples that meet the rest, and who passes the cut."""
    file = open_vectors(dataset)
    wanted = query_vectors(dataset, cut.term, file)
    ids, score = file.ids, term_values(cut.term, file, wanted)
    rest = others(query, cut)
    if rest or len(file) != len(dataset):
        left = search(dataset, rest) if rest else dataset.view()
        place = file.find(left.values("id"))
        place = np.sort(place[place >= 0])
        ids, score = ids[place], score[place]
    found, _ = evaluate(cut.condition, {cut.term: score})
    return ids, score, np.asarray(found, dtype=bool)


def _histogram(score: NDArray[np.float64]) -> Histogram | None:
    if not len(score):
        return None
    counts, edges = np.histogram(score, BINS)
    return Histogram(tuple(counts.tolist()), float(edges[0]), float(edges[-1]))


def _names(ids: NDArray[np.str_]) -> tuple[str, ...]:
    return tuple(ids.tolist())
