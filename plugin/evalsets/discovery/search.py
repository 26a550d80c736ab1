"""What one half of the samples points to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from evalsets.discovery.conjunctions import Condition, propose_conjunctions
from evalsets.discovery.evidence import Bools, Floats, excess_p
from evalsets.discovery.regions import Region, Vectors, propose_regions

_STILL = 0.01
"""p-value up to which what a proposal adds to the others is worth saying."""

Proposal: TypeAlias = "tuple[Condition, ...] | Region"


@dataclass(frozen=True)
class Searchable:
    """Samples, and what is known of each.

    Args:
        loss: ``(n,)`` greater is worse
        searched: ``(n,)`` who is in the half that is searched
        conditions: on tags, with ``(n,)`` members
        vectors: ``(n, d)`` unit vectors, zero where unknown; None without any
        prompts: ``(p, d)`` unit vectors of words; may be none
    """

    loss: Floats
    searched: Bools
    conditions: Sequence[Condition] = ()
    vectors: Vectors | None = None
    prompts: Vectors | None = None


def search(samples: Searchable, least: int, most: int, seed: int = 0) -> list[Proposal]:
    """Where the searched half is worse than elsewhere, without saying a thing twice.

    Args:
        samples: both halves, of which one is read
        least: samples of the searched half that a proposal must have
        most: proposals
        seed: of clusters and permutations

    Returns:
        conjunctions of conditions, and regions whose samples they do not explain; the
        surest first
    """
    half = samples.searched
    loss = samples.loss[half]
    conditions = [replace(c, members=c.members[half]) for c in samples.conditions]
    found: list[tuple[Proposal, Bools]] = [
        (
            tuple(samples.conditions[at] for at in parts),
            np.all([conditions[at].members for at in parts], axis=0),
        )
        for parts in propose_conjunctions(conditions, loss, least, most)
    ]
    if samples.vectors is not None:
        vectors = samples.vectors[half]
        prompts = vectors[:0] if samples.prompts is None else samples.prompts
        rows = np.flatnonzero(half)
        for region in propose_regions(vectors, prompts, loss, least, most, seed):
            examples = tuple(rows[list(region.examples)].tolist())
            inside = region.inside(vectors, prompts)
            found.append((replace(region, examples=examples), inside))
    return [found[at][0] for at in _telling([m for _, m in found], loss, least)[:most]]


def _telling(members: Sequence[Bools], loss: Floats, least: int) -> list[int]:
    """Places of those that hold something that no surer one does."""
    sure = [_p(inside, loss) for inside in members]
    left = np.ones(len(loss), dtype=bool)
    kept = []
    for at in np.argsort(sure, kind="stable").tolist():
        inside = members[at] & left
        if inside.sum() >= least and _p(inside[left], loss[left]) <= _STILL:
            kept.append(at)
            left &= ~members[at]
    return kept


def _p(inside: Bools, loss: Floats) -> float:
    n, total = np.array([inside.sum()]), np.array([loss[inside].sum()])
    return float(excess_p(n, total, loss)[0])
