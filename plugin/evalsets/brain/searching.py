"""The reading half of an index: what FiftyOne asks about neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from fiftyone.brain.similarity import DuplicatesMixin, SimilarityIndex
from numpy.typing import NDArray

from evalsets.brain.contents import EMPTY, Contents, Ids, Rows
from evalsets.brain.neighbours import Found, distinct, nearest, others, within
from evalsets.brain.ranking import ranked
from evalsets.datasets.columns import gather, holding
from evalsets.errors import ArgumentError, NoVectorsError
from evalsets.similarity import unit


class SearchableIndex(SimilarityIndex, DuplicatesMixin):
    """Answers queries over contents.

    Distances are one minus the cosine. A ranking is exact and has the order of
    ``RANK(text(...))``; neighbours of many vectors at once are good to float32.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._contents: Contents = EMPTY
        SimilarityIndex.__init__(self, *args, **kwargs)
        DuplicatesMixin.__init__(self)

    def _kneighbors(
        self,
        query: Any = None,
        k: int | None = None,
        reverse: bool = False,
        aggregation: str | None = None,
        return_dists: bool = False,
    ) -> Any:
        if query is None:
            if aggregation is not None:
                raise ArgumentError("Neighbours of all rows cannot be aggregated")
            matrix = self._current_matrix()
            found = nearest(matrix, matrix, None if k is None else k + 1, reverse)
            return _positions(others(found, k), return_dists)
        vectors, single = self._vectors_of(query)
        if not single and aggregation is None:
            found = nearest(self._current_matrix(), unit(vectors), k, reverse)
            return self._named(found, False, return_dists)
        contents = self._contents
        rank = partial(
            ranked,
            contents.stored,
            vectors,
            contents.stored_ids,
            aggregation=aggregation or "mean",
            reverse=reverse,
        )
        among = self._rows_to_rank(
            k, lambda n: contents.stored_ids[rank(k=n, among=contents.live)[0]]
        )
        rows, distances = rank(k=k, among=contents.stored_rows(among))
        rows = contents.places(rows)
        return _listed(contents, [(rows, distances)], True, return_dists)

    def _radius_neighbors(
        self, query: Any = None, thresh: float = 0.0, return_dists: bool = False
    ) -> Any:
        matrix = self._current_matrix()
        if query is None:
            return _positions(others(within(matrix, matrix, thresh)), return_dists)
        vectors, single = self._vectors_of(query)
        return self._named(within(matrix, unit(vectors), thresh), single, return_dists)

    def _remove_duplicates_thresh(self, thresh: float, ids: Any) -> list[str]:
        """FiftyOne's choice, first come first kept, without lists of all neighbours."""
        kept = distinct(self._current_matrix(), thresh)
        return [str(i) for i in np.asarray(ids)[kept]]

    def _named(self, found: Iterable[Found], single: bool, return_dists: bool) -> Any:
        """Neighbours in the view by their ids."""
        view = Contents(
            self._contents.stored, self.current_sample_ids, self.current_label_ids
        )
        return _listed(view, found, single, return_dists)

    def _vectors_of(self, query: Any) -> tuple[NDArray[Any], bool]:
        """Vectors of ids, or as given; and whether it was a single one."""
        contents = self._filled()
        array = np.asarray(query)
        single = array.ndim == (1 if np.issubdtype(array.dtype, np.number) else 0)
        if not np.issubdtype(array.dtype, np.number):
            asked = np.atleast_1d(array).tolist()
            rows, missing = self._contents.find(asked, self._contents.ids)
            if missing:
                raise NoVectorsError(
                    f"The index '{self.key}' has no vector of '{missing[0]}'; ask for "
                    "what is in it, or add it"
                )
            return contents.vectors(rows), single
        vectors = np.atleast_2d(array)
        if vectors.shape[1:] != (contents.dim,):
            raise ArgumentError(
                f"The query has shape {array.shape}, the vectors have length "
                f"{contents.dim}; use the model that made the vectors"
            )
        return vectors, single

    def _rows_to_rank(self, k: int | None, first: Callable[[int], Ids]) -> Rows | None:
        """Rows that the view in use holds, the first ``k`` at least; None for all.

        FiftyOne reads a document a sample to have them in the view's order, which a
        ranking does not need.
        """
        view = self._curr_view
        known = self._curr_sample_ids is not None or not self.has_view
        told = self._curr_view_warn_missing or not self._curr_view_allow_missing
        if known or told or self.config.patches_field or view._is_patches:
            rows: Rows | None = self._current_inds
            return rows
        ids = holding(view, k, first) if k else gather(view, {})[0]
        return self._contents.rows_of(ids)

    def _current_matrix(self) -> NDArray[np.float32]:
        contents, rows = self._filled(), self._current_inds
        return contents.matrix if rows is None else contents.vectors(rows)

    def _filled(self) -> Contents:
        if not len(self._contents):
            raise NoVectorsError(
                f"The index '{self.key}' has no vectors; add some with add_to_index, or "
                "delete the run and compute it again"
            )
        return self._contents


def _positions(found: Iterable[Found], return_dists: bool) -> Any:
    found = list(found)
    rows, distances = [r for r, _ in found], [d for _, d in found]
    return (rows, distances) if return_dists else rows


def _listed(
    contents: Contents, found: Iterable[Found], single: bool, return_dists: bool
) -> Any:
    """Lists of ids and distances, one a query unless it was a single one."""
    found = list(found)

    def ids(kind: Ids | None) -> list[list[str]] | None:
        return None if kind is None else [kind[rows].tolist() for rows, _ in found]

    parts: list[Any] = [ids(contents.sample_ids), ids(contents.label_ids)]
    if return_dists:
        parts.append([distances.tolist() for _, distances in found])
    return tuple(part[0] if single and part else part for part in parts)
