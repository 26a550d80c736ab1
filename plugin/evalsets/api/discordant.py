"""``discordant``: the samples on which two models differ."""

from __future__ import annotations

import fiftyone as fo
import numpy as np

from evalsets.api.comparing import read_compared, without_training
from evalsets.api.split import one_side, select
from evalsets.datasets.connect import Source, open_dataset
from evalsets.datasets.outcomes import GROUND_TRUTH
from evalsets.datasets.predictions import prediction_set
from evalsets.datasets.reports import save_look
from evalsets.errors import ArgumentError

LOST, GAINED = "lost", "gained"
"""What the baseline has right and the model wrong, and the reverse."""


def discordant(
    dataset: Source,
    model: str,
    baseline: str,
    *,
    split: str | None = "test",
    population: str | None = None,
    truth: str = GROUND_TRUTH,
    only: str | None = None,
) -> fo.DatasetView:
    """The samples that one of two models gets right and the other wrong.

    What the model lost against the baseline comes first, then what it gained. Where
    right and wrong are not all there is, the samples differ in F1 of their boxes or
    labels, share of right pixels, error or score, and come by that difference. It counts
    as a look at the side.

    Args:
        dataset: or its name, or a view to compare in
        model: name of a prediction set
        baseline: name of another
        split: the side to compare on; None or "all" for all samples
        population: by default all samples
        truth: field of the true labels
        only: ``"lost"`` or ``"gained"``, for one of the two alone

    Returns:
        an ordered view; empty where the two agree everywhere

    Raises:
        UnknownNameError: no such model, population or field
        ArgumentError: the models are of different tasks, or ``only`` is neither
    """
    if only not in (None, LOST, GAINED):
        raise ArgumentError(f"only is '{LOST}' or '{GAINED}', not {only!r}")
    opened, split = open_dataset(dataset), one_side(split)
    view = select(dataset, split=split, population=population)
    side, _ = without_training(opened, view, model, baseline)
    models = prediction_set(opened, model), prediction_set(opened, baseline)
    part = read_compared(side, truth, *models)[0]
    if part.baseline is None or part.paired is None:
        raise ArgumentError(
            f"Models '{model}' and '{baseline}' have nothing of one kind to compare; "
            "upload predictions of both"
        )
    sides = None if split is None else [split]
    save_look(opened, model, sides, len(part.read.ids))
    common = np.flatnonzero(part.paired >= 0)
    ours = np.where(part.answered, part.read.outcomes.quality, 0)[common]
    change = ours - part.baseline.quality[part.paired[common]]
    order = np.argsort(change, kind="stable")
    sign = {None: change != 0, LOST: change < 0, GAINED: change > 0}[only]
    differ = order[sign[order]]
    if only == GAINED:
        differ = differ[::-1]  # what it gained most, first
    return opened.select([part.read.ids[common[at]] for at in differ], ordered=True)
