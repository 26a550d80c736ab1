"""What a split goes by where it is not told, and what its report says besides."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from numbers import Integral, Real
from types import NoneType
from typing import Any

import fiftyone as fo
import pandas as pd

from evalsets.api.grouping import Together, same_files, vectors_of
from evalsets.datasets.releases import list_releases, load_release
from evalsets.datasets.settings import stated_settings
from evalsets.datasets.vectors import open_vectors
from evalsets.errors import ArgumentError, NoVectorsError, counted
from evalsets.splits import (
    LEARNED,
    Assignment,
    SplitReport,
    near_leaks,
)
from evalsets.splits.near import BAND, check_threshold
from evalsets.suites.suite import SEEDS

logger = logging.getLogger(__name__)


def options_of(
    dataset: fo.Dataset,
    val: float | None,
    groups: str | None,
    near_duplicates: float | None,
    background: float | None,
    seed: int | None,
) -> dict[str, Any]:
    """The options of a split: what is given, else as before; None where one is off.

    Raises:
        ArgumentError: a share or threshold out of range
        NoVectorsError: a threshold without vectors
    """
    given = {
        "val": val,
        "groups": groups,
        "near_duplicates": near_duplicates,
        "background": background,
        "seed": seed,
    }
    before = {"val": 0.1, "background": 0, "seed": 0, **stated_settings(dataset)}
    options = {n: before.get(n) if v is None else v for n, v in given.items()}
    for name in ("val", "near_duplicates", "background"):
        value = options[name]
        if not isinstance(value, (Real, NoneType)) or (
            isinstance(value, bool)
            or (name != "near_duplicates" and not 0 <= float(value or 0) <= 1)
        ):
            raise ArgumentError(f"{name} is {value!r}; give a number from 0 to 1")
        if value is not None:
            options[name] = float(value)  # the ledger keeps plain numbers
    drawn, together = seed_of(options["seed"]), options["groups"]
    if not isinstance(together, (str, NoneType)):
        raise ArgumentError(f"groups is {together!r}; give one field or expression")
    off: dict[str, Any] = {
        name: options[name] or None for name in ("groups", "near_duplicates")
    }
    if off["near_duplicates"] is not None:
        open_vectors(dataset)
        check_threshold(off["near_duplicates"])
    return {**options, "seed": drawn, **off}


def seed_of(seed: Any) -> int:
    """A seed as a plain number.

    Raises:
        ArgumentError: it is none
    """
    whole = isinstance(seed, Integral) and not isinstance(seed, bool)
    if not whole or not 0 <= int(seed) < SEEDS:
        raise ArgumentError(f"seed is {seed!r}; give a whole number from 0 to 2^63 - 1")
    return int(seed)


def refuse_empty_train(report: SplitReport, holdout: dict[str, float]) -> None:
    """Refuses a split that leaves nothing to train on because of its groups.

    Raises:
        ArgumentError: it does
    """
    if report.sizes["train"]:
        return
    giant = [c for c in report.conflicts if c.giant]
    touching = [m for m in report.moved if m.after == "quarantine"]
    if touching:  # for good, so that a slip in the options must not do it
        raise ArgumentError(
            f"Nothing would be left to train on: {counted(len(touching), 'sample')} "
            "would go to quarantine, being in a group with others in test or val; name "
            "a finer group field, or a higher cosine of near-duplicates"
        )
    if giant and max(holdout.values()) < 1:
        raise ArgumentError(f"Nothing would be left to train on: {giant[0]}")


def changes(settings: dict[str, Any], options: dict[str, Any]) -> tuple[str, ...]:
    """Where samples may part that the last split kept together, a sentence each."""
    found = []
    for name, what in (
        ("groups", "'{}'"),
        ("near_duplicates", "near-duplicates from {}"),
    ):
        before, now = settings.get(name), options[name]
        if before is not None and before != now:
            kept = what.format(before)
            keeps = "does not" if now is None else f"keeps {what.format(now)} together"
            again = f"group by {kept}" if name == "groups" else f"give {name}={before}"
            found.append(
                f"The last split kept {kept} together and this one {keeps}: new samples "
                f"of one group may lie on both sides; {again} again"
            )
    before, now = settings.get("background") or 0, options["background"]
    if settings and before != now:
        found.append(
            f"The last split held out {100 * before:.1f} % of what is in no population, "
            f"this one {100 * now:.1f} %"
        )
    return tuple(found)


def unseen(together: Together) -> str:
    """How many samples could not be compared, in words; empty where all were."""
    if not together.unseen:
        return ""
    samples = counted(together.unseen, "sample has no vector", "samples have no vector")
    verb = "was" if together.unseen == 1 else "were"
    return f"{samples} and {verb} not compared for near-duplicates; embed the dataset"


def none_near(together: Together, threshold: float | None) -> str:
    """That there is no pair to show around the threshold, in words; empty where one is."""
    if threshold is None or together.near is None or len(together.near):
        return ""
    return (
        f"No two images that differ come near a cosine of {threshold:g}: none reaches "
        f"it, or is less than {BAND:g} below"
    )


def with_past(dataset: fo.Dataset, assignment: Assignment) -> Assignment:
    """The assignment, with the releases in which called samples were trained on."""
    moved = assignment.report.moved
    called = {m.sample_id for m in moved if m.after == "test"}
    past: dict[str, list[int]] = {sample_id: [] for sample_id in called}
    for number in list_releases(dataset) if called else ():
        side = load_release(dataset, number)[1].side
        learned = side.index[side.isin(LEARNED)]
        for sample_id in called.intersection(map(str, learned)):
            past[sample_id].append(number)
    moved = [
        replace(m, releases=tuple(past[m.sample_id])) if m.sample_id in past else m
        for m in moved
    ]
    return replace(assignment, report=replace(assignment.report, moved=moved))


def last_threshold(records: Sequence[dict[str, Any]]) -> float | None:
    """The last cosine from which images were near-duplicates; None if there was none."""
    known = [record.get("near_duplicates") for record in records]
    return next((cosine for cosine in reversed(known) if cosine is not None), None)


def completed(
    dataset: fo.Dataset,
    ids: pd.Index,
    assignment: Assignment,
    together: Together,
    threshold: float | None,
) -> SplitReport:
    """The report, with the leaks and pairs that only the dataset knows.

    Args:
        dataset: that was split
        ids: ``(n,)`` in the order of the assignment
        assignment: with its report
        together: who stayed with whom; near-duplicates that did cannot leak
        threshold: cosine from which images are near-duplicates; None if nobody ever said
    """
    report, side = assignment.report, assignment.side
    found = list(report.leaks)
    found += same_files(dataset, ids, side)
    if together.near is not None:
        return replace(report, leaks=found, near=together.near)
    if threshold is not None:
        with suppress(NoVectorsError):
            rows, vectors = vectors_of(dataset, ids)
            found += near_leaks(list(ids[rows]), side[rows], vectors, threshold)
    return replace(report, leaks=found)


def noted(report: SplitReport, *notes: str) -> SplitReport:
    """The report with more notes, empty ones left out."""
    return replace(report, notes=(*filter(None, notes), *report.notes))
