"""A report as Markdown, JUnit XML and a table for the terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree as ET

from evalsets.metrics import FAIL, INCONCLUSIVE, PASS, Row
from evalsets.reports import words
from evalsets.suites.population import ALL

if TYPE_CHECKING:
    from evalsets.reports.report import Report

_COLORS = {PASS: "green", FAIL: "red", INCONCLUSIVE: "yellow"}
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKS = re.compile(r"([\\`*_\[\]|<>~&])")
_LIVE = re.compile(r"@|#|://|www(?=\.)|\bGH-(?=\d)", re.IGNORECASE)
"""What GitHub turns into mentions, references and links, even where it is escaped."""
_APART = "&#8203;"
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
"""Controls, of a terminal and of the direction of writing."""
_HEADER = (
    "population",
    "metric",
    "n",
    "value",
    "95 % interval",
    "against baseline",
    "required",
    "verdict",
    "label more",
)
_RIGHT = ("n", "value", "label more")


def _cells(row: Row) -> list[str]:
    """A row as the texts of ``_HEADER``'s columns."""
    ends = words.interval(row.delta_low, row.delta_high)
    return [
        row.population,
        row.metric,
        f"{row.n:,}",
        words.number(row.value),
        words.interval(row.low, row.high),
        "" if row.delta is None else f"{words.signed(row.delta)} {ends}".strip(),
        row.requirement,
        row.verdict.upper(),
        f"{row.needed:,}" if row.needed else "",
    ]


def _table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Header and cells, without columns that are empty throughout."""
    lines = [_cells(row) for row in rows]
    kept = [at for at in range(len(_HEADER)) if any(line[at] for line in lines)]
    return [_HEADER[at] for at in kept], [[line[at] for at in kept] for line in lines]


def _pressing(rows: Sequence[Row]) -> list[Row]:
    """The whole data, and each population's requirements; every row where there are none.

    A population of which nothing is required shows the metrics required of others.
    """
    bound = {row.population for row in rows if row.verdict}
    metrics = words.metrics_to_show(rows)
    return [
        row
        for row in rows
        if row.verdict
        or not bound
        or row.population == ALL
        or (row.population not in bound and row.metric in metrics)
    ]


def terminal(report: Report, color: bool) -> str:
    """The headline, a table of every population, and what was not counted."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    rows = _pressing(report.rows)
    header, lines = _table(rows)
    for name in header:
        justify: Literal["left", "right"] = "right" if name in _RIGHT else "left"
        table.add_column(name, justify=justify, overflow="fold")
    for row, line in zip(rows, lines, strict=True):
        style = _COLORS.get(row.verdict, "")
        styles = (style if name == "verdict" else "" for name in header)
        table.add_row(*map(Text, map(_seen, line), styles))
    text = io.StringIO()
    console = Console(
        file=text, width=150, force_terminal=color, no_color=not color, highlight=False
    )
    console.print(Text(_seen(report.headline), f"bold {_COLORS[report.verdict]}"))
    console.print(table)
    for note in words.notes(report.provenance):
        console.print(Text(_seen(note)), soft_wrap=True)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def markdown(report: Report) -> str:
    """A headline, a table of the requirements, and every figure folded away."""
    required = [row for row in report.rows if row.verdict]
    parts = [f"### {_plain(report.headline)}"]
    if required:
        parts.append(_markdown_table(required))
    parts += [_plain(note) for note in words.notes(report.provenance)]
    parts.append(
        "<details><summary>All figures</summary>\n\n"
        f"{_markdown_table(report.rows)}\n\n</details>"
    )
    told = ("dataset", "split", "baseline", "alpha", "seed", "looks", "created")
    known = [
        f"{key} {_plain(str(report.provenance[key]))}"
        for key in told
        if report.provenance.get(key) is not None
    ]
    if known:
        parts.append(f"<sub>{', '.join(known)}</sub>")
    return "\n\n".join(parts) + "\n"


def _markdown_table(rows: Sequence[Row]) -> str:
    header, cells = _table(rows)
    rule = ["---:" if name in _RIGHT else "---" for name in header]
    body = [[_plain(cell) for cell in line] for line in cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, rule, *body])


def refusal(problem: str) -> str:
    """For a pull request: why there is no report."""
    first, *lines = [_plain(line) for line in problem.splitlines() if line.strip()]
    more = "".join(f"- {line}\n" for line in lines)
    return f"### ERROR: no verdict\n\n{first}\n" + (more and f"\n{more}")


def _plain(text: str) -> str:
    """Text that Markdown, HTML and GitHub leave as it is."""
    marked = _MARKS.sub(r"\\\1", " ".join(_seen(text).split()))
    return _LIVE.sub(rf"\g<0>{_APART}", marked)


def _seen(text: str) -> str:
    """Text in which nothing acts unseen."""
    return _UNSEEN.sub("\ufffd", text)


def junit(report: Report) -> str:
    """One test a requirement; an open one is an error, never a success."""
    required = [row for row in report.rows if row.verdict]
    suite = ET.Element("testsuite", name=_xml(f"evalsets {report.model}"))
    for row in required:
        case = _case(suite, row.population, row.requirement)
        if row.verdict != PASS:
            kind = "failure" if row.verdict == FAIL else "error"
            said = _xml(report.explain(row))
            ET.SubElement(case, kind, message=said, type=row.verdict).text = said
    if not required:
        said = _xml(report.headline)
        case = _case(suite, "suite", "requires something")
        ET.SubElement(case, "error", message=said, type=INCONCLUSIVE).text = said
    return _junit(suite, report.provenance.get("created"))


def junit_refusal(problem: str) -> str:
    """One test, in error, that says why there is no report."""
    suite = ET.Element("testsuite", name="evalsets")
    case, said = _case(suite, "suite", "has a verdict"), _xml(problem)
    ET.SubElement(case, "error", message=said, type="error").text = said
    return _junit(suite)


def _junit(suite: ET.Element, created: object = None) -> str:
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("*/failure"))))
    suite.set("errors", str(len(suite.findall("*/error"))))
    if created:
        suite.set("timestamp", _xml(str(created)))
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, population: str, requirement: str) -> ET.Element:
    return ET.SubElement(
        suite, "testcase", classname=_xml(population), name=_xml(requirement)
    )


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
