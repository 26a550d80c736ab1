"""What an evaluation judges: the dataset as it is now, or as it was released."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo
import pandas as pd

from evalsets.api.populations import current_queries
from evalsets.api.split import on_split
from evalsets.datasets.populations import load_recipes, members
from evalsets.datasets.releases import load_release
from evalsets.query import Query
from evalsets.suites import Population
from evalsets.suites.release import Frozen


@dataclass(frozen=True)
class Judged:
    """Populations, who is in them, and who is on a side.

    Args:
        populations: by name
        stale: why some cannot be judged
        queries: of the others
        side: of the samples to judge; None for all
    """

    populations: dict[str, Population]
    stale: dict[str, str]
    queries: dict[str, Query]
    side: str | None

    deleted = 0

    def on_side(self, view: fo.DatasetView) -> fo.DatasetView:
        """The samples of a view that are judged."""
        return view if self.side is None else on_split(view, self.side)

    def members(self, view: fo.DatasetView) -> pd.DataFrame:
        """Which samples of a view are in which population: bool, sample id × name."""
        frame = members(view, self.queries)
        return frame.reindex(columns=list(self.populations), fill_value=False)


@dataclass(frozen=True)
class JudgedRelease:
    """The same of a release.

    Args:
        populations: by name
        frozen: the samples of the release that are on the side to judge
        deleted: how many of them are not there any more
    """

    populations: dict[str, Population]
    frozen: Frozen
    deleted: int

    @property
    def stale(self) -> dict[str, str]:
        """Nothing that is frozen is stale."""
        return {}

    def on_side(self, view: fo.DatasetView) -> fo.DatasetView:
        """The samples of a view that are judged."""
        return view.select(self.frozen.side.index.tolist())

    def members(self, view: fo.DatasetView) -> pd.DataFrame:
        """Which samples of a view are in which population: bool, sample id × name."""
        return self.frozen.membership.reindex(index=view.values("id"))


def judged(
    dataset: fo.Dataset, side: str | None, release: int | None
) -> Judged | JudgedRelease:
    """What to judge.

    Args:
        dataset: to evaluate
        side: of the samples to judge; None for all
        release: number of a release; None for the dataset as it is now

    Raises:
        UnknownNameError: no such release
        EvalsetsError: the release is not what was written
    """
    if release is None:
        recipes = load_recipes(dataset)
        known = {n: r.population for n, r in recipes.items()}
        queries, stale = current_queries(dataset, recipes)
        fresh = {n: query for n, query in queries.items() if n not in stale}
        return Judged(known, stale, fresh, side)
    made, frozen = load_release(dataset, release)
    if side is not None:
        chosen = frozen.side == side
        frozen = Frozen(frozen.membership[chosen], frozen.side[chosen])
    deleted = len(frozen.side) - len(dataset.select(frozen.side.index.tolist()))
    return JudgedRelease({p.name: p for p in made.populations}, frozen, deleted)
