"""What a model and its baseline did on the same samples, ready to be measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import fiftyone as fo
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalsets.datasets.digests import unreplaced
from evalsets.datasets.outcomes import Read, read_outcomes, read_scores
from evalsets.datasets.predictions import PredictionSet, prediction_set, trained_on
from evalsets.errors import ArgumentError, counted
from evalsets.metrics import INCONCLUSIVE, Codes, Evaluated, Outcomes, Row, not_given
from evalsets.suites import Population


@dataclass(frozen=True)
class Compared:
    """One kind of outcomes of a model, beside its baseline's.

    Args:
        read: of the model
        baseline: outcomes of the baseline; None where it has none of that kind
        paired: ``(n,)`` place of each sample in the baseline's, -1 where that has no
            answer
        sparse: whether the model found nothing where it has no answer
    """

    read: Read
    baseline: Outcomes | None = None
    paired: Codes | None = None
    sparse: bool = False

    @property
    def answered(self) -> NDArray[np.bool_]:
        """``(n,)`` whether the model has an answer, which nothing found may be."""
        return self.read.answered | self.sparse

    @property
    def uncompared(self) -> int:
        """Samples that the baseline has no answer for."""
        return 0 if self.paired is None else int((self.paired < 0).sum())

    def evaluated(
        self, frame: pd.DataFrame, groups: Codes | None, stale: Mapping[str, str]
    ) -> Evaluated:
        """What the metrics take.

        Args:
            frame: membership, sample id × population, of at least these samples
            groups: code of the group of each of these samples
            stale: why some populations must not pass
        """
        inside = frame.reindex(index=self.read.ids, fill_value=False)
        lacking = dict.fromkeys(self.incomplete(frame), "incomplete")
        return Evaluated(
            self.read.outcomes,
            inside.to_numpy(bool),
            self.baseline,
            self.paired,
            groups,
            {**stale, **lacking},
            ~self.answered,
        )

    def incomplete(self, frame: pd.DataFrame) -> dict[str, int]:
        """How many samples of a population have no number, where any lacks one."""
        counts = frame.reindex(index=self.read.lost, fill_value=False).sum()
        return {str(name): int(n) for name, n in counts.items() if n}

    def remark(self, row: Row, members: NDArray[np.bool_]) -> str:
        """On how many samples a figure or a difference rests, where not on all.

        Args:
            row: that has a requirement
            members: ``(n,)`` which samples are in its population
        """
        n = int(np.count_nonzero(members))
        if ":" not in row.metric and row.n < n:  # a class has fewer by nature
            lack = counted(n - row.n, "of its samples has", "of its samples have")
            return f"{lack} no prediction, which {row.metric} leaves out; upload them"
        left_out = int(np.count_nonzero(members & ~self.answered))
        spared = self.read.outcomes.metric(row.metric).spared
        if left_out and spared and row.verdict == INCONCLUSIVE:
            lack = counted(left_out, "of its samples has", "of its samples have")
            return (
                f"{lack} no prediction, which may be better for {row.metric} than a "
                "wrong one; upload them"
            )
        settled = n and row.verdict != INCONCLUSIVE
        unseen = self._unseen(row.metric, members) if settled else []
        if unseen:
            shown = ", ".join(f"'{name}'" for name in unseen[:3])
            more = f" and {len(unseen) - 3} more" if len(unseen) > 3 else ""
            return (
                f"class {shown}{more} does not occur in it, so {row.metric} says nothing "
                "of that"
            )
        if self.paired is None or " drop " not in row.requirement:
            return ""
        common = int(np.count_nonzero(members & (self.paired >= 0)))
        if common == n:
            return ""
        return f"compared on {counted(common, 'sample')} that the baseline answered"

    def _unseen(self, metric: str, members: NDArray[np.bool_]) -> list[str]:
        """Classes of the evaluated data that an average over a population leaves out."""
        outcomes = self.read.outcomes
        below = None if ":" in metric else outcomes.denominators(metric)
        if below is None or below.shape[1] != len(outcomes.classes):
            return []
        everywhere, here = below.sum(axis=0), below[members].sum(axis=0)
        unseen = (np.ravel(everywhere) > 0) & (np.ravel(here) == 0)
        return [outcomes.classes[at] for at in np.flatnonzero(unseen)]


def remarks(
    parts: Sequence[Compared],
    frame: pd.DataFrame,
    rows: Sequence[Row],
    populations: Sequence[Population],
) -> dict[str, dict[str, str]]:
    """What the numbers of a row do not show, by population and requirement.

    Args:
        parts: of the model
        frame: membership, sample id × population
        rows: with their verdicts
        populations: whose requirements they judge
    """
    outcomes = [part.read.outcomes for part in parts]
    lacking = not_given(outcomes, populations)
    inside = [frame.reindex(index=p.read.ids, fill_value=False) for p in parts]
    said: dict[str, dict[str, str]] = {}
    for row in (row for row in rows if row.requirement):
        remark = lacking.get(row.metric, "")
        for part, members in zip(parts, inside, strict=True):
            if not remark and part.read.outcomes.gives(row.metric):
                remark = part.remark(row, members[row.population].to_numpy(bool))
        if remark:
            said.setdefault(row.population, {})[row.requirement] = remark
    return said


def read_compared(
    view: fo.DatasetView, truth: str, model: PredictionSet, other: PredictionSet | None
) -> list[Compared]:
    """A model's predictions and each of its scores, beside those of another.

    Raises:
        ArgumentError: nothing to evaluate, two models of different tasks, or only one
        LockedError: one of them was uploaded again meanwhile
    """
    if other is not None and other.model == model.model:
        raise ArgumentError(
            f"Model '{model.model}' cannot be its own baseline; name another, or none"
        )
    models = [model] if other is None else [model, other]
    with unreplaced(view._dataset, *models):
        return _read_compared(view, truth, model, other)


def _read_compared(
    view: fo.DatasetView, truth: str, model: PredictionSet, other: PredictionSet | None
) -> list[Compared]:
    parts = []
    if model.task != "scores":
        read = read_outcomes(view, truth, model)
        theirs = None
        if other is not None and other.task != "scores":
            _refuse_other_task(model, other)
            theirs = read_outcomes(view, truth, other)
        joined = _joined(read, theirs, bool(other and other.sparse))
        parts.append(replace(joined, sparse=model.sparse))
    known = {} if other is None else {score.metric: score for score in other.scores}
    for score in model.scores:
        theirs = None
        if score.metric in known:
            theirs = read_scores(view, known[score.metric])
        parts.append(_joined(read_scores(view, score), theirs))
    return parts


def _refuse_other_task(model: PredictionSet, other: PredictionSet) -> None:
    if model.task != other.task:
        raise ArgumentError(
            f"Model '{model.model}' was uploaded for {model.task}, '{other.model}' for "
            f"{other.task}; compare models of one task"
        )


def _joined(read: Read, other: Read | None, sparse: bool = False) -> Compared:
    """Pairs the samples that the baseline answered.

    What the model leaves out counts against it, as in its own figures. What the baseline
    leaves out would count for the model, and stays out. Nothing found is an answer too
    where only boxes were uploaded, if any lies in what is evaluated.
    """
    if other is None:
        return Compared(read)
    place = pd.Index(other.ids).get_indexer(pd.Index(read.ids))
    answered = other.answered | (sparse and other.answered.any())
    # the last stands for -1, where there is none
    paired = np.where(np.append(answered, False)[place], place, -1)
    return Compared(read, other.outcomes, paired)


def without_training(
    dataset: fo.Dataset, view: fo.DatasetView, model: str, baseline: str | None
) -> tuple[fo.DatasetView, dict[str, int]]:
    """The samples that neither model was trained on, and how many each of them was."""
    trained = trained_on(dataset, prediction_set(dataset, model))
    before: set[str] = set()
    if baseline is not None:
        before = trained_on(dataset, prediction_set(dataset, baseline))
    ids = view.values("id") if trained or before else []
    overlap = [i for i in ids if i in trained or i in before]
    counts = {
        "trained_on": sum(i in trained for i in overlap),
        "baseline_trained_on": sum(i in before for i in overlap),
    }
    return (view.exclude(overlap) if overlap else view), counts
