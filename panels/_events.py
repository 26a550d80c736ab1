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
    """A handler whose errors are told in the panel and as a notification.

    The panel gives its ``fail`` method: it keeps what to show beside the cause.
    """

    @functools.wraps(handler)
    def guarded(panel: Any, ctx: foo.ExecutionContext) -> None:
        try:
            with database():
                handler(panel, ctx)
        except evalsets.EvalsetsError as error:
            panel.fail(ctx, handler.__name__, error)
            ctx.ops.notify(str(error).partition("\n")[0], variant="error")

    return guarded


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
