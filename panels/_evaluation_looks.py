"""The events of the Evaluation panel that open the samples behind a figure."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo

import evalsets
from evalsets.api.behind import behind
from evalsets.errors import counted
from evalsets.reports.detail_figures import confusion_labels

from ._evaluation_models import places, trend_of
from ._evaluation_session import (
    METRIC,
    about,
    clicked_row,
    confused,
    mistaken,
    open_report,
    show,
    shown_report,
    state_of,
)
from ._events import told

_KINDS = {
    "html": ("HTML", "text/html"),
    "md": ("Markdown", "text/markdown"),
    "json": ("JSON", "application/json"),
}


class Look:
    """Figures open the samples behind them."""

    @told
    def show_samples(self, ctx: foo.ExecutionContext) -> None:
        _show_population(ctx, clicked_row(ctx).population)

    @told
    def click_plot(self, ctx: foo.ExecutionContext) -> None:
        _show_population(ctx, ctx.params["y"])

    @told
    def show_mistakes(self, ctx: foo.ExecutionContext) -> None:
        name = clicked_row(ctx).population
        _open(ctx, mistaken(ctx.dataset, shown_report(ctx), name), name)

    @told
    def show_worst(self, ctx: foo.ExecutionContext) -> None:
        report = shown_report(ctx)
        row = clicked_row(ctx) if "row" in ctx.params else None
        name = about(ctx, report) if row is None else row.population
        found = report.worst(ctx.dataset, name)
        _told_of(
            ctx, found, name, "that went worst, the worst first", "Nothing went wrong"
        )

    @told
    def show_lost(self, ctx: foo.ExecutionContext) -> None:
        _discordant(ctx, "lost", "that only the baseline has right")

    @told
    def show_gained(self, ctx: foo.ExecutionContext) -> None:
        _discordant(ctx, "gained", "that only the model has right")

    def choose_about(self, ctx: foo.ExecutionContext) -> None:
        """The choice is in the panel's state already; drawing it is all there is."""

    @told
    def click_confusion(self, ctx: foo.ExecutionContext) -> None:
        report = shown_report(ctx)
        name = about(ctx, report)
        if name not in report.details.confusion:
            raise evalsets.EvalsetsError(f"This report has no confusion of {name}")
        rows, columns = confusion_labels(report.details.confusion[name])
        true, predicted = rows[int(ctx.params["y"])], columns[int(ctx.params["x"])]
        found = confused(ctx.dataset, report, name, true, predicted)
        words = f"labelled '{true}' and taken for {repr(predicted) if predicted else 'nothing'}"
        _told_of(ctx, found, name, words, "No sample is in that cell")

    @told
    def click_map(self, ctx: foo.ExecutionContext) -> None:
        """Opens the samples of a population, with the newest report of a model."""
        trend = trend_of(ctx.dataset, shown_report(ctx), ctx.panel.get_state(METRIC))
        models, names = places(trend)
        column, row = int(ctx.params["x"]), int(ctx.params["y"])
        newest = trend.newest
        number = int(newest["report"][newest["model"] == models[column]].iloc[0])
        metric, past = (
            ctx.panel.get_state(METRIC),
            evalsets.history(ctx.dataset, data=False),
        )
        open_report(ctx, past, number)
        ctx.panel.set_state(METRIC, metric)
        _show_population(ctx, names[row])

    @told
    def export(self, ctx: foo.ExecutionContext) -> None:
        """Has the browser keep the report as a file."""
        report, kind = shown_report(ctx), ctx.params["kind"]
        name = f"{report.model}-report-{state_of(ctx).number}.{kind}"
        told, media = _KINDS[kind]
        text = {"md": report.to_markdown, "json": report.to_json}.get(kind)
        content = text() if text else _html(ctx.dataset, report)
        coded = base64.b64encode(content.encode()).decode()
        ctx.ops.browser_download(f"data:{media};base64,{coded}", filename=name)
        show(ctx, state_of(ctx).saying(f"Saved the report as {told}: {name}."))


def _html(dataset: fo.Dataset, report: evalsets.Report) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = report.to_html(
            Path(folder) / "report.html", trend=trend_of(dataset, report)
        )
        return path.read_text(encoding="utf-8")


def _show_population(ctx: foo.ExecutionContext, population: str) -> None:
    _open(ctx, behind(ctx.dataset, shown_report(ctx), population), population)


def _discordant(ctx: foo.ExecutionContext, which: str, words: str) -> None:
    report = shown_report(ctx)
    told_of, name = report.provenance, about(ctx, report)
    if not told_of["baseline"]:
        raise evalsets.EvalsetsError(
            "This report has no baseline; choose one above and evaluate again"
        )
    found = evalsets.discordant(
        behind(ctx.dataset, report, name),
        report.model,
        told_of["baseline"],
        # those of a release are on its side already, wherever they are now
        split=told_of["split"] if told_of.get("release") is None else None,
        truth=told_of["truth"],
        only=which,
    )
    _told_of(ctx, found, name, words, f"There are none {words}")


def _told_of(
    ctx: foo.ExecutionContext,
    view: fo.DatasetView,
    population: str,
    words: str,
    nothing: str,
) -> None:
    """Opens samples and says what they are; leaves the grid where there are none."""
    n = len(view)
    if not n:
        show(ctx, state_of(ctx).saying(f"{nothing}, in {population}."))
        return
    _open(ctx, view, population)
    said = f"The grid shows {counted(n, 'sample')} of {population} {words}."
    show(ctx, state_of(ctx).saying(said))


def _open(ctx: foo.ExecutionContext, view: fo.DatasetView, population: str) -> None:
    ctx.ops.set_view(view)
    show(ctx, state_of(ctx).opening(population))
