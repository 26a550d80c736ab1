"""A report as one HTML file that needs no network."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape
from PIL import ImageOps

from evalsets.images import header_of
from evalsets.reports import words
from evalsets.reports.figure import by_severity, interval_figure

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from evalsets.reports.report import Report, Samples
    from evalsets.reports.trend import Trend

_SIDE = 168
_MOST_SHOWN = 12
_TOLD = {
    "dataset": "Dataset",
    "split": "Split",
    "truth": "Truth",
    "baseline": "Baseline",
    "samples": "Samples",
    "groups": "Groups",
    "release": "Release",
    "suite": "Suite",
    "alpha": "Level α",
    "replicates": "Bootstrap replicates",
    "seed": "Seed",
    "looks": "Looks at this split",
    "created": "Made",
}


def render_page(report: Report, samples: Samples, trend: Trend | None = None) -> str:
    """The whole page; every text of a user is escaped."""
    environment = Environment(
        loader=PackageLoader("evalsets", "reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    required = [row for row in report.rows if row.verdict]
    counts = {v: sum(r.verdict == v for r in required) for v in _VERDICTS}
    metrics = words.metrics_to_show(report.rows)
    figures = [interval_figure(report, metric) for metric in metrics]
    plots = _plots([*figures, *_detailed(report), *_among(trend)])
    return environment.get_template("page.html").render(
        report=report,
        facts=_facts(report),
        counts=counts,
        required=by_severity(required),
        number=words.number,
        signed=words.signed,
        interval=words.interval,
        plots=plots[: len(metrics)],
        more=plots[len(metrics) :],
        galleries=_galleries(samples),
    )


def figure_page(figure: Figure, title: str) -> str:
    """One plot as a page of its own, with a title for the browser."""
    page: str = figure.to_html(include_plotlyjs=True)
    return page.replace("</head>", f"<title>{escape(title)}</title></head>", 1)


_VERDICTS = ("fail", "inconclusive", "pass")


def _facts(report: Report) -> list[tuple[str, str]]:
    """What was evaluated and how, as pairs."""
    return [
        (title, str(report.provenance[key]))
        for key, title in _TOLD.items()
        if report.provenance.get(key) is not None
    ]


def _detailed(report: Report) -> Iterator[Figure]:
    """Confusion and reliability of each population that has them."""
    for population in report.details.confusion:
        yield report.plot("confusion", population)
        if report.details.reliability.get(population):
            yield report.plot("reliability", population)


def _among(trend: Trend | None) -> Iterator[Figure]:
    """How the report stands among others."""
    if trend is not None:
        yield trend.heatmap()
        yield trend.plot()


def _plots(figures: Iterable[Figure]) -> list[Markup]:
    """The plots; the first carries Plotly's script."""
    return [
        Markup(  # noqa: S704 (Plotly escapes; names were escaped for its labels)
            figure.to_html(
                full_html=False,
                include_plotlyjs=at == 0,
                include_mathjax=False,
                config={"displaylogo": False, "displayModeBar": False},
            )
        )
        for at, figure in enumerate(figures)
    ]


def _galleries(samples: Samples) -> list[tuple[str, list[dict[str, Any]], int]]:
    """By population: some samples with thumbnails, and how many there are."""
    return [
        (
            name,
            [
                {"image": _thumbnail(file), "caption": caption, "file": Path(file).name}
                for file, caption in shown[:_MOST_SHOWN]
            ],
            len(shown),
        )
        for name, shown in samples.items()
        if shown
    ]


def _thumbnail(file: str) -> str | None:
    """A small JPEG as data URI; None where the image cannot be read."""
    try:
        with header_of(file) as image:
            image.draft("RGB", (2 * _SIDE, 2 * _SIDE))
            small = ImageOps.exif_transpose(image).convert("RGB")
            small.thumbnail((2 * _SIDE, 2 * _SIDE))
    except (OSError, ValueError):
        return None
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
