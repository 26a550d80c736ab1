"""Events after which the populations are counted anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone.operators as foo

from ._board import Board, board, store_of
from ._populations_session import loaded, show, state_of
from ._work import Then, Worker


class Counter(Worker):
    """A panel that shows what was counted."""

    def count(
        self,
        ctx: foo.ExecutionContext,
        event: str,
        words: str,
        run: Callable[[], Any] = lambda: None,
        then: Then = lambda *_: None,
    ) -> None:
        """Does something, counts the populations anew, and shows both.

        Args:
            ctx: of the event
            event: its name
            words: what is being done
            run: does it
            then: shows more of it, once the table is drawn
        """
        dataset, store = ctx.dataset, store_of(ctx)

        def shown(later: foo.ExecutionContext, got: tuple[Any, Board]) -> None:
            done, counted = got
            show(later, loaded(later, state_of(later).settled(), counted))
            then(later, done)

        self.work(ctx, event, words, lambda: (run(), board(dataset, store)), shown)
