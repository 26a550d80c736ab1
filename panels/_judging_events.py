"""The events of the Populations panel in which a cut is calibrated."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any, TypeAlias

import fiftyone as fo
import fiftyone.operators as foo

import evalsets
from evalsets.errors import EvalsetsError, SeveralCutsError, UnprovenError

from ._counting import Counter
from ._events import told
from ._judging import Judged, words
from ._populations_session import fill_first, show, state_of

_Proposed: TypeAlias = tuple[Judged, "fo.DatasetView | None"]


class Judge(Counter):
    """What people say of samples in the grid sets the cut of a population."""

    @told
    def calibrate(self, ctx: foo.ExecutionContext) -> None:
        fill_first(ctx, "cut")
        _judge(self, ctx, state_of(ctx).lines[ctx.params["row"]].name)

    @told
    def choose_term(self, ctx: foo.ExecutionContext) -> None:
        state = state_of(ctx)
        term = _cut(ctx).get("term")
        if state.judged and term and term != state.judged.term:
            _judge(self, ctx, state.judged.population, term)

    @told
    def belong(self, ctx: foo.ExecutionContext) -> None:
        _answer(self, ctx, dict.fromkeys(_selected(ctx), True))

    @told
    def others(self, ctx: foo.ExecutionContext) -> None:
        _answer(self, ctx, dict.fromkeys(_selected(ctx), False))

    @told
    def rest(self, ctx: foo.ExecutionContext) -> None:
        _answer(self, ctx, dict.fromkeys(_judged(ctx).to_judge, False))

    @told
    def again(self, ctx: foo.ExecutionContext) -> None:
        judged = _judged(ctx)
        _judge(self, ctx, judged.population, judged.term)

    @told
    def end(self, ctx: foo.ExecutionContext) -> None:
        judged = _judged(ctx)
        ctx.ops.clear_selected_samples()
        show(ctx, dataclasses.replace(state_of(ctx).settled(), judged=None))
        ctx.ops.set_view(evalsets.select(ctx.dataset, population=judged.population))
        self.count(ctx, "end", "Counting")


def _judged(ctx: foo.ExecutionContext) -> Judged:
    judged = state_of(ctx).judged
    if judged is None:
        raise EvalsetsError(
            "Nothing is being calibrated; choose Calibrate in the table"
        )
    return judged


def _cut(ctx: foo.ExecutionContext) -> dict[str, Any]:
    """The inputs below the card."""
    return dict(ctx.panel.get_state("cut") or {})


def _selected(ctx: foo.ExecutionContext) -> list[str]:
    if not ctx.selected:
        raise EvalsetsError("No sample is selected; select some in the grid first")
    return list(ctx.selected)


def _judge(
    panel: Counter, ctx: foo.ExecutionContext, name: str, term: str | None = None
) -> None:
    """Proposes samples to judge, in the grid."""
    before = state_of(ctx).judged

    def shown(later: foo.ExecutionContext, found: _Proposed) -> None:
        judged, view = found
        if view is not None:
            later.ops.set_view(view)
        later.ops.clear_selected_samples()
        state = state_of(later).settled()
        show(later, dataclasses.replace(state, judged=judged, opened=name))

    propose = partial(_propose, ctx.dataset, name, term, before.terms if before else ())
    panel.work(ctx, "calibrate", "Choosing samples to judge", propose, shown)


def _propose(
    dataset: fo.Dataset, name: str, term: str | None, terms: tuple[str, ...]
) -> _Proposed:
    """What is known of a cut, and the samples to judge; None where all are judged."""
    try:
        known = evalsets.judging(dataset, name, term=term)
    except SeveralCutsError as error:
        terms, term = error.terms, error.terms[0]
        known = evalsets.judging(dataset, name, term=term)
    if not known.frame["belongs"].isna().any():
        return Judged.of(known, terms, []), None
    view = evalsets.calibrate(dataset, name, term=term)
    return Judged.of(known, terms, view.values("id")), view


def _answer(
    panel: Counter, ctx: foo.ExecutionContext, answers: dict[str, bool]
) -> None:
    """Keeps answers and sets the cut where they prove one; the grid shows the rest."""
    wanted = _cut(ctx).get("precision") or 90
    settle = partial(_settle, ctx.dataset, _judged(ctx), answers, wanted)

    def shown(later: foo.ExecutionContext, judged: Judged) -> None:
        left = list(judged.to_judge)
        if judged.proven:
            later.ops.reload_dataset()
        if left:
            later.ops.set_view(later.dataset.select(left, ordered=True))
        later.ops.clear_selected_samples()
        show(later, dataclasses.replace(state_of(later), judged=judged))

    panel.count(ctx, "belong", "Keeping the answers", settle, shown)


def _settle(
    dataset: fo.Dataset, judged: Judged, answers: dict[str, bool], wanted: float
) -> Judged:
    """The cut after more answers."""
    name, term = judged.population, judged.term
    try:
        found = evalsets.calibrate(
            dataset, name, answers, precision=wanted / 100, term=term
        )
        said, proven = words(found), True
    except UnprovenError:
        said, proven = f"No cut is proven to keep {wanted:g} % yet.", False
    left = [i for i in judged.to_judge if i not in answers]
    known = evalsets.judging(dataset, name, term=term)
    return Judged.of(known, judged.terms, left, said, proven=proven)
