"""Containers and machines, and what a suspension bridge hangs on."""

from __future__ import annotations

import numpy as np

from examples.demo.scenes.canvas import Canvas, Colour, mix


def draw_block(
    canvas: Canvas,
    xs: tuple[float, float],
    near: float,
    depth: float,
    high: float,
    colour: Colour,
) -> None:
    """A box: its front at ``near``, its back at ``near * depth``."""
    camera, light = canvas.camera, canvas.light
    back = near * depth
    left, right = xs
    if high < camera.height:
        top = [(left, near), (right, near), (right, back), (left, back)]
        lid = light.on(mix(colour, (255, 255, 255), 0.18), near)
        canvas.polygon([camera.point(x, n, high) for x, n in top], lid)
    inner = right if right < 0 else left
    if left > 0 or right < 0:
        side = [(near, 0.0), (near, high), (back, high), (back, 0.0)]
        dark = light.on(mix(colour, (0, 0, 0), 0.3), near)
        canvas.polygon([camera.point(inner, n, up) for n, up in side], dark)
    canvas.box(
        camera.point(left, near, high),
        camera.point(right, near),
        light.on(colour, near),
    )
    for x in np.linspace(left, right, 9)[1:-1]:
        rib = [camera.point(x, near, high * 0.94), camera.point(x, near, 0.06 * high)]
        canvas.line(
            rib, 0.03 * camera.metre(near), light.on(mix(colour, (0, 0, 0), 0.16), near)
        )


def draw_tower(
    canvas: Canvas, lean: float, walk: float, near: float, steel: Colour
) -> None:
    """A portal of steel over the deck."""
    camera = canvas.camera
    colour = canvas.light.on(steel, near)
    metre = camera.metre(near)
    for side in (-1, 1):
        x = lean + side * (walk + 0.5)
        canvas.line(
            [camera.point(x, near, -3), camera.point(x, near, 11)], 0.55 * metre, colour
        )
    for up in (6.2, 10.6):
        ends = [camera.point(lean + side * (walk + 0.5), near, up) for side in (-1, 1)]
        canvas.line(ends, 0.5 * metre, colour)


def draw_cables(
    canvas: Canvas, lean: float, walk: float, towers: tuple[float, ...], steel: Colour
) -> None:
    """Cables from tower to tower, hangers and rails, on both sides."""
    camera = canvas.camera
    far, close = 1 / towers[0], 1 / towers[1]
    distances = np.concatenate(
        [np.linspace(far, close, 24), np.linspace(close, 1 / 1.9, 14)]
    )
    for side in (-1, 1):
        x = lean + side * (walk + 0.5)
        cable, rail = [], []
        for distance in distances:
            near = 1 / distance
            if distance > close:
                along = (distance - close) / (far - close)
            else:
                along = 0.5 * (close - distance) / close
            up = 1.6 + 9.0 * (2 * along - 1) ** 2
            cable.append(camera.point(x, near, up))
            rail.append(camera.point(x, near, 1.0))
            hanger = [cable[-1], camera.point(x, near)]
            canvas.line(hanger, 0.05 * camera.metre(near), canvas.light.on(steel, near))
        colour = canvas.light.on(mix(steel, (0, 0, 0), 0.1), 0.4)
        canvas.line(cable, 1.3, colour)
        canvas.line(rail, 1.0, colour)
