"""New samples of which nobody can tell yet whether they are in a population."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import fiftyone as fo
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalsets.datasets.columns import gather, provenance
from evalsets.datasets.files import TAGGER
from evalsets.datasets.populations import members
from evalsets.datasets.scores import field_of
from evalsets.errors import counted
from evalsets.query import Query, terms
from evalsets.query.infer import type_of
from evalsets.query.syntax import Field, Not, walk
from evalsets.taggers import (
    AreaFraction,
    DocumentText,
    FileFacts,
    ImageStatistics,
    ObjectCount,
    Presence,
    ZeroShot,
)

_Lacks = tuple[str, str]  # what samples lack, and what is to be done first

_VECTOR: _Lacks = ("vector", "embed")
_WHOLE: set[str] = {
    kind.kind
    for kind in (AreaFraction, ImageStatistics, ObjectCount, Presence, ZeroShot)
}
_TELLING = {FileFacts.kind: "file_format", DocumentText.kind: "n_words"}
"""A field that is never empty once a sample was tagged, where others may be."""


def untagged(
    dataset: fo.Dataset,
    queries: Mapping[str, Query],
    ids: pd.Index,
    side: Sequence[str],
) -> list[str]:
    """How many samples without a side lack what populations ask for, a sentence each.

    Those count that the rest of a query does not decide. Fields that no tagger fills may
    be empty for good, and say nothing.

    Args:
        dataset: about to be split
        queries: checked, of the populations that ask for a hold-out
        ids: ``(n,)`` of its samples
        side: ``(n,)`` empty for new samples
    """
    asked = {name: dict(_asked(dataset, query)) for name, query in queries.items()}
    paths = {path for needs in asked.values() for path, _ in needs.values()}
    samples, new_ones = dataset._sample_collection, not all(side)
    stored = {p: f"${p}" for p in paths if new_ones and samples.find_one({p: None})}
    if not stored:
        return []
    known, columns = gather(dataset.view(), stored)
    new = pd.Series(side, index=ids).reindex(known).eq("").to_numpy()
    empty = {
        path: np.array([value is None for value in column], dtype=bool)
        for path, column in zip(stored, columns, strict=True)
    }
    lacking = {
        name: {
            lacks: new & empty[path]
            for lacks, (path, whole) in needs.items()
            if path in empty and (whole or not (new.all() or empty[path][~new].any()))
        }
        for name, needs in asked.items()
    }
    doubted = [n for n, found in lacking.items() if any(map(np.any, found.values()))]
    undecided = _undecided(dataset, {name: queries[name] for name in doubted})
    found: dict[_Lacks, dict[str, NDArray[np.bool_]]] = {}
    for name in doubted:
        for lacks, rows in lacking[name].items():
            if (rows := rows & undecided[name]).any():
                found.setdefault(lacks, {})[name] = rows
    return [_sentence(*lacks, rows) for lacks, rows in found.items()]


def _asked(
    dataset: fo.Dataset, query: Query
) -> Iterable[tuple[_Lacks, tuple[str, bool]]]:
    """What a query asks for and a pass over the files fills.

    Beside it stands where it is kept, and whether nothing there means that the pass is
    still to come.
    """
    schema = dataset.get_field_schema()
    for term in terms(query):
        yield _VECTOR, (field_of(term), True)
    for node in (node for root in query.roots() for node in walk(root)):
        if not isinstance(node, Field) or node.inner:
            continue
        name = node.path.partition(".")[0]
        kind = provenance(schema[name]).get(TAGGER) if name in schema else None
        telling = _TELLING.get(kind or "", "")
        if kind is not None and (telling in schema or not telling):
            path = telling or type_of(node).path or node.path
            yield (f"'{name}'", "tag"), (path, bool(telling) or kind in _WHOLE)


def _undecided(
    dataset: fo.Dataset, queries: Mapping[str, Query]
) -> dict[str, NDArray[np.bool_]]:
    """The samples that a query neither finds nor leaves out, by rising id."""
    no: dict[str, Any] = {
        name: replace(query, where=Not(query.where, span=query.where.span))
        for name, query in queries.items()
        if query.where is not None
    }
    found, left_out = (members(dataset.view(), asked) for asked in (queries, no))
    return {name: ~(found[name] | left_out[name]).to_numpy() for name in no}


def _sentence(what: str, act: str, rows: Mapping[str, NDArray[np.bool_]]) -> str:
    n = int(np.logical_or.reduce(list(rows.values())).sum())
    has, its = ("has", "is") if n == 1 else ("have", "are")
    first, *others = rows
    by = f"'{first}'" + (f" and {counted(len(others), 'other')}" if others else "")
    asks = "ask" if others else "asks"
    return (
        f"{counted(n, 'new sample')} {has} no {what}, which {by} {asks} for, and {its} "
        f"divided as not in {'them' if others else 'it'}; {act} new samples before they "
        "are split"
    )
