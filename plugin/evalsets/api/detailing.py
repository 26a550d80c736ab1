"""What a report keeps of samples: details of populations, and mistakes to show."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import fiftyone as fo
import numpy as np
import pandas as pd

from evalsets.datasets.outcomes import Read
from evalsets.metrics import FAIL, Classification, Row
from evalsets.reports import Details
from evalsets.reports.details import confusion_of, reliability_of
from evalsets.suites.population import ALL

SHOWN = 12
"""Mistakes of a failing population that a report shows."""
KEPT = 48
"""Worst samples of each population that a report keeps."""


def failing(rows: Sequence[Row]) -> list[str]:
    """The populations that fail."""
    return list(dict.fromkeys(row.population for row in rows if row.verdict == FAIL))


def details(read: Read, frame: pd.DataFrame, fail: Collection[str]) -> Details:
    """What a report keeps beside its rows.

    Args:
        read: of the model
        frame: membership, sample id × population
        fail: the populations that fail
    """
    outcomes = read.outcomes
    worst = _worst(read, frame)
    if not isinstance(outcomes, Classification):
        return Details(worst=worst)
    inside = frame.reindex(index=read.ids, fill_value=False)
    samples = {ALL: np.arange(len(outcomes))}
    samples |= {name: np.flatnonzero(inside[name].to_numpy(bool)) for name in fail}
    bins = {name: reliability_of(outcomes, some) for name, some in samples.items()}
    return Details(
        {name: confusion_of(outcomes, some) for name, some in samples.items()},
        {name: found for name, found in bins.items() if found},
        worst,
    )


def shown(
    dataset: fo.Dataset, read: Read, worst: Mapping[str, Sequence[str]]
) -> dict[str, list[tuple[str, str]]]:
    """Path and mistake of the worst samples, by population.

    Args:
        dataset: of the samples
        read: of the model
        worst: ids by population
    """
    some = {name: ids[:SHOWN] for name, ids in worst.items() if ids}
    chosen = dataset.select(sorted({i for ids in some.values() for i in ids}))
    path = dict(zip(*chosen.values(["id", "filepath"]), strict=True))
    return {
        name: [(path[i], read.mistakes[i][1]) for i in ids]
        for name, ids in some.items()
    }


def _worst(read: Read, frame: pd.DataFrame) -> dict[str, list[str]]:
    """Ids of the worst mistakes of each population, the worst first."""
    ids = sorted(read.mistakes, key=lambda i: -read.mistakes[i][0])
    inside = frame.reindex(index=ids, fill_value=False).to_numpy(bool)
    found = {
        str(name): [ids[at] for at in np.flatnonzero(inside[:, column])[:KEPT]]
        for column, name in enumerate(frame.columns)
    }
    return {ALL: ids[:KEPT], **found}
