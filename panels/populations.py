"""The Populations panel: find samples, name them, hold a share of them out."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets
from evalsets.api.found import find
from evalsets.api.split import plan_split
from evalsets.datasets.columns import RESERVED
from evalsets.datasets.locks import writing
from evalsets.errors import UnknownNameError

from . import _blocks as blocks
from ._editing import Editor
from ._events import drawn, kept, told
from ._judging_events import Judge
from ._populations_page import draw
from ._populations_session import (
    fill,
    fill_first,
    fill_sides,
    form_of,
    show,
    sides_of,
    state_of,
)
from ._populations_state import (
    Form,
    Note,
    PopulationsState,
    examples,
    planned_words,
    split_words,
)
from ._releases import Keeper


class _OvertakenError(evalsets.EvalsetsError):
    """Another person wrote since the table was counted."""


class Populations(Judge, Keeper, Editor):
    """Composes populations and shows how they divide over the split."""

    @property
    def config(self) -> foo.PanelConfig:
        return foo.PanelConfig(
            name="evalsets_populations",
            label="Populations",
            icon="workspaces",
            category=foo.Categories.CURATE,
            help_markdown="Find samples in one expression, name them, hold a share out",
        )

    @told
    def on_load(self, ctx: foo.ExecutionContext) -> None:
        state = state_of(ctx)
        if not kept(ctx, "shown"):
            self.forget(ctx)
            fill(ctx, state, Form())
            fill_first(ctx)
        fill_sides(ctx)
        show(ctx, dataclasses.replace(state.settled(), samples=len(ctx.dataset)))
        if not self.is_busy(ctx):
            self.count(ctx, "on_load", "Counting")

    @told
    def search(self, ctx: foo.ExecutionContext) -> None:
        state = state_of(ctx).settled()
        query = form_of(ctx, state).query.strip()
        if not query:
            ctx.ops.clear_view()
            show(ctx, dataclasses.replace(state, found=None))
            return
        view = find(ctx.dataset, query)
        ctx.ops.set_view(view)
        found = state.searched(len(view), len(ctx.dataset))
        show(ctx, found.advised("search", evalsets.advise(ctx.dataset, query)))

    @told
    def clear(self, ctx: foo.ExecutionContext) -> None:
        ctx.ops.clear_view()
        fresh = state_of(ctx).settled().renewed()
        fill(ctx, fresh, Form())
        show(ctx, fresh)

    def try_example(self, ctx: foo.ExecutionContext) -> None:
        fresh = state_of(ctx).settled().renewed()
        fill(ctx, fresh, Form(query=ctx.params["query"]))
        show(ctx, fresh)
        self.search(ctx)

    @told
    def save(self, ctx: foo.ExecutionContext) -> None:
        state = state_of(ctx).settled()
        before = evalsets.populations(ctx.dataset).get(state.editing)
        if state.editing and repr(before) != state.before:
            show(ctx, state.overtaken(repr(before) if before else ""))
            raise _OvertakenError(_meanwhile(state.editing, before))
        population = form_of(ctx, state).population(before)
        dataset, name, editing = ctx.dataset, population.name, state.editing

        def compose() -> fo.DatasetView:
            with writing(dataset):  # nobody composes between the check and this
                _refuse_taken(dataset, name, editing)
                return evalsets.compose(dataset, population)

        def saved(later: foo.ExecutionContext, view: fo.DatasetView) -> None:
            later.ops.reload_dataset()
            later.ops.set_view(view)
            fresh = state_of(later).renewed()
            fill(later, fresh, Form())
            advice = evalsets.advise(dataset, population.query)
            fresh = dataclasses.replace(fresh, opened=name)
            show(later, fresh.advised("save", advice, f"Saved '{name}'"))

        self.count(ctx, "save", f"Saving '{name}'", compose, saved)

    @told
    def preview_split(self, ctx: foo.ExecutionContext) -> None:
        plan = partial(plan_split, ctx.dataset, **sides_of(ctx))

        def told_of(later: foo.ExecutionContext, report: evalsets.SplitReport) -> None:
            state = state_of(later).settled()
            said = planned_words(report, state.lines[: blocks.MOST_ROWS])
            show(later, state.noted("split", *said))

        self.count(ctx, "split", "Working out the split", plan, told_of)

    @told
    def split(self, ctx: foo.ExecutionContext) -> None:
        divide = partial(evalsets.split, ctx.dataset, **sides_of(ctx))

        def told_of(later: foo.ExecutionContext, report: evalsets.SplitReport) -> None:
            later.ops.reload_dataset()
            fill_sides(later, anew=True)
            show(later, state_of(later).noted("split", *split_words(report)))

        self.count(ctx, "split", "Splitting", divide, told_of)

    @told
    def open(self, ctx: foo.ExecutionContext) -> None:
        state = state_of(ctx).settled()
        name = state.lines[ctx.params["row"]].name
        ctx.ops.set_view(evalsets.select(ctx.dataset, population=name))
        show(ctx, dataclasses.replace(state, opened=name, judged=None))

    @told
    def edit(self, ctx: foo.ExecutionContext) -> None:
        state = state_of(ctx).settled()
        name = state.lines[ctx.params["row"]].name
        population = _population(ctx, name)
        view = evalsets.select(ctx.dataset, population=name)
        ctx.ops.set_view(view)
        fresh = state.renewed(editing=name, before=repr(population))
        fill(ctx, fresh, Form.of(population))
        show(ctx, fresh.searched(len(view), len(ctx.dataset)))

    @told
    def duplicate(self, ctx: foo.ExecutionContext) -> None:
        state = state_of(ctx).settled()
        population = _population(ctx, state.lines[ctx.params["row"]].name)
        fresh = state.renewed()
        fill(ctx, fresh, dataclasses.replace(Form.of(population), name=""))
        show(ctx, fresh)

    @told
    def ask_to_remove(self, ctx: foo.ExecutionContext) -> None:
        state = state_of(ctx).settled()
        name = state.lines[ctx.params["row"]].name
        show(ctx, dataclasses.replace(state, removing=name))

    @told
    def keep(self, ctx: foo.ExecutionContext) -> None:
        show(ctx, state_of(ctx).settled())

    @told
    def remove(self, ctx: foo.ExecutionContext) -> None:
        name = state_of(ctx).removing
        if not name:  # clicked twice
            return

        def told_of(later: foo.ExecutionContext, _: None) -> None:
            later.ops.reload_dataset()
            show(later, state_of(later).noted("remove", f"Removed '{name}'"))

        words = f"Removing '{name}'"
        removing = partial(evalsets.remove, ctx.dataset, name)
        self.count(ctx, "remove", words, removing, told_of)

    def fail(self, ctx: foo.ExecutionContext, event: str, error: Exception) -> None:
        """Keeps what to tell beside the part of the panel that was used."""
        state = state_of(ctx).settled()
        show(ctx, dataclasses.replace(state, note=Note.of(event, error)))
        gone = isinstance(error, UnknownNameError) and error.kind == "population"
        old = gone or isinstance(error, _OvertakenError)
        if old and not self.is_busy(ctx):  # the table is of before another person wrote
            note = state_of(ctx).note

            def again(later: foo.ExecutionContext, _: None) -> None:
                show(later, dataclasses.replace(state_of(later), note=note))

            self.count(ctx, event, "Counting", then=again)

    @drawn
    def render(self, ctx: foo.ExecutionContext) -> types.Property:
        # nothing is held of this dataset, or only of when it was empty
        if not state_of(ctx).samples and len(ctx.dataset):
            self.on_load(ctx)
        state = self._waiting(ctx, state_of(ctx))
        root, page = blocks.page()
        chosen = kept(ctx, "filled").get("groups")  # may be an expression
        fields = _fields(ctx.dataset, chosen) if state.lines else []
        new = state.samples and not state.lines and not state.is_waiting
        proposed = examples(_typical(ctx.dataset)) if new else ()
        draw(root, self, state, fields, proposed)
        return page

    def _waiting(
        self, ctx: foo.ExecutionContext, state: PopulationsState
    ) -> PopulationsState:
        """With what the panel waits for in the place of what its last event said."""
        event, key = self.waits_for(ctx)
        return (
            dataclasses.replace(state, note=Note(event, (), work=key)) if key else state
        )


def _population(ctx: foo.ExecutionContext, name: str) -> evalsets.Population:
    known = evalsets.populations(ctx.dataset)
    if name not in known:
        raise UnknownNameError("population", name, known)
    return known[name]


def _refuse_taken(dataset: fo.Dataset, name: str, editing: str) -> None:
    if name != editing and name in evalsets.populations(dataset):
        raise _OvertakenError(
            f"There is a population '{name}' already; choose another name, or edit that "
            "one in the table"
        )


def _meanwhile(name: str, now: evalsets.Population | None) -> str:
    if now is None:
        return f"Somebody removed '{name}' meanwhile; save again to compose it anew"
    return (
        f"Somebody changed '{name}' meanwhile: {now.query}, {100 * now.holdout:g} % held "
        "out; save again to replace that, or edit it anew in the table"
    )


def _fields(dataset: fo.Dataset, chosen: str | None) -> list[str]:
    """What may hold samples together in a split, with what does by now."""
    schema = dataset.get_field_schema(ftype=(fo.StringField, fo.IntField))
    names = [name for name in schema if name not in RESERVED]
    return [*names, chosen] if chosen and chosen not in names else names


def _typical(dataset: fo.Dataset) -> list[tuple[str, Any]]:
    """Fields with a value of the first sample, counts before other numbers."""
    found = []
    for sample in dataset[:1]:
        for name, field in dataset.get_field_schema().items():
            if name in RESERVED or name.endswith("_id") or not name.isidentifier():
                continue
            value = sample[name]
            if isinstance(field, fo.EmbeddedDocumentField):
                value = getattr(value, "label", None)
            found.append((name, value))
    return sorted(found, key=lambda pair: not pair[0].startswith("num_"))
