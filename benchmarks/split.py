"""Splits side by side on the same data: ours and three that are in common use.

    python benchmarks/split.py [--samples 20000] [--rounds 3] [--large]

Every way is asked for 20 % of twenty overlapping populations. Samples come in scenes, and
a few are near-duplicates of a sample of another scene. Then 1 sample, 1 % and 50 % are
added and the way is asked again: samples that leave test for train are counted. Peers
get the groups where they take any; none takes overlapping shares or what was before.
One of them is installed by ``pip install --group benchmarks``.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata

import bench
import fiftyone as fo
import fiftyone.utils.random as four
import numpy as np
import pandas as pd
from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit
from sklearn.model_selection import StratifiedGroupKFold

from evalsets.splits import (
    Assignment,
    assign,
    connected,
    entries,
    identify,
    seal,
    standing,
    verify,
)

SHARE = 0.2
POPULATIONS = 20
COMMONEST = 50  # signatures that a class of the stratified way stands for
GROWTH = (1, 0.01, 0.5)


@dataclass(frozen=True)
class World:
    """Samples with their populations, scenes and near-duplicates."""

    membership: pd.DataFrame
    scene: np.ndarray
    near: np.ndarray

    def first(self, n: int) -> World:
        """The first samples alone."""
        inside = (self.near < n).all(axis=1)
        return World(self.membership.iloc[:n], self.scene[:n], self.near[inside])


Way = Callable[[World, "np.ndarray | None"], np.ndarray]


def main() -> None:
    """Prints the table of all ways, and how ours does at a million samples."""
    made = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    made.add_argument("--samples", type=int, default=20_000)
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--large", action="store_true", help="also 1,000,000 x 200, ours")
    options = made.parse_args()
    print(f"{os.cpu_count()} cores; medians of {options.rounds} turns")
    _compare(world_of(int(options.samples * 1.5)), options.samples, options.rounds)
    if options.large:
        _large()


def world_of(n: int, seed: int = 0) -> World:
    """Populations of 1 % to 40 %, like within a scene; scenes of six on average."""
    rng = np.random.default_rng(seed)
    scene = np.sort(rng.integers(n // 6, size=n))
    rate = rng.uniform(0.01, 0.4, POPULATIONS)
    typical = (rng.random((n, POPULATIONS)) < rate)[scene]
    odd = rng.random((n, POPULATIONS)) < 0.05
    order = rng.permutation(n)  # data comes in no order
    near = rng.integers(n, size=(n // 50, 2))
    names = [f"population {i}" for i in range(POPULATIONS)]
    ids = [f"{i:024x}" for i in range(n)]
    membership = pd.DataFrame((typical ^ odd)[order], index=ids, columns=names)
    return World(membership, scene[order], near)


def ours(world: World, before: np.ndarray | None) -> np.ndarray:
    """Quotas, groups and near-duplicates, on what was decided before."""
    holdout = dict.fromkeys(world.membership.columns, SHARE)
    n = len(world.membership)
    previous = None
    if before is not None:
        previous = [*before.tolist(), *[""] * (n - len(before))]
    found = assign(
        world.membership,
        holdout,
        groups=connected(n, world.scene, world.near),
        previous=previous,
        holdout_before=None if before is None else holdout,
    )
    return found.side


def random_split(world: World, _: np.ndarray | None) -> np.ndarray:
    """FiftyOne's, which tags samples in the database."""
    dataset = _datasets[len(world.membership)]
    dataset.untag_samples(["train", "test"])
    four.random_split(dataset, {"train": 1 - SHARE, "test": SHARE}, seed=51)
    return np.where(
        ["test" in tags for tags in dataset.values("tags")], "test", "train"
    )


def stratified_groups(world: World, _: np.ndarray | None) -> np.ndarray:
    """scikit-learn's: the commonest combinations of populations as classes."""
    signature = pd.factorize(pd.Series(map(tuple, world.membership.to_numpy())))[0]
    common = pd.Series(signature).value_counts().index[:COMMONEST]
    y = np.where(np.isin(signature, common), signature, -1)
    folds = StratifiedGroupKFold(round(1 / SHARE), shuffle=True, random_state=0)
    _, test = next(folds.split(np.zeros(len(y)), y, world.scene))
    return _named(test, len(y))


def iterative(world: World, _: np.ndarray | None) -> np.ndarray:
    """iterative-stratification's, which knows no groups."""
    shuffle = MultilabelStratifiedShuffleSplit(1, test_size=SHARE, random_state=0)
    members = world.membership.to_numpy(dtype=int)
    _, test = next(shuffle.split(np.zeros(len(members)), members))
    return _named(test, len(members))


def _named(test: np.ndarray, n: int) -> np.ndarray:
    side = np.full(n, "train", dtype=object)
    side[test] = "test"
    return side


_WAYS: dict[str, tuple[Way, str]] = {
    "evalsets": (ours, "evalsets"),
    "fiftyone random_split": (random_split, "fiftyone"),
    "sklearn StratifiedGroupKFold": (stratified_groups, "scikit-learn"),
    "iterative-stratification": (iterative, "iterative-stratification"),
}
_datasets: dict[int, fo.Dataset] = {}


def _compare(world: World, n: int, rounds: int) -> None:
    start = world.first(n)
    steps = [n + max(1, int(more * n)) if more < 1 else n + 1 for more in GROWTH]
    for size in (n, *steps):
        _datasets[size] = bench.dataset_of(size, seed=size)
    seconds = bench.turns(
        {title: lambda way=way: way(start, None) for title, (way, _) in _WAYS.items()},
        rounds,
    )
    print(
        f"\n{n:,} samples, {POPULATIONS} populations of which {SHARE:.0%} each is asked"
    )
    columns = (
        "s",
        "worst error",
        "mean error",
        "scenes",
        "near",
        "+1",
        "+1 %",
        "+50 %",
    )
    print(f"{'':38}" + "".join(f"{column:>12}" for column in columns))
    for title, (way, package) in _WAYS.items():
        side = way(start, None)
        row = [f"{seconds[title]:.2f}", *_quality(start, side)]
        row += [_moved(way, world.first(size), side) for size in steps]
        name = f"{title} {metadata.version(package)}"
        print(f"{name:38}" + "".join(f"{cell:>12}" for cell in row))
    print(
        "errors in points of the share; scenes and near-duplicates on both sides; then"
    )
    print("samples that move from test to train when so many are added")


def _quality(world: World, side: np.ndarray) -> list[str]:
    test = side == "test"
    members = world.membership.to_numpy()
    error = 100 * np.abs(members[test].sum(axis=0) / members.sum(axis=0) - SHARE)
    broken = pd.Series(test).groupby(world.scene).nunique().gt(1).sum()
    straddling = (test[world.near[:, 0]] != test[world.near[:, 1]]).sum()
    return [
        f"{error.max():.2f}",
        f"{error.mean():.2f}",
        f"{broken:,}",
        f"{straddling:,}",
    ]


def _moved(way: Way, grown: World, before: np.ndarray) -> str:
    after = way(grown, before)[: len(before)]
    return f"{((before == 'test') & (after == 'train')).sum():,}"


def _large(n: int = 1_000_000, p: int = 200) -> None:
    """Independent populations of 0.5 to 15 %: no two samples are alike."""
    rng = np.random.default_rng(0)
    rate = rng.uniform(0.005, 0.15, p)
    grown = n + n // 100
    members = np.stack([rng.random(grown, dtype=np.float32) < r for r in rate], axis=1)
    names = [f"population {i}" for i in range(p)]
    membership = pd.DataFrame(members, [f"{i:024x}" for i in range(grown)], names)
    del members
    scenes = np.arange(grown) // 5  # what is added comes in scenes of its own
    scenes[:n] = np.random.default_rng(1).permutation(scenes[:n])
    before = _peak()
    print(f"\n{n:,} samples, {p} populations, evalsets alone ({before:,} MB of data)")
    equal = np.full(p, SHARE)
    asked: Iterable[tuple[str, np.ndarray, np.ndarray | None]] = (
        ("20 % of each", equal, None),
        ("5 to 30 %", rng.choice([0.05, 0.1, 0.2, 0.3], p), None),
        ("20 % of each, scenes of five", equal, scenes),
    )
    for title, shares, groups in asked:
        holdout = dict(zip(names, map(float, shares), strict=True))
        found = _timed(title, membership[:n], holdout, groups, None)
        if title.startswith("20 %"):
            previous = np.append(found.side, np.full(grown - n, ""))
            after = _timed("  and 1 % more", membership, holdout, groups, previous)
            moved = (found.side == "test") & (after.side[:n] != "test")
            print(f"{'':30}moved out of test: {moved.sum():,}")
    _replay(membership.index[:n], found)


def _timed(
    title: str,
    membership: pd.DataFrame,
    holdout: dict[str, float],
    groups: np.ndarray | None,
    previous: np.ndarray | None,
) -> Assignment:
    started, busy = time.perf_counter(), time.process_time()
    found = assign(
        membership,
        holdout,
        groups=None if groups is None else groups[: len(membership)],
        previous=previous,
        holdout_before=None if previous is None else holdout,
        val=0.1,
        val_before=None if previous is None else 0.1,
    )
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    report = found.report
    excess = (report.frame["deviation"] * report.frame["n"]).round()
    print(
        f"{title:30}{seconds:5.1f} s ({busy:.1f} s of CPU), peak {_peak():,} MB; total "
        f"excess {excess.sum():,.0f} memberships, proven to be at most {report.gap:,} "
        f"above the least; short {(excess < 0).sum()}, largest excess {excess.max():,.0f}"
    )
    return found


def _replay(ids: pd.Index, found: Assignment) -> None:
    """What it costs to check and replay the ledger before the next split."""
    keys = [f"camera/{i}.jpg" for i in ids]
    made = entries(list(ids), found, 1, keys=keys)
    record = seal({"entries": made, "folder": "/data"}, "")
    paths = {i: f"/data/{key}" for i, key in zip(ids, keys, strict=True)}
    started = time.perf_counter()
    verify([record])
    identity = identify([record], paths, {}, "/")
    standing(record["entries"], list(ids), found.side.tolist(), identity)
    print(
        f"{'checking and replaying its ledger':30} {time.perf_counter() - started:.1f} s"
    )


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
