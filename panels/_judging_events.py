"""The events of the Populations panel in which a cut is calibrated."""

from __future__ import annotations

import dataclasses
from typing import Any

import fiftyone.operators as foo

import evalsets
from evalsets.errors import EvalsetsError, SeveralCutsError, UnprovenError

from ._events import told
from ._judging import Judged, words
from ._populations_session import loaded, show, state_of
from ._populations_state import PopulationsState


class Judge:
    """What people say of samples in the grid sets the cut of a population."""

    @told
    def calibrate(self, ctx: foo.ExecutionContext) -> None:
        state = state_of(ctx).settled()
        ctx.panel.set_state("cut", {"precision": 90, "term": ""})
        _judge(ctx, state, state.lines[ctx.params["row"]].name)

    @told
    def choose_term(self, ctx: foo.ExecutionContext) -> None:
        state = state_of(ctx).settled()
        term = _cut(ctx).get("term")
        if state.judged and term and term != state.judged.term:
            _judge(ctx, state, state.judged.population, term)

    @told
    def belong(self, ctx: foo.ExecutionContext) -> None:
        _answer(ctx, dict.fromkeys(_selected(ctx), True))

    @told
    def others(self, ctx: foo.ExecutionContext) -> None:
        _answer(ctx, dict.fromkeys(_selected(ctx), False))

    @told
    def rest(self, ctx: foo.ExecutionContext) -> None:
        _answer(ctx, dict.fromkeys(_judged(ctx).to_judge, False))

    @told
    def again(self, ctx: foo.ExecutionContext) -> None:
        judged = _judged(ctx)
        _judge(ctx, state_of(ctx).settled(), judged.population, judged.term)

    @told
    def end(self, ctx: foo.ExecutionContext) -> None:
        judged = _judged(ctx)
        ctx.ops.clear_selected_samples()
        ctx.ops.set_view(evalsets.select(ctx.dataset, population=judged.population))
        state = dataclasses.replace(state_of(ctx).settled(), judged=None)
        show(ctx, loaded(ctx, state))


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
    ctx: foo.ExecutionContext,
    state: PopulationsState,
    name: str,
    term: str | None = None,
) -> None:
    """Proposes samples to judge, in the grid."""
    terms = state.judged.terms if state.judged else ()
    try:
        known = evalsets.judging(ctx.dataset, name, term=term)
    except SeveralCutsError as error:
        terms, term = error.terms, error.terms[0]
        known = evalsets.judging(ctx.dataset, name, term=term)
    to_judge: list[str] = []
    if known.frame["belongs"].isna().any():
        proposed = evalsets.calibrate(ctx.dataset, name, term=term)
        to_judge = proposed.values("id")
        ctx.ops.set_view(proposed)
    ctx.ops.clear_selected_samples()
    judged = Judged.of(known, terms, to_judge)
    show(ctx, dataclasses.replace(state, judged=judged, opened=name))


def _answer(ctx: foo.ExecutionContext, answers: dict[str, bool]) -> None:
    """Keeps answers and sets the cut where they prove one; the grid shows the rest."""
    judged = _judged(ctx)
    state = state_of(ctx).settled()
    name, term = judged.population, judged.term
    wanted = _cut(ctx).get("precision") or 90
    share = wanted / 100
    try:
        found = evalsets.calibrate(
            ctx.dataset, name, answers, precision=share, term=term
        )
        said, proven = words(found), True
        ctx.ops.reload_dataset()
    except UnprovenError:
        said, proven = f"No cut is proven to keep {wanted:g} % yet.", False
    left = [i for i in judged.to_judge if i not in answers]
    if left:
        ctx.ops.set_view(ctx.dataset.select(left, ordered=True))
    ctx.ops.clear_selected_samples()
    known = evalsets.judging(ctx.dataset, name, term=term)
    after = Judged.of(known, judged.terms, left, said, proven=proven)
    show(ctx, dataclasses.replace(loaded(ctx, state), judged=after))
