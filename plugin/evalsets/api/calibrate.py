"""``calibrate``: the cut that gives a similarity population a wanted precision."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, overload

import fiftyone as fo
import numpy as np
import pandas as pd

from evalsets.api.cuts import with_cut
from evalsets.api.judging import Scored, propose, read_answers, score_candidates
from evalsets.api.populations import write_populations
from evalsets.calibration import (
    CONFIDENCE,
    Answers,
    Calibration,
    Curve,
    Decision,
    Judging,
    cut_after,
    decide,
)
from evalsets.datasets import answers as stored
from evalsets.datasets.connect import Source, open_dataset
from evalsets.datasets.locks import writing
from evalsets.datasets.populations import Measured, load_recipes, resolve
from evalsets.datasets.vectors import fingerprint_of
from evalsets.errors import ArgumentError, UnprovenError
from evalsets.query import parse, terms, to_text

logger = logging.getLogger(__name__)

_POINTS = 60  # of the curve that a calibration shows


@overload
def calibrate(
    dataset: Source,
    name: str,
    answers: None = None,
    *,
    precision: float = ...,
    n: int = ...,
    term: str | None = ...,
) -> fo.DatasetView: ...
@overload
def calibrate(
    dataset: Source,
    name: str,
    answers: Mapping[str, bool] | str,
    *,
    precision: float = ...,
    n: int = ...,
    term: str | None = ...,
) -> Calibration: ...


@overload
def calibrate(
    dataset: Source,
    name: str,
    answers: Mapping[str, bool] | str | None,
    *,
    precision: float = ...,
    n: int = ...,
    term: str | None = ...,
) -> fo.DatasetView | Calibration: ...


def calibrate(
    dataset: Source,
    name: str,
    answers: Mapping[str, bool] | str | None = None,
    *,
    precision: float = 0.9,
    n: int = 100,
    term: str | None = None,
) -> fo.DatasetView | Calibration:
    """Sets a population's cut on a similarity so that it has a wanted precision.

    Without answers, it proposes samples to judge: a random choice, dense where the cut
    may come to lie. With answers, it sets the widest cut that is proven to keep the
    precision. The population then has at least that precision among the dataset's
    present samples in 9 of 10 calibrations or more, however many rounds of judging it
    took. Answers stay, also where no cut is found: the next round builds on them.

    Proposed samples without an answer count as wrong, so judge all of them. Answers to
    samples of your own choice are used too, but where less than half of the proposed
    ones are judged, the result supposes that those judged are like others of about
    their score; ``Calibration.proposed`` tells.

    Args:
        dataset: or its name; with ``answers`` as a condition, or a view to read it in
        name: of the population, whose query compares a similarity with a number, alone
            or joined by ``AND``; everything else in the query stays as it is
        answers: whether a sample belongs to the population, by sample id; or a
            condition in the query language that tells it, such as ``is_windy`` or
            ``ground_truth = 'church'`` (where it is NULL, nobody judged); ``{}`` to
            calibrate again with the answers given so far
        precision: wanted share of the population that belongs, in (0, 1]
        n: samples to propose; a proposal judged in part is proposed again as it was
        term: which similarity to cut where there are several: ``"text('windy road')"``
            or ``"windy road"``

    Returns:
        without answers, a view of the samples to judge; with answers, what was measured

    Raises:
        UnknownNameError: no such population, or no such sample
        ArgumentError: the query has no such cut, or the population is stale
        UnprovenError: no cut is proven to be precise enough; the population stays as it
            is, and the answers are kept
    """
    _check(precision, n)
    opened = open_dataset(dataset)
    given = None if answers is None else read_answers(dataset, opened, answers)
    with writing(opened):
        scored = score_candidates(opened, name, term)
        if given is None:
            return propose(opened, scored, precision, int(n))
        if given:
            stored.add_answers(opened, name, given)
        return _settle(opened, scored, precision)


def judging(dataset: Source, name: str, *, term: str | None = None) -> Judging:
    """The samples that the cut of a population decides on, and what people said of them.

    Args:
        dataset: or its name
        name: of the population
        term: as for :func:`calibrate`

    Raises:
        UnknownNameError: no such population
        ArgumentError: the query has no such cut, or the population is stale
    """
    opened = open_dataset(dataset)
    scored = score_candidates(opened, name, term)
    answers = stored.load_answers(opened, name).belongs
    frame = pd.DataFrame(
        {
            "similarity": scored.cut.sign * scored.score,
            "belongs": pd.Series([answers.get(i) for i in scored.ids], dtype=object),
        }
    )
    return Judging(
        name,
        to_text(scored.cut.term),
        scored.cut.value,
        scored.cut.sign > 0,
        frame.set_axis(pd.Index(scored.ids, name="id")),
    )


def calibrations(dataset: Source) -> dict[str, Calibration | None]:
    """What was measured of each population whose own query has a similarity, by name.

    It is None where nobody calibrated the cut, or where the query, a population that it
    refers to, or the encoder has changed since.
    """
    opened = open_dataset(dataset)
    recipes = load_recipes(opened)
    known = {n: r.population for n, r in recipes.items()}
    asked = [n for n, p in known.items() if terms(parse(p.query))]
    if not asked:
        return {}
    queries, _ = resolve(opened, known)
    fingerprint = fingerprint_of(opened)
    found: dict[str, Calibration | None] = dict.fromkeys(asked)
    for name in asked:
        measured = recipes[name].measured
        if measured is not None and name in queries:
            now = to_text(queries[name]), fingerprint
            if (measured.query, measured.fingerprint) == now:
                found[name] = measured.calibration
    return found


def _check(precision: Any, n: Any) -> None:
    if (
        isinstance(precision, bool)
        or not isinstance(precision, Real)
        or not 0 < float(precision) <= 1
    ):
        raise ArgumentError(
            f"precision is {precision!r}; give a share above 0, up to 1"
        )
    if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
        raise ArgumentError(f"n is {n!r}; propose at least 1 sample")


def _settle(dataset: fo.Dataset, scored: Scored, precision: float) -> Calibration:
    """Sets the widest cut that the answers prove, and keeps what they measure."""
    name = scored.population.name
    answers = stored.load_answers(dataset, name)
    answer, since = scored.judged(answers)
    if not (answer >= 0).any():
        said = "None of the answers is for" if answers.belongs else "Nobody has judged"
        raise ArgumentError(
            f"{said} a sample that the cut of '{name}' decides on; judge those that "
            "calibrate proposes without answers"
        )
    designs = [
        r.design if r.subject == scored.subject else None for r in answers.rounds
    ]
    secrets = [name, *(r.secret for r in answers.rounds)]
    decision = decide(
        scored.score,
        answer,
        since,
        designs,
        lambda round_: scored.lots(secrets[round_]),
        precision,
    )
    if decision.proven is None:
        raise UnprovenError(_unproven(scored, decision, precision, answer))
    found = _calibration(scored, decision, precision, answer)
    query = to_text(with_cut(scored.query, scored.cut, found.threshold))
    population = replace(scored.population, query=query)
    known = {n: r.population for n, r in load_recipes(dataset).items()}
    queries, _ = resolve(dataset, {**known, name: population})
    measured = Measured(found, to_text(queries[name]), fingerprint_of(dataset))
    write_populations(dataset, [population], measured)
    logger.info("%s", found)
    return found


def _calibration(
    scored: Scored, decision: Decision, precision: float, answer: Answers
) -> Calibration:
    bound = decision.proven
    assert bound is not None  # noqa: S101 - the caller looked
    curve = Curve.fit(answer)
    recall, low, high = curve.recall(bound.size, CONFIDENCE)
    n = len(answer)
    sizes = np.unique(np.geomspace(1, n, min(n, _POINTS)).round().astype(np.int64))
    sign = scored.cut.sign
    points = zip(
        (sign * cut_after(scored.score, size) for size in sizes.tolist()),
        sizes.tolist(),
        *(column.tolist() for column in curve.at(sizes)),
        strict=True,
    )
    return Calibration(
        population=scored.population.name,
        term=to_text(scored.cut.term),
        threshold=sign * bound.cut,
        wanted=float(precision),
        precision=bound.value,
        precision_interval=(bound.low, bound.high),
        recall=recall,
        recall_interval=(low, high),
        n=bound.size,
        answers=int((answer >= 0).sum()),
        missing=decision.missing,
        proposed=decision.proposed,
        before=(scored.cut.value, int((scored.score > sign * scored.cut.value).sum())),
        curve=tuple(points),
    )


def _unproven(
    scored: Scored, decision: Decision, precision: float, answer: Answers
) -> str:
    name, term = scored.population.name, to_text(scored.cut.term)
    text = (
        f"No cut of {term} is proven to give '{name}' a precision of {precision:g} "
        f"({(answer >= 0).sum():,} answers"
    )
    if decision.missing:
        text += f"; {decision.missing:,} proposed samples have none and count as wrong"
    text += "); "
    best = decision.best
    if best is not None:
        text += (
            f"the best is {best.value:.2f} [{best.low:.2f}, {best.high:.2f}] at "
            f"{scored.cut.sign * best.cut:g}, with {best.size:,} samples; "
        )
    return text + (
        "the population stays as it is and the answers are kept: judge the samples of "
        f"calibrate(dataset, '{name}') too, or ask for less"
    )
