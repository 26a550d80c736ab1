"""What the Evaluation panel holds between events, and the samples behind its figures."""

from __future__ import annotations

import dataclasses
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pandas as pd
from fiftyone import ViewField as F

import evalsets
from evalsets.api.behind import behind
from evalsets.datasets.reports import list_reports

from . import _blocks as blocks
from ._evaluation_state import ALL, Asked, EvaluationState, table_rows
from ._events import keep, kept

METRIC, ABOUT, COLOURS = "metrics.metric", "mistakes.about", "maphead.colours"
"""Where the App keeps a choice: the row it stands in, then its own name."""
_OWN = ("model", "baseline", "split", "truth", "created", "looks")
"""What no two reports of a dataset have in common."""


def state_of(ctx: foo.ExecutionContext) -> EvaluationState:
    """What the panel shows beside its choices."""
    return EvaluationState.from_dict(kept(ctx, "shown"))


def show(ctx: foo.ExecutionContext, state: EvaluationState) -> None:
    """Keeps what the panel is to show."""
    keep(ctx, "shown", state.to_dict())


def asked_of(ctx: foo.ExecutionContext) -> Asked:
    """The choices above the report."""
    chosen = ctx.panel.get_state("asked") or {}
    return Asked(**{key: value or "" for key, value in chosen.items()})


def ask(ctx: foo.ExecutionContext, asked: Asked) -> None:
    """Fills the choices."""
    ctx.panel.set_state("asked", dataclasses.asdict(asked))


def report_of(
    ctx: foo.ExecutionContext, state: EvaluationState
) -> evalsets.Report | None:
    """The report that is shown; None where there is none."""
    if state.number is None:
        return None
    return evalsets.load_report(ctx.dataset, state.number)


def shown_report(ctx: foo.ExecutionContext) -> evalsets.Report:
    """The report that is shown.

    Raises:
        EvalsetsError: there is none
    """
    report = report_of(ctx, state_of(ctx))
    if report is None:
        raise evalsets.EvalsetsError("There is no report yet; evaluate a model first")
    return report


def open_report(ctx: foo.ExecutionContext, past: pd.DataFrame, number: int) -> None:
    """Shows an earlier report, and says if it holds no more."""
    report = evalsets.load_report(ctx.dataset, number)
    stale = str(past["stale"][number])
    note = f"This report is stale: {stale}; evaluate again." if stale else ""
    ask(ctx, Asked.of(report.provenance))
    ctx.panel.set_state(METRIC, "")
    show(ctx, dataclasses.replace(EvaluationState(number, note), part=_part(ctx)))


def _part(ctx: foo.ExecutionContext) -> str:
    return state_of(ctx).part


def clicked_row(ctx: foo.ExecutionContext) -> Any:
    """The row of the table that was clicked."""
    metric = ctx.panel.get_state(METRIC) or ""
    return table_rows(shown_report(ctx).rows, metric)[ctx.params["row"]]


def number_of(dataset: fo.Dataset, report: evalsets.Report) -> int:
    """The number that a report was kept under; others may evaluate its model, too."""
    told = report.provenance
    return next(
        int(name)
        for name, kept in reversed(list_reports(dataset).items())
        if all(kept[key] == told[key] for key in _OWN)
    )


def about(ctx: foo.ExecutionContext, report: evalsets.Report | None) -> str:
    """The population whose mistakes are shown; all where a report keeps none of it."""
    chosen = str(ctx.panel.get_state(ABOUT) or ALL)
    return chosen if report and chosen in names_kept(report) else ALL


def names_kept(report: evalsets.Report) -> list[str]:
    """The populations whose mistakes a report keeps, failing ones first."""
    kept = [*report.details.confusion, *report.details.worst]
    return list(dict.fromkeys(kept))[: blocks.MOST_ROWS]


def label_paths(dataset: fo.Dataset, report: evalsets.Report) -> tuple[str, str]:
    """Where the true and the predicted label of an image are."""
    truth = report.provenance["truth"]
    plain = isinstance(dataset.get_field(truth), fo.StringField)
    predicted = evalsets.models(dataset)[report.model].field
    return (truth if plain else f"{truth}.label"), f"{predicted}.label"


def mistaken(
    dataset: fo.Dataset, report: evalsets.Report, population: str
) -> fo.DatasetView:
    """The samples of a population with a wrong label, or none."""
    truth, predicted = label_paths(dataset, report)
    return behind(dataset, report, population).match(F(predicted) != F(truth))


def confused(
    dataset: fo.Dataset,
    report: evalsets.Report,
    population: str,
    true: str,
    predicted: str,
) -> fo.DatasetView:
    """The samples of one label that were taken for another, empty for none."""
    truth, path = label_paths(dataset, report)
    taken = F(path) == predicted if predicted else ~F(path).exists()
    return behind(dataset, report, population).match((F(truth) == true) & taken)
