"""How much of every population lies in train, val and test."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from evalsets.errors import ArgumentError, counted
from evalsets.splits import figures
from evalsets.splits.report import PARTS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


_OUTSIDE = "(background)"
_UNBOUND = 1_000_000
_NAME = 20  # columns of a name, at least, before it is folded


@dataclass(frozen=True)
class Facts:
    """What is known of samples and populations besides who is in which.

    Args:
        labelled: ``(n,)`` whether a sample has a true label; None where nobody knows
        fewest: by population its requirements in words, each with the fewest test samples
            on which any model can pass it
        before: by population its samples at the last release; None without one
        background: share of the samples in no population that was asked for test
        even: as ``fewest``, of drops, for a model that is right where its baseline is
        alpha: level that ``fewest`` and ``even`` suppose
    """

    labelled: NDArray[np.bool_] | None = None
    fewest: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    before: Mapping[str, int] | None = None
    background: float = 0.0
    even: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    alpha: float = 0.05


def _no_tags() -> pd.DataFrame:
    return pd.DataFrame(columns=["tag", "n", "share", "share_of_all"])


@dataclass(frozen=True)
class Coverage:
    """How populations divide over the sides of a split.

    Args:
        frame: by population: ``n, train, val, test, quarantine`` samples,
            ``holdout_asked`` and ``holdout_got`` as shares
        overlap: population × population, samples in both; ``n`` on the diagonal
        gaps: what is missing, one sentence each
        shares: population × side, share of the side that is in the population
        labelled: by population, share with a true label; NaN where nobody knows
        growth: by population, samples more than at the last release; NaN without one
        untested: share of the data that is in no population
        background: of these samples what ``frame`` has of a population
        find_tags: how ``tags`` are found
    """

    frame: pd.DataFrame
    overlap: pd.DataFrame
    gaps: list[str]
    shares: pd.DataFrame
    labelled: pd.Series
    growth: pd.Series
    untested: float
    background: pd.Series
    find_tags: Callable[[], pd.DataFrame] = field(
        default=_no_tags, repr=False, compare=False
    )

    @cached_property
    def tags(self) -> pd.DataFrame:
        """The commonest tags of what is in no population.

        Returns:
            frame with ``tag`` as a query, ``n`` untested samples that have it,
            ``share`` of the untested and ``share_of_all``; found when first asked for
        """
        return self.find_tags()

    def plot(self) -> Figure:
        """Stacked bars, one a population, with a mark where its hold-out was asked."""
        return figures.bars(self.frame)

    def plot_overlap(self) -> Figure:
        """Heat map: how much of each population, a row, lies in each other one."""
        return figures.heat_map(self.overlap)

    def to_text(self, width: int | None = 100) -> str:
        """A table for the terminal, and the gaps below it.

        Args:
            width: to fold names and sentences at, where the figures leave room; None for
                no bound
        """
        table = Table(title="Coverage", title_justify="left", box=SIMPLE_HEAD)
        table.add_column("population", overflow="fold")
        labelled = ["labelled"] if self.labelled.notna().any() else []
        parts = [
            part for part in PARTS if part != "quarantine" or self.frame[part].any()
        ]
        for column in ("n", *labelled, *parts, "asked", "got"):
            table.add_column(column, justify="right", no_wrap=True)
        for at, name in enumerate(map(str, self.frame.index)):
            row, share = self.frame.iloc[at], self.shares.iloc[at]
            asked, got = row["holdout_asked"], row["holdout_got"]
            short = asked > 0 and not got >= asked
            table.add_row(
                name,
                f"{int(row['n']):,}",
                *[_percent(self.labelled.iloc[at]) for _ in labelled],
                *(f"{int(row[part]):,} ({share[part]:.0%})" for part in parts),
                f"{asked:.1%}" if asked else "–",
                _percent(got),
                style="bold red" if short else "",
            )
        table.caption = "in brackets: share of the side that is in the population"
        out = io.StringIO()
        console = Console(file=out, width=_UNBOUND)
        if width is not None:
            names = table.columns[0]
            names.max_width = _NAME
            room = width - Measurement.get(console, console.options, table).maximum
            names.max_width += max(room, 0)
        console.print(table)
        tell = partial(
            console.print,
            markup=False,
            highlight=False,
            width=width,
            soft_wrap=width is None,
        )
        if self.untested:
            count = self.background
            sides = [f"{int(count[part]):,} {part}" for part in PARTS if count[part]]
            said = f"{self.untested:.1%} of the data is in no population"
            said += f": {', '.join(sides)}" if sides else ""
            if count["holdout_asked"]:
                asked, got = count["holdout_asked"], count["holdout_got"]
                said += f"; asked {asked:.1%} for test, got {got:.1%}"
            tell(said)
        for gap in self.gaps:
            tell(f"• {gap}")
        return out.getvalue()

    def __str__(self) -> str:
        return self.to_text()


def coverage(
    membership: pd.DataFrame,
    side: Sequence[str],
    holdout: Mapping[str, float],
    facts: Facts | None = None,
    find_tags: Callable[[], pd.DataFrame] = _no_tags,
) -> Coverage:
    """Counts every population over the sides of a split.

    Args:
        membership: bool, sample id × population
        side: ``(n,)`` train, val, test, quarantine, or empty for a sample without one
        holdout: asked share by population; 0 where it is not named
        facts: what else is known
        find_tags: finds the commonest tags of the samples in no population
    """
    if len(side) != len(membership):
        raise ArgumentError(f"{len(side)} sides for {len(membership)} samples")
    facts = facts or Facts()
    names = pd.Index([str(name) for name in membership.columns], name="population")
    members = membership.to_numpy(dtype=bool)
    sides = np.asarray(side, dtype=object)
    frame = _frame(names, members, sides, holdout)
    counted = members.astype(np.float32)  # exact to 2²⁴, and BLAS multiplies floats
    shared = (counted.T @ counted).astype(np.int64)
    size = np.array([max(int((sides == part).sum()), 1) for part in PARTS])
    labelled, in_test = _labelled(members, sides, facts)
    before = pd.Series(facts.before or {}, dtype=float).reindex(names)
    outside = np.asarray(~members.any(axis=1))
    background = _frame(
        pd.Index([_OUTSIDE]), outside[:, None], sides, {_OUTSIDE: facts.background}
    )
    return Coverage(
        frame=frame,
        overlap=pd.DataFrame(shared, index=names, columns=names),
        gaps=_gaps(frame, facts, in_test),
        shares=frame[list(PARTS)].div(size, axis=1),
        labelled=pd.Series(labelled, index=names),
        growth=frame["n"] - before,
        untested=float(outside.mean()) if len(members) else 0.0,
        background=background.iloc[0],
        find_tags=find_tags,
    )


def _frame(
    names: pd.Index,
    members: NDArray[np.bool_],
    sides: NDArray[np.object_],
    holdout: Mapping[str, float],
) -> pd.DataFrame:
    n = members.sum(axis=0)
    columns: dict[str, object] = {"n": n}
    for part in PARTS:
        columns[part] = members[sides == part].sum(axis=0)
    columns["holdout_asked"] = [float(holdout.get(name, 0)) for name in names]
    in_test = members[sides == "test"].sum(axis=0)
    columns["holdout_got"] = np.divide(
        in_test, n, out=np.full(len(n), np.nan), where=n > 0
    )
    return pd.DataFrame(columns, index=names)


def _labelled(
    members: NDArray[np.bool_], sides: NDArray[np.object_], facts: Facts
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Labelled share of each population, and its samples in test that can be judged."""
    test = sides == "test"
    n = members.sum(axis=0)
    if facts.labelled is None:
        return np.full(len(n), np.nan), members[test].sum(axis=0)
    share = np.full(len(n), np.nan)
    np.divide(members[facts.labelled].sum(axis=0), n, out=share, where=n > 0)
    return share, members[test & facts.labelled].sum(axis=0)


def _gaps(frame: pd.DataFrame, facts: Facts, in_test: NDArray[np.int64]) -> list[str]:
    found = []
    again = "split again" if frame[list(PARTS)].to_numpy().any() else "split the data"
    for (name, row), judged in zip(frame.iterrows(), in_test, strict=True):
        n, asked, got = int(row["n"]), row["holdout_asked"], row["holdout_got"]
        if not n:
            found.append(f"'{name}' is empty")
            continue
        waiting = n - int(row[list(PARTS)].sum())
        if waiting:
            samples = counted(waiting, "sample")
            found.append(f"'{name}' has {samples} without a side; {again}")
        elif not row["train"]:
            found.append(f"'{name}' has no training sample")
        if asked > 0 and waiting < n and row["test"] < np.ceil(asked * n - 1e-9):
            found.append(f"'{name}' asked {asked:.1%} for test, got {got:.1%}")
        if waiting < n:
            found += _too_small(str(name), facts, int(judged))
    return found


def _too_small(name: str, facts: Facts, judged: int) -> list[str]:
    lacking = [
        (least, text, who)
        for who, known in (
            ("no model", facts.fewest),
            ("only a model better than its baseline", facts.even),
        )
        for text, least in known.get(name, {}).items()
        if least > judged
    ]
    if not lacking:
        return []
    least, text, who = max(lacking, key=lambda one: one[0])
    wanted = counted(least - judged, "more labelled sample")
    return [
        f"'{name}' is too small for its requirement {text}: needs {wanted} in test, "
        f"where it has {judged:,} ({who} can pass on fewer than "
        f"{least:,} at level {facts.alpha:g}; other open requirements raise that)"
    ]


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{share:.1%}"
