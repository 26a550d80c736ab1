"""The Populations panel: find samples, name them, hold a share of them out."""

from __future__ import annotations

import dataclasses
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets
from evalsets.errors import counted

from . import _blocks as blocks
from ._board import board
from ._events import drawn, told
from ._populations_page import draw
from ._populations_state import Form, Note, PopulationsState, examples

_UNTYPICAL = ("id", "filepath", "tags", "split", "created_at", "last_modified_at")


class Populations(foo.Panel):
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
        state = _state(ctx)
        if not ctx.panel.get_state(f"save{state.revision}"):
            _fill(ctx, state, Form())
        if not ctx.panel.get_state("sides"):
            before = evalsets.split_settings(ctx.dataset)
            sides = {
                "val": round(100 * before.get("val", 0.1)),
                "groups": before.get("groups") or "",
            }
            ctx.panel.set_state("sides", sides)
        _show(ctx, _loaded(ctx, state.settled()))

    def on_change_dataset(self, ctx: foo.ExecutionContext) -> None:
        _show(ctx, PopulationsState(revision=_state(ctx).revision + 1))
        self.on_load(ctx)

    @told
    def search(self, ctx: foo.ExecutionContext) -> None:
        state = _state(ctx).settled()
        query = _form(ctx, state).query.strip()
        if not query:
            ctx.ops.clear_view()
            _show(ctx, dataclasses.replace(state, found=None))
            return
        view = evalsets.search(ctx.dataset, query)
        ctx.ops.set_view(view)
        found = state.searched(len(view), len(ctx.dataset))
        _show(ctx, found.advised("search", evalsets.advise(ctx.dataset, query)))

    @told
    def clear(self, ctx: foo.ExecutionContext) -> None:
        ctx.ops.clear_view()
        fresh = _state(ctx).settled().renewed()
        _fill(ctx, fresh, Form())
        _show(ctx, fresh)

    def try_example(self, ctx: foo.ExecutionContext) -> None:
        fresh = _state(ctx).settled().renewed()
        _fill(ctx, fresh, Form(query=ctx.params["query"]))
        _show(ctx, fresh)
        self.search(ctx)

    @told
    def save(self, ctx: foo.ExecutionContext) -> None:
        state = _state(ctx).settled()
        known = evalsets.populations(ctx.dataset)
        form = _form(ctx, state)
        name = form.name.strip()
        if name in known and name != state.editing:
            raise evalsets.EvalsetsError(
                f"There is a population '{name}' already; choose another name, or edit "
                "that one in the table"
            )
        population = form.population(known.get(state.editing))
        view = evalsets.compose(ctx.dataset, population)
        ctx.ops.reload_dataset()
        ctx.ops.set_view(view)
        fresh = state.renewed()
        _fill(ctx, fresh, Form())
        saved = dataclasses.replace(_loaded(ctx, fresh), opened=name)
        advice = evalsets.advise(ctx.dataset, population.query)
        _show(ctx, saved.advised("save", advice, f"Saved '{name}'"))

    @told
    def split(self, ctx: foo.ExecutionContext) -> None:
        state = _state(ctx).settled()
        asked = ctx.panel.get_state("sides") or {}
        report = evalsets.split(
            ctx.dataset,
            val=(asked.get("val") or 0) / 100,
            groups=asked.get("groups") or "",
        )
        ctx.ops.reload_dataset()
        sizes = ", ".join(f"{n:,} {side}" for side, n in report.sizes.items() if n)
        changed = f"{counted(len(report.moved), 'sample')} changed sides"
        told = (*report.notes, *map(str, report.conflicts))
        said = (sizes, changed if report.moved else "", *told)
        _show(ctx, _loaded(ctx, state).noted("split", *filter(None, said)))

    @told
    def open(self, ctx: foo.ExecutionContext) -> None:
        state = _state(ctx).settled()
        name = state.lines[ctx.params["row"]].name
        ctx.ops.set_view(evalsets.select(ctx.dataset, population=name))
        _show(ctx, dataclasses.replace(state, opened=name))

    @told
    def edit(self, ctx: foo.ExecutionContext) -> None:
        state = _state(ctx).settled()
        name = state.lines[ctx.params["row"]].name
        view = evalsets.select(ctx.dataset, population=name)
        population = evalsets.populations(ctx.dataset)[name]
        ctx.ops.set_view(view)
        fresh = state.renewed(editing=name)
        _fill(ctx, fresh, Form.of(population))
        _show(ctx, fresh.searched(len(view), len(ctx.dataset)))

    @told
    def ask_to_remove(self, ctx: foo.ExecutionContext) -> None:
        state = _state(ctx).settled()
        name = state.lines[ctx.params["row"]].name
        _show(ctx, dataclasses.replace(state, removing=name))

    @told
    def keep(self, ctx: foo.ExecutionContext) -> None:
        _show(ctx, _state(ctx).settled())

    @told
    def remove(self, ctx: foo.ExecutionContext) -> None:
        state = _state(ctx)
        name = state.removing
        evalsets.remove(ctx.dataset, name)
        ctx.ops.reload_dataset()
        loaded = _loaded(ctx, state.settled())
        _show(ctx, loaded.noted("remove", f"Removed '{name}'"))

    def fail(self, ctx: foo.ExecutionContext, event: str, error: Exception) -> None:
        """Keeps what to tell beside the part of the panel that was used."""
        failed = dataclasses.replace(_state(ctx).settled(), note=Note.of(event, error))
        _show(ctx, failed)

    @drawn
    def render(self, ctx: foo.ExecutionContext) -> types.Property:
        state = _state(ctx)
        root, page = blocks.page()
        fields = _fields(ctx.dataset) if state.lines else []
        new = state.samples and not state.lines
        proposed = examples(_typical(ctx.dataset)) if new else ()
        draw(root, self, state, fields, proposed)
        return page


def _state(ctx: foo.ExecutionContext) -> PopulationsState:
    return PopulationsState.from_dict(ctx.panel.get_state("shown"))


def _show(ctx: foo.ExecutionContext, state: PopulationsState) -> None:
    ctx.panel.set_state("shown", state.to_dict())


def _form(ctx: foo.ExecutionContext, state: PopulationsState) -> Form:
    typed = {
        **(ctx.panel.get_state(f"find{state.revision}") or {}),
        **(ctx.panel.get_state(f"save{state.revision}") or {}),
    }
    return Form(**{key: value for key, value in typed.items() if value is not None})


def _fill(ctx: foo.ExecutionContext, state: PopulationsState, form: Form) -> None:
    values = dataclasses.asdict(form)
    ctx.panel.set_state(f"find{state.revision}", {"query": values.pop("query")})
    ctx.panel.set_state(f"save{state.revision}", values)


def _loaded(ctx: foo.ExecutionContext, state: PopulationsState) -> PopulationsState:
    """With the table as the dataset has it now."""
    table, gaps = board(ctx)
    samples = len(ctx.dataset)
    return dataclasses.replace(state, samples=samples, lines=table, gaps=gaps)


def _fields(dataset: fo.Dataset) -> list[str]:
    schema = dataset.get_field_schema(ftype=(fo.StringField, fo.IntField))
    return [name for name in schema if name not in _UNTYPICAL]


def _typical(dataset: fo.Dataset) -> list[tuple[str, Any]]:
    """Fields with a value of the first sample, counts before other numbers."""
    found = []
    for sample in dataset[:1]:
        for name, field in dataset.get_field_schema().items():
            if name in _UNTYPICAL or name.endswith("_id") or not name.isidentifier():
                continue
            value = sample[name]
            if isinstance(field, fo.EmbeddedDocumentField):
                value = getattr(value, "label", None)
            found.append((name, value))
    return sorted(found, key=lambda pair: not pair[0].startswith("num_"))
