"""Boxes of one image beside those of another, and over the frames of a sequence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Boxes:
    """The boxes of one image.

    Args:
        labels: class of each
        corners: ``(n, 4)`` left, top, width, height, relative to the image
        tracks: number of the object each box is of, where a tracker gave one
    """

    labels: Sequence[str]
    corners: Floats
    tracks: Sequence[int | None] = ()

    @property
    def tracked(self) -> bool:
        """Whether a tracker numbered all of them."""
        return len(self.tracks) == len(self.labels) and None not in self.tracks


def overlaps(box: Floats, other: Floats) -> Floats:
    """Intersection over union of every pair of boxes, ``(n, m)`` in [0, 1].

    Args:
        box: ``(n, 4)`` left, top, width, height
        other: ``(m, 4)`` likewise
    """
    low = np.maximum(box[:, None, :2], other[None, :, :2])
    high = np.minimum(
        (box[:, :2] + box[:, 2:])[:, None], (other[:, :2] + other[:, 2:])[None]
    )
    shared = np.clip(high - low, 0, None).prod(axis=2)
    joined = box[:, 2:].prod(axis=1)[:, None] + other[:, 2:].prod(axis=1)[None] - shared
    return np.divide(shared, joined, out=np.zeros_like(shared), where=joined > 0)


def pairs(box: Boxes, other: Boxes, least: float) -> list[tuple[int, int]]:
    """Positions of boxes of one class that overlap, each in at most one pair.

    As many pairs as possible have at least the wanted overlap, and these overlap as much
    as they can together (Kuhn 1955, *The Hungarian method for the assignment problem*).

    Args:
        box: of one image
        other: of another
        least: intersection over union from which two boxes are a pair
    """
    if not len(box.labels) or not len(other.labels):
        return []
    shared = overlaps(box.corners, other.corners)
    same = np.asarray(box.labels)[:, None] == np.asarray(other.labels)[None]
    worth = np.where(same & (shared >= least), len(box.labels) + shared, 0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    kept = worth[rows, columns] > 0
    return list(zip(rows[kept].tolist(), columns[kept].tolist(), strict=True))


def vanished(frames: Sequence[Boxes], longest: int, least: float = 0.3) -> list[int]:
    """How many objects each frame misses that are there before and after it.

    Where a tracker numbered the boxes its numbers tell which are of one object; else a
    box goes on as the box of its class that overlaps most with where it would be now, had
    it moved on as it did before (as Bewley et al. 2016, *Simple online and realtime
    tracking*).

    Args:
        frames: the boxes of each, in order
        longest: frames that an object may be away and still be the same
        least: intersection over union from which a box goes on
    """
    if all(frame.tracked for frame in frames):
        sightings = _numbered(frames)
    else:
        sightings = _followed(frames, longest, least)
    missing: Counter[int] = Counter()
    for seen in sightings:
        for before, after in pairwise(seen):
            if after - before - 1 <= longest:
                missing.update(range(before + 1, after))
    return [missing[number] for number in range(len(frames))]


def _numbered(frames: Sequence[Boxes]) -> list[list[int]]:
    seen: dict[tuple[str, int | None], list[int]] = {}
    for number, frame in enumerate(frames):
        for key in dict.fromkeys(zip(frame.labels, frame.tracks, strict=True)):
            seen.setdefault(key, []).append(number)
    return list(seen.values())


@dataclass
class _Track:
    """An object as it was followed: its frames, its newest box, its motion a frame."""

    label: str
    box: Floats
    seen: list[int]
    motion: Floats = field(default_factory=lambda: np.zeros(4))

    def at(self, number: int) -> Floats:
        """Where it would be in a frame; its size stays."""
        return self.box + self.motion * (number - self.seen[-1])

    def goes_on(self, number: int, box: Floats) -> None:
        moved = (box - self.box) / (number - self.seen[-1])
        self.motion = np.concatenate([moved[:2] + moved[2:] / 2, np.zeros(2)])
        self.box = box
        self.seen.append(number)


def _followed(frames: Sequence[Boxes], longest: int, least: float) -> list[list[int]]:
    tracks: list[_Track] = []
    ended: list[_Track] = []
    for number, frame in enumerate(frames):
        left = list(range(len(frame.labels)))
        for away in range(longest + 1):  # those seen last choose first
            waiting = [t for t in tracks if t.seen[-1] == number - 1 - away]
            expected = Boxes(
                [t.label for t in waiting],
                np.array([t.at(number) for t in waiting]).reshape(-1, 4),
            )
            there = Boxes([frame.labels[i] for i in left], frame.corners[left])
            found = pairs(expected, there, least)
            for track, at in found:
                waiting[track].goes_on(number, frame.corners[left[at]])
            taken = {at for _, at in found}
            left = [i for at, i in enumerate(left) if at not in taken]
        tracks += [_Track(frame.labels[i], frame.corners[i], [number]) for i in left]
        ended += [t for t in tracks if t.seen[-1] < number - longest]
        tracks = [t for t in tracks if t.seen[-1] >= number - longest]
    return [track.seen for track in ended + tracks]
