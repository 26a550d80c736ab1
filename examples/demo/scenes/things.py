"""People, vehicles, trees and what else stands in a scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from examples.demo.scenes.canvas import (
    HEIGHT,
    PERSON,
    WIDTH,
    Camera,
    Canvas,
    Colour,
    Lamp,
    Point,
    mix,
)

Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels

_SHIRTS = (
    (206, 60, 52), (236, 180, 60), (52, 110, 190), (240, 240, 236),
    (70, 150, 98), (226, 120, 60), (150, 84, 160), (226, 150, 170),
)  # fmt: skip
_TROUSERS = ((44, 50, 70), (70, 62, 56), (30, 34, 40), (96, 92, 84))
_SKINS = ((236, 196, 164), (198, 142, 104), (132, 88, 62), (92, 62, 46))
_PAINTS = (
    (190, 44, 46), (44, 92, 160), (230, 232, 234), (52, 58, 66),
    (150, 158, 166), (222, 170, 52), (58, 120, 92),
)  # fmt: skip
_LEAVES = ((62, 122, 60), (84, 142, 62), (48, 102, 66), (150, 130, 50))


@dataclass(frozen=True)
class Stand:
    """Where a thing stands, and the pixels it covers.

    Args:
        x: metres to the right
        near: nearness, see ``Camera``
        box: pixels
    """

    x: float
    near: float
    box: Box


def stand(camera: Camera, x: float, near: float, wide: float, high: float) -> Stand:
    """A thing of this size, in metres, on the ground."""
    left, top = camera.point(x - wide / 2, near, high)
    right, bottom = camera.point(x + wide / 2, near)
    return Stand(x, near, (left, top, right, bottom))


def place(
    count: int,
    draw: Callable[[], Stand],
    taken: list[Stand],
    overlap: float = 0.1,
) -> list[Stand]:
    """Finds free places, none of them hidden; fewer than ``count`` if it is full.

    Args:
        count: how many
        draw: proposes one
        taken: what stands there already; grows by the places found
        overlap: largest share of a box that a nearer thing may hide
    """
    found: list[Stand] = []
    for _ in range(count * 60):
        if len(found) == count:
            break
        proposed = draw()
        if _inside(proposed.box) and all(
            _hidden(proposed, other) <= overlap for other in taken
        ):
            found.append(proposed)
            taken.append(proposed)
    return found


def _inside(box: Box) -> bool:
    left, top, right, bottom = box
    return left > 5 and right < WIDTH - 5 and top > 2 and bottom < HEIGHT - 2


def _hidden(one: Stand, other: Stand) -> float:
    """The larger hidden share, whichever of the two is behind."""
    (a, b, c, d), (e, f, g, h) = one.box, other.box
    common = max(0.0, min(c, g) - max(a, e)) * max(0.0, min(d, h) - max(b, f))
    behind = one.box if one.near < other.near else other.box
    return common / ((behind[2] - behind[0]) * (behind[3] - behind[1]))


def _eyes(
    canvas: Canvas, at: Stand, gain: float = 1.0
) -> tuple[Callable[[Colour], Colour], Callable[[float, float], Point]]:
    """Colours as seen at this place, and pixels of points relative to it."""

    def lit(colour: Colour) -> Colour:
        return canvas.light.on(colour, at.near, gain)

    def pixel(x: float, up: float) -> Point:
        return canvas.camera.point(at.x + x, at.near, up)

    return lit, pixel


def draw_person(
    canvas: Canvas, at: Stand, rng: np.random.Generator, step: float, helmet: bool
) -> None:
    """A walking person, 1.75 m tall; ``step`` is the phase of the walk."""
    shirt, trousers, skin = (
        colours[rng.integers(len(colours))] for colours in (_SHIRTS, _TROUSERS, _SKINS)
    )
    hair = mix((30, 22, 18), (120, 84, 50), rng.random())
    if helmet:
        shirt, hair = ((240, 120, 30), (250, 206, 40))
    stride = 0.2 * np.sin(step + rng.uniform(0, 6.3))
    gain = 1.35 if max(canvas.light.ambient) < 0.6 else 1.0
    metre = canvas.camera.metre(at.near)

    lit, pixel = _eyes(canvas, at, gain)
    canvas.shadow(pixel(0.1, 0.02), 0.42 * metre, 0.1 * metre)
    for foot in (stride, -stride):
        points = [pixel(foot * 0.3, 0.85), pixel(foot, 0.02)]
        canvas.line(points, 0.19 * metre, lit(trousers), PERSON)
    for side in (-1, 1):
        hand = side * 0.3 - side * stride * 0.4
        points = [pixel(side * 0.19, 1.36), pixel(hand, 0.8)]
        canvas.line(points, 0.12 * metre, lit(mix(shirt, (0, 0, 0), 0.2)), PERSON)
    canvas.box(pixel(-0.21, 1.44), pixel(0.21, 0.78), lit(shirt), PERSON, 0.1 * metre)
    canvas.ellipse(pixel(0, 1.6), 0.125 * metre, 0.15 * metre, lit(skin), PERSON)
    canvas.ellipse(pixel(0, 1.67), 0.135 * metre, 0.1 * metre, lit(hair), PERSON)


def draw_car(canvas: Canvas, at: Stand, rng: np.random.Generator) -> None:
    """A car or a van from behind."""
    van = rng.random() < 0.25
    paint = _PAINTS[rng.integers(len(_PAINTS))]
    roof, metre = (2.0 if van else 1.42), canvas.camera.metre(at.near)

    lit, pixel = _eyes(canvas, at)
    canvas.shadow(pixel(0, 0.02), 1.15 * metre, 0.22 * metre)
    for side in (-0.7, 0.7):
        canvas.box(pixel(side - 0.14, 0.5), pixel(side + 0.14, 0), lit((24, 24, 28)))
    cabin = [(-0.84, 0.8), (-0.66, roof), (0.66, roof), (0.84, 0.8)]
    glass = [(-0.68, 0.9), (-0.56, roof - 0.12), (0.56, roof - 0.12), (0.68, 0.9)]
    canvas.polygon([pixel(*p) for p in cabin], lit(mix(paint, (0, 0, 0), 0.12)))
    canvas.polygon([pixel(*p) for p in glass], lit((74, 92, 110)))
    canvas.box(pixel(-0.9, 0.9), pixel(0.9, 0.28), lit(paint), radius=0.12 * metre)
    canvas.box(pixel(-0.24, 0.56), pixel(0.24, 0.42), lit((236, 236, 226)))
    night = max(canvas.light.ambient) < 0.6
    for side in (-0.7, 0.7):
        lamp = pixel(side, 0.7)
        canvas.ellipse(
            lamp,
            0.14 * metre,
            0.09 * metre,
            (236, 40, 34) if night else lit((180, 30, 30)),
        )
        if night:
            canvas.lamps.append(Lamp(lamp, 0.45 * metre, (130, 16, 10)))


def draw_forklift(canvas: Canvas, at: Stand, rng: np.random.Generator) -> None:
    """A forklift from behind."""
    metre = canvas.camera.metre(at.near)
    paint = ((240, 170, 30), (220, 90, 40))[rng.integers(2)]

    lit, pixel = _eyes(canvas, at)
    canvas.shadow(pixel(0, 0.02), 0.9 * metre, 0.2 * metre)
    for side in (-0.45, 0.45):
        canvas.line(
            [pixel(side, 0.3), pixel(side, 2.3)], 0.1 * metre, lit((50, 52, 58))
        )
        canvas.box(pixel(side - 0.16, 0.5), pixel(side + 0.16, 0), lit((24, 24, 28)))
    canvas.box(pixel(-0.62, 2.34), pixel(0.62, 2.2), lit((50, 52, 58)))
    canvas.box(pixel(-0.62, 1.1), pixel(0.62, 0.25), lit(paint), radius=0.1 * metre)
    canvas.box(pixel(-0.42, 0.9), pixel(0.42, 0.5), lit((40, 42, 48)))


def draw_tree(canvas: Canvas, at: Stand, rng: np.random.Generator, snowy: bool) -> None:
    """A leafy tree or a conifer."""
    metre = canvas.camera.metre(at.near)
    leaves = mix(_LEAVES[rng.integers(len(_LEAVES))], (236, 240, 246), 0.55 * snowy)
    sway = rng.uniform(-0.2, 0.2, (4, 2))
    conifer = rng.random() < 0.35

    lit, pixel = _eyes(canvas, at)
    canvas.shadow(pixel(0.5, 0.02), 1.9 * metre, 0.35 * metre)
    trunk = lit((92, 66, 46))
    canvas.line([pixel(0, 0), pixel(0, 2.4)], 0.34 * metre, trunk)
    if conifer:
        for low, half in ((1.0, 1.5), (2.1, 1.2), (3.2, 0.9)):
            shape = [(-half, low), (0, low + 2.3), (half, low)]
            canvas.polygon(
                [pixel(*p) for p in shape], lit(mix(leaves, (0, 0, 0), 0.25))
            )
            lit_side = [(-half, low), (0, low + 2.3), (0, low)]
            canvas.polygon([pixel(*p) for p in lit_side], lit(leaves))
        return
    puffs = ((-0.9, 3.0, 1.15), (0.9, 3.1, 1.1), (0.0, 4.0, 1.35), (-0.3, 3.4, 1.1))
    for (x, up, radius), (dx, dy) in zip(puffs, sway, strict=True):
        at_pixel = pixel(x + dx, up + dy)
        canvas.ellipse(
            at_pixel, radius * metre, radius * metre, lit(mix(leaves, (0, 0, 0), 0.28))
        )
    for (x, up, radius), (dx, dy) in zip(puffs, sway, strict=True):
        at_pixel = pixel(x + dx - 0.25, up + dy + 0.3)
        canvas.ellipse(
            at_pixel, 0.72 * radius * metre, 0.7 * radius * metre, lit(leaves)
        )


def draw_lamp_post(canvas: Canvas, at: Stand, inward: float) -> None:
    """A street lamp; it shines at night."""
    metre = canvas.camera.metre(at.near)
    night = max(canvas.light.ambient) < 0.6
    pole = canvas.light.on((84, 88, 96), at.near)
    head = canvas.camera.point(at.x + inward, at.near, 5.0)
    points = [canvas.camera.point(at.x, at.near, up) for up in (0.0, 4.8)] + [
        canvas.camera.point(at.x + 0.3 * inward, at.near, 5.05),
        head,
    ]
    canvas.line(points, 0.13 * metre, pole)
    canvas.ellipse(head, 0.34 * metre, 0.12 * metre, (255, 226, 160) if night else pole)
    if night:
        canvas.lamps.append(Lamp(head, 0.9 * metre, (190, 150, 80)))
        ground = canvas.camera.point(at.x + 1.2 * inward, at.near)
        canvas.lamps.append(Lamp(ground, 2.2 * metre, (26, 20, 8), reveals=0.8))


def draw_boat(
    canvas: Canvas, at: Stand, rng: np.random.Generator, drift: float
) -> None:
    """A cargo ship if the place is wide, else a sailing boat."""
    at = Stand(at.x + drift, at.near, at.box)
    left, top, right, bottom = at.box
    if right - left > 1.5 * (bottom - top):
        _draw_ship(canvas, at, rng)
    else:
        _draw_sailing_boat(canvas, at)
    if max(canvas.light.ambient) < 0.6:
        mast = canvas.camera.point(at.x, at.near, 5.0)
        canvas.lamps.append(Lamp(mast, 5, (200, 180, 110)))


def _draw_ship(canvas: Canvas, at: Stand, rng: np.random.Generator) -> None:
    lit, pixel = _eyes(canvas, at)
    long = 13.0
    hull = lit(_PAINTS[rng.integers(len(_PAINTS))])
    for i, stack in enumerate(rng.uniform(1.4, 3.6, 5)):
        left = -long + 6 + 3.2 * i
        colour = lit(_PAINTS[rng.integers(len(_PAINTS))])
        canvas.box(pixel(left, 2.6 + stack), pixel(left + 2.9, 2.6), colour)
    canvas.box(pixel(-long + 1, 7.4), pixel(-long + 4.4, 2.6), lit((236, 238, 240)))
    shape = [(-long, 2.8), (-long + 1, 0), (long - 2, 0), (long + 1, 3.4)]
    canvas.polygon([pixel(*p) for p in shape], hull)


def _draw_sailing_boat(canvas: Canvas, at: Stand) -> None:
    lit, pixel = _eyes(canvas, at)
    mast = [pixel(0, 0.8), pixel(0, 7.2)]
    canvas.line(mast, 0.14 * canvas.camera.metre(at.near), lit((70, 60, 52)))
    main_sail = [(0.2, 1.3), (0.2, 7.0), (3.0, 1.3)]
    jib = [(-0.2, 1.6), (-0.2, 6.2), (-2.2, 1.6)]
    for sail in (main_sail, jib):
        canvas.polygon([pixel(*p) for p in sail], lit((244, 240, 230)))
    hull = [(-3.2, 1.0), (-2.4, 0), (2.6, 0), (3.4, 1.1)]
    canvas.polygon([pixel(*p) for p in hull], lit((150, 60, 48)))
