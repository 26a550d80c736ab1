"""The samples that the figures of a report are of."""

from __future__ import annotations

import fiftyone as fo

from evalsets.api.comparing import without_training
from evalsets.api.split import select
from evalsets.datasets.connect import Source, open_dataset
from evalsets.datasets.outcomes import measured
from evalsets.datasets.predictions import prediction_set
from evalsets.datasets.releases import load_release
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.reports import Report
from evalsets.suites.population import ALL


def behind(dataset: Source, report: Report, population: str = ALL) -> fo.DatasetView:
    """The samples of a population that a report judged: labelled, or with a score.

    Of the dataset as it is, or as it was released; what a model was trained on is left
    out, as in the report.

    Args:
        dataset: or its name
        report: of it
        population: by default all that was evaluated

    Raises:
        ArgumentError: the report was made of a view, which nobody can read again
        UnknownNameError: no such population, model or release
    """
    opened, told = open_dataset(dataset), report.provenance
    if "basis" in told and told["basis"]["data"] is None:
        raise ArgumentError(
            "This report was made of a view, and nobody knows its samples any more; "
            "evaluate the dataset, or load that view yourself"
        )
    release, side = told.get("release"), told["split"]
    name = None if population == ALL else population
    if release is None:
        view = select(opened, split=side, population=name)
    else:
        made, frozen = load_release(opened, release)
        chosen = frozen.side.eq(side) if side is not None else frozen.side.notna()
        if name is not None:
            if name not in frozen.membership:
                known = [p.name for p in made.populations]
                raise UnknownNameError("population", name, known)
            chosen &= frozen.membership[name]
        view = opened.select(frozen.side.index[chosen].tolist())
    view, _ = without_training(opened, view, report.model, told["baseline"])
    return measured(view, told["truth"], prediction_set(opened, report.model))
