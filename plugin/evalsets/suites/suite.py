"""A suite: every population of a dataset and how it is split, and plans to change it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import pandas as pd

from evalsets.suites.population import Population

SETTINGS: dict[str, tuple[type, ...]] = {
    "val": (int, float),
    "groups": (str,),
    "near_duplicates": (int, float),
    "background": (int, float),
    "seed": (int,),
}
"""Options of ``split`` that a suite states, with their types."""

SEEDS = 2**63
"""Seeds are below this, so that MongoDB can keep them."""


@dataclass(frozen=True)
class Suite:
    """Every population of a dataset, and how it is split.

    Args:
        populations: in the order of the file or of their composition
        split: the options of ``split`` that are stated, of ``SETTINGS``
    """

    populations: tuple[Population, ...]
    split: Mapping[str, Any] = field(default_factory=dict)


def two_holdouts(
    populations: Iterable[Population],
) -> Iterator[tuple[Population, Population]]:
    """Populations of one query that ask for different hold-outs, in pairs."""
    first: dict[str, Population] = {}
    for population in populations:
        other = first.setdefault(" ".join(population.query.split()), population)
        if other.holdout != population.holdout:
            yield other, population


@dataclass(frozen=True)
class SuitePlan:
    """What loading a suite changes.

    Args:
        added: populations that the dataset does not have
        changed: populations before and after, by name
        removed: names of populations that the suite does not have
        split: stated options of ``split`` that change: value before and after
        frame: by population that is added or changed: ``n`` samples, of which
            ``in_test``, and ``asked``, how many its hold-out wants there; populations
            whose similarities are not worked out yet are left out
    """

    added: tuple[Population, ...]
    changed: Mapping[str, tuple[Population, Population]]
    removed: tuple[str, ...]
    split: Mapping[str, tuple[Any, Any]]
    frame: pd.DataFrame

    @property
    def same(self) -> bool:
        """Whether there is nothing to change."""
        return not (self.added or self.changed or self.removed or self.split)

    def __str__(self) -> str:
        if self.same:
            return "Nothing changes."
        lines = [f"+ '{p.name}': {p.query}{self._share(p.name)}" for p in self.added]
        for name, (old, new) in self.changed.items():
            lines.append(f"~ '{name}'{self._share(name)}")
            lines += [f"    {words}" for words in _changes(old, new)]
        lines += [f"- '{name}'" for name in self.removed]
        for option, (before, after) in self.split.items():
            lines.append(f"~ split: {option} {_said(before)} → {_said(after)}")
        return "\n".join(lines)

    def _share(self, name: str) -> str:
        if name not in self.frame.index:
            return ""
        n, in_test, asked = (
            int(self.frame[column][name]) for column in ("n", "in_test", "asked")
        )
        more = f", {asked - in_test:,} more wanted there" if asked > in_test else ""
        return (
            f" ({n:,} {'sample' if n == 1 else 'samples'}, {in_test:,} in test{more})"
        )


def plan(before: Suite, after: Suite, frame: pd.DataFrame | None = None) -> SuitePlan:
    """What turns one suite into another.

    Args:
        before: as it is
        after: as it shall be; options of ``split`` that it does not state stay
        frame: see :class:`SuitePlan`
    """
    known = {p.name: p for p in before.populations}
    wanted = {p.name: p for p in after.populations}
    both = [name for name in wanted if name in known]
    return SuitePlan(
        added=tuple(p for name, p in wanted.items() if name not in known),
        changed={
            name: (known[name], wanted[name])
            for name in both
            if known[name] != wanted[name]
        },
        removed=tuple(name for name in known if name not in wanted),
        split={
            option: (before.split.get(option), value)
            for option, value in after.split.items()
            if before.split.get(option) != value
        },
        frame=pd.DataFrame(columns=["n", "in_test", "asked"])
        if frame is None
        else frame,
    )


def _changes(old: Population, new: Population) -> list[str]:
    return [
        f"{f.name}: {_said(getattr(old, f.name))} → {_said(getattr(new, f.name))}"
        for f in fields(Population)
        if getattr(old, f.name) != getattr(new, f.name)
    ]


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "nothing"
    return "nothing" if value in (None, "") else str(value)
