"""Inputs that several forms share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import fiftyone.operators as foo
from bson import ObjectId
from fiftyone import ViewField
from fiftyone.operators import types

import evalsets
from evalsets.api.split import group_values
from evalsets.errors import UnknownNameError


def choice(
    form: types.Object, name: str, known: list[str], **options: Any
) -> types.Property:
    """A text input that offers what is known and takes anything else too."""
    view = types.AutocompleteView(
        label=options.pop("label", None), description=options.pop("description", None)
    )
    for value in known:
        view.add_choice(value, label=value)
    return form.str(name, view=view, **options)


def fields(ctx: foo.ExecutionContext) -> list[str]:
    """The fields of the open dataset, without FiftyOne's own."""
    if ctx.dataset is None:
        return []
    own = {"id", "metadata", "created_at", "last_modified_at"}
    return sorted(set(ctx.dataset.get_field_schema()) - own)


def share(form: types.Object, name: str, **options: Any) -> types.Property:
    """A number from 0 to 1."""
    return form.float(name, min=0, max=1, **options)


ENGINE = ("engine", "workers")


def engine(form: types.Object) -> None:
    """Inputs for what does a pass over images."""
    view = types.DropdownView()
    view.add_choice("local", label="The machine that runs this")
    view.add_choice("ray", label="A Ray cluster")
    form.enum("engine", view.values(), default="local", label="Done by", view=view)
    form.int("workers", min=1, label="Workers", description="Of Ray; else as it has")


def given(ctx: foo.ExecutionContext, *names: str) -> dict[str, Any]:
    """The inputs that were filled in, ready to be passed on as keywords."""
    filled = {name: ctx.params.get(name) for name in names}
    return {name: value for name, value in filled.items() if value not in (None, "")}


def done(ctx: foo.ExecutionContext, processed: Any) -> dict[str, Any]:
    """The result of a pass over samples, also shown in the App."""
    variant = "warning" if processed.skipped else "success"
    ctx.ops.notify(str(processed), variant=variant)
    skipped = dict(processed.skipped)
    return {"done": processed.done, "kept": processed.kept, "skipped": skipped}


def refuse(field: types.Property, problem: str) -> None:
    """Marks an input as wrong while it is typed."""
    field.invalid = True
    field.error_message = problem


def known_only(
    ctx: foo.ExecutionContext,
    field: types.Property,
    name: str,
    kind: str,
    known: Iterable[str],
) -> None:
    """Refuses a name that does not exist, with the nearest one that does.

    Args:
        ctx: of the form
        field: that is typed into
        name: of the field
        kind: what it names, as users call it
        known: the names that exist
    """
    given, names = ctx.params.get(name), list(known)
    if given and given not in names:
        refuse(field, str(UnknownNameError(kind, given, names)))


def query_only(ctx: foo.ExecutionContext, field: types.Property, name: str) -> None:
    """Refuses a query that the dataset cannot answer, with the place of the error."""
    given = ctx.params.get(name)
    if not given or ctx.dataset is None:
        return
    try:
        evalsets.advise(ctx.dataset, given)
    except evalsets.EvalsetsError as error:
        first = str(error).partition("\n")[0]
        refuse(field, getattr(error, "problem", first))


def file_only(ctx: foo.ExecutionContext, field: types.Property, name: str) -> None:
    """Refuses a path at which the App's machine has no file."""
    given = ctx.params.get(name)
    if given and not Path(given).expanduser().exists():
        refuse(field, f"There is no file '{given}' on the machine that runs the App")


def folder_only(ctx: foo.ExecutionContext, field: types.Property, name: str) -> None:
    """Refuses a path at which nothing is, unless it is a URL."""
    if "://" not in (ctx.params.get(name) or ""):
        file_only(ctx, field, name)


def groups_only(ctx: foo.ExecutionContext, field: types.Property, name: str) -> None:
    """Refuses a field or an expression by which the dataset cannot be grouped."""
    given = ctx.params.get(name)
    if not given or ctx.dataset is None:
        return
    try:
        group_values(ctx.dataset.limit(1), ctx.dataset.limit(1).values("id"), given)
    except evalsets.EvalsetsError as error:
        first = str(error).partition("\n")[0]
        refuse(field, getattr(error, "problem", first))


def known_sample(
    ctx: foo.ExecutionContext, field: types.Property, given: str | None
) -> None:
    """Refuses a sample that is not there, by its id or its path."""
    if not given or ctx.dataset is None:
        return
    named = (
        ctx.dataset.select(given)
        if ObjectId.is_valid(given)
        else ctx.dataset.match(ViewField("filepath").ends_with(given.lstrip("./")))
    )
    if not named.limit(1).count():
        remedy = "give its id or file path"
        refuse(field, str(UnknownNameError("sample", given, remedy=remedy)))


def models_of(ctx: foo.ExecutionContext) -> list[str]:
    """The models of the open dataset."""
    return list(evalsets.models(ctx.dataset)) if ctx.dataset else []
