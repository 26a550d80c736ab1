"""Sky, light and what weather does to a finished picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from examples.demo.scenes.canvas import (
    HEIGHT,
    SCALE,
    WIDTH,
    Camera,
    Canvas,
    Colour,
    Light,
    Point,
    mix,
)
from examples.demo.scenes.plan import Scene

_CLEAR = {
    "day": ((58, 132, 216), (118, 180, 236), (196, 224, 244)),
    "sunset": ((62, 60, 122), (214, 104, 98), (255, 190, 108)),
    "night": ((6, 9, 28), (14, 20, 48), (34, 42, 74)),
}
_GREY = {
    "cloudy": ((138, 150, 166), (164, 174, 186), (198, 204, 210)),
    "rain": ((84, 94, 110), (108, 118, 132), (142, 150, 160)),
    "fog": ((196, 202, 206), (204, 209, 212), (212, 216, 218)),
    "snow": ((168, 180, 196), (192, 202, 214), (220, 227, 236)),
}
_AMBIENT = {
    "day": (1.0, 1.0, 1.0),
    "sunset": (0.98, 0.7, 0.6),
    "night": (0.38, 0.4, 0.52),
}
_DIMNESS = {"cloudy": 0.86, "rain": 0.72, "fog": 0.88, "snow": 0.92}
_DENSITY = {"rain": 0.05, "fog": 0.2, "snow": 0.05}


@dataclass(frozen=True)
class Sky:
    """Colours from the zenith to the horizon, and where the sun stands.

    Args:
        stops: colour at the top, in the middle and at the horizon
        light: that it sheds on the ground
        sun: its pixel, if it is in the picture
    """

    stops: tuple[Colour, Colour, Colour]
    light: Light
    sun: Point | None


def sky_of(scene: Scene, camera: Camera, rng: np.random.Generator) -> Sky:
    """The sky over an outdoor scene."""
    clear, ambient = _CLEAR[scene.time], _AMBIENT[scene.time]
    stops = clear
    if scene.weather in _GREY:
        share = {"day": 1.0, "sunset": 0.42, "night": 0.6}[scene.time]
        tint = np.array(ambient) * (0.42 if scene.time == "night" else 1)
        stops = tuple(
            mix(own, tuple(np.array(grey) * tint), share)
            for own, grey in zip(clear, _GREY[scene.weather], strict=True)
        )
        ambient = tuple(np.array(ambient) * _DIMNESS[scene.weather])
    across, above = rng.uniform(0.2, 0.8) * WIDTH, rng.uniform(0.2, 0.9)
    low = scene.time == "sunset"
    height = camera.horizon * (0.12 + 0.2 * above if low else 0.3 + 0.35 * above)
    shines = scene.weather == "sunny" and (scene.glare or low)
    return Sky(
        stops=stops,
        light=Light(ambient, stops[2], _DENSITY.get(scene.weather, 0.012)),
        sun=(across, camera.horizon - height) if shines else None,
    )


def draw_sky(
    canvas: Canvas, scene: Scene, sky: Sky, rng: np.random.Generator, frame: int
) -> None:
    """Fills the canvas above the horizon."""
    rows = np.linspace(0, 1, round(canvas.camera.horizon * SCALE) + 2)
    column = np.stack(
        [
            np.interp(rows, (0, 0.55, 1), [stop[channel] for stop in sky.stops])
            for channel in range(3)
        ],
        axis=-1,
    )
    canvas.paste(np.repeat(column[:, None], WIDTH * SCALE, axis=1))
    if scene.weather == "clear":
        _draw_night_sky(canvas, rng)
    if sky.sun is not None:
        warm = (255, 214, 140) if scene.time == "sunset" else (255, 250, 226)
        canvas.ellipse(sky.sun, 15, 15, mix(sky.stops[1], warm, 0.45))
        canvas.ellipse(sky.sun, 9, 9, warm)
    if scene.weather != "fog":
        _draw_clouds(canvas, scene, sky, rng, frame)


def _draw_night_sky(canvas: Canvas, rng: np.random.Generator) -> None:
    horizon = canvas.camera.horizon
    for x, y, size in rng.uniform((0, 0, 0.3), (WIDTH, horizon, 0.85), (70, 3)):
        canvas.ellipse((x, y), size, size, (226, 230, 246))
    moon = rng.uniform(0.12, 0.88) * WIDTH, rng.uniform(0.15, 0.4) * horizon
    canvas.ellipse(moon, 8, 8, (238, 236, 214))
    canvas.ellipse((moon[0] + 3.4, moon[1] - 1.6), 7, 7, (12, 17, 42))


def _draw_clouds(
    canvas: Canvas, scene: Scene, sky: Sky, rng: np.random.Generator, frame: int
) -> None:
    few = scene.weather in ("sunny", "clear")
    count = int(rng.integers(0, 4)) if few else int(rng.integers(9, 14))
    bright = (255, 236, 222) if scene.time == "sunset" else (250, 252, 255)
    for _ in range(count):
        x, y = rng.uniform(0, WIDTH) + 0.8 * frame, rng.uniform(0, 0.75)
        shade = rng.uniform(0.45, 0.8) if few else rng.uniform(-0.16, 0.3)
        if scene.time == "night":
            shade = rng.uniform(0.02, 0.07) if few else rng.uniform(0.06, 0.22)
        colour = mix(sky.stops[1], bright if shade > 0 else (40, 46, 60), abs(shade))
        size = rng.uniform(7, 12) * (1.0 if few else 1.5)
        for dx in np.linspace(-1.6, 1.6, 5):
            puff = size * (1.05 - 0.28 * abs(dx)) * rng.uniform(0.8, 1.1)
            at = x + dx * size * 1.1, y * canvas.camera.horizon
            canvas.ellipse(at, puff * 1.25, puff * 0.62, colour)


def add_lamps(canvas: Canvas, colours: np.ndarray) -> np.ndarray:
    """The picture with every lamp shining."""
    glow = np.zeros_like(colours)
    gain = np.ones((HEIGHT, WIDTH), np.float32)
    for lamp in canvas.lamps:
        (column, row), reach = lamp.at, 2.6 * lamp.radius
        rows = np.arange(max(0, int(row - reach)), min(HEIGHT, int(row + reach) + 1))
        columns = np.arange(
            max(0, int(column - reach)), min(WIDTH, int(column + reach) + 1)
        )
        if not (len(rows) and len(columns)):
            continue
        bright = np.exp(-(((rows - row) / lamp.radius) ** 2))[:, None] * np.exp(
            -(((columns - column) / lamp.radius) ** 2)
        )
        window = np.ix_(rows, columns)
        glow[window] += bright[..., None] * np.array(lamp.colour)
        gain[window] += bright * lamp.reveals
    return colours * gain[..., None] + glow


def add_glare(
    colours: np.ndarray, sun: Point, warm: bool, rng: np.random.Generator
) -> np.ndarray:
    """Sunlight in the lens: a veil, rays and the ghosts of a flare."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    dx, dy = x - sun[0], y - sun[1]
    distance = np.hypot(dx, dy)
    rays = 0.5 + 0.5 * np.cos(7 * np.arctan2(dy, dx) + rng.uniform(0, 6))
    veil = 0.95 * np.exp(-((distance / 26) ** 2)) + 0.5 * np.exp(-distance / 75)
    veil += 0.3 * rays**8 * np.exp(-distance / 70)
    for along in (0.5, 0.85, 1.25, 1.6):
        ghost = sun[0] + (WIDTH / 2 - sun[0]) * along * 1.3, sun[1] + along * 62
        ring = np.hypot(x - ghost[0], y - ghost[1])
        veil += 0.16 * (ring < 5 + 7 * along)
    tint = np.array((255, 226, 170) if warm else (255, 252, 238), np.float32)
    share = np.clip(veil, 0, 1)[..., None]
    return colours * (1 - share) + tint * share


def add_rain(colours: np.ndarray, night: bool, rng: np.random.Generator) -> np.ndarray:
    """Slanted streaks over the whole picture."""
    layer = np.zeros((HEIGHT, WIDTH), np.float32)
    slant = rng.uniform(-0.25, 0.25)
    for _ in range(230):
        length = int(rng.integers(7, 17))
        steps = np.arange(length)
        rows = (rng.integers(HEIGHT) + steps) % HEIGHT
        columns = (rng.integers(WIDTH) + (slant * steps).astype(int)) % WIDTH
        layer[rows, columns] = rng.uniform(0.2, 0.5)
    return colours + layer[..., None] * (110 if night else 190)


def add_snow(colours: np.ndarray, night: bool, rng: np.random.Generator) -> np.ndarray:
    """Flakes, the near ones larger."""
    layer = np.zeros((HEIGHT, WIDTH), np.float32)
    y, x = rng.integers(0, HEIGHT - 3, 330), rng.integers(0, WIDTH - 3, 330)
    strength = rng.uniform(0.4, 0.95, 330)
    layer[y, x] = strength
    large = rng.random(330) < 0.3
    for dy, dx in ((0, 1), (1, 0), (1, 1)):
        layer[y[large] + dy, x[large] + dx] = strength[large]
    white = 190.0 if night else 250.0
    return colours * (1 - layer[..., None]) + white * layer[..., None]
