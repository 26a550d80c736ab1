"""The events of the query editor: each answers by itself, and nothing else is redrawn."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, TypeAlias

import fiftyone as fo
import fiftyone.operators as foo

import evalsets
from evalsets.api.preview import (
    Preview,
    preview,
    with_cut_at,
    with_field,
    with_similarity,
)
from evalsets.api.vocabulary import vocabulary
from evalsets.datasets.connect import answering
from evalsets.errors import QueryError

from ._populations_state import found_words
from ._work import Worker

Answer: TypeAlias = dict[str, Any]

QUIET = ("words", "look", "move_cut", "add_field", "add_text", "add_images")
"""Events that answer the editor alone."""


def answered(
    handler: Callable[[Any, foo.ExecutionContext], Answer],
) -> Callable[[Any, foo.ExecutionContext], Answer]:
    """A handler that answers with what was wrong where it cannot with what was asked."""

    @functools.wraps(handler)
    def guarded(panel: Any, ctx: foo.ExecutionContext) -> Answer:
        try:
            with answering():
                return handler(panel, ctx)
        except QueryError as error:
            place = {"position": error.position, "length": len(error.word)}
            return {"problem": error.problem, **(place if error.text else {})}
        except evalsets.EvalsetsError as error:
            return {"problem": str(error)}

    return guarded


class Editor(Worker):
    """What a query may say, what it finds, and how controls write it."""

    QUIET = (*Worker.QUIET, *QUIET)

    @answered
    def words(self, ctx: foo.ExecutionContext) -> Answer:
        return asdict(vocabulary(ctx.dataset))

    @answered
    def look(self, ctx: foo.ExecutionContext) -> Answer:
        query = str(ctx.params.get("query") or "").strip()
        if not query:
            return {}
        return _shown(ctx.dataset, ctx.params["query"], ctx.params.get("term") or "")

    @answered
    def move_cut(self, ctx: foo.ExecutionContext) -> Answer:
        term, value = ctx.params["term"], float(ctx.params["value"])
        query = with_cut_at(ctx.params["query"], term, value)
        return {"query": query, **_shown(ctx.dataset, query, term)}

    @answered
    def add_field(self, ctx: foo.ExecutionContext) -> Answer:
        asked = (ctx.params[name] for name in ("query", "field", "operator", "value"))
        return {"query": with_field(ctx.dataset, *asked)}

    @answered
    def add_text(self, ctx: foo.ExecutionContext) -> Answer:
        return _similar(ctx, "text", [ctx.params["text"]])

    @answered
    def add_images(self, ctx: foo.ExecutionContext) -> Answer:
        if not ctx.selected:
            return {"problem": "Select samples in the grid first"}
        return _similar(ctx, "image", ctx.selected)


def _similar(ctx: foo.ExecutionContext, kind: str, examples: Iterable[str]) -> Answer:
    query, less = ctx.params["query"], bool(ctx.params.get("less"))
    written = with_similarity(ctx.dataset, query, kind, list(examples), less=less)
    return {"query": written}


def _shown(dataset: fo.Dataset, query: str, term: str) -> Answer:
    """A preview with the files of the samples it names."""
    found = preview(dataset, query, term=term)
    return {
        **asdict(found),
        **_pictures(dataset, found),
        **found_words(found.n, found.samples),
    }


def _pictures(dataset: fo.Dataset, found: Preview) -> Answer:
    """Rows of ``id`` and ``file``, the one that the grid shows."""
    rows = {name: getattr(found, name) for name in ("first", "inside", "outside")}
    wanted = list({i for row in rows.values() for i in row})
    media = dataset.app_config.grid_media_field
    if not dataset.has_sample_field(media):
        media = "filepath"
    files = dict(zip(*dataset.select(wanted).values(["id", media]), strict=True))
    return {
        name: [{"id": i, "file": files[i]} for i in row if files.get(i)]
        for name, row in rows.items()
    }
