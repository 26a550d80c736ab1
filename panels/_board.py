"""The table of populations, counted once for each state of a dataset."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo

import evalsets

from ._populations_state import Line, lines

_STORE = "evalsets_populations"
_MOST = 30


def board(ctx: foo.ExecutionContext) -> tuple[tuple[Line, ...], tuple[str, ...]]:
    """The lines of the table and the gaps of coverage.

    Counting reads every sample, so the dataset keeps what was counted until a sample,
    a population or an encoder changes.
    """
    dataset = ctx.dataset
    known = evalsets.populations(dataset)
    if not known:
        return (), ()
    store = ctx.store(_STORE)
    kept = store.get("board")
    measured = evalsets.calibrations(dataset)
    if kept and "overlap" in kept and kept["mark"] == _mark(dataset, known, measured):
        return tuple(Line(**line) for line in kept["lines"]), tuple(kept["gaps"])
    stale = evalsets.refresh(dataset)
    coverage = evalsets.coverage(dataset)
    counted = lines(coverage.frame, known, stale, measured)
    store.set(
        "board",
        {
            "mark": _mark(dataset, known, measured),
            "lines": [dataclasses.asdict(line) for line in counted],
            "gaps": list(coverage.gaps),
            "overlap": _overlap(coverage),
        },
    )
    return counted, tuple(coverage.gaps)


def overlap(ctx: foo.ExecutionContext) -> dict[str, Any]:
    """Traces and layout of the heat map of overlaps, as last counted."""
    board(ctx)
    kept = ctx.store(_STORE).get("board")
    return dict(kept["overlap"]) if kept else {}


def _overlap(coverage: evalsets.Coverage) -> dict[str, Any]:
    """The heat map of the populations that share most with others."""
    shared = coverage.overlap.sum(axis=1).sort_values(ascending=False, kind="stable")
    chosen = set(shared.index[:_MOST])
    names = [name for name in coverage.overlap.index if name in chosen]
    few = dataclasses.replace(coverage, overlap=coverage.overlap.loc[names, names])
    drawn = json.loads(few.plot_overlap().to_json())
    drawn["layout"].pop("template", None)
    return {"data": drawn["data"], "layout": drawn["layout"]}


def _mark(
    dataset: fo.Dataset,
    known: Mapping[str, evalsets.Population],
    measured: Mapping[str, evalsets.Calibration | None],
) -> str:
    """Changes with whatever the table shows."""
    runs = dataset.list_brain_runs()
    state = [
        len(dataset),
        str(dataset.bounds("last_modified_at")[1]),
        [str(dataset.get_brain_info(run).timestamp) for run in runs],
        [population.to_dict() for population in known.values()],
        {name: str(found) for name, found in measured.items()},
    ]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()
