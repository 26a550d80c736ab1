"""How events of a panel meet errors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

import evalsets
from evalsets.datasets.connect import database

from . import _blocks as blocks

Handler = Callable[[Any, foo.ExecutionContext], None]
Render = Callable[[Any, foo.ExecutionContext], types.Property]


def told(handler: Handler) -> Handler:
    """A handler whose errors are told in the panel and as a notification."""

    @functools.wraps(handler)
    def guarded(panel: Any, ctx: foo.ExecutionContext) -> None:
        try:
            with database():
                handler(panel, ctx)
        except evalsets.EvalsetsError as error:
            refused(panel, ctx, handler.__name__, error)

    return guarded


def refused(
    panel: Any, ctx: foo.ExecutionContext, event: str, error: evalsets.EvalsetsError
) -> None:
    """Tells an error; the panel gives its ``fail``, which keeps it beside the cause."""
    panel.fail(ctx, event, error)
    ctx.ops.notify(str(error).partition("\n")[0], variant="error")


def drawn(render: Render) -> Render:
    """A render whose errors are drawn in place of the panel's content."""

    @functools.wraps(render)
    def guarded(panel: Any, ctx: foo.ExecutionContext) -> types.Property:
        try:
            with database():
                return render(panel, ctx)
        except evalsets.EvalsetsError as error:
            root, page = blocks.page()
            blocks.note(root, [str(error)], color=blocks.BAD)
            return page

    return guarded
