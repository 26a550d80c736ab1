"""Places by the water: a harbour, a bridge, the open sea."""

from __future__ import annotations

import numpy as np

from examples.demo.scenes.canvas import WIDTH, Canvas
from examples.demo.scenes.ground import Ground
from examples.demo.scenes.horizon import background
from examples.demo.scenes.roads import lamp_posts
from examples.demo.scenes.stage import Stage, child
from examples.demo.scenes.structures import draw_block, draw_cables, draw_tower
from examples.demo.scenes.things import Stand, draw_boat, stand


def harbour(stage: Stage) -> None:
    """A quay, water, cranes and ships."""
    scene, rng, canvas, camera = stage.scene, stage.rng, stage.canvas, stage.camera
    background(stage, "port")
    ground = Ground(canvas, scene, rng)
    snowy = scene.weather == "snow"
    ground.sea(np.ones(ground.near.shape, bool), stage.sun)
    edge, skew = rng.uniform(0.3, 0.44), rng.uniform(-0.1, 0.1)
    limit = edge + skew * (ground.column / WIDTH - 0.5)
    quay = ground.near > limit
    ground.fill(quay, (206, 210, 218) if snowy else (164, 158, 148), kind=0)
    joints = quay & (
        (np.mod(ground.x, 2.4) < 0.07) | (np.mod(ground.far * 2, 1.3) < 0.05)
    )
    ground.fill(joints, (128, 124, 118))
    ground.fill(quay & (ground.near < limit + 0.035), (226, 186, 60))
    ground.finish()
    for near, x in zip((0.1, 0.17), rng.uniform(-0.8, 0.8, 2), strict=True):
        boat = stand(
            camera, x * WIDTH / 2 / camera.metre(near), near, *_hull(near, rng)
        )
        stage.add(near, draw_boat, boat, child(rng), 0.3 * stage.frame)
    taken = _containers(stage, edge)
    if scene.time == "night" or rng.random() < 0.4:
        lamp_posts(stage, lambda near, offset: (offset, max(near, edge + 0.1)), 4.6)
    floor = edge + abs(skew) / 2 + 0.06
    stage.populate(
        lambda: (rng.uniform(-4, 4), rng.uniform(floor + 0.04, 0.8)),
        lambda: (rng.uniform(-6, 6), rng.uniform(floor, 0.88)),
        taken=taken,
    )


def _hull(near: float, rng: np.random.Generator) -> tuple[float, float]:
    """Width and height of a cargo ship, far out, or of a sailing boat, in metres."""
    return (26.0, 7.4) if near < 0.13 and rng.random() < 0.7 else (6.6, 7.2)


def _containers(stage: Stage, edge: float) -> list[Stand]:
    rng, stacks = stage.rng, []
    side = rng.choice([-1, 1])
    for i in range(int(rng.integers(1, 4))):
        near = edge + 0.16 + 0.12 * i
        x = side * (WIDTH / 2 / stage.camera.metre(near) - rng.uniform(0.2, 0.9))
        colour = ((170, 66, 52), (56, 96, 140), (70, 122, 92), (196, 144, 60))[
            rng.integers(4)
        ]
        levels = int(rng.integers(1, 3))
        stacks.append(stand(stage.camera, x, near, 3.4, 1.5 * levels))
        xs = x - 1.6, x + 1.6
        stage.add(near, draw_block, xs, near, 0.84, 1.45 * levels, colour)
    return stacks


def bridge(stage: Stage) -> None:
    """The deck of a suspension bridge, the ocean on both sides."""
    scene, rng, canvas = stage.scene, stage.rng, stage.canvas
    if rng.random() < 0.5:
        background(stage, "islands")
    ground = Ground(canvas, scene, rng)
    ground.sea(np.ones(ground.near.shape, bool), stage.sun)
    snowy = scene.weather == "snow"
    lean, half = rng.uniform(-1.3, 1.3), rng.uniform(2.5, 3.0)
    walk = half + 1.3
    off = np.abs(ground.x - lean)
    ground.fill(off < walk + 0.25, (110, 112, 118), kind=0)
    ground.fill(off < walk, (216, 220, 226) if snowy else (178, 174, 166), kind=0)
    ground.road(lambda near: np.full_like(near, lean), half, snowy, marks=True)
    ground.finish()
    steel = ((176, 68, 52), (150, 158, 168), (86, 110, 124))[rng.integers(3)]
    towers = (0.055, 0.3) if rng.random() < 0.6 else (0.055, 0.2)
    for near in towers:
        stage.add(near, draw_tower, lean, walk, near, steel)
    draw_cables(stage.canvas, lean, walk, towers, steel)
    if scene.time == "night":
        lamp_posts(stage, lambda near, offset: (lean + offset, near), walk)

    def walker() -> tuple[float, float]:
        side = rng.choice([-1, 1])
        return lean + side * rng.uniform(half - 0.3, walk - 0.35), rng.uniform(
            0.24, 0.8
        )

    stage.populate(
        lambda: (lean + rng.choice([-0.5, 0.5]) * half, rng.uniform(0.15, 0.68)), walker
    )


def open_sea(stage: Stage) -> None:
    """Nothing but water, boats, and people on paddle boards."""
    scene, rng, canvas, camera = stage.scene, stage.rng, stage.canvas, stage.camera
    if rng.random() < 0.4:
        background(stage, "islands")
    ground = Ground(canvas, scene, rng)
    ground.sea(np.ones(ground.near.shape, bool), stage.sun)
    ground.finish()
    for near in rng.uniform(0.07, 0.2, int(rng.integers(0, 3))):
        x = rng.uniform(-0.8, 0.8) * WIDTH / 2 / camera.metre(near)
        boat = stand(camera, x, near, *_hull(near, rng))
        stage.add(near, draw_boat, boat, child(rng), 0.3 * stage.frame)

    def paddler() -> tuple[float, float]:
        near = rng.uniform(0.26, 0.86)
        return rng.uniform(-0.9, 0.9) * WIDTH / 2 / camera.metre(near), near

    stage.populate(paddler, paddler)
    for person in stage.people:
        stage.add(person.near - 1e-4, _board, person)


def _board(canvas: Canvas, person: Stand) -> None:
    metre = canvas.camera.metre(person.near)
    colour = canvas.light.on((240, 232, 206), person.near)
    canvas.ellipse(
        canvas.camera.point(person.x, person.near), 1.0 * metre, 0.14 * metre, colour
    )
