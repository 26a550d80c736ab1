"""Work that takes longer than an event of a panel may.

It goes on in a thread of the App's server. The event that began it waits a moment for
its end. What takes longer is shown by a component of ``panels/editor``, which asks how
far it is until the panel has shown what came of it: no event that is lost on the way, as
those are that the browser sends while a page loads, leaves the panel waiting.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import fiftyone.operators as foo
from fiftyone.operators import types

from evalsets.datasets.connect import database
from evalsets.errors import EvalsetsError
from evalsets.telling import Told, listening

from ._events import dataset_of, refused, told

Run: TypeAlias = Callable[[], Any]
Then: TypeAlias = Callable[[foo.ExecutionContext, Any], None]

STATE = "work"
"""Where a panel keeps the key of what it waits for."""
PATIENCE_S = 0.5
_MOST = 50
_LOST = (
    "The App's server has ended since this was begun, and nobody knows what came of it; "
    "look whether it is done, or do it again"
)
_works: dict[str, Work] = {}


@dataclass
class Work:
    """Something that goes on.

    Args:
        dataset: id of the one it is about
        event: that began it
        words: what is being done
        then: shows what came of it
        outcome: what came of it
        told: the last step, and the share that is done
    """

    dataset: str
    event: str
    words: str
    then: Then
    outcome: Future[Any] = field(default_factory=Future)
    told: Told = field(default_factory=Told)

    def run(self, what: Run) -> None:
        """Does it, and keeps what comes of it."""
        try:
            with database(), listening(self._hear):
                self.outcome.set_result(what())
        except BaseException as error:  # noqa: BLE001 - whoever takes it raises it
            self.outcome.set_exception(error)

    def _hear(self, told: Told) -> None:
        self.told = told


class Worker(foo.Panel):
    """A panel whose work may take its time."""

    QUIET: tuple[str, ...] = ("progress",)
    """Events that answer a component without a new rendering of the panel."""

    def execute(self, ctx: foo.ExecutionContext) -> Any:
        method = ctx.params.get("__method__")
        if method in self.QUIET:
            return getattr(self, method)(ctx)
        return super().execute(ctx)

    def work(
        self, ctx: foo.ExecutionContext, event: str, words: str, run: Run, then: Then
    ) -> None:
        """Does something and shows what came of it, now or as soon as it is done.

        Args:
            ctx: of the event
            event: its name
            words: what is being done
            run: does it, and asks nothing of the panel
            then: gets the context of a later event, and what ``run`` gave

        Raises:
            EvalsetsError: the panel waits for something else
        """
        other = _works.get(ctx.panel.get_state(STATE) or "")
        if other and not other.outcome.done():
            raise EvalsetsError(f"Still busy: {other.words}; wait for it to end")
        key, begun = uuid.uuid4().hex, Work(dataset_of(ctx), event, words, then)
        while len(_works) >= _MOST:
            _works.pop(next(iter(_works)))
        _works[key] = begun
        thread = threading.Thread(target=begun.run, args=(run,), daemon=True)
        thread.start()
        wait_for([begun.outcome], PATIENCE_S)
        ctx.panel.set_state(STATE, key)
        self._take(ctx)

    def progress(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        """How far it is, for the component."""
        asked = _works.get(ctx.params[STATE])
        if asked is None:
            return {"done": True}
        return {
            "done": asked.outcome.done(),
            "label": asked.told.words,
            "share": asked.told.share,
        }

    @told
    def finish(self, ctx: foo.ExecutionContext) -> None:
        """Shows what came of the work, where it is done."""
        if ctx.panel.get_state(STATE):
            self._take(ctx)

    def is_busy(self, ctx: foo.ExecutionContext) -> bool:
        """Whether the panel waits for something about the dataset that it shows."""
        waited = _works.get(ctx.panel.get_state(STATE) or "")
        return waited is not None and waited.dataset == dataset_of(ctx)

    def forget(self, ctx: foo.ExecutionContext) -> None:
        """Has the panel wait for nothing more; what goes on is done nevertheless."""
        ctx.panel.set_state(STATE, "")

    def waits_for(self, ctx: foo.ExecutionContext) -> tuple[str, str]:
        """The event whose work the panel waits for, and its key; empty where none is."""
        key = ctx.panel.get_state(STATE) or ""
        return (
            (_works[key].event if key in _works else "on_load", key)
            if key
            else ("", "")
        )

    def draw_work(self, root: types.Object, key: str) -> None:
        """What the panel waits for, with how far it is."""
        view = types.View(
            component="EvalsetsWork",
            composite_view=True,
            work=key,
            words=f"{_works[key].words} …" if key in _works else "",
            progress=self.progress,
            finish=self.finish,
        )
        root.define_property("working", types.Object(), view=view)

    def _take(self, ctx: foo.ExecutionContext) -> None:
        waited = _works.get(ctx.panel.get_state(STATE))
        if waited is None:
            self.forget(ctx)
            raise EvalsetsError(_LOST)
        if not waited.outcome.done():
            return
        self.forget(ctx)
        if waited.dataset != dataset_of(ctx):
            return
        try:
            waited.then(ctx, waited.outcome.result())
        except EvalsetsError as error:
            refused(self, ctx, waited.event, error)
