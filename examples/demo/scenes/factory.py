"""A factory floor, well lit or dim."""

from __future__ import annotations

import numpy as np

from examples.demo.scenes.canvas import Camera, Canvas, Colour, Lamp, mix
from examples.demo.scenes.ground import Ground
from examples.demo.scenes.stage import Stage
from examples.demo.scenes.structures import draw_block
from examples.demo.scenes.things import Stand, draw_forklift, stand

_HALF, _CEILING = 6.4, 5.6  # metres


def factory_floor(stage: Stage) -> None:
    """A hall with machines along its walls."""
    rng, canvas = stage.rng, stage.canvas
    back = rng.uniform(0.17, 0.26)
    _hall(canvas, back, rng)
    _floor(stage, back)
    _ceiling_lamps(stage, back)
    taken = _machines(stage, back)
    lane = 3.1

    stage.populate(
        lambda: (rng.uniform(-lane, lane), rng.uniform(back + 0.12, 0.7)),
        lambda: (rng.uniform(-lane - 0.4, lane + 0.4), rng.uniform(back + 0.1, 0.86)),
        draw_forklift,
        taken=taken,
        helmets=rng.random() < 0.6,
    )


def _hall(canvas: Canvas, back: float, rng: np.random.Generator) -> None:
    camera, light = canvas.camera, canvas.light
    tone = rng.uniform(-14, 14)
    wall: Colour = (176 + tone, 182 + tone, 186)
    front = 2.4
    for side in (-1, 1):
        corners = [(back, 0.0), (back, _CEILING), (front, _CEILING), (front, 0.0)]
        points = [camera.point(side * _HALF, near, up) for near, up in corners]
        canvas.polygon(points, light.on(mix(wall, (90, 100, 110), 0.25)))
        for distance in np.arange(0.8, 1 / back, 0.9):
            pillar = [
                camera.point(side * _HALF, 1 / distance, up) for up in (0, _CEILING)
            ]
            canvas.line(
                pillar, 0.3 * camera.metre(1 / distance), light.on((120, 128, 136))
            )
    corners = [(-_HALF, back), (_HALF, back), (_HALF, front), (-_HALF, front)]
    points = [camera.point(x, near, _CEILING) for x, near in corners]
    canvas.polygon(points, light.on((112, 118, 124)))
    canvas.box(
        camera.point(-_HALF, back, _CEILING), camera.point(_HALF, back), light.on(wall)
    )
    gate = ((60, 96, 136), (150, 84, 60), (84, 110, 96))[rng.integers(3)]
    x = rng.uniform(-3.5, 1.5)
    canvas.box(camera.point(x, back, 3.2), camera.point(x + 2.6, back), light.on(gate))
    for distance in np.arange(0.7, 1 / back, 0.7):
        truss = [
            camera.point(s * _HALF, 1 / distance, _CEILING - 0.15) for s in (-1, 1)
        ]
        canvas.line(truss, 0.2 * camera.metre(1 / distance), light.on((78, 84, 92)))


def _floor(stage: Stage, back: float) -> None:
    ground = Ground(stage.canvas, stage.scene, stage.rng)
    floor = ground.near > back
    tone = stage.rng.uniform(-10, 10)
    ground.fill(floor, (158 + tone, 160 + tone, 158))
    tiles = (np.mod(ground.x, 1.6) < 0.05) | (np.mod(ground.far, 0.5) < 0.02)
    ground.fill(floor & tiles, (136, 138, 138))
    lane = np.abs(np.abs(ground.x) - 3.7) < 0.09
    ground.fill(floor & lane, (238, 196, 50))
    seen = ground.colours * np.array(stage.canvas.light.ambient)
    first = int(np.argmax(floor[:, 0]))
    stage.canvas.paste(seen[first:], ground.classes[first:], ground.top + first)


def _ceiling_lamps(stage: Stage, back: float) -> None:
    canvas, camera, rng = stage.canvas, stage.camera, stage.rng
    lit = stage.scene.lighting == "lit"
    broken = rng.random((2, 5)) < 0.86
    for row, x in enumerate((-2.6, 2.6)):
        for i, distance in enumerate(np.linspace(1.05, 0.92 / back, 5)):
            near = 1 / distance
            on = lit or not broken[row, i]
            glow = (255, 252, 236) if lit else (255, 214, 140)
            colour = glow if on else canvas.light.on((150, 152, 150))
            corners = (
                (-0.7, near),
                (0.7, near),
                (0.7, near * 0.93),
                (-0.7, near * 0.93),
            )
            points = [camera.point(x + dx, n, _CEILING - 0.4) for dx, n in corners]
            canvas.polygon(points, colour)
            if on:
                _shine(canvas, camera, x, near, lit)


def _shine(canvas: Canvas, camera: Camera, x: float, near: float, lit: bool) -> None:
    metre = camera.metre(near)
    head = camera.point(x, near, _CEILING - 0.4)
    canvas.lamps.append(Lamp(head, 1.3 * metre, (70, 68, 60) if lit else (96, 74, 40)))
    if not lit:
        floor = camera.point(x, near)
        canvas.lamps.append(Lamp(floor, 1.7 * metre, (20, 14, 4), reveals=0.7))


def _machines(stage: Stage, back: float) -> list[Stand]:
    rng, taken = stage.rng, []
    paints = ((70, 112, 148), (88, 132, 110), (196, 122, 60), (140, 146, 152))
    for side in (-1, 1):
        for near in np.geomspace(back * 1.25, 0.8, int(rng.integers(3, 6))):
            wide, high = rng.uniform(0.9, 1.5), rng.uniform(1.1, 2.3)
            x = side * (_HALF - 0.3 - wide / 2)
            paint = paints[rng.integers(len(paints))]
            taken.append(stand(stage.camera, x, near, wide + 0.2, high))
            xs = (x - wide / 2, x + wide / 2)
            stage.add(near, draw_block, xs, near, 0.84, high, paint)
            if rng.random() < 0.4:
                turn = rng.uniform(-0.4, 0.4) + 0.03 * stage.frame
                stage.add(near + 1e-4, _robot_arm, x, near, high, -side, turn)
    return taken


def _robot_arm(
    canvas: Canvas, x: float, near: float, up: float, side: int, turn: float
) -> None:
    camera, metre = canvas.camera, canvas.camera.metre(near)
    orange = canvas.light.on((236, 116, 34))
    joints = [
        (x, up), (x + 0.2 * side, up + 0.8 + turn), (x + 1.0 * side, up + 0.9 + turn),
        (x + 1.2 * side, up + 0.3 + turn),
    ]  # fmt: skip
    points = [camera.point(jx, near, jup) for jx, jup in joints]
    canvas.line(points, 0.2 * metre, orange)
    for point in points[:3]:
        canvas.ellipse(point, 0.16 * metre, 0.16 * metre, canvas.light.on((60, 62, 68)))
