"""Rows and reports in plain sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evalsets.errors import counted
from evalsets.metrics import FAIL, INCONCLUSIVE, PASS, Row
from evalsets.suites.population import ALL

_DROP = " drop <= "


def bound_of(row: Row) -> float | None:
    """The number in a row's requirement; None where nothing is required."""
    return float(row.requirement.rpartition(" ")[2]) if row.requirement else None


def is_drop(row: Row) -> bool:
    """Whether the requirement compares with the baseline."""
    return _DROP in row.requirement


def number(value: float | None) -> str:
    """A figure as people read it: three decimals below ten, "–" where undefined."""
    if value is None:
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"


def interval(low: float | None, high: float | None) -> str:
    """An interval, or nothing where there is none."""
    return "" if low is None or high is None else f"[{number(low)}, {number(high)}]"


def explain(row: Row, provenance: Mapping[str, Any]) -> str:
    """One row of a report as a sentence.

    Args:
        row: of the report
        provenance: of the report; ``stale`` names populations whose membership is out of
            date, ``incomplete`` says how many samples of a population have no prediction
            where nothing can stand for one, ``remarks`` what else a row does not show
    """
    found = f"{row.metric} {number(row.value)} {interval(row.low, row.high)}"
    found = f"{found} on {counted(row.n, 'sample')}"
    if row.n == 0:
        found = "no sample was evaluated"
        if ":" in row.metric:
            found = f"no sample counts for {row.metric}"
    elif row.value is None:
        found = f"{row.metric} is undefined on {counted(row.n, 'sample')}"
    if not row.requirement:
        return f"{row.population}: {found}"
    if row.delta is not None and is_drop(row):
        found += (
            f", baseline {number(row.baseline)}: difference {signed(row.delta)} "
            f"{interval(row.delta_low, row.delta_high)}"
        )
    remark = _remark(row, provenance)
    said = f"{row.population}: {row.verdict.upper()}: {found}"
    if row.verdict != INCONCLUSIVE:
        said = f"{said} {_settled(row)}"
    elif not remark or row.needed is not None:
        said = f"{said}; {_open(row, provenance)}"
    return f"{said}; {remark}" if remark else said


def _settled(row: Row) -> str:
    bound = f"{bound_of(row):g}"
    if is_drop(row):
        kept = "is within" if row.verdict == PASS else "is more than"
        return f"{kept} the allowed drop of {bound}"
    at_least = ">=" in row.requirement
    if row.verdict == PASS:
        return f"is at least {bound}" if at_least else f"is at most {bound}"
    return f"is below {bound}" if at_least else f"is above {bound}"


def _remark(row: Row, provenance: Mapping[str, Any]) -> str:
    of_population = (provenance.get("remarks") or {}).get(row.population, {})
    return str(of_population.get(row.requirement, ""))


_NO_BASELINE, _NOT_COMPARED, _NO_FIGURE, _STALE, _INCOMPLETE, _NEAR, _FEW = (
    "no baseline",
    "no such figure of the baseline",
    "no such figure of the model",
    "membership out of date",
    "missing predictions",
    "too near the bound to settle",
    "too few samples",
)


def _cause(row: Row, provenance: Mapping[str, Any]) -> str:
    """Why a row is inconclusive."""
    if row.n and row.value is None and _remark(row, provenance):
        return _NO_FIGURE
    if is_drop(row) and row.n and row.delta is None:
        return _NOT_COMPARED if provenance.get("baseline") else _NO_BASELINE
    if row.population in (provenance.get("stale") or ()):
        return _STALE
    if row.population in (provenance.get("incomplete") or ()):
        return _INCOMPLETE
    if row.n and row.p_adjusted is None and _remark(row, provenance):
        return _INCOMPLETE
    return _NEAR if row.n and row.needed is None else _FEW


def _open(row: Row, provenance: Mapping[str, Any]) -> str:
    """What would settle an inconclusive row."""
    wanted = f"allowed drop {bound_of(row):g}" if is_drop(row) else row.requirement
    cause = _cause(row, provenance)
    if cause == _NO_BASELINE:
        return f"there is no baseline to judge {wanted}; name one"
    if cause == _NOT_COMPARED:
        return f"the baseline has no such figure of its samples to judge {wanted}"
    if cause == _STALE:
        return f"its membership is out of date, refresh it to judge {wanted}"
    if cause == _INCOMPLETE:
        n = provenance["incomplete"][row.population]
        lack = counted(n, "of its samples has", "of its samples have")
        return f"{lack} no prediction, upload them to judge {wanted}"
    if cause == _NEAR:
        return f"too near to settle by more samples ({wanted})"
    more = "some" if row.needed is None else f"{row.needed:,} more"
    return f"label {more} to settle {wanted}"


def signed(value: float | None) -> str:
    """A difference with its sign."""
    if value is None:
        return "–"
    return f"{value:+.3f}" if abs(value) < 10 else f"{value:+.4g}"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names as an enumeration in a sentence."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def metrics_to_show(rows: Sequence[Row]) -> list[str]:
    """The metrics that something is required of, else the first."""
    required = dict.fromkeys(row.metric for row in rows if row.verdict)
    return list(required) or [rows[0].metric]


def headline(rows: Iterable[Row], verdict: str, provenance: Mapping[str, Any]) -> str:
    """The gate's verdict in one sentence; see :func:`explain`."""
    model = provenance.get("model", "model")
    required = [row for row in rows if row.verdict]
    n = len({row.population for row in required})
    of = f"of {counted(n, 'population')}"
    if not required:
        return f"{model}: INCONCLUSIVE: nothing is required of any population"
    if verdict == PASS:
        met = counted(len(required), "requirement")
        return f"{model}: PASS: meets {met} on {counted(n, 'population')}"
    causes: dict[str, dict[str, None]] = {}
    for row in sorted(required, key=lambda row: row.verdict != FAIL):
        cause = "misses what is required"
        if row.verdict == INCONCLUSIVE:
            cause = _cause(row, provenance)
        if row.verdict == verdict or cause in (_NO_BASELINE, _NOT_COMPARED):
            causes.setdefault(cause, {})[row.population] = None
    said = [
        f"{cause} on {len(names)} {of}: {listed(list(names))}"
        for cause, names in causes.items()
    ]
    return f"{model}: {verdict.upper()}: {'; '.join(said)}"


def summary(
    rows: Sequence[Row], verdict: str, provenance: Mapping[str, Any]
) -> list[str]:
    """What a stakeholder should know, a sentence each, the most pressing first."""
    said = [headline(rows, verdict, provenance) + "."]
    said += [explain(r, provenance) + "." for r in rows if r.verdict == FAIL][:5]
    open_rows = [r for r in rows if r.verdict == INCONCLUSIVE and r.needed]
    open_rows.sort(key=lambda row: row.needed or 0)
    said += [explain(r, provenance) + "." for r in open_rows][:3]
    narrow = [r for r in rows if r.verdict == PASS and _remark(r, provenance)]
    said += [explain(r, provenance) + "." for r in narrow][:3]
    overall = next(
        (r for r in rows if r.population == ALL and r.delta is not None), None
    )
    if overall is not None:
        difference = interval(overall.delta_low, overall.delta_high)
        said.append(
            f"Over all data ({counted(overall.n, 'sample')}) {overall.metric} is "
            f"{number(overall.value)}, {signed(overall.delta)} {difference} against "
            f"{provenance.get('baseline', 'the baseline')}."
        )
    return said + notes(provenance)


_NOT_COUNTED = {
    "unpredicted": (
        "sample had no prediction and counts as predicting nothing",
        "samples had no prediction and count as predicting nothing",
    ),
    "unscored": (
        "sample had no prediction or score and was left out; populations with such "
        "samples do not pass",
        "samples had no prediction or score and were left out; populations with such "
        "samples do not pass",
    ),
    "uncompared": (
        "sample that the baseline has no answer for was left out of the comparison",
        "samples that the baseline has no answer for were left out of the comparison",
    ),
    "outdated": (
        "sample has a photograph that was found changed after its prediction was uploaded",
        "samples have photographs that were found changed after their predictions were "
        "uploaded",
    ),
    "baseline_outdated": (
        "sample has a photograph that was found changed after the baseline's prediction",
        "samples have photographs that were found changed after the baseline's predictions",
    ),
    "unlabelled": (
        "sample had no true label and was left out",
        "samples had no true label and were left out",
    ),
    "trained_on": (
        "sample was left out because the model was trained on it",
        "samples were left out because the model was trained on them",
    ),
    "baseline_trained_on": (
        "sample was left out because the baseline was trained on it",
        "samples were left out because the baseline was trained on them",
    ),
}


def notes(provenance: Mapping[str, Any]) -> list[str]:
    """What the figures do not show of the evaluated samples, a sentence each."""
    said = [
        f"{counted(provenance[key], *forms)}."
        for key, forms in _NOT_COUNTED.items()
        if provenance.get(key)
    ]
    if strange := provenance.get("strange_labels"):
        what = counted(len(strange), "predicted class is", "predicted classes are")
        names = listed([f"'{name}'" for name in strange])
        said.append(f"{what} nowhere in the truth: {names}.")
    if (looks := provenance.get("looks", 0)) > 1:
        where = (
            f"split '{provenance['split']}'" if provenance.get("split") else "all data"
        )
        said.append(
            f"This is look {looks} at {where}; each choice made by looking wears it out."
        )
    if unsure := provenance.get("uncalibrated"):
        cut = "cut is" if len(unsure) == 1 else "cuts are"
        names = listed([f"'{name}'" for name in unsure])
        said.append(
            f"The similarity {cut} uncalibrated, so that nobody knows how much of the "
            f"population belongs: {names}."
        )
    return said
