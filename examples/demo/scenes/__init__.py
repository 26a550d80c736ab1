"""A small drawn world of camera scenes with exact ground truth."""

from examples.demo.scenes.canvas import HEIGHT, OCEAN, PERSON, ROAD, WIDTH
from examples.demo.scenes.plan import KINDS, TIMES, WEATHERS, Scene, plan
from examples.demo.scenes.world import Shot, draw, render, write_world

__all__ = [
    "HEIGHT",
    "KINDS",
    "OCEAN",
    "PERSON",
    "ROAD",
    "TIMES",
    "WEATHERS",
    "WIDTH",
    "Scene",
    "Shot",
    "draw",
    "plan",
    "render",
    "write_world",
]
