"""Draws many single frames for training, on both cores."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from examples.demo.scenes import Shot, draw, plan


def draw_many(seed: int, n_scenes: int, processes: int = 2) -> list[Shot]:
    """One frame of each of ``n_scenes`` scenes."""
    scenes = plan(n_scenes, seed, frames=(1, 1))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(draw, scenes, chunksize=32))
