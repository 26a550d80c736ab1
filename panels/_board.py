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
from evalsets.datasets.digests import data_mark
from evalsets.datasets.predictions import prediction_sets
from evalsets.telling import tell

from ._populations_state import Line, lines

_STORE = "evalsets_populations"
_MOST = 30


@dataclasses.dataclass(frozen=True)
class Board:
    """What was counted of the populations.

    Args:
        lines: of the table
        gaps: of coverage
        overlap: traces and layout of a heat map
    """

    lines: tuple[Line, ...] = ()
    gaps: tuple[str, ...] = ()
    overlap: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def store_of(ctx: foo.ExecutionContext) -> Any:
    """Where a dataset keeps what was counted."""
    return ctx.store(_STORE)


def board(dataset: fo.Dataset, store: Any) -> Board:
    """The populations, counted.

    Counting reads every sample, so the dataset keeps what was counted until a sample,
    a population or an encoder changes.
    """
    known = evalsets.populations(dataset)
    if not known:
        return Board()
    measured = evalsets.calibrations(dataset)
    kept = _kept(store, _mark(dataset, known, measured))
    if kept is not None:
        return kept
    tell(f"Counting the samples of {len(known):,} populations")
    stale = evalsets.refresh(dataset)
    mark = _mark(dataset, known, measured)  # before they are read: what comes is new
    coverage = evalsets.coverage(dataset)
    found = Board(
        lines(coverage.frame, known, stale, measured),
        tuple(coverage.gaps),
        _overlap(coverage),
    )
    store.set("board", {"mark": mark, **dataclasses.asdict(found)})
    return found


def _kept(store: Any, mark: str) -> Board | None:
    """What was counted when the dataset was as it is now."""
    kept = store.get("board")
    if not kept or kept["mark"] != mark or "overlap" not in kept:
        return None
    counted = tuple(Line(**line) for line in kept["lines"])
    return Board(counted, tuple(kept["gaps"]), kept["overlap"])


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
        data_mark(dataset),
        [str(dataset.get_brain_info(run).timestamp) for run in runs],
        [population.to_dict() for population in known.values()],
        {name: str(found) for name, found in measured.items()},
        [[s.model, s.field, s.uploaded] for s in prediction_sets(dataset).values()],
    ]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()
