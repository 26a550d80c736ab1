"""Random queries as people type them: without the parentheses that a tree prints."""

from __future__ import annotations

from random import Random

NUMBERS = ("n", "m", "f", "1", "2", "0.5", "-1", "3", "NULL", "n")
TEXTS = (
    *("s", "u", "'a'", "'ab'", "''", "'it''s'", "NULL"),
    *("LOWER(s)", "UPPER(u)", "COALESCE(s, u)"),
)
TIMES = (
    *("d", "t", "DATE '2024-01-02'", "'2024-01-02'", "'2024-01-02 12:00:00'"),
    *("TIMESTAMP '2024-01-02 12:00:00'", "'2024-01-02T12:00:00.5Z'"),
    *("'0001-01-01 00:00:00+14:00'", "'9999-12-31 23:59:59-14:00'"),
)
OPTIONS = ("1, 2", "'a', 'b'", "1, NULL", "n, f", "s, NULL")
ORDERS = (" = ", " < ", " <= ", " > ", " >= ", " <> ", " != ")


def number(rng: Random, depth: int) -> str:
    """A value that is mostly a number."""
    if depth <= 0 or rng.random() < 0.4:
        return rng.choice(NUMBERS)
    one, other = number(rng, depth - 1), number(rng, depth - 1)
    return rng.choice(
        [
            *(f"{one}{operator}{other}" for operator in (" + ", " - ", " * ", " / ")),
            f"{one} % {other}",
            f"- {one}",
            f"({one})",
            f"{rng.choice(['ABS', 'ROUND'])}({one})",
            f"CASE WHEN {condition(rng, depth - 2)} THEN {one} ELSE {other} END",
        ]
    )


def condition(rng: Random, depth: int) -> str:
    """A condition; some make no sense."""
    if depth <= 0 or rng.random() < 0.12:
        return rng.choice(["b", "c", "TRUE", "FALSE", "NULL", "b", "c"])
    return rng.choice(_FORMS)(rng, depth - 1)


def _tested(rng: Random, depth: int) -> str:
    test = rng.choice([" IS NULL", " IS NOT NULL", " ISNULL", " NOTNULL"])
    value = rng.choice([number, condition, condition, _text])
    return value(rng, depth) + test


def _text(rng: Random, _: int) -> str:
    return rng.choice(TEXTS)


def _ordered(rng: Random, depth: int) -> str:
    one, other = number(rng, depth), number(rng, depth)
    return one + rng.choice(ORDERS) + other


def _ordered_texts(rng: Random, _: int) -> str:
    values = rng.choice([TEXTS, TIMES])
    return rng.choice(values) + rng.choice(ORDERS) + rng.choice(values)


def _between(rng: Random, depth: int) -> str:
    a, b, c = (number(rng, depth) for _ in range(3))
    return f"{a} {rng.choice(['', 'NOT '])}BETWEEN {b} AND {c}"


def _among(rng: Random, depth: int) -> str:
    value = rng.choice([number, _text])(rng, depth)
    return f"{value} {rng.choice(['', 'NOT '])}IN ({rng.choice(OPTIONS)})"


def _like(rng: Random, depth: int) -> str:
    word = rng.choice(["LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"])
    return f"{_text(rng, depth)} {word} {rng.choice(TEXTS[2:6])}"


_FORMS = (
    lambda rng, k: (
        condition(rng, k) + rng.choice([" AND ", " or "]) + condition(rng, k)
    ),
    lambda rng, k: rng.choice(["NOT ", "not "]) + condition(rng, k),
    lambda rng, k: condition(rng, k) + rng.choice([" = ", " <> "]) + condition(rng, k),
    lambda rng, k: f"({condition(rng, k)})",
    lambda rng, _: rng.choice(["'a' IN words", "'b' NOT IN words", "s IN words"]),
    *(_tested, _ordered, _ordered, _ordered_texts, _between, _among, _like),
)
