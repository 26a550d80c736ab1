"""Inputs that several forms share."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types


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
