"""What stands on the horizon."""

from __future__ import annotations

import numpy as np

from examples.demo.scenes.canvas import WIDTH, mix
from examples.demo.scenes.stage import Stage


def background(stage: Stage, kind: str) -> None:
    """Draws hills, mountains, islands, a town or a port."""
    rng, canvas, light = stage.rng, stage.canvas, stage.canvas.light
    horizon = stage.camera.horizon
    night = stage.scene.time == "night"
    if kind in ("town", "port"):
        _skyline(stage, night)
        if kind == "port":
            _cranes(stage)
        return
    colours = {
        "hills": (104, 130, 96),
        "mountains": (112, 122, 146),
        "islands": (92, 112, 116),
    }
    rough = {"hills": 0.35, "mountains": 1.0, "islands": 0.5}[kind]
    high = {"hills": 20, "mountains": 42, "islands": 12}[kind]
    for layer, near in enumerate((0.03, 0.06)):
        x = np.linspace(-5, WIDTH + 5, 60)
        p = rng.uniform(0, 6.28, 4)
        ridge = 0.5 + 0.3 * np.sin(x / 47 + p[0]) + 0.2 * np.sin(x / 21 + p[1])
        ridge += rough * (
            0.16 * np.abs(np.sin(x / 13 + p[2])) + 0.04 * np.sin(x / 4 + p[3])
        )
        if kind == "islands":
            ridge -= 0.45
        top = horizon - high * np.maximum(ridge, 0) * (1 - 0.45 * layer)
        points = [
            *zip(x, top, strict=True),
            (WIDTH + 5, horizon + 1),
            (-5, horizon + 1),
        ]
        canvas.polygon(points, light.on(colours[kind], near))


def _skyline(stage: Stage, night: bool) -> None:
    rng, canvas, light = stage.rng, stage.canvas, stage.canvas.light
    horizon, x = stage.camera.horizon, -4.0
    tall = rng.uniform(10, 30)
    while x < WIDTH:
        wide, high = rng.uniform(9, 22), tall * rng.uniform(0.3, 1.0)
        shade = rng.uniform(104, 160)
        colour = light.on((shade, shade, shade + 12), 0.08)
        canvas.box((x, horizon - high), (x + wide, horizon + 1), colour)
        for row in np.arange(horizon - high + 3, horizon - 3, 4):
            for column in np.arange(x + 2, x + wide - 2, 3.5):
                glows = rng.random() < 0.4
                if night and glows:
                    canvas.box(
                        (column, row), (column + 1.4, row + 1.8), (236, 200, 120)
                    )
                elif not night:
                    canvas.box(
                        (column, row),
                        (column + 1.4, row + 1.8),
                        mix(colour, (40, 52, 70), 0.25),
                    )
        x += wide + rng.uniform(-2, 9)


def _cranes(stage: Stage) -> None:
    rng, canvas = stage.rng, stage.canvas
    horizon = stage.camera.horizon
    colour = canvas.light.on((196, 84, 50), 0.12)
    for x in rng.uniform(10, WIDTH - 10, int(rng.integers(2, 5))):
        high, reach = rng.uniform(26, 40), rng.choice([-1, 1])
        base, top = (x, horizon + 1), (x, horizon - high)
        canvas.line([base, top], 1.8, colour)
        canvas.line([(x + 9, horizon + 1), (x + 9, horizon - high * 0.72)], 1.8, colour)
        beam = [
            (x - 12 * reach, horizon - high * 0.72),
            (x + 27 * reach, horizon - high * 0.72),
        ]
        canvas.line(beam, 1.8, colour)
        canvas.line([top, beam[1]], 0.8, colour)
        canvas.line([top, beam[0]], 0.8, colour)
