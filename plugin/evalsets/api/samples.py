"""The samples that a source of predictions is matched with, piece by piece."""

from __future__ import annotations

import logging
import reprlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from logging import INFO, WARNING
from numbers import Real
from typing import Any

import fiftyone as fo
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalsets.errors import ArgumentError, PredictionsError, UnknownNameError, counted
from evalsets.predictions import DetectionTable, Keys, Placing, Table, UploadReport
from evalsets.telling import Tally

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checked:
    """What a whole source turned out to be."""

    task: str
    columns: tuple[str, ...]
    sparse: bool
    seen: NDArray[np.bool_]
    labels: set[str]
    unknown: int
    unknown_examples: tuple[str, ...]
    blank: str = ""

    def same_as(self, other: Checked) -> bool:
        """Whether another reading of the source found the same in it."""
        return np.array_equal(self.seen, other.seen) and all(
            getattr(self, name) == getattr(other, name)
            for name in ("task", "columns", "sparse", "labels", "unknown")
        )


@dataclass(frozen=True)
class Samples:
    """The samples of a dataset, to find by a key."""

    dataset: fo.Dataset
    ids: list[str]
    known: list[Any]
    keys: Keys

    @classmethod
    def of(cls, dataset: fo.Dataset, key: str, source: Any) -> Samples:
        """Keys are ids where the source's first key is one, or where rows have none."""
        ids = dataset.values("id")
        if not ids:
            raise ArgumentError(
                f"Dataset '{dataset.name}' has no samples to predict; sync some first"
            )
        if key == "filepath" and _first_key(source) in ids:
            key = "id"
        if not isinstance(key, str) or not dataset.has_sample_field(key):
            fields = dataset.get_field_schema()
            raise UnknownNameError("field", key, fields, "name the field of the keys")
        known = dataset.values(key)
        return cls(dataset, ids, known, Keys(known))

    def keyed(self, source: Any, classes: Any) -> Any:
        """An array, with one row a sample, as a source with keys."""
        if isinstance(source, np.ndarray) and source.dtype.names:
            return pd.DataFrame(source)
        is_array = isinstance(source, np.ndarray) and source.ndim > 0
        if not (is_array or isinstance(source, pd.Series) or _is_plain(source)):
            return source
        if isinstance(source, pd.Series) and not isinstance(
            source.index, pd.RangeIndex
        ):
            return {str(k): v for k, v in source.items()}
        if len(source) != len(self.ids):
            raise ArgumentError(
                f"{len(source):,} values have no keys, and dataset "
                f"'{self.dataset.name}' has {len(self.ids):,} samples; give one a sample "
                "in its order, or a dict by key"
            )
        names = [str(known) for known in self.known]
        if _are_rows(source):
            rows = source if _is_table(source) else list(source)
            width = len(rows[0])
            odd = [] if _is_table(source) else [r for r in rows if not _is_row(r)]
            odd = odd or [row for row in rows if len(row) != width]
            if odd:
                raise ArgumentError(
                    f"The first sample has a row of {width} numbers and another has "
                    f"{reprlib.repr(odd[0])}; give every sample as many"
                )
            if classes is None or len(classes) != width:
                raise ArgumentError(
                    f"The array has {width} columns; name them as classes"
                )
            index = pd.Index(names, name="key")
            return pd.DataFrame(rows, index, [str(c) for c in classes])
        return dict(zip(names, source, strict=True))

    def check(self, read: Callable[[], Iterator[Table]], skip_unknown: bool) -> Checked:
        """Reads all of a source, without writing."""
        placing = self._placing()
        last: Table | None = None
        tally = Tally("Checking predictions, samples", len(self.ids), end=0.5)
        for last in read():
            self._need_sizes(last)
            placing.place(last)
            tally.at(*_met(placing))
        placing.finish(skip_unknown)
        return _checked(placing, last)

    def write(
        self,
        checked: Checked,
        read: Callable[[], Iterator[Table]],
        into: Callable[[Table, list[str | None], Any], None],
    ) -> None:
        """Reads all of a source again, and hands each piece on.

        Raises:
            PredictionsError: it is not what was checked any more
        """
        placing = self._placing()
        table: Table | None = None
        tally = Tally("Writing predictions, samples", len(self.ids), begin=0.5)
        for table in read():
            placed, places, before = placing.place(table)
            into(placed, [self.ids[at] if at >= 0 else None for at in places], before)
            tally.at(*_met(placing))
        if not checked.same_as(_checked(placing, table)):
            raise PredictionsError(
                "The predictions changed while they were read; upload them when nothing "
                "writes to them any more"
            )

    def report(self, checked: Checked, **more: Any) -> UploadReport:
        """What came of it, said in the log too."""
        missing = np.flatnonzero(~checked.seen)
        report = UploadReport(
            task=checked.task,
            matched=int(checked.seen.sum()),
            missing=len(missing),
            missing_examples=tuple(str(self.known[at]) for at in missing[:3]),
            unknown=checked.unknown,
            unknown_examples=checked.unknown_examples,
            blank=checked.blank,
            **more,
        )
        logger.log(WARNING if checked.blank else INFO, "%s", report)
        return report

    def _placing(self) -> Placing:
        sides = self.dataset.values(["metadata.width", "metadata.height"])
        return Placing(self.keys, np.column_stack([np.array(s, float) for s in sides]))

    def _need_sizes(self, table: Table) -> None:
        if not isinstance(table, DetectionTable) or table.relative:
            return
        if self.dataset.count("metadata.width") < len(self.ids):
            raise ArgumentError(
                f"Samples of dataset '{self.dataset.name}' lack their size in pixels; "
                "compute their metadata with FiftyOne first"
            )


def _met(placing: Placing) -> tuple[int, str]:
    """How many samples have had a row, and what was left out."""
    left_out = (
        f"{counted(placing.unknown, 'key')} of no sample" if placing.unknown else ""
    )
    return int(placing.seen.sum()), left_out


def _checked(placing: Placing, last: Table | None) -> Checked:
    if last is None:
        raise ValueError("a source without tables")
    return Checked(
        last.task,
        getattr(last, "classes", ()),
        getattr(last, "partial", False),
        placing.seen,
        placing.labels,
        placing.unknown,
        tuple(placing.unknown_examples),
        getattr(last, "blank", ""),
    )


def _is_plain(source: Any) -> bool:
    """Whether it is a list of values without keys."""
    return (
        isinstance(source, list)
        and bool(source)
        and not any(isinstance(r, Mapping) for r in source)
    )


def _are_rows(source: Any) -> bool:
    """Whether it holds a row of numbers a sample, such as one probability a class."""
    if _is_table(source):
        return True
    first = source.iloc[0] if isinstance(source, pd.Series) else source[0]
    return _is_row(first)


def _is_table(source: Any) -> bool:
    return (
        isinstance(source, np.ndarray) and source.ndim == 2 and source.dtype != object
    )


def _is_row(value: Any) -> bool:
    is_row = isinstance(value, (list, tuple, np.ndarray)) and len(value) > 0
    return is_row and all(isinstance(number, Real) for number in value)


def _first_key(source: Any) -> str | None:
    """The first key of a source in memory; None where it tells none."""
    first = next(iter(source), None) if isinstance(source, Mapping) else None
    if isinstance(source, pd.DataFrame) and len(source):
        named = [c for c in ("id", "sample_id") if c in source.columns]
        first = source[named[0]].iloc[0] if named else None
    return first if isinstance(first, str) else None
