"""What is not in the language, and where it stands in a text."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from evalsets.errors import QueryError
from evalsets.query.syntax import Span


def refuse(node: Any, text: str, *, what: str = "", problem: str = "") -> QueryError:
    """The error that says ``node`` is not in the language, and where it stands."""
    first = node[0] if isinstance(node, list) else node
    span = span_of(first) if isinstance(first, exp.Expression) else None
    word = text[span.start : span.end] if span else ""
    start = span.start if span else 0
    if not problem:
        name = what or _NAMES.get(type(first).__name__) or _spoken(type(first))
        problem = f"{name} is not part of the query language"
        start, word = _keyword(name, text, start) or (start, word)
    return QueryError(problem, text, start, word)


def _keyword(name: str, text: str, near: int) -> tuple[int, str] | None:
    """Where the keyword itself stands that is refused, and how it is written there."""
    if name not in _KEYWORDS:
        return None
    said = r"\s+".join(map(re.escape, name.split()))
    found = [
        (mark.start(), mark.group())
        for mark in re.finditer(rf"{_QUOTED}|\b{said}\b", text, re.IGNORECASE)
        if mark.group()[0] not in "'\""
    ]
    return min(found, key=lambda place: abs(place[0] - near), default=None)


_KEYWORDS = {
    *("UNION", "EXCEPT", "INTERSECT", "OFFSET", "JOIN", "FOR UPDATE", "INTERVAL"),
    *("GROUP BY", "HAVING", "DISTINCT", "WINDOW", "QUALIFY", "OVER"),
}
"""Words that say more than what stands behind them."""
_QUOTED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\""
_NAMES = {
    "Select": "A query inside a query",
    "Subquery": "A query inside a query",
    "Exists": "A query inside a query",
    "Window": "OVER",
    "Star": "*",
    "DPipe": "||",
    "BitwiseAnd": "&",
    "BitwiseOr": "|",
    "BitwiseXor": "^",
    "BitwiseNot": "~",
    "BitwiseLeftShift": "<<",
    "BitwiseRightShift": ">>",
    "NullSafeEQ": "IS NOT DISTINCT FROM",
    "NullSafeNEQ": "IS DISTINCT FROM",
    "RegexpLike": "A regular expression",
    "RegexpILike": "A regular expression",
    "Placeholder": "?",
    "Parameter": "@",
    "Struct": "{ }",
    "Command": "This statement",
    "Bracket": "[ ]",
    "Tuple": "A list in parentheses outside IN",
    "Alias": "AS",
}


def _spoken(kind: type) -> str:
    """``SimilarTo`` as ``SIMILAR TO``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__).upper()


def span_of(node: exp.Expression) -> Span | None:
    """Where a node stands, as far as the tokens below it tell."""
    marks = [n.meta for n in node.walk() if "start" in n.meta]
    if not marks:
        return None
    return Span(min(m["start"] for m in marks), max(m["end"] for m in marks) + 1)


def closed(text: str, start: int) -> int:
    """Where the parentheses are closed that open after ``start``; quotes are passed over."""
    depth = 0
    for mark in _MARKS.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(mark.group(), 0)
        if depth == 0 and mark.group() == ")":
            return mark.end()
    return len(text)


_MARKS = re.compile(rf"{_QUOTED}|[()]")
