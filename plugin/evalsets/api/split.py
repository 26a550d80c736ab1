"""Hold-outs: ``split``, ``select``."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from datetime import datetime, timezone
from numbers import Real
from typing import Any

import fiftyone as fo
import numpy as np
import pandas as pd

from evalsets.api.grouping import column, kept_together
from evalsets.api.grouping import group_values as group_values
from evalsets.api.populations import current_queries, membership, refresh
from evalsets.datasets.columns import SPLIT, declare, write
from evalsets.datasets.compile import apply
from evalsets.datasets.connect import Source, open_dataset, open_view
from evalsets.datasets.files import DIGEST
from evalsets.datasets.ledger import append_ledger, last_entries, last_split
from evalsets.datasets.locks import writing
from evalsets.datasets.populations import load_recipes, resolve
from evalsets.datasets.scores import field_of
from evalsets.datasets.settings import default_settings
from evalsets.errors import (
    ArgumentError,
    EvalsetsError,
    NameTakenError,
    UnknownNameError,
)
from evalsets.query import terms, to_text
from evalsets.splits import (
    SIDES,
    Assignment,
    SplitReport,
    assign,
    entries,
    replay,
    shared_leaks,
)
from evalsets.suites import Population

logger = logging.getLogger(__name__)

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
    is the sample field ``split``, and every assignment is in the dataset's ledger.

    Args:
        dataset: or its name
        val: share of what is not in test that goes to val, in [0, 1]; like every
            option by default what a suite file that was loaded states, else 0.1
        groups: field whose equal values stay on one side (scene, patient, video), or
            an expression over fields such as ``LOWER(camera)``
        near_duplicates: cosine in (0, 1] from which two images stay on one side; needs
            vectors
        background: share of the samples in no population that goes to test, in [0, 1];
            by default 0
        seed: of the lots; changing it moves no sample that has a side

    Raises:
        ArgumentError: a share or threshold out of range, or nothing to hold out
        NameTakenError: a field ``split`` holds values that are not from here
        UnknownNameError: no field ``groups``
        QueryError: ``groups`` is no expression
        NoVectorsError: ``near_duplicates`` without vectors
        EvalsetsError: a population that asks for a hold-out is stale
    """
    opened = open_dataset(dataset)
    stated = default_settings(opened)
    val = stated.get("val", 0.1) if val is None else val
    groups = stated.get("groups") if groups is None else groups
    if near_duplicates is None:
        near_duplicates = stated.get("near_duplicates")
    seed = stated.get("seed", 0) if seed is None else seed
    background = stated.get("background", 0) if background is None else background
    numbers: dict[str, Any] = {
        "val": val,
        "near_duplicates": 1 if near_duplicates is None else near_duplicates,
        "background": background,
    }
    for option, value in numbers.items():
        if not isinstance(value, Real):
            raise ArgumentError(f"{option} is {value!r}; give a number from 0 to 1")
    with writing(opened):
        populations = {n: r.population for n, r in load_recipes(opened).items()}
        for name, reason in refresh(opened).items():
            if populations[name].holdout:
                raise EvalsetsError(f"Population '{name}' cannot be held out: {reason}")
        frame = membership(opened)
        meaning = _meaning(opened, populations)
        settings = last_split(opened)
        if not settings:
            _refuse_foreignsides_of(opened)
        _warn_of_loose_groups(settings, groups)
        codes, near = kept_together(opened, frame.index, groups, near_duplicates)
        sides = sides_of(opened, frame.index)
        holdout = {name: p.holdout for name, p in populations.items()}
        if background:
            frame = frame.assign(**{BACKGROUND: ~frame.any(axis=1)})
            holdout[BACKGROUND], meaning[BACKGROUND] = background, BACKGROUND
        assignment = assign(
            frame,
            holdout,
            groups=codes,
            keys=_keys(opened, frame.index),
            previous=_decided(opened, frame.index, sides),
            holdout_before=_before(settings, meaning),
            val=val,
            val_before=settings.get("val"),
            seed=seed,
        )
        append_ledger(
            opened,
            {
                "holdouts": [[share, meaning[n]] for n, share in holdout.items()],
                "val": val,
                "groups": groups,
                "near_duplicates": near_duplicates,
                "background": background,
                "seed": seed,
                "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            },
            entries(list(frame.index), assignment, settings.get("number", 0) + 1, seed),
        )
        _write(opened, frame.index, sides, assignment)
        report = _completed(opened, frame.index, assignment, near)
    logger.info("Split '%s': %s", opened.name, report.sizes)
    return report


def split_settings(dataset: Source) -> dict[str, Any]:
    """How the dataset was split last.

    Returns:
        ``val, groups, near_duplicates, background, seed, time``; empty where it has not
        been split
    """
    settings = last_split(open_dataset(dataset))
    names = ("val", "groups", "near_duplicates", "background", "seed", "time")
    return {name: settings[name] for name in names if name in settings}


def select(
    dataset: Source, *, split: str | None = None, population: str | None = None
) -> fo.DatasetView:
    """The samples of a side, of a population, or of both, for training or evaluation.

    Args:
        dataset: or its name, or a view
        split: ``train``, ``val``, ``test`` or ``quarantine``; None for every sample
        population: name of one; None for every sample

    Raises:
        UnknownNameError: no such split or population
        ArgumentError: the dataset has not been split
    """
    view = open_view(dataset)
    opened = open_dataset(dataset)
    if population is not None:
        known = {n: r.population for n, r in load_recipes(opened).items()}
        if population not in known:
            raise UnknownNameError("population", population, known)
        queries, stale = current_queries(opened, known)
        if population in stale:
            raise EvalsetsError(f"Population '{population}': {stale[population]}")
        query = queries[population]
        view = apply(view, query, {t: field_of(t) for t in terms(query)})
    return view if split is None else on_split(view, split)


def on_split(view: fo.DatasetView, split: str) -> fo.DatasetView:
    """The samples of a view that are on a side.

    Raises:
        UnknownNameError: no such side
        ArgumentError: the dataset has not been split
    """
    if split not in SIDES or not split:
        raise UnknownNameError("split", split, [side for side in SIDES if side])
    if not view.has_sample_field(SPLIT):
        raise ArgumentError(
            f"Dataset '{view.dataset_name}' has not been split yet; split it first, "
            "or take the samples of all splits"
        )
    return view.match(fo.ViewField(SPLIT) == split)


def _meaning(dataset: fo.Dataset, populations: dict[str, Population]) -> dict[str, str]:
    """Queries with those they refer to written out: what a rename does not change."""
    queries, _ = resolve(dataset, populations)
    return {
        name: to_text(queries[name]) if name in queries else p.query
        for name, p in populations.items()
    }


def _before(settings: dict[str, Any], meaning: dict[str, str]) -> dict[str, float]:
    """Hold-outs at the last split of the populations that mean the same now."""
    shares = {query: share for share, query in settings.get("holdouts", ())}
    return {name: shares[query] for name, query in meaning.items() if query in shares}


def _refuse_foreignsides_of(dataset: fo.Dataset) -> None:
    if dataset.has_sample_field(SPLIT) and dataset.count(SPLIT):
        raise NameTakenError(
            f"Field '{SPLIT}' of dataset '{dataset.name}' already holds values from "
            "elsewhere, which would be lost; rename it, for example to "
            f"'original_{SPLIT}'"
        )


def _warn_of_loose_groups(settings: dict[str, Any], groups: str | None) -> None:
    before = settings.get("groups")
    if before is not None and groups is None:
        logger.warning(
            "The last split kept '%s' together and this one does not: new samples of "
            "one group may lie on both sides; group by '%s' again",
            before,
            before,
        )


def _completed(
    dataset: fo.Dataset,
    ids: pd.Index,
    assignment: Assignment,
    near: pd.DataFrame | None,
) -> SplitReport:
    """The report, with what only the dataset knows."""
    report = assignment.report
    if dataset.has_sample_field(DIGEST):
        digest = column(dataset, ids, DIGEST)
        same = shared_leaks(list(ids), assignment.side, digest, "same file")
        report = replace(report, leaks=[*report.leaks, *same])
    return report if near is None else replace(report, near=near)


def _keys(dataset: fo.Dataset, ids: pd.Index) -> list[str]:
    """What names a sample for ever: its path below the dataset's common folder."""
    paths = column(dataset, ids, "filepath")
    if len(set(paths)) < len(paths):
        return list(ids)
    root = os.path.commonpath([min(paths), max(paths)]) if paths else ""
    return [os.path.relpath(path, root) for path in paths]


def sides_of(source: fo.Dataset | fo.DatasetView, ids: pd.Index) -> list[str]:
    """The side of every sample; empty for one that has none."""
    if not source.has_sample_field(SPLIT):
        return [""] * len(ids)
    return [side or "" for side in column(source, ids, SPLIT)]


def _decided(dataset: fo.Dataset, ids: pd.Index, sides: list[str]) -> list[str]:
    """The sides, with what the last split decided but was kept from writing."""
    last = replay(last_entries(dataset))
    return [
        last.get(i, side) if not side or last.get(i) == "test" else side
        for i, side in zip(ids, sides, strict=True)
    ]


def _write(
    dataset: fo.Dataset, ids: pd.Index, before: list[str], assignment: Assignment
) -> None:
    declare(dataset, {SPLIT: str}, indexed=True)
    changed = np.asarray(before, dtype=str) != assignment.side
    write(dataset, SPLIT, ids[changed].tolist(), assignment.side[changed].tolist())
