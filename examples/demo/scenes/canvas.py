"""A picture and its class mask, drawn together through one camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 288, 192
SCALE = 2  # drawn twice as large, then averaged

NOTHING, ROAD, OCEAN, PERSON = range(4)

Colour = tuple[float, float, float]
Point = tuple[float, float]


@dataclass(frozen=True)
class Camera:
    """Looks along a flat ground.

    Positions on the ground are ``(x, near)``: metres to the right, and nearness,
    the inverse distance: 1 at the lower edge of the picture, 0 at the horizon.

    Args:
        horizon: row of the horizon, in pixels
        height: of the camera above the ground, in metres
        centre: column of the vanishing point, in pixels
    """

    horizon: float
    height: float
    centre: float

    def metre(self, near: float) -> float:
        """Pixels in a metre at this nearness."""
        return (HEIGHT - self.horizon) / self.height * near

    def point(self, x: float, near: float, up: float = 0.0) -> Point:
        """Pixel of a point ``up`` metres above the ground."""
        metre = self.metre(near)
        return self.centre + x * metre, self.horizon + (self.height - up) * metre


@dataclass(frozen=True)
class Light:
    """How colours look in this weather at this time.

    Args:
        ambient: factor for each channel
        haze: colour that distant things take on
        density: of the haze
    """

    ambient: Colour
    haze: Colour
    density: float

    def veil(self, near: float | np.ndarray) -> float | np.ndarray:
        """Share of haze in the colour of things at this nearness."""
        return 1 - np.exp(-self.density * np.maximum(0, 1 / near - 0.9))

    def on(self, colour: Colour, near: float = 1.0, gain: float = 1.0) -> Colour:
        """The colour as the camera sees it."""
        seen = np.array(colour) * self.ambient * gain
        veil = self.veil(max(near, 1e-3))
        return tuple(seen * (1 - veil) + np.array(self.haze) * veil)


@dataclass(frozen=True)
class Lamp:
    """Something that shines.

    Args:
        at: its pixel
        radius: of its glow, in pixels
        colour: added at the centre, 0 to 255
        reveals: how much it brightens what it falls on
    """

    at: Point
    radius: float
    colour: Colour
    reveals: float = 0.0


class Canvas:
    """Draws shapes into the picture and their class into the mask."""

    def __init__(self, camera: Camera, light: Light) -> None:
        size = (WIDTH * SCALE, HEIGHT * SCALE)
        self.camera = camera
        self.light = light
        self.lamps: list[Lamp] = []
        self.image = Image.new("RGB", size)
        self.mask = Image.new("L", size, NOTHING)
        self._restart()

    def _restart(self) -> None:
        self._pens = ImageDraw.Draw(self.image), ImageDraw.Draw(self.mask)

    def paste(
        self, pixels: np.ndarray, classes: np.ndarray | None = None, top: int = 0
    ) -> None:
        """Puts rows of colours (and classes), at drawing scale, below row ``top``."""
        rows = np.clip(pixels, 0, 255).astype(np.uint8)
        self.image.paste(Image.fromarray(rows), (0, top))
        if classes is not None:
            self.mask.paste(Image.fromarray(classes), (0, top))
        self._restart()

    def polygon(
        self, points: Sequence[Point], colour: Colour, kind: int = NOTHING
    ) -> None:
        """Fills a polygon of pixels."""
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        for pen, fill in self._fills(colour, kind):
            pen.polygon(scaled, fill=fill)

    def box(
        self,
        left_top: Point,
        right_bottom: Point,
        colour: Colour,
        kind: int = NOTHING,
        radius: float = 0.0,
    ) -> None:
        """Fills a rectangle, with rounded corners if asked."""
        box = _ordered(left_top, right_bottom)
        for pen, fill in self._fills(colour, kind):
            pen.rounded_rectangle(box, radius * SCALE, fill=fill)

    def ellipse(
        self, centre: Point, rx: float, ry: float, colour: Colour, kind: int = NOTHING
    ) -> None:
        """Fills an ellipse."""
        (x, y) = centre
        box = _ordered((x - rx, y - ry), (x + rx, y + ry))
        for pen, fill in self._fills(colour, kind):
            pen.ellipse(box, fill=fill)

    def line(
        self, points: Sequence[Point], width: float, colour: Colour, kind: int = NOTHING
    ) -> None:
        """Draws a line ``width`` pixels wide."""
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        for pen, fill in self._fills(colour, kind):
            pen.line(scaled, fill=fill, width=max(1, round(width * SCALE)))

    def shadow(self, centre: Point, rx: float, ry: float) -> None:
        """Darkens the ground under a thing, leaving its class as it is."""
        (x, y) = centre
        left, top, right, bottom = (
            round(edge) for edge in _ordered((x - rx, y - ry), (x + rx, y + ry))
        )
        box = (max(0, left), max(0, top), min(self.image.width, right), bottom)
        if box[2] - box[0] < 2 or box[3] - box[1] < 2 or box[1] >= self.image.height:
            return
        patch = self.image.crop(box)
        stain = Image.new("L", patch.size, 0)
        ImageDraw.Draw(stain).ellipse(
            (left - box[0], top - box[1], right - box[0], bottom - box[1]), fill=90
        )
        patch.paste((0, 0, 0), mask=stain)
        self.image.paste(patch, box[:2])

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """Colours (H, W, 3) float in 0 to 255, and classes (H, W) uint8."""
        colours = np.asarray(self.image.reduce(SCALE), dtype=np.float32)
        return colours, np.asarray(self.mask)[::SCALE, ::SCALE].copy()

    def _fills(self, colour: Colour, kind: int):
        fill = tuple(int(min(255, max(0, channel))) for channel in colour)
        return zip(self._pens, (fill, kind), strict=True)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """``a`` with a ``share`` of ``b``."""
    return tuple(
        one * (1 - share) + other * share for one, other in zip(a, b, strict=True)
    )


def _ordered(one: Point, other: Point) -> tuple[float, float, float, float]:
    (left, right), (top, bottom) = (
        sorted(pair) for pair in zip(one, other, strict=True)
    )
    return left * SCALE, top * SCALE, right * SCALE, bottom * SCALE
