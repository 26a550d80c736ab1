"""Hold-outs: ``split``, ``select``."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timezone
from types import NoneType
from typing import Any

import fiftyone as fo
import numpy as np
import pandas as pd

from evalsets.api.grouping import Together, kept_together
from evalsets.api.grouping import group_values as group_values
from evalsets.api.populations import (
    current_queries,
    meanings,
    membership,
    refresh,
)
from evalsets.api.splitting import (
    changes,
    completed,
    last_threshold,
    none_near,
    noted,
    options_of,
    refuse_empty_train,
    unseen,
    with_past,
)
from evalsets.api.standing import Files, sides_of, standing_of
from evalsets.api.untagged import untagged
from evalsets.datasets.columns import SPLIT, declare, write
from evalsets.datasets.compile import apply
from evalsets.datasets.connect import Source, open_dataset, open_view
from evalsets.datasets.ledger import (
    append_ledger,
    last_split,
    read_records,
    strayed,
)
from evalsets.datasets.locks import writing
from evalsets.datasets.populations import load_recipes, resolve
from evalsets.datasets.scores import field_of
from evalsets.errors import (
    ArgumentError,
    EvalsetsError,
    NameTakenError,
    UnknownNameError,
    counted,
)
from evalsets.query import Query, terms
from evalsets.splits import SIDES, Assignment, SplitReport, assign, entries
from evalsets.splits.standing import Standing
from evalsets.telling import tell

logger = logging.getLogger(__name__)

EVERY = "all"
"""The word for the samples of all sides."""

BACKGROUND = "(background)"
"""The samples in no population, where a share of them is held out too."""


def split(
    dataset: Source,
    *,
    val: float | None = None,
    groups: str | None = None,
    near_duplicates: float | None = None,
    background: float | None = None,
    seed: int | None = None,
) -> SplitReport:
    """Gives every sample its side, so that each population has its share in test.

    Samples that have a side keep it; a sample once in test never leaves it. The side
    is the sample field ``split``, and every assignment is in the dataset's ledger, which
    holds where the field differs. Copies of one file stay on one side.

    Every option that is left out is as at the last split, or as a suite file that was
    loaded since states it.

    Args:
        dataset: or its name
        val: share of what is not in test that goes to val, in [0, 1]; at first 0.1
        groups: field whose equal values stay on one side (scene, patient, video), or
            an expression over fields such as ``LOWER(camera)``; at first, and when it is
            "", nothing
        near_duplicates: cosine in (0, 1] from which two images stay on one side; needs
            vectors; at first, and when it is 0, they are not compared
        background: share of the samples in no population that goes to test, in [0, 1];
            at first 0
        seed: of the lots, at first 0; changing it moves no sample that has a side

    Raises:
        ArgumentError: a share or threshold out of range, no samples, or one group that
            leaves nothing to train on
        NameTakenError: a field ``split`` holds values that are not from here
        UnknownNameError: no field ``groups``
        QueryError: ``groups`` is no expression
        NoVectorsError: ``near_duplicates`` without vectors
        EvalsetsError: a population that asks for a hold-out is stale, or the ledger is
            not what was written
    """
    opened = open_dataset(dataset)
    with writing(opened):  # what is left out is as the split before this one had it
        options = options_of(opened, val, groups, near_duplicates, background, seed)
        plan = _planned(opened, options)
        ids, assignment = plan.ids, plan.assignment
        suite = plan.settings.get("number", 0) + 1
        append_ledger(
            opened,
            {
                "holdouts": plan.holdouts,
                **options,
                "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "folder": plan.files.folder,
            },
            entries(
                list(ids),
                assignment,
                suite,
                options["seed"],
                keys=plan.files.names,
                digests=plan.files.digests,
                before=plan.stands.before,
            ),
        )
        tell(f"Writing the sides of {counted(len(ids), 'sample')}")
        _write(opened, ids, plan.field, assignment)
        report = _reported(opened, plan, options)
    logger.info("Split '%s': %s", opened.name, report.sizes)
    return report


def plan_split(
    dataset: Source, *, val: float | None = None, groups: str | None = None
) -> SplitReport:
    """What :func:`split` would come to; no sample is given a side.

    Args:
        dataset: or its name
        val: as for ``split``
        groups: as for ``split``

    Raises:
        EvalsetsError: as ``split`` would
    """
    opened = open_dataset(dataset)
    with writing(opened):
        options = options_of(opened, val, groups, None, None, None)
        return _reported(opened, _planned(opened, options), options)


@dataclass(frozen=True)
class _Plan:
    """A split that is worked out, and of which nothing is written.

    Args:
        ids: ``(n,)`` of the samples
        field: ``(n,)`` sides as the dataset has them
        files: of these
        stands: sides as the ledger has them
        together: who stays with whom
        assignment: the new sides
        records: of the splits before
        holdouts: shares asked, each with the meaning of its population
        untagged: what new samples lack for populations to have them, in words
    """

    ids: pd.Index
    field: list[str]
    files: Files
    stands: Standing
    together: Together
    assignment: Assignment
    records: list[dict[str, Any]]
    holdouts: list[list[Any]]
    untagged: list[str]

    @property
    def settings(self) -> dict[str, Any]:
        """Those of the last split."""
        return self.records[-1] if self.records else {}


def _planned(dataset: fo.Dataset, options: dict[str, Any]) -> _Plan:
    records = read_records(dataset)
    settings = records[-1] if records else {}
    if not settings:
        _refuse_foreign_sides(dataset)
    for change in changes(settings, options):
        logger.warning("%s", change)
    frame, holdout, meaning = _asked(dataset, options["background"])
    ids = frame.index
    tell(f"Finding which of {counted(len(ids), 'sample')} stay together")
    together = kept_together(
        dataset, ids, options["groups"], options["near_duplicates"]
    )
    field, files = sides_of(dataset, ids), Files.of(dataset, ids)
    stands = standing_of(files, field, records)
    lacking = untagged(dataset, _holding_out(dataset), ids, stands.side)
    for said in lacking:
        logger.warning("%s", said)
    tell(f"Dividing {counted(len(ids), 'sample')}")
    assignment = assign(
        frame,
        holdout,
        groups=together.codes,
        keys=files.lots,
        previous=stands.side,
        holdout_before=_before(settings, meaning),
        val=options["val"],
        val_before=settings.get("val"),
        seed=options["seed"],
    )
    refuse_empty_train(assignment.report, holdout)
    assignment = with_past(dataset, stands.entered(assignment))
    holdouts = [[share, meaning[name]] for name, share in holdout.items()]
    return _Plan(
        ids, field, files, stands, together, assignment, records, holdouts, lacking
    )


def _reported(dataset: fo.Dataset, plan: _Plan, options: dict[str, Any]) -> SplitReport:
    threshold = last_threshold([*plan.records, options])
    report = completed(dataset, plan.ids, plan.assignment, plan.together, threshold)
    notes = plan.stands.notes(plan.ids, plan.field)
    changed = changes(plan.settings, options)
    alone = none_near(plan.together, options["near_duplicates"])
    unknown = [*plan.untagged, unseen(plan.together)]
    return noted(report, *changed, *notes, *unknown, alone)


def _holding_out(dataset: fo.Dataset) -> dict[str, Query]:
    """The queries of the populations that ask for a hold-out."""
    known = {n: r.population for n, r in load_recipes(dataset).items()}
    queries, _ = resolve(dataset, known)
    return {name: query for name, query in queries.items() if known[name].holdout}


def _asked(
    dataset: fo.Dataset, background: float
) -> tuple[pd.DataFrame, dict[str, float], dict[str, str]]:
    """Who is in which population, the hold-outs asked, and what each means."""
    if not len(dataset):
        raise ArgumentError(
            f"Dataset '{dataset.name}' has no samples to split; add some first"
        )
    populations = {n: r.population for n, r in load_recipes(dataset).items()}
    for name, reason in refresh(dataset).items():
        if populations[name].holdout:
            raise EvalsetsError(f"Population '{name}' cannot be held out: {reason}")
    frame, meaning = membership(dataset), meanings(dataset, populations)
    holdout = {name: p.holdout for name, p in populations.items()}
    if background:
        frame = frame.assign(**{BACKGROUND: ~frame.any(axis=1)})
        holdout[BACKGROUND], meaning[BACKGROUND] = background, BACKGROUND
    return frame, holdout, meaning


def split_settings(dataset: Source) -> dict[str, Any]:
    """How the dataset was split last.

    Returns:
        ``val, groups, near_duplicates, background, seed, time``; empty where it has not
        been split
    """
    settings = last_split(open_dataset(dataset))
    names = ("val", "groups", "near_duplicates", "background", "seed", "time")
    return {name: settings[name] for name in names if name in settings}


def one_side(split: str | None) -> str | None:
    """The side that is named; None for all, which "all" means too.

    Raises:
        ArgumentError: it is no text
    """
    if not isinstance(split, (str, NoneType)):
        raise ArgumentError(f"split is {split!r}; give the name of one side")
    return None if split == EVERY else split


def select(
    dataset: Source, *, split: str | None = None, population: str | None = None
) -> fo.DatasetView:
    """The samples of a side, of a population, or of both, for training or evaluation.

    Args:
        dataset: or its name, or a view
        split: ``train``, ``val``, ``test`` or ``quarantine``; None or "all" for every
            sample
        population: name of one; None for every sample

    Raises:
        UnknownNameError: no such split or population
        ArgumentError: the dataset has not been split
        EvalsetsError: the field has samples elsewhere that the ledger tells to be in test
    """
    view = open_view(dataset)
    opened = open_dataset(dataset)
    if population is not None:
        recipes = load_recipes(opened)
        if population not in recipes:
            raise UnknownNameError("population", population, recipes)
        queries, stale = current_queries(opened, recipes)
        if population in stale:
            raise EvalsetsError(f"Population '{population}': {stale[population]}")
        query = queries[population]
        view = apply(view, query, {t: field_of(t) for t in terms(query)})
    side = one_side(split)
    return view if side is None else on_split(view, side)


def on_split(view: fo.DatasetView, split: str) -> fo.DatasetView:
    """The samples of a view that are on a side.

    Raises:
        UnknownNameError: no such side
        ArgumentError: the dataset has not been split
        EvalsetsError: as :func:`refuse_strayed`
    """
    if split not in SIDES or not split:
        raise UnknownNameError("split", split, [*SIDES[1:], EVERY])
    if not view.has_sample_field(SPLIT):
        raise ArgumentError(
            f"Dataset '{view.dataset_name}' has not been split yet; split it first, "
            "or take the samples of all splits"
        )
    refuse_strayed(view._dataset)
    return view.match(fo.ViewField(SPLIT) == split)


def refuse_strayed(dataset: fo.Dataset) -> None:
    """Refuses to go by a field that was edited: what is held out would be trained on.

    Raises:
        EvalsetsError: the field has samples elsewhere that the ledger tells to be in test
    """
    n, one, side = strayed(dataset)
    if n:
        where = f"'{side}'" if side else "no split"
        raise EvalsetsError(
            f"The field '{SPLIT}' of dataset '{dataset.name}' was edited: "
            f"{counted(n, 'sample')} in test by the ledger {'is' if n == 1 else 'are'} "
            f"elsewhere by it, {one} for one in {where}; "
            "split again, which restores them"
        )


def _before(settings: dict[str, Any], meaning: dict[str, str]) -> dict[str, float]:
    """Hold-outs at the last split of the populations that mean the same now.

    Of several that meant the same the largest was the one that held.
    """
    shares: dict[str, float] = {}
    for share, query in settings.get("holdouts", ()):
        shares[query] = max(share, shares.get(query, 0))
    return {name: shares[query] for name, query in meaning.items() if query in shares}


def _refuse_foreign_sides(dataset: fo.Dataset) -> None:
    if dataset.has_sample_field(SPLIT) and dataset.count(SPLIT):
        raise NameTakenError(
            f"Field '{SPLIT}' of dataset '{dataset.name}' already holds values from "
            "elsewhere, which would be lost; rename it, for example to "
            f"'original_{SPLIT}'"
        )


def _write(
    dataset: fo.Dataset, ids: pd.Index, before: list[str], assignment: Assignment
) -> None:
    declare(dataset, {SPLIT: str}, indexed=True)
    changed = np.asarray(before, dtype=str) != assignment.side
    write(dataset, SPLIT, ids[changed].tolist(), assignment.side[changed].tolist())
