"""Hold-outs: ``split``, ``coverage``, ``select``."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from numbers import Real
from typing import Any

import fiftyone as fo
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalsets.api.populations import current_queries, membership, refresh
from evalsets.datasets.columns import SPLIT, declare, write
from evalsets.datasets.compile import apply
from evalsets.datasets.connect import Source, open_dataset, open_view
from evalsets.datasets.ledger import append_ledger, last_entries, last_split
from evalsets.datasets.locks import writing
from evalsets.datasets.populations import load_recipes, resolve
from evalsets.datasets.schema import read_schema
from evalsets.datasets.scores import field_of
from evalsets.datasets.settings import default_settings
from evalsets.datasets.vectors import open_vectors
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
    Coverage,
    SplitReport,
    assign,
    connected,
    entries,
    replay,
)
from evalsets.splits import coverage as cover
from evalsets.splits import near_duplicates as close_pairs
from evalsets.suites import Population

logger = logging.getLogger(__name__)


def split(
    dataset: Source,
    *,
    val: float | None = None,
    groups: str | None = None,
    near_duplicates: float | None = None,
    seed: int | None = None,
) -> SplitReport:
    """Gives every sample its side, so that each population has its share in test.

    Samples that have a side keep it; a sample once in test never leaves it. The side
    is the sample field ``split``, and every assignment is in the dataset's ledger.

    Args:
        dataset: or its name
        val: share of what is not in test that goes to val, in [0, 1]; like every
            option by default what a suite file that was loaded states, else 0.1
        groups: field whose equal values stay on one side (scene, patient, video)
        near_duplicates: cosine in (0, 1] from which two images stay on one side; needs
            vectors
        seed: of the lots; changing it moves no sample that has a side

    Raises:
        ArgumentError: a share or threshold out of range, or nothing to hold out
        NameTakenError: a field ``split`` holds values that are not from here
        UnknownNameError: no field ``groups``
        NoVectorsError: ``near_duplicates`` without vectors
        EvalsetsError: a population that asks for a hold-out is stale
    """
    opened = open_dataset(dataset)
    stated = default_settings(opened)
    val = stated.get("val", 0.1) if val is None else val
    groups = stated.get("groups") if groups is None else groups
    near_duplicates = near_duplicates or stated.get("near_duplicates")
    seed = stated.get("seed", 0) if seed is None else seed
    numbers: dict[str, Any] = {"val": val, "near_duplicates": near_duplicates or 0}
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
            _refuse_foreign_sides(opened)
        _warn_of_loose_groups(settings, groups)
        codes = _groups(opened, frame.index, groups, near_duplicates)
        sides = _sides(opened, frame.index)
        assignment = assign(
            frame,
            {name: p.holdout for name, p in populations.items()},
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
                "holdouts": [
                    [p.holdout, meaning[name]] for name, p in populations.items()
                ],
                "val": val,
                "groups": groups,
                "near_duplicates": near_duplicates,
                "seed": seed,
                "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            },
            entries(list(frame.index), assignment, settings.get("number", 0) + 1, seed),
        )
        _write(opened, frame.index, sides, assignment)
    logger.info("Split '%s': %s", opened.name, assignment.report.sizes)
    return assignment.report


def split_settings(dataset: Source) -> dict[str, Any]:
    """How the dataset was split last: ``val, groups, near_duplicates, seed, time``.

    Returns:
        empty where it has not been split
    """
    settings = last_split(open_dataset(dataset))
    names = ("val", "groups", "near_duplicates", "seed", "time")
    return {name: settings[name] for name in names if name in settings}


def coverage(dataset: Source) -> Coverage:
    """How each population divides over train, val, test and quarantine.

    Args:
        dataset: or its name, or a view

    Raises:
        ArgumentError: the dataset has no populations
    """
    view = open_view(dataset)
    opened = open_dataset(dataset)
    frame = membership(view)
    if frame.shape[1] == 0:
        raise ArgumentError(
            f"Dataset '{opened.name}' has no populations yet; compose some first"
        )
    holdout = {n: r.population.holdout for n, r in load_recipes(opened).items()}
    return cover(frame, _sides(view, frame.index), holdout)


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


def group_values(dataset: fo.Dataset, ids: Sequence[str], field: str) -> list[Any]:
    """The values of a field that marks groups; a ``Classification`` is its label.

    Raises:
        UnknownNameError: no such field
        ArgumentError: the field does not hold one plain value a sample
    """
    fields = read_schema(dataset).fields
    if field not in fields:
        raise UnknownNameError("field", field, dataset.get_field_schema())
    if fields[field].kind in ("list", "objects", "other"):
        raise ArgumentError(
            f"Field '{field}' holds no single value a sample to group by; give one of "
            "text or numbers, such as a scene"
        )
    return _column(dataset, ids, fields[field].name)


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


def _refuse_foreign_sides(dataset: fo.Dataset) -> None:
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


def _groups(
    dataset: fo.Dataset,
    ids: pd.Index,
    field: str | None,
    threshold: float | None,
) -> NDArray[np.int64]:
    labels = None if field is None else group_values(dataset, list(ids), field)
    edges = None
    if threshold is not None:
        vectors = open_vectors(dataset)
        rows = {i: at for at, i in enumerate(ids)}
        known = [i for i in vectors.ids.tolist() if i in rows]
        pairs = close_pairs(vectors.get(known), threshold)
        edges = np.array([rows[i] for i in known], dtype=np.int64)[pairs]
    return connected(len(ids), labels, edges)


def _keys(dataset: fo.Dataset, ids: pd.Index) -> list[str]:
    """What names a sample for ever: its path below the dataset's common folder."""
    paths = _column(dataset, ids, "filepath")
    if len(set(paths)) < len(paths):
        return list(ids)
    root = os.path.commonpath([min(paths), max(paths)]) if paths else ""
    return [os.path.relpath(path, root) for path in paths]


def _sides(source: fo.Dataset | fo.DatasetView, ids: pd.Index) -> list[str]:
    if not source.has_sample_field(SPLIT):
        return [""] * len(ids)
    return [side or "" for side in _column(source, ids, SPLIT)]


def _decided(dataset: fo.Dataset, ids: pd.Index, sides: list[str]) -> list[str]:
    """The sides, with what the last split decided but was kept from writing."""
    last = replay(last_entries(dataset))
    return [
        last.get(i, side) if not side or last.get(i) == "test" else side
        for i, side in zip(ids, sides, strict=True)
    ]


def _column(
    source: fo.Dataset | fo.DatasetView, ids: Iterable[str], field: str
) -> list[Any]:
    value = dict(zip(*source.values(["id", field]), strict=True))
    return [value[i] for i in ids]


def _write(
    dataset: fo.Dataset, ids: pd.Index, before: list[str], assignment: Assignment
) -> None:
    declare(dataset, {SPLIT: str}, indexed=True)
    changed = np.asarray(before, dtype=str) != assignment.side
    write(dataset, SPLIT, ids[changed].tolist(), assignment.side[changed].tolist())
