"""What the ground looks like: asphalt, grass, snow, concrete and sea."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from examples.demo.scenes.canvas import (
    HEIGHT,
    NOTHING,
    OCEAN,
    ROAD,
    SCALE,
    WIDTH,
    Canvas,
    Colour,
    mix,
)
from examples.demo.scenes.plan import Scene

Centre = Callable[[np.ndarray], np.ndarray]


class Ground:
    """The pixels below the horizon, by where they lie on the ground.

    ``x`` is in metres, ``near`` the nearness, ``far`` its inverse; all (rows, columns).
    """

    def __init__(self, canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
        camera = canvas.camera
        self.canvas, self.scene = canvas, scene
        self.top = round(camera.horizon * SCALE)
        rows = (np.arange(self.top, HEIGHT * SCALE) + 0.5) / SCALE
        columns = (np.arange(WIDTH * SCALE) + 0.5) / SCALE
        near = np.maximum((rows - camera.horizon) / (HEIGHT - camera.horizon), 0.002)
        self.near = np.repeat(near[:, None], len(columns), axis=1).astype(np.float32)
        self.far = 1 / self.near
        self.column = columns[None, :].astype(np.float32)
        self.x = (self.column - np.float32(camera.centre)) / (
            np.float32(camera.metre(1.0)) * self.near
        )
        self.colours = np.zeros((*self.near.shape, 3), np.float32)
        self.classes = np.full(self.near.shape, NOTHING, np.uint8)
        self._phases = [float(phase) for phase in rng.uniform(0, 6.28, 8)]

    def fill(self, where: np.ndarray, colour: Colour, kind: int | None = None) -> None:
        """Paints one colour, and the class if one is given."""
        self.colours[where] = colour
        if kind is not None:
            self.classes[where] = kind

    def field(self, snowy: bool) -> None:
        """Grass, or snow, everywhere."""
        grass = mix((116, 150, 74), (160, 156, 92), self._phases[0] / 6.28)
        base = (226, 232, 240) if snowy else grass
        p = self._phases
        bands = np.sin(self.far * 2.1 + 0.35 * self.x + p[1]) * np.sin(
            0.7 * self.x + 0.5 * self.far + p[2]
        )
        fade = np.minimum(1, self.near * 5)
        self.colours[:] = (1 + 0.05 * bands * fade)[..., None] * _rgb(base)

    def sea(self, where: np.ndarray, sun: tuple[float, float] | None) -> None:
        """Waves, with the sun's path on them; smooth, so drawn at half the scale."""
        near, column = self.near[::2, ::2], self.column[:, ::2]
        far, x = self.far[::2, ::2], self.x[::2, ::2]
        grey = self.scene.weather in ("cloudy", "rain", "fog", "snow")
        deep, shallow = (
            ((58, 88, 104), (98, 124, 134)) if grey else ((22, 92, 136), (52, 146, 176))
        )
        share = np.minimum(near * 1.1, 1)[..., None]
        colour = _rgb(shallow) * (1 - share) + _rgb(deep) * share
        crest = self._crest(x, near, far)
        strength = np.clip((crest - 0.3) * 2.0, 0, 1) * np.minimum(1, near * 6)
        colour += strength[..., None] * _rgb((46, 50, 50))
        if sun is not None:
            path = np.exp(-(((column - sun[0]) / (16 + 60 * near)) ** 2))
            sparkle = path * np.clip(0.3 + 0.9 * crest, 0, 1) * (1 - 0.6 * near)
            warm = (250, 190, 120) if self.scene.time == "sunset" else (250, 250, 240)
            colour += sparkle[..., None] * _rgb(warm) * 0.9
        rows, columns = self.near.shape
        full = colour.repeat(2, axis=0).repeat(2, axis=1)[:rows, :columns]
        np.copyto(self.colours, full, where=where[..., None])
        self.classes[where] = OCEAN

    def _crest(self, x: np.ndarray, near: np.ndarray, far: np.ndarray) -> np.ndarray:
        """Height of the waves in -1 to 1; ripples close by, swell far off."""
        p = self._phases
        swell = np.sin(far * 6.5 + 1.6 * np.sin(0.5 * x + p[3]) + p[4]) * np.sin(
            0.8 * x + 1.4 * np.sin(far * 1.7 + p[5]) + p[6]
        )
        ripple = np.sin(far * 31 + 1.7 * np.sin(1.3 * x + p[5]) + p[3]) * np.sin(
            2.1 * x + 2.0 * np.sin(far * 7.3 + p[6]) + p[4]
        )
        close = np.clip((near - 0.18) / 0.3, 0, 1)
        return swell * (1 - close) + ripple * close * (0.75 + 0.25 * swell)

    def road(self, centre: Centre, half: float, snowy: bool, marks: bool) -> None:
        """Asphalt along a centre line; ``half`` its half width in metres."""
        off = self.x - centre(self.near)
        p = self._phases
        asphalt = _rgb((128, 130, 136) if snowy else (98, 100, 106))
        inside = np.abs(off) < half
        shoulder = np.abs(off) < half * 1.12
        self.fill(shoulder, (214, 218, 226) if snowy else (158, 148, 122))
        shade = 1 + 0.04 * np.sin(3 * off + p[7]) * np.sin(1.2 * self.far + p[0])
        self.colours[inside] = (asphalt * shade[..., None])[inside]
        self.classes[inside] = ROAD
        if self.scene.weather == "rain":
            wet = inside & (np.sin(2.4 * off + p[1]) > 0.1)
            self.colours[wet] += 26
        if not marks:
            return
        white = (226, 226, 218)
        edge = (np.abs(np.abs(off) - half * 0.92) < 0.07 + 0.05 * self.far / 8) & inside
        self.fill(edge, white)
        dashes = (np.abs(off) < 0.08 + 0.004 * self.far) & (
            np.mod(self.far * 2.3 + p[2], 2.0) < 1.1
        )
        self.fill(dashes, (236, 206, 96) if p[3] > 3.14 else white)

    def finish(self) -> None:
        """Puts the ground, in the scene's light and haze, on the canvas."""
        light = self.canvas.light
        veil = light.veil(self.near[:, :1])[..., None].astype(np.float32)
        seen = self.colours * np.array(light.ambient, np.float32)
        haze = np.array(light.haze, np.float32)
        self.canvas.paste(seen * (1 - veil) + haze * veil, self.classes, self.top)


def _rgb(colour: Colour) -> np.ndarray:
    return np.array(colour, np.float32)
