"""Draws scenes, and writes a world of them as a folder of photographs with labels."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from examples.demo.scenes.canvas import (
    HEIGHT,
    OCEAN,
    ROAD,
    WIDTH,
    Camera,
    Canvas,
    Light,
)
from examples.demo.scenes.factory import factory_floor
from examples.demo.scenes.plan import Scene, plan
from examples.demo.scenes.roads import straight_road, windy_road
from examples.demo.scenes.sky import (
    add_glare,
    add_lamps,
    add_rain,
    add_snow,
    draw_sky,
    sky_of,
)
from examples.demo.scenes.stage import CAMERAS, Stage
from examples.demo.scenes.things import Box
from examples.demo.scenes.waterside import bridge, harbour, open_sea

_PLACES = {
    "factory floor": factory_floor,
    "straight road": straight_road,
    "windy road": windy_road,
    "harbour": harbour,
    "bridge": bridge,
    "open sea": open_sea,
}


@dataclass(frozen=True)
class Shot:
    """One photograph and the truth about it.

    Args:
        scene: what was drawn
        frame: its number within the scene
        image: (H, W, 3) uint8
        mask: (H, W) uint8, 0 or one of ``ROAD``, ``OCEAN``, ``PERSON``
        people: a box per visible person, in pixels
        num_vehicles: visible vehicles
    """

    scene: Scene
    frame: int
    image: np.ndarray
    mask: np.ndarray
    people: list[Box]
    num_vehicles: int

    @property
    def name(self) -> str:
        """The file name."""
        kind = self.scene.kind.replace(" ", "_")
        return f"{kind}_{self.scene.scene_id}_{self.frame}.jpg"

    def record(self) -> dict[str, object]:
        """One row of the labels."""
        scene = self.scene
        return {
            "filepath": self.name,
            "scene_id": scene.scene_id,
            "frame": self.frame,
            "kind": scene.kind,
            "weather": scene.weather,
            "time": scene.time,
            "lighting": scene.lighting,
            "trees": scene.trees,
            "glare": scene.glare,
            "num_people": len(self.people),
            "num_vehicles": self.num_vehicles,
            "road_pct": round(float((self.mask == ROAD).mean()), 4),
            "ocean_pct": round(float((self.mask == OCEAN).mean()), 4),
        }


def draw(scene: Scene, frame: int = 0) -> Shot:
    """Draws one frame; the same scene and frame give the same pixels."""
    rng = np.random.default_rng(scene.seed)
    camera = _camera(scene, rng, frame)
    if scene.kind == "factory floor":
        dim = (0.32, 0.3, 0.31) if scene.lighting == "dim" else (1.0, 1.0, 0.98)
        canvas = Canvas(camera, Light(dim, (150, 150, 150), 0.0))
        stage = Stage(scene, canvas, rng, frame)
    else:
        sky = sky_of(scene, camera, rng)
        canvas = Canvas(camera, sky.light)
        draw_sky(canvas, scene, sky, rng, frame)
        stage = Stage(scene, canvas, rng, frame, sky.sun)
    _PLACES[scene.kind](stage)
    stage.finish()
    colours, mask = canvas.finish()
    colours = add_lamps(canvas, colours)
    weather = np.random.default_rng((scene.seed, frame))
    night = scene.time == "night"
    if scene.weather == "rain":
        colours = add_rain(colours, night, weather)
    if scene.weather == "snow":
        colours = add_snow(colours, night, weather)
    if scene.glare and stage.sun is not None:
        colours = add_glare(colours, stage.sun, scene.time == "sunset", rng)
    colours += weather.normal(0, 2.0, (HEIGHT, WIDTH, 1)).astype(np.float32)
    image = np.clip(colours, 0, 255).astype(np.uint8)
    boxes = [person.box for person in stage.people]
    return Shot(scene, frame, image, mask, boxes, len(stage.vehicles))


def _camera(scene: Scene, rng: np.random.Generator, frame: int) -> Camera:
    horizons, heights = CAMERAS[scene.kind]
    horizon, height = rng.uniform(*horizons) * HEIGHT, rng.uniform(*heights)
    centre = WIDTH / 2 + rng.uniform(-18, 18)
    shake = np.random.default_rng((scene.seed, frame, 1)).uniform(-0.8, 0.8, 2)
    if frame == 0:
        shake[:] = 0
    return Camera(horizon + shake[0] / 2, height, centre + shake[1])


def render(
    seed: int, n_scenes: int, frames: tuple[int, int] = (3, 5)
) -> Iterator[Shot]:
    """Draws a world, scene by scene.

    Args:
        seed: decides everything
        n_scenes: how many scenes
        frames: shortest and longest sequence
    """
    for scene in plan(n_scenes, seed, frames):
        for frame in range(scene.frames):
            yield draw(scene, frame)


def write_world(
    folder: Path, seed: int, n_scenes: int, frames: tuple[int, int] = (3, 5)
) -> list[dict[str, object]]:
    """Writes JPEGs and ``labels.csv``.

    Args:
        folder: is made if missing
        seed: decides everything
        n_scenes: how many scenes
        frames: shortest and longest sequence

    Returns:
        the rows of the labels, their ``filepath`` absolute
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for shot in render(seed, n_scenes, frames):
        Image.fromarray(shot.image).save(folder / shot.name, quality=90)
        rows.append(shot.record())
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return [{**row, "filepath": str(folder / str(row["filepath"]))} for row in rows]
