"""What one half of the samples points to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from evalsets.discovery.conjunctions import Condition, propose_conjunctions
from evalsets.discovery.evidence import Bools, Floats
from evalsets.discovery.regions import Region, Vectors, propose_regions

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

    @property
    def embedded(self) -> Bools:
        """``(n,)`` who has a vector."""
        if self.vectors is None:
            return np.zeros(len(self.loss), dtype=bool)
        return np.asarray(self.vectors.any(axis=1))


def search(samples: Searchable, least: int, most: int, seed: int = 0) -> list[Proposal]:
    """Where the searched half is worse than elsewhere: tags first, then regions.

    Regions are looked for among the samples that no conjunction holds.

    Args:
        samples: both halves, of which one is read
        least: samples of the searched half that a proposal must have
        most: proposals of each kind
        seed: of clusters and permutations
    """
    half = samples.searched
    conditions = [replace(c, members=c.members[half]) for c in samples.conditions]
    found: list[Proposal] = []
    left = samples.embedded[half]
    for parts in propose_conjunctions(conditions, samples.loss[half], least, most):
        left &= ~np.all([part.members for part in parts], axis=0)
        found.append(parts)
    if samples.vectors is None:
        return found
    vectors = samples.vectors[half]
    prompts = vectors[:0] if samples.prompts is None else samples.prompts
    rows = np.flatnonzero(half)
    for region in propose_regions(
        vectors, prompts, samples.loss[half], left, least, most, seed
    ):
        examples = tuple(rows[list(region.examples)].tolist())
        found.append(replace(region, examples=examples))
    return found
