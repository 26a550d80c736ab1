"""One frame while it is being drawn: who and what stands where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from examples.demo.scenes.canvas import Camera, Canvas, Point
from examples.demo.scenes.plan import Scene
from examples.demo.scenes.things import (
    Stand,
    draw_car,
    draw_person,
    place,
    stand,
)

CAMERAS = {
    # horizon as shares of the height (low, high); height in metres (low, high)
    "straight road": ((0.38, 0.48), (2.4, 3.2)),
    "windy road": ((0.34, 0.44), (3.2, 4.2)),
    "harbour": ((0.34, 0.46), (2.4, 3.2)),
    "bridge": ((0.34, 0.44), (3.0, 3.8)),
    "open sea": ((0.06, 0.26), (3.4, 4.6)),
    "factory floor": ((0.38, 0.46), (2.5, 3.1)),
}


@dataclass
class Stage:
    """One frame while it is being drawn.

    Args:
        scene: what to show
        canvas: what to draw on
        rng: the layout's randomness, the same for every frame of a scene
        frame: number of the frame
        sun: its pixel, if it is in the picture
        people: where people stand; filled by the place
        vehicles: where vehicles stand; filled by the place
    """

    scene: Scene
    canvas: Canvas
    rng: np.random.Generator
    frame: int
    sun: Point | None = None
    people: list[Stand] = field(default_factory=list)
    vehicles: list[Stand] = field(default_factory=list)
    _drawings: list[tuple[float, Callable[..., None], tuple[object, ...]]] = field(
        default_factory=list
    )

    @property
    def camera(self) -> Camera:
        """The camera of the canvas."""
        return self.canvas.camera

    def add(self, near: float, draw: Callable[..., None], *arguments: object) -> None:
        """Queues ``draw(canvas, *arguments)``; ``finish`` draws the far ones first."""
        self._drawings.append((near, draw, arguments))

    def finish(self) -> None:
        """Draws everything queued."""
        for _, draw, arguments in sorted(self._drawings, key=lambda item: item[0]):
            draw(self.canvas, *arguments)

    def populate(
        self,
        vehicle_at: Callable[[], tuple[float, float]],
        person_at: Callable[[], tuple[float, float]],
        draw_vehicle: Callable[..., None] = draw_car,
        taken: list[Stand] | None = None,
        helmets: bool = False,
    ) -> None:
        """Places vehicles, then people where none is hidden, and queues them."""
        taken = taken if taken is not None else []
        camera, rng, frame = self.camera, self.rng, self.frame
        self.vehicles = place(
            self.scene.vehicles,
            lambda: stand(camera, *vehicle_at(), wide=1.9, high=1.7),
            taken,
        )
        for at in self.vehicles:
            moved = stand(camera, at.x, at.near * (1 - 0.012 * frame), 1.9, 1.7)
            self.add(moved.near, draw_vehicle, moved, child(rng))
        people = place(
            self.scene.people,
            lambda: stand(camera, *person_at(), wide=0.74, high=1.76),
            taken,
        )
        for at in people:
            pace = rng.uniform(-0.05, 0.05)
            moved = stand(camera, at.x + pace * frame, at.near, 0.74, 1.76)
            self.people.append(moved)
            self.add(moved.near, draw_person, moved, child(rng), 0.5 * frame, helmets)


def child(rng: np.random.Generator) -> np.random.Generator:
    """Randomness of its own for one thing, so that drawing order does not matter."""
    return np.random.default_rng(rng.integers(2**31))
