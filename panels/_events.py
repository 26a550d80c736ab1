"""How events of a panel meet errors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets
from evalsets.datasets.connect import answering
from evalsets.errors import DatabaseError

from . import _blocks as blocks

Handler = Callable[[Any, foo.ExecutionContext], None]
Render = Callable[[Any, foo.ExecutionContext], types.Property]


def told(handler: Handler) -> Handler:
    """A handler whose errors are told in the panel and as a notification."""

    @functools.wraps(handler)
    def guarded(panel: Any, ctx: foo.ExecutionContext) -> None:
        try:
            with answering():
                handler(panel, ctx)
        except evalsets.EvalsetsError as error:
            refused(panel, ctx, handler.__name__, error)

    return guarded


def refused(
    panel: Any, ctx: foo.ExecutionContext, event: str, error: evalsets.EvalsetsError
) -> None:
    """Tells an error; the panel gives its ``fail``, which keeps it beside the cause.

    Without MongoDB nothing can be kept: what the panel holds stays as it is.
    """
    with suppress(DatabaseError), answering():
        panel.fail(ctx, event, error)
    ctx.ops.notify(str(error).partition("\n")[0], variant="error")


def kept(ctx: foo.ExecutionContext, key: str) -> dict[str, Any]:
    """What the panel keeps of the dataset it stands on, empty for that of another.

    The App hands a panel's state on to every page, whichever dataset it is about.
    """
    held = dict(ctx.panel.get_state(key) or {})
    return held if held.pop("dataset", "") == dataset_of(ctx) else {}


def keep(ctx: foo.ExecutionContext, key: str, held: dict[str, Any]) -> None:
    """Keeps it as of the dataset that the panel stands on."""
    ctx.panel.set_state(key, {"dataset": dataset_of(ctx), **held})


def dataset_of(ctx: foo.ExecutionContext) -> str:
    """Id of the dataset that the panel stands on."""
    return str(ctx.dataset._doc.id)


def drawn(render: Render) -> Render:
    """A render whose errors are drawn in place of the panel's content.

    An answer about one dataset may come when the App shows another already: a component
    has the panel loaded again where the two differ.
    """

    @functools.wraps(render)
    def guarded(panel: Any, ctx: foo.ExecutionContext) -> types.Property:
        try:
            with answering():
                page = render(panel, ctx)
        except evalsets.EvalsetsError as error:
            root, page = blocks.page()
            blocks.note(root, [str(error)], color=blocks.BAD)
            blocks.button(root, "again", "Try again", panel.on_load, icon="refresh")
        view = types.View(
            component="EvalsetsPlace",
            composite_view=True,
            dataset=ctx.dataset_name,
            load=panel.on_load,
        )
        page.type.define_property("place", types.Object(), view=view)
        return page

    return guarded
