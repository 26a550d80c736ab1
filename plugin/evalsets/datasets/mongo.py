"""MongoDB's expressions, put together so that they mean what SQL means.

What MongoDB does differently, and is put right here: null and missing are less than every
number, NaN is the least number, ``$toLower`` of null is text, ``$divide`` by zero is an
error even where it is not reached (constants are folded), ``$round`` rounds halves to
even, ``$min`` and ``$max`` follow MongoDB's NaN, ``$abs`` of the least whole number is an
error, sums are rounded in ways of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from bson import ObjectId

from evalsets.query.letters import ranges, table

Mongo: TypeAlias = Any
NAN: Mongo = {"$toDouble": "NaN"}  # a bare NaN in a saved view breaks the App's JSON
INFINITY: Mongo = {"$toDouble": "Infinity"}
_NULL: Mongo = {"$literal": None}


def object_ids(ids: frozenset[str]) -> list[ObjectId]:
    """Sample ids as MongoDB keeps them, in order."""
    octets = bytes.fromhex("".join(sorted(ids)))
    return [ObjectId(octets[at : at + 12]) for at in range(0, len(octets), 12)]


def is_null(value: Mongo) -> Mongo:
    """Whether ``value`` is null or missing."""
    return {"$lte": [value, _NULL]}


def is_known(value: Mongo) -> Mongo:
    """Whether ``value`` is neither null nor missing."""
    return {"$gt": [value, _NULL]}


def all_of(*tests: Mongo) -> Mongo:
    """Whether every test holds."""
    return tests[0] if len(tests) == 1 else {"$and": list(tests)}


def any_of(*tests: Mongo) -> Mongo:
    """Whether a test holds."""
    return tests[0] if len(tests) == 1 else {"$or": list(tests)}


def choose(test: Mongo, then: Mongo, otherwise: Mongo) -> Mongo:
    """One value or the other."""
    return {"$cond": [test, then, otherwise]}


def let(values: list[Mongo], build: Callable[..., Mongo], name: str = "v") -> Mongo:
    """``build`` of the values, each of them computed once and then called by name."""
    bound = {f"{name}{i}": v for i, v in enumerate(values) if not _is_simple(v)}
    names = [
        f"$${name}{i}" if f"{name}{i}" in bound else v for i, v in enumerate(values)
    ]
    return {"$let": {"vars": bound, "in": build(*names)}} if bound else build(*names)


def as_double(number: Mongo) -> Mongo:
    """A whole number as a fraction; MongoDB is more exact with the two mixed."""
    return {"$toDouble": number}


def mixed_sum(whole: Mongo, fraction: Mongo) -> Mongo:
    """``whole + fraction``, which ``$subtract`` takes as fractions and ``$add`` does not."""
    return {"$subtract": [whole, {"$multiply": [fraction, -1]}]}


def combined(operator: str, left: Mongo, right: Mongo) -> Mongo:
    """``left operator right``; MongoDB would merge ``(a + b) + c`` and round otherwise."""
    if any(isinstance(v, dict) and operator in v for v in (left, right)):
        return let([left, right], lambda a, b: {operator: [a, b]})
    return {operator: [left, right]}


def _is_simple(value: Mongo) -> bool:
    constant = isinstance(value, dict) and set(value) <= {"$literal", "$toDate"}
    return isinstance(value, str) or constant


def truth(true: Mongo, false: Mongo) -> Mongo:
    """A truth value, null if neither holds."""
    return choose(true, True, choose(false, False, None))


def literal(value: Any) -> Mongo:
    """A constant that MongoDB never takes for a path or an operator."""
    return {"$literal": value}


def moment(value: date) -> Mongo:
    """A date as milliseconds: FiftyOne would rewrite one inside a literal."""
    time = value if isinstance(value, datetime) else datetime(*value.timetuple()[:3])  # noqa: DTZ001
    since = (time - datetime(1970, 1, 1)) // timedelta(milliseconds=1)  # noqa: DTZ001
    return {"$toDate": literal(float(since))}


def switch(tests: list[Mongo], values: list[Mongo], default: Mongo) -> Mongo:
    """The value of the first test that holds."""
    branches = [{"case": t, "then": v} for t, v in zip(tests, values, strict=True)]
    return {"$switch": {"branches": branches, "default": default}}


def divided_by_zero(value: Mongo) -> Mongo:
    """What floating point makes of ``value / 0``."""
    return switch(
        [
            is_null(value),
            {"$gt": [value, 0]},
            all_of({"$gt": [value, NAN]}, {"$lt": [value, 0]}),
        ],
        [None, INFINITY, {"$multiply": [INFINITY, -1]}],
        NAN,
    )


def rounded(value: Mongo, places: int) -> Mongo:
    """Halves away from zero, as SQL has it."""
    scale = 10.0 ** abs(places)
    up, down = ("$multiply", "$divide") if places >= 0 else ("$divide", "$multiply")

    def of(number: Mongo, scaled: Mongo) -> Mongo:
        below = {"$floor": scaled}
        half = {"$gte": [{"$subtract": [scaled, below]}, 0.5]}
        size = {down: [{"$add": [below, choose(half, 1, 0)]}, scale]}
        signed = choose({"$lt": [number, 0]}, {"$multiply": [size, -1]}, size)
        return choose({"$lt": [scaled, INFINITY]}, signed, number)

    return let(
        [value],
        lambda n: let([{up: [_size(n), scale]}], lambda s: of(n, s), name="scaled"),
    )


def _size(number: Mongo) -> Mongo:
    return choose({"$lt": [number, 0]}, {"$multiply": [number, -1]}, number)


def _length(text: Mongo) -> Mongo:
    return {"$strLenCP": {"$ifNull": [text, ""]}}


def cased(text: Mongo, case: str) -> Mongo:
    """``text`` in another case; letters beyond ASCII by table, which MongoDB lacks.

    It stands inside ``with_letters``. Runs of what stays are taken at once.
    """
    ascii_only = {"lower": "$toLower", "upper": "$toUpper"}[case]
    letters = "".join(f"\\x{{{ord(a):x}}}-\\x{{{ord(b):x}}}" for a, b in ranges(case))
    run = "$$this.match"
    changed = choose(
        {"$gte": ["$$place", 0]},
        {"$substrCP": [f"$${case}_target", "$$place", 1]},
        {ascii_only: run},
    )
    placed = {"$indexOfCP": [f"$${case}_source", run]}
    each = {"$let": {"vars": {"place": placed}, "in": changed}}
    by_runs = {
        "$reduce": {
            "input": {
                "$regexFindAll": {
                    "input": text,
                    "regex": literal(f"[{letters}]|[^{letters}]+"),
                }
            },
            "initialValue": "",
            "in": {"$concat": ["$$value", each]},
        }
    }
    change = {"$regexMatch": {"input": text, "regex": literal(f"[{letters}]")}}
    cased = choose(change, by_runs, {ascii_only: text})
    return choose(is_null(text), None, cased)


def with_letters(mongo: Mongo, cases: Collection[str]) -> Mongo:
    """``mongo`` with the tables that ``cased`` looks in; they are long, so only once."""
    names: dict[str, Mongo] = {}
    for case in sorted(cases):
        source, target = map("".join, zip(*table(case).items(), strict=True))
        names |= {f"{case}_source": literal(source), f"{case}_target": literal(target)}
    return {"$let": {"vars": names, "in": mongo}} if names else mongo


def _least(values: Mongo) -> Mongo:
    numbers = {"input": values, "as": "number", "cond": {"$gt": ["$$number", NAN]}}
    return let(
        [{"$filter": numbers}],
        lambda n: choose({"$gt": [{"$size": n}, 0]}, {"$min": n}, {"$max": values}),
        name="numbers",
    )


def _total(values: Mongo) -> Mongo:
    added = {"$add": ["$$value", {"$ifNull": ["$$this", 0]}]}
    return {"$reduce": {"input": values, "initialValue": 0, "in": added}}


def _count(values: Mongo) -> Mongo:
    known = {"input": values, "as": "one", "cond": is_known("$$one")}
    return {"$size": {"$filter": known}}


FUNCTIONS: dict[str, Callable[[Mongo], Mongo]] = {
    "ABS": _size,
    "LOWER": lambda v: cased(v, "lower"),
    "UPPER": lambda v: cased(v, "upper"),
    "LENGTH": lambda v: choose(is_null(v), None, _length(v)),
}
AGGREGATES: dict[str, Callable[[Mongo], Mongo]] = {
    "ANY": lambda v: choose(
        {"$in": [True, v]}, True, choose({"$in": [None, v]}, None, False)
    ),
    "ALL": lambda v: choose(
        {"$in": [False, v]}, False, choose({"$in": [None, v]}, None, True)
    ),
    "SUM": lambda v: choose(is_null({"$max": v}), None, _total(v)),
    "AVG": lambda v: choose(
        is_null({"$max": v}), None, {"$divide": [_total(v), _count(v)]}
    ),
    "MIN": _least,
    "MAX": lambda v: choose({"$in": [NAN, v]}, NAN, {"$max": v}),
}
