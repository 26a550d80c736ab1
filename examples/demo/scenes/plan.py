"""What each scene shows: attributes spread so that every combination occurs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

KINDS = (
    "straight road",
    "windy road",
    "harbour",
    "bridge",
    "factory floor",
    "open sea",
)
INDOORS = "indoors"
WEATHERS = ("sunny", "clear", "cloudy", "rain", "fog", "snow", INDOORS)
TIMES = ("day", "sunset", "night", INDOORS)

_SKIES = {
    ("day", "sunny"): 0.17,
    ("day", "cloudy"): 0.09,
    ("day", "rain"): 0.08,
    ("day", "fog"): 0.08,
    ("day", "snow"): 0.08,
    ("sunset", "sunny"): 0.13,
    ("sunset", "cloudy"): 0.07,
    ("night", "clear"): 0.1,
    ("night", "cloudy"): 0.05,
    ("night", "rain"): 0.06,
    ("night", "fog"): 0.04,
    ("night", "snow"): 0.05,
}
_PEOPLE = {
    0: 0.22, 1: 0.13, 2: 0.12, 3: 0.12, 4: 0.08,
    5: 0.06, 6: 0.09, 7: 0.08, 8: 0.06, 9: 0.04,
}  # fmt: skip
_VEHICLES = {0: 0.35, 1: 0.25, 2: 0.2, 3: 0.12, 4: 0.08}
_MOST_VEHICLES = {"harbour": 2, "factory floor": 2, "open sea": 0}

Option = TypeVar("Option")


@dataclass(frozen=True)
class Scene:
    """One place at one moment, before anything is drawn.

    Args:
        scene_id: unique within a world
        seed: decides the layout; the same for all frames of the scene
        kind: one of ``KINDS``
        weather: one of ``WEATHERS``; ``clear`` is a night without clouds
        time: one of ``TIMES``
        lighting: ``lit`` or ``dim`` on a factory floor, else empty
        trees: whether trees line the road
        glare: whether the sun shines into the camera
        people: how many people to place
        vehicles: how many vehicles to place
        frames: length of the sequence
    """

    scene_id: str
    seed: int
    kind: str
    weather: str
    time: str
    lighting: str
    trees: bool
    glare: bool
    people: int
    vehicles: int
    frames: int


def plan(n_scenes: int, seed: int, frames: tuple[int, int] = (3, 5)) -> list[Scene]:
    """The scenes of a world.

    Args:
        n_scenes: how many
        seed: decides everything
        frames: shortest and longest sequence
    """
    rng = np.random.default_rng(seed)
    kinds = _spread(rng, dict.fromkeys(KINDS, 1.0), n_scenes)
    attributes = {
        kind: _attributes(rng, kind, kinds.count(kind)) for kind in sorted(set(kinds))
    }
    return [
        Scene(
            scene_id=f"{seed}-{index:04d}",
            seed=int(rng.integers(2**31)),
            kind=kind,
            frames=int(rng.integers(frames[0], frames[1] + 1)),
            **next(attributes[kind]),
        )
        for index, kind in enumerate(kinds)
    ]


def _attributes(
    rng: np.random.Generator, kind: str, n: int
) -> Iterator[dict[str, object]]:
    indoors = kind == "factory floor"
    skies = _spread(rng, {(INDOORS, INDOORS): 1.0} if indoors else _SKIES, n)
    lighting = _spread(rng, {"lit": 0.5, "dim": 0.5} if indoors else {"": 1.0}, n)
    has_trees = {True: 0.5, False: 0.5} if kind.endswith("road") else {False: 1.0}
    trees = _spread(rng, has_trees, n)
    glares = _spread(rng, {True: 0.45, False: 0.55}, n)
    people = _spread(rng, _PEOPLE, n)
    vehicles = _spread(rng, _VEHICLES, n)
    for i, (time, weather) in enumerate(skies):
        yield {
            "time": time,
            "weather": weather,
            "lighting": lighting[i],
            "trees": trees[i],
            "glare": glares[i] and weather == "sunny",
            "people": people[i],
            "vehicles": min(vehicles[i], _MOST_VEHICLES.get(kind, 4)),
        }


def _spread(
    rng: np.random.Generator, weights: Mapping[Option, float], n: int
) -> list[Option]:
    """``n`` options in random order, as near to their weights as whole numbers go."""
    options = list(weights)
    share = np.array([weights[option] for option in options])
    exact = share / share.sum() * n
    counts = np.floor(exact).astype(int)
    rest = np.argsort(counts - exact + rng.uniform(0, 1e-3, len(options)))
    counts[rest[: n - counts.sum()]] += 1
    spread = [
        option
        for option, count in zip(options, counts, strict=True)
        for _ in range(count)
    ]
    return [spread[i] for i in rng.permutation(n)]
