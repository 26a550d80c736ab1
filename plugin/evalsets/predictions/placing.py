"""Tables put in their place: which sample each row is of, checked over all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalsets.errors import PredictionsError
from evalsets.predictions.keys import Keys
from evalsets.predictions.tables import (
    DetectionTable,
    Floats,
    MaskTable,
    Table,
    examples,
)


class Placing:
    """Finds the samples of tables and remembers what it met.

    Args:
        keys: of the dataset's samples
        sizes: ``(n, 2)`` width and height of each sample's image, in pixels; NaN where
            unknown

    Attributes:
        seen: ``(n,)`` which samples have had a row
        labels: every predicted label so far
        unknown: number of keys that belong to no sample
        unknown_examples: the first of them
    """

    def __init__(self, keys: Keys, sizes: Floats | None = None) -> None:
        self._keys = keys
        self._sizes = sizes
        self._n = 0
        self.seen: NDArray[np.bool_] = np.zeros(keys.n, bool)
        self.labels: set[str] = set()
        self.unknown = 0
        self.unknown_examples: list[str] = []

    def place(self, table: Table) -> tuple[Table, NDArray[np.intp], NDArray[np.bool_]]:
        """A table with boxes relative to their images.

        Returns:
            the table; ``(n,)`` the place of each row's sample, -1 where there is none;
            ``(n,)`` whether the sample had a row before, as in parted detections

        Raises:
            PredictionsError: two rows of one sample; a box or mask that does not fit its
                image
        """
        places = self._keys.find(table.keys)
        known = places >= 0
        self._n += len(places)
        lost = np.flatnonzero(~known)
        self.unknown += len(lost)
        self.unknown_examples += [table.keys[at] for at in lost[:3]]
        del self.unknown_examples[3:]
        before = known & self.seen[places]
        if before.any() and not getattr(table, "partial", False):
            twice = [table.keys[at] for at in np.flatnonzero(before)]
            raise PredictionsError(
                f"A key occurs more than once, such as {examples(twice)}; keep one "
                "prediction a key"
            )
        _refuse_doubled(table.keys, places)
        self.seen[places[known]] = True
        self.labels |= table.names()
        return self._fitted(table, places), places, before

    def finish(self, skip_unknown: bool) -> None:
        """Refuses keys that belong to no sample, unless they may be skipped.

        Raises:
            PredictionsError: unknown keys, or none but those
        """
        if self.unknown and (not skip_unknown or not self.seen.any()):
            self._keys.refuse(self.unknown_examples, self.unknown, self._n)

    def _fitted(self, table: Table, places: NDArray[np.intp]) -> Table:
        if self._sizes is None:
            return table
        sizes = np.where(places[:, None] >= 0, self._sizes[places], np.nan)
        if isinstance(table, DetectionTable) and not table.relative:
            return table.relative_to(sizes)
        if isinstance(table, MaskTable):
            wrong = np.isfinite(sizes).all(axis=1) & (table.sizes != sizes).any(axis=1)
            for at in np.flatnonzero(wrong)[:1]:
                mask, image = (
                    " × ".join(f"{side:.0f}" for side in pair[at])
                    for pair in (table.sizes, sizes)
                )
                raise PredictionsError(
                    f"The mask of '{table.keys[at]}' has {mask} pixels, its image "
                    f"{image}; resize the mask, taking the nearest pixel"
                )
        return table


def _refuse_doubled(keys: list[str], places: NDArray[np.intp]) -> None:
    rows = np.flatnonzero(places >= 0)
    order = rows[np.argsort(places[rows], kind="stable")]
    twice = np.flatnonzero(np.diff(places[order]) == 0)
    if len(twice):
        first, second = order[twice[0]], order[twice[0] + 1]
        raise PredictionsError(
            f"The keys '{keys[first]}' and '{keys[second]}' mean the same sample; "
            "keep one prediction a sample"
        )
