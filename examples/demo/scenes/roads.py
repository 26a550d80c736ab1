"""Roads through open country."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from examples.demo.scenes.canvas import WIDTH
from examples.demo.scenes.ground import Ground
from examples.demo.scenes.horizon import background
from examples.demo.scenes.stage import Stage, child
from examples.demo.scenes.things import Stand, draw_lamp_post, draw_tree, stand


def straight_road(stage: Stage) -> None:
    """A road to the vanishing point."""
    lean = stage.rng.uniform(-1.6, 1.6)
    _road(stage, lambda near: np.full_like(near, lean), half=3.5)


def windy_road(stage: Stage) -> None:
    """A road in bends."""
    rng = stage.rng
    width, turns, phase = (
        rng.uniform(0.2, 0.27),
        rng.uniform(1.25, 1.75),
        rng.uniform(0, 6.28),
    )
    metre = stage.camera.metre(1.0)

    def centre(near: np.ndarray) -> np.ndarray:
        shift = width * WIDTH * near**0.55
        bends = np.sin(6.28 * turns * (1 - near**0.42) + phase)
        return shift * bends / (metre * near)

    _road(stage, centre, half=2.6)


def _road(
    stage: Stage, centre: Callable[[np.ndarray], np.ndarray], half: float
) -> None:
    scene, rng, canvas = stage.scene, stage.rng, stage.canvas
    snowy = scene.weather == "snow"
    background(stage, rng.choice(["hills", "mountains", "town"]))
    ground = Ground(canvas, scene, rng)
    ground.field(snowy)
    ground.road(centre, half, snowy, marks=rng.random() < 0.8)
    ground.finish()

    def at(near: float, offset: float) -> tuple[float, float]:
        return float(centre(np.array([near]))[0]) + offset, near

    taken: list[Stand] = []
    if scene.trees:
        _trees(stage, at, half, snowy, taken)
    if scene.time == "night" or rng.random() < 0.3:
        lamp_posts(stage, at, half + 0.7)
    stage.populate(
        lambda: at(rng.uniform(0.16, 0.72), rng.choice([-0.5, 0.5]) * half),
        lambda: at(rng.uniform(0.26, 0.86), rng.uniform(-1.25, 1.25) * half),
        taken=taken,
    )


def _trees(
    stage: Stage,
    at: Callable[[float, float], tuple[float, float]],
    half: float,
    snowy: bool,
    taken: list[Stand],
) -> None:
    rng = stage.rng
    for side in (-1, 1):
        for near in np.geomspace(0.09, 0.62, int(rng.integers(5, 9))):
            near *= rng.uniform(0.9, 1.1)
            x, _ = at(near, side * (half + rng.uniform(2.2, 4.0)))
            tree = stand(stage.camera, x, near, 3.8, 5.4)
            taken.append(tree)
            stage.add(near, draw_tree, tree, child(rng), snowy)


def lamp_posts(
    stage: Stage, at: Callable[[float, float], tuple[float, float]], offset: float
) -> None:
    """A row of street lamps along ``at(near, offset)``."""
    side = stage.rng.choice([-1, 1])
    for near in (0.12, 0.2, 0.36, 0.66):
        x, _ = at(near, side * offset)
        post = stand(stage.camera, x, near, 0.3, 5.0)
        stage.add(near, draw_lamp_post, post, -1.4 * side)
