"""Populations and requirements, as values with a stable JSON form."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any

from evalsets.errors import ArgumentError

ALL = "(all)"
"""The population that every evaluation has: the whole evaluated data."""

_PRINTED = re.compile(
    r"(?P<metric>\w+(:.+?)?)\s*(?P<drop>\bdrop\b)?\s*(?P<sign>(?(drop)<=|[<>]=))\s*"
    r"(?P<number>-?\d*\.?\d+(e[+-]?\d+)?)"
)


@dataclass(frozen=True)
class Requirement:
    """What a model must reach on a population: exactly one bound on one metric.

    Args:
        metric: name of a metric, for example ``accuracy``
        at_least: the value must reach this
        at_most: the value must not exceed this (for losses and errors)
        max_drop: the value may be worse than the baseline's by at most this, ≥ 0
    """

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    max_drop: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.metric, str) or not self.metric.strip():
            raise ArgumentError(
                f"A requirement names a metric, such as 'accuracy', not {self.metric!r}"
            )
        bounds = [self.at_least, self.at_most, self.max_drop]
        given = [b for b in bounds if b is not None]
        if len(given) != 1 or not _is_number(given[0]):
            raise ArgumentError(
                f"A requirement on '{self.metric}' needs exactly one finite bound: "
                "at_least=, at_most= or max_drop="
            )
        for bound in ("at_least", "at_most", "max_drop"):
            if getattr(self, bound) is not None:
                object.__setattr__(self, bound, _plain(given[0]))
        if self.max_drop is not None and self.max_drop < 0:
            raise ArgumentError(
                f"max_drop of '{self.metric}' is {self.max_drop}; give the allowed "
                "loss as a number of at least 0"
            )

    def __repr__(self) -> str:
        """The call that makes it."""
        ((bound, value),) = (
            (n, v) for n, v in vars(self).items() if n != "metric" and v is not None
        )
        return f"Requirement({self.metric!r}, {bound}={value!r})"

    def __str__(self) -> str:
        if self.at_least is not None:
            return f"{self.metric} >= {_exact(self.at_least)}"
        if self.at_most is not None:
            return f"{self.metric} <= {_exact(self.at_most)}"
        return f"{self.metric} drop <= {_exact(self.max_drop)}"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the metric and the one bound."""
        return {k: v for k, v in vars(self).items() if v is not None}

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """Reads what ``str()`` of a requirement prints."""
        match = _PRINTED.fullmatch(str(text).strip())
        if match is None:
            raise ArgumentError(
                f"Requirement '{text}' cannot be read; write 'accuracy >= 0.9', "
                "'mae <= 2' or 'accuracy drop <= 0.01'"
            )
        bound = {">=": "at_least", "<=": "at_most"}[match["sign"]]
        key = "max_drop" if match["drop"] else bound
        return cls(match["metric"], **{key: float(match["number"])})

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Requirement:
        """Reads the JSON form; an unknown key is an error."""
        return cls(**_known(cls, entry, "requirement"))


def refuse_impossible(requirements: Sequence[Requirement]) -> None:
    """Refuses bounds on one metric that no value can meet, and bounds said twice.

    Raises:
        ArgumentError: with the first two
    """
    for at, last in enumerate(requirements):
        for other in requirements[:at]:
            if other.metric != last.metric:
                continue
            low = last.at_least if last.at_least is not None else other.at_least
            high = last.at_most if last.at_most is not None else other.at_most
            twice = other.to_dict().keys() == last.to_dict().keys()
            if twice or (low is not None and high is not None and low > high):
                what = "say one of them" if twice else "no value can meet both"
                raise ArgumentError(f"'{other}' and '{last}': {what}")


@dataclass(frozen=True)
class Population:
    """A named recipe of samples.

    Args:
        name: as people call it; unique in its dataset
        query: a condition in the query language
        holdout: share of the population that goes to test, in [0, 1]
        require: what a model must reach on it: requirements, or one alone
        min_size: with fewer evaluated samples than this no requirement passes
        description: for people
        owner: who answers for it
    """

    name: str
    query: str
    holdout: float = 0.0
    require: tuple[Requirement, ...] = ()
    min_size: int = 1
    description: str = ""
    owner: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ArgumentError("A population needs a name")
        if self.name == ALL:
            raise ArgumentError(f"'{ALL}' is the whole data; choose another name")
        if not isinstance(self.query, str) or not self.query.strip():
            raise ArgumentError(f"Population '{self.name}' needs a query")
        if not _is_number(self.holdout) or not 0 <= self.holdout <= 1:
            raise ArgumentError(
                f"holdout of '{self.name}' is {self.holdout!r}; give a share from 0 to 1"
            )
        size: Any = self.min_size
        if not isinstance(size, Integral) or not 1 <= int(size) < 2**63:
            raise ArgumentError(
                f"min_size of '{self.name}' is {size!r}; give a whole number "
                "of at least 1 and below 2^63"
            )
        for said in ("description", "owner"):
            if not isinstance(getattr(self, said), str):
                raise ArgumentError(
                    f"{said} of '{self.name}' is {getattr(self, said)!r}; give a text"
                )
        object.__setattr__(self, "require", self._requirements())
        object.__setattr__(self, "holdout", _plain(self.holdout))
        object.__setattr__(self, "min_size", int(size))

    def __repr__(self) -> str:
        """The call that makes it, without what is left at its default."""
        changed = (
            f", {f.name}={getattr(self, f.name)!r}"
            for f in fields(self)[2:]
            if getattr(self, f.name) != f.default
        )
        return f"Population({self.name!r}, {self.query!r}{''.join(changed)})"

    def _requirements(self) -> tuple[Requirement, ...]:
        given: Any = self.require
        if isinstance(given, Requirement):
            return (given,)
        if isinstance(given, (list, tuple)) and all(
            isinstance(one, Requirement) for one in given
        ):
            return tuple(given)
        raise ArgumentError(
            f"require of '{self.name}' is {given!r}; give a list of "
            "evalsets.Requirement('accuracy', at_least=0.9) and the like"
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; fields at their default are left out."""
        entry = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if getattr(self, f.name) != f.default
        }
        if self.require:
            entry["require"] = [r.to_dict() for r in self.require]
        return entry

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Population:
        """Reads the JSON form; an unknown key is an error."""
        known = _known(cls, entry, "population")
        require = tuple(Requirement.from_dict(r) for r in known.pop("require", ()))
        return cls(**known, require=require)


def _exact(value: Any) -> str:
    """The shortest text that reads as the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def _plain(number: Any) -> float:
    """A number of any kind as one that JSON and MongoDB take."""
    return number if type(number) in (int, float) else float(number)


def _is_number(value: Any) -> bool:
    try:
        finite = isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # a whole number that no float holds
        return False
    return finite and not isinstance(value, bool)


def _known(cls: Any, entry: Mapping[str, Any], kind: str) -> dict[str, Any]:
    names = {f.name for f in fields(cls)}
    unknown = sorted(set(entry) - names)
    if unknown:
        raise ArgumentError(
            f"Unknown key '{unknown[0]}' in a {kind}; known: {', '.join(sorted(names))}"
        )
    return dict(entry)
