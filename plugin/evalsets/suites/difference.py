"""What changed between two releases, and why samples entered and left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalsets.errors import counted
from evalsets.suites.population import Population
from evalsets.suites.release import Frozen, Release

_SAMPLES = ["population", "sample_id", "change", "reason"]
_NEW, _DELETED = "it is new", "it was deleted"
_REDEFINED = "its definition changed"
_CHANGED = "its fields, vector or ranks changed"
_PLURAL = {
    _NEW: "they are new",
    _DELETED: "they were deleted",
    _CHANGED: "their fields, vectors or ranks changed",
}
_MOVES = ["sample_id", "before", "after", "reason"]


@dataclass(frozen=True)
class ReleaseDiff:
    """What changed from one release to another.

    Args:
        before: number of the one
        after: number of the other; 0 is the dataset as it is now
        added: populations that only the other has
        removed: populations that only the one has
        renamed: new name by old name
        redefined: queries before and after, by population
        changed: what else changed of a population, in words
        frame: by population: ``n_before, n_after, entered, left``; populations that
            were added or removed included
        samples: one row for each sample that entered or left a population that both
            have: ``population, sample_id, change, reason``
        moves: samples that changed sides: ``sample_id, before, after, reason``; ``new``
            and ``deleted`` are sides here
    """

    before: int
    after: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: Mapping[str, str]
    redefined: Mapping[str, tuple[str, str]]
    changed: Mapping[str, str]
    frame: pd.DataFrame
    samples: pd.DataFrame
    moves: pd.DataFrame

    @property
    def same(self) -> bool:
        """Whether nothing changed at all."""
        named = (self.added, self.removed, self.renamed, self.redefined, self.changed)
        return not any(named) and self.samples.empty and self.moves.empty

    def __str__(self) -> str:
        later = f"release {self.after}" if self.after else "now"
        lines = [f"From release {self.before} to {later}:"]
        if self.same:
            return f"{lines[0]} nothing changed"
        lines += [f"+ '{name}'" for name in self.added]
        lines += [f"- '{name}'" for name in self.removed]
        lines += [f"  '{old}' is called '{new}'" for old, new in self.renamed.items()]
        for name, (old, new) in self.redefined.items():
            lines.append(f"~ '{name}': {old}  →  {new}")
        lines += [f"~ '{name}': {words}" for name, words in self.changed.items()]
        entered = Counter(zip(*self._columns(self.samples, "sample_id"), strict=True))
        for (name, change, reason), n in sorted(entered.items()):
            why = reason if n == 1 else _PLURAL.get(reason, reason)
            lines.append(f"  '{name}': {counted(n, 'sample')} {change}: {why}")
        moved = Counter(zip(*self._columns(self.moves, "sample_id"), strict=True))
        for (before, after, reason), n in sorted(moved.items()):
            why = f" ({reason})" if reason else ""
            lines.append(f"  {counted(n, 'sample')} {before} → {after}{why}")
        return "\n".join(lines)

    @staticmethod
    def _columns(frame: pd.DataFrame, but: str) -> list[list[str]]:
        return [frame[column].tolist() for column in frame.columns.drop(but)]


def compare(
    before: tuple[Release, Frozen],
    after: tuple[Release, Frozen],
    rules: Mapping[str, str] | None = None,
) -> ReleaseDiff:
    """What changed from one release to another.

    Args:
        before: the earlier
        after: the later
        rules: by sample id, why it has the side it has in the later
    """
    (old, then), (new, now) = before, after
    olds = {p.name: p for p in old.populations}
    news = {p.name: p for p in new.populations}
    renamed = _renamed(old, new)
    same = {name: renamed.get(name, name) for name in olds}
    pairs = {a: b for a, b in same.items() if b in news}
    return ReleaseDiff(
        before=old.number,
        after=new.number,
        added=tuple(b for b in news if b not in pairs.values()),
        removed=tuple(a for a in olds if a not in pairs),
        renamed=renamed,
        redefined={
            b: (olds[a].query, news[b].query)
            for a, b in pairs.items()
            if old.meaning[a] != new.meaning[b]
        },
        changed={
            b: words for a, b in pairs.items() if (words := _words(olds[a], news[b]))
        },
        frame=_frame(then, now, pairs),
        samples=_samples(before, after, pairs),
        moves=_moves(then.side, now.side, rules or {}),
    )


def _renamed(old: Release, new: Release) -> dict[str, str]:
    """Populations that mean the same under another name."""
    gone = [p.name for p in old.populations if p.name not in new.meaning]
    come = {new.meaning[n]: n for n in new.meaning if n not in old.meaning}
    found = {name: come.get(old.meaning[name], "") for name in gone}
    return {a: b for a, b in found.items() if b}


def _words(old: Population, new: Population) -> str:
    changes = []
    if old.holdout != new.holdout:
        changes.append(f"hold-out {old.holdout:.0%} → {new.holdout:.0%}")
    if old.require != new.require:
        then, now = (", ".join(map(str, p.require)) or "nothing" for p in (old, new))
        changes.append(f"requires {then} → {now}")
    if old.min_size != new.min_size:
        changes.append(f"at least {old.min_size} → {new.min_size} samples")
    return "; ".join(changes)


def _frame(then: Frozen, now: Frozen, pairs: Mapping[str, str]) -> pd.DataFrame:
    olds = {b: a for a, b in pairs.items()}
    names = [*now.membership, *(a for a in then.membership if a not in pairs)]
    aligned = _Aligned(then, now)
    rows = []
    for name in names:
        old = aligned.before(olds.get(name, name if name not in pairs else ""))
        new = aligned.after(name)
        counts = old, new, new & ~old, old & ~new
        rows.append([int(inside.sum()) for inside in counts])
    index = pd.Index(names, name="population", dtype=object)
    columns = ["n_before", "n_after", "entered", "left"]
    return pd.DataFrame(rows, index=index, columns=columns, dtype=int)


class _Aligned:
    """Who was in which population, over the samples of both releases, by rising id."""

    def __init__(self, then: Frozen, now: Frozen) -> None:
        self.ids = then.membership.index.union(now.membership.index)
        self._then, self._now = then, now
        self._places = [
            self.ids.get_indexer(frozen.membership.index) for frozen in (then, now)
        ]
        self.known, self.kept = (self._spread(True, at) for at in self._places)

    def before(self, name: str) -> NDArray[np.bool_]:
        """``(n,)`` who was in a population; nobody where there was none."""
        return self._inside(self._then, name, self._places[0])

    def after(self, name: str) -> NDArray[np.bool_]:
        """``(n,)`` who is in a population; nobody where there is none."""
        return self._inside(self._now, name, self._places[1])

    def _inside(
        self, frozen: Frozen, name: str, places: NDArray[np.intp]
    ) -> NDArray[np.bool_]:
        frame = frozen.membership
        inside = frame[name].to_numpy(dtype=bool) if name in frame else False
        return self._spread(inside, places)

    def _spread(self, inside: Any, places: NDArray[np.intp]) -> NDArray[np.bool_]:
        spread = np.zeros(len(self.ids), dtype=bool)
        spread[places] = inside
        return spread


def _samples(
    before: tuple[Release, Frozen],
    after: tuple[Release, Frozen],
    pairs: Mapping[str, str],
) -> pd.DataFrame:
    (old, then), (new, now) = before, after
    aligned = _Aligned(then, now)
    rows = []
    for a, b in pairs.items():
        inside, outside = aligned.before(a), aligned.after(b)
        why = _REDEFINED if old.meaning[a] != new.meaning[b] else _CHANGED
        for change, who, there, otherwise in (
            ("entered", outside & ~inside, aligned.known, _NEW),
            ("left", inside & ~outside, aligned.kept, _DELETED),
        ):
            rows += [
                (b, sample_id, change, why if stays else otherwise)
                for sample_id, stays in zip(aligned.ids[who], there[who], strict=True)
            ]
    return pd.DataFrame(rows, columns=_SAMPLES, dtype=object)


def _moves(then: pd.Series, now: pd.Series, rules: Mapping[str, str]) -> pd.DataFrame:
    ids = then.index.union(now.index)
    old = then.reindex(ids, fill_value="new").to_numpy(dtype=object)
    new = now.reindex(ids, fill_value="deleted").to_numpy(dtype=object)
    changed = old != new
    rows = [
        (i, a or "no side", b or "no side", "" if b == "deleted" else rules.get(i, ""))
        for i, a, b in zip(ids[changed], old[changed], new[changed], strict=True)
    ]
    return pd.DataFrame(rows, columns=_MOVES, dtype=object)
