"""What is in an index: vectors with the samples or labels they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import fiftyone.brain.internal.core.utils as fbu
import fiftyone.core.media as fom
import numpy as np
from numpy.typing import NDArray

from evalsets.similarity import VectorFile
from evalsets.similarity.files import packed
from evalsets.similarity.places import Places

Ids = NDArray[np.str_]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Contents:
    """The rows of an index.

    Args:
        stored: ``(m, d)`` unit vectors, more than the index has where some were removed
        sample_ids: ``(n,)``
        label_ids: ``(n,)`` where labels are indexed
        live: ``(n,)`` rows of ``stored``, rising; None where they are all
    """

    stored: NDArray[np.float32]
    sample_ids: Ids
    label_ids: Ids | None = None
    live: Rows | None = None

    @property
    def ids(self) -> Ids:
        """What a row is called: its label where labels are indexed, else its sample."""
        return self.sample_ids if self.label_ids is None else self.label_ids

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.stored.shape[1]

    @cached_property
    def matrix(self) -> NDArray[np.float32]:
        """``(n, d)``; a copy where some were removed."""
        return self.stored if self.live is None else self.stored[self.live]

    def vectors(self, rows: Any) -> NDArray[np.float32]:
        """The vectors of some rows of the index."""
        return self.stored[rows if self.live is None else self.live[rows]]

    @cached_property
    def stored_ids(self) -> Ids:
        """What each stored row is called; nothing where it was removed."""
        if self.live is None:
            return self.ids
        named = np.zeros(len(self.stored), dtype=self.ids.dtype)
        named[self.live] = self.ids
        return named

    def stored_rows(self, rows: Rows | None) -> Rows | None:
        """The stored rows of some rows of the index; None stands for all."""
        if self.live is None:
            return rows
        return self.live if rows is None else self.live[rows]

    def places(self, stored_rows: Rows) -> Rows:
        """The rows of the index that are these stored rows."""
        live = self.live
        return stored_rows if live is None else np.searchsorted(live, stored_rows)

    def __len__(self) -> int:
        return len(self.sample_ids)

    def rows_of(self, sample_ids: Ids) -> Rows:
        """The rows of those samples that the index has, rising."""
        rows = self._row_of.find(packed(sample_ids))
        return np.sort(rows[rows >= 0])

    @cached_property
    def _row_of(self) -> Places:
        return Places(packed(self.sample_ids), np.arange(len(self)))

    def find(
        self, asked: Sequence[str], ids: Ids
    ) -> tuple[NDArray[np.int64], list[str]]:
        """Rows by one kind of id, in the order asked for, and the ids that have none."""
        rows: dict[str, list[int]] = {i: [] for i in asked}
        for row in np.flatnonzero(np.isin(ids, list(rows))).tolist():
            rows[str(ids[row])].append(row)
        missing = [i for i in asked if not rows[i]]
        return np.array(
            [row for i in asked for row in rows[i]], dtype=np.int64
        ), missing


EMPTY = Contents(np.empty((0, 0), dtype=np.float32), np.empty(0, dtype="<U24"))


def read_contents(
    file: VectorFile | None, samples: Any, patches_field: str | None
) -> Contents:
    """The vectors of a file; of labels those that are still in the dataset."""
    if file is None:
        return EMPTY if patches_field is None else replace(EMPTY, label_ids=EMPTY.ids)
    if patches_field is None:
        return Contents(file.stored, file.ids, live=file.live)
    if samples.media_type == fom.GROUP:
        samples = samples.select_group_slices(_allow_mixed=True)
    sample_ids, label_ids = fbu.get_ids(samples, patches_field=patches_field)
    sample_of = dict(zip(label_ids.tolist(), sample_ids.tolist(), strict=True))
    there = np.array([i in sample_of for i in file.ids.tolist()], dtype=bool)
    ids = file.ids[there]
    owners = np.array([sample_of[i] for i in ids.tolist()], dtype="<U24")
    live = np.arange(file.n_rows) if file.live is None else file.live
    return Contents(
        file.stored, owners, ids, None if len(ids) == file.n_rows else live[there]
    )
