"""Text → query. sqlglot reads SQL; what is not in our language is refused by name."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, ClassVar

from sqlglot import Dialect, exp, parser, tokens
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from evalsets.errors import ArgumentError, QueryError, nearest
from evalsets.query import convert
from evalsets.query.refusal import refuse
from evalsets.query.syntax import MAX_DEPTH, Field, Order, Query, depth

MAX_LENGTH = 20_000
"""Longest query text, in characters."""
MAX_PARENTHESES = 60
"""Deepest nesting of parentheses."""
MAX_ORDERS = 8
"""Most values to order by."""
MAX_LIMIT = 2**31 - 1
"""A LIMIT above this number of samples is this one."""

_REMEMBERED = 512  # texts; each call of a verb reads those of all populations again
_SELECT = "SELECT * FROM dataset "


class _Samples(Dialect):
    """Plain SQL without its functions, which are ours to name, and with CONTAINS."""

    NULL_ORDERING = "nulls_are_last"

    class Tokenizer(tokens.Tokenizer):
        KEYWORDS = {  # noqa: RUF012
            **tokens.Tokenizer.KEYWORDS,
            "CONTAINS": TokenType.OVERLAPS,
        }

    class Parser(parser.Parser):
        IS_PREDICATE_PRECEDENCE = parser.IsPredicatePrecedence.LOW  # as in Postgres
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {}
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS = {  # noqa: RUF012
            "CASE": lambda self: self._parse_case()
        }
        PRIMARY_PARSERS = {  # noqa: RUF012
            **parser.Parser.PRIMARY_PARSERS,
            TokenType.NULL: lambda _, t: exp.Null().update_positions(t),
            TokenType.TRUE: lambda _, t: exp.Boolean(this=True).update_positions(t),
            TokenType.FALSE: lambda _, t: exp.Boolean(this=False).update_positions(t),
        }
        RANGE_PARSERS = {  # noqa: RUF012
            **parser.Parser.RANGE_PARSERS,
            TokenType.OVERLAPS: parser.binary_range_parser(exp.ArrayContains),
        }


def parse(text: str) -> Query:
    """Reads a condition, with or without ``WHERE``, or a whole ``SELECT``.

    Raises:
        QueryError: the text is not SQL, or is SQL outside the language
        ArgumentError: ``text`` is not a string
    """
    if not isinstance(text, str):
        raise ArgumentError(f"A query is text, not {type(text).__name__}")
    return _read(text)


@lru_cache(_REMEMBERED)
def _read(text: str) -> Query:
    words = _words(text)
    try:
        query = _query(_statement(words, text), text)
    except RecursionError:
        raise QueryError("The query is nested too deeply") from None
    if any(depth(root) > MAX_DEPTH for root in query.roots()):
        raise QueryError("The query is nested too deeply")
    return query


def _words(text: str) -> list[Token]:
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"The query has {len(text)} characters; at most {MAX_LENGTH} are read"
        )
    bad = next((i for i, c in enumerate(text) if "\ud800" <= c <= "\udfff"), None)
    if bad is not None:
        raise QueryError("The query holds half of a character", text[:bad], bad)
    try:
        words = _Samples().tokenize(text)
    except (SqlglotError, ValueError, IndexError):
        raise QueryError(*_unreadable(text)) from None
    if not words:
        raise QueryError(
            "The query is empty; write a condition such as weather = 'sunny'"
        )
    depth = 0
    for token in words:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if depth > MAX_PARENTHESES:
            raise QueryError("The query is nested too deeply", text, token.start, "(")
    return words


def _unreadable(text: str) -> tuple[str, str, int, str]:
    """What stops the tokenizer is nearly always a quote or comment left open."""
    for mark in ("'", '"'):
        if text.count(mark) % 2:
            return f"A {mark} is never closed", text, text.rfind(mark), mark
    return "The query cannot be split into words", text, 0, ""


def _statement(words: list[Token], text: str) -> Any:
    """The statement; what goes before a bare condition is added."""
    _in_order(words, text)
    own = len(words)
    first = words[0].token_type
    if first not in (TokenType.SELECT, TokenType.WITH):
        start = _SELECT if first in _CLAUSES else f"{_SELECT}WHERE "
        words = [*_Samples().tokenize(start), *words]
    try:
        with _quiet():
            statements = _Samples().parser().parse(words, text)
    except ParseError as error:
        raise _misread(error, words, text, len(words) - own) from None
    except (SqlglotError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        raise QueryError("The query cannot be read as SQL", text) from None
    read = [s for s in statements if s is not None]
    if len(read) != 1:
        semicolon = next(t for t in words if t.token_type is TokenType.SEMICOLON)
        raise QueryError("Give one query, not several", text, semicolon.start, ";")
    return read[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps sqlglot from logging what our errors say."""
    log = logging.getLogger("sqlglot")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


_CLAUSES = (TokenType.WHERE, TokenType.ORDER_BY, TokenType.LIMIT)


def _in_order(words: list[Token], text: str) -> None:
    """Refuses ``LIMIT 5 WHERE a = 1``, which sqlglot reads the other way round."""
    clauses = [word for word in words if word.token_type in _CLAUSES]
    for before, after in pairwise(clauses):
        if _CLAUSES.index(before.token_type) > _CLAUSES.index(after.token_type):
            problem = "WHERE comes first, then ORDER BY, then LIMIT"
            raise QueryError(
                problem, text, after.start, text[after.start : after.end + 1]
            )


def _misread(
    error: ParseError, words: list[Token], text: str, added: int
) -> QueryError:
    """The error of a text that ``added`` words were put before."""
    where = error.errors[0] if error.errors else {}
    line, column = where.get("line"), where.get("col")
    # Words that were put before the text stand at the same places; take the last.
    at = next(
        (t for t in reversed(words) if (t.line, t.col) == (line, column)), words[-1]
    )
    place = max(added, words.index(at))
    at, before = words[place], words[max(added, place - 1) : place]
    word = text[at.start : at.end + 1]
    reserved = next((w for w in (at, *before) if _is_reserved(w)), None)
    if (bare := _unquoted(words)) is not None:
        problem = convert.unquoted(bare[0].text)
        at, word = bare[2], text[bare[2].start : bare[2].end + 1]
    elif "Expecting )" in str(where.get("description")):
        problem = f"A ')' is missing after '{word}'"
    elif at is words[-1] and (at.token_type not in _ENDS or _is_reserved(at)):
        problem = f"The query cannot end with '{word}'"
    else:
        problem = f"The query cannot be read at '{word}'"
        if reserved is not None:
            problem += f'; a field of that name is written "{reserved.text.lower()}"'
        elif word.upper() not in _JOINING and (meant := nearest(word, _JOINING)):
            problem += f"; did you mean {meant}?"
    return QueryError(problem, text, at.start, word)


_JOINING = ("AND", "OR", "NOT", "LIKE", "ILIKE", "BETWEEN", "CONTAINS", "IN", "IS")


def _unquoted(words: list[Token]) -> tuple[Token, ...] | None:
    """Where ``text(a dog)`` forgets its quotes: the name, the bracket, the first word."""
    return next(
        (
            three
            for three in zip(words, words[1:], words[2:], strict=False)
            if three[0].text.lower() in ("text", "image")
            and three[0].token_type not in (TokenType.STRING, TokenType.IDENTIFIER)
            and three[1].token_type is TokenType.L_PAREN
            and three[2].token_type not in (TokenType.STRING, TokenType.R_PAREN)
        ),
        None,
    )


_ENDS = {TokenType.VAR, TokenType.NUMBER, TokenType.STRING, TokenType.R_PAREN}


def _is_reserved(word: Token) -> bool:
    """Whether SQL takes a word for one of its own that could be the name of a field."""
    operators = {*_OPERATORS, TokenType.VAR, TokenType.STRING, TokenType.IDENTIFIER}
    return word.text.isidentifier() and word.token_type not in operators


_OPERATORS = {
    *(TokenType.AND, TokenType.OR, TokenType.NOT, TokenType.IN, TokenType.IS),
    *(TokenType.LIKE, TokenType.ILIKE, TokenType.BETWEEN, TokenType.NULL),
    *(TokenType.TRUE, TokenType.FALSE, TokenType.ESCAPE, TokenType.OVERLAPS),
}


def _query(statement: exp.Expression, text: str) -> Query:
    refused = partial(refuse, text=text)
    if not isinstance(statement, exp.Select):
        raise refused(statement)
    _whole(statement, _READ, text)
    source = statement.args.get("from_") or statement.args.get("from")
    table = source.this if source else None
    if not isinstance(table, exp.Table) or table.sql().lower() != "dataset":
        problem = "A query reads the dataset that it is asked of; write FROM dataset"
        raise refused(table, problem=problem)
    where, order = statement.args.get("where"), statement.args.get("order")
    if order and len(order.expressions) > MAX_ORDERS:
        raise refused(order, problem=f"ORDER BY takes at most {MAX_ORDERS} values")
    return Query(
        where=convert.condition(where.this, text) if where else None,
        order_by=tuple(_order(o, text) for o in order.expressions) if order else (),
        limit=_limit(statement.args.get("limit"), text),
        selected=_selected(statement.expressions, text),
        text=text,
    )


_READ = ("kind", "expressions", "from", "from_", "where", "order", "limit")
_CLAUSE_NAMES = {
    "joins": "JOIN",
    "group": "GROUP BY",
    "locks": "FOR UPDATE",
    "limit_options": "A number of percent or WITH TIES",
    "with_fill": "WITH FILL",
}


def _selected(columns: list[exp.Expression], text: str) -> tuple[Field, ...]:
    """A query selects whole samples: a list of plain fields is as good as ``*``."""
    fields = []
    for column in columns:
        if isinstance(column, exp.Star):
            _whole(column, (), text)
            continue
        field = convert.condition(column, text)
        if not isinstance(field, Field):
            problem = "A query selects samples; write SELECT * FROM dataset"
            raise refuse(column, text, problem=problem)
        fields.append(field)
    return tuple(fields)


def _whole(node: exp.Expression, read: tuple[str, ...], text: str) -> None:
    """Refuses what is said of ``node`` beyond what is read, such as ``LIMIT 5 PERCENT``."""
    for name, value in node.args.items():
        if value and name not in read:
            word = _CLAUSE_NAMES.get(name, name.rstrip("_").upper())
            found = value if isinstance(value, (exp.Expression, list)) else node
            raise refuse(found, text, what=word)


def _order(ordered: exp.Expression, text: str) -> Order:
    key = convert.condition(ordered.this, text)
    _whole(ordered, ("this", "desc", "nulls_first"), text)
    descending = bool(ordered.args.get("desc"))
    return Order(key, descending, bool(ordered.args.get("nulls_first")), span=key.span)


def _limit(limit: exp.Expression | None, text: str) -> int | None:
    if limit is None:
        return None
    count = limit.args.get("expression")
    if not isinstance(count, exp.Literal) or not count.this.isdecimal():
        raise refuse(limit, text, problem="LIMIT takes a whole number")
    _whole(limit, ("expression",), text)
    digits = count.this.lstrip("0")[:11]
    return min(int(digits or 0), MAX_LIMIT)


def is_plain_name(name: str) -> bool:
    """Whether a name needs no quotes: SQL reads it as nothing else."""
    return [t.token_type for t in _Samples().tokenize(name)] == [TokenType.VAR]
