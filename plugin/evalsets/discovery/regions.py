"""Regions of the embedding space in which a model is worse than elsewhere."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from evalsets.discovery.evidence import Bools, Floats, excess_z, is_spot

_CLUSTERS = (2, 4, 8, 16, 32)
_EXAMPLES = 10
_FEWEST = 3  # mistakes that are a cluster
_MOST_ERRORS = 2000
_PERMUTATIONS = 19

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Region:
    """The samples whose similarity to some examples, or to a prompt, passes a cut.

    Args:
        cut: least similarity, not included
        examples: places of the samples that stand for it
        prompt: place of the prompt that stands for it instead; -1 if none does
    """

    cut: float
    examples: tuple[int, ...] = ()
    prompt: int = -1

    def inside(self, vectors: Vectors, prompts: Vectors) -> Bools:
        """``(n,)`` whom it holds, but for rounding.

        Args:
            vectors: ``(n, d)`` that the places of the examples count in
            prompts: ``(p, d)``
        """
        if self.prompt >= 0:
            towards = prompts[self.prompt]
        else:
            towards = _middle(vectors, self.examples)
        return np.asarray(vectors @ towards > self.cut)


@dataclass(frozen=True)
class _Scan:
    """The best cut of one direction.

    Args:
        z: standard errors by which the loss above it exceeds the mean
        region: with places among the samples that were scanned
        inside: who of these it holds
    """

    z: float
    region: Region
    inside: Bools


_NOTHING = _Scan(0.0, Region(1.0), np.empty(0, dtype=bool))


def propose_regions(
    vectors: Vectors,
    prompts: Vectors,
    loss: Floats,
    least: int,
    most: int,
    seed: int = 0,
) -> list[Region]:
    """Regions around clusters of mistakes, and around prompts, the surest first.

    Mistakes are clustered finer and finer, and ten of each cluster are its examples:
    their mean is closer to what they have in common than the ten nearest to it are.
    Along the similarity to these, and to each prompt, the cut is where the loss above
    stands out most. A region is proposed if it stands out more than the best of each of
    19 searches among the same losses, dealt out at random; then its samples are taken
    out, and the search goes on.

    Args:
        vectors: ``(n, d)`` unit vectors of the samples, zero where unknown
        prompts: ``(p, d)`` unit vectors of prompts; may be none
        loss: ``(n,)`` greater is worse
        least: samples that a region must have
        most: regions to find
        seed: of the clusters and of the permutations

    Sources:
        Kulldorff 1997, *A spatial scan statistic*; Eyuboglu et al. 2022, *Domino*
        (clusters of mistakes among vectors of images and text)
    """
    rng = np.random.default_rng(seed)
    found: list[Region] = []
    left: Bools = np.asarray(vectors.any(axis=1))
    rows = np.flatnonzero(left)
    if len(rows) < 2 * least or not loss[rows].std():
        return found
    chance = max(
        _best(vectors[rows], prompts, rng.permutation(loss[rows]), least, rng).z
        for _ in range(_PERMUTATIONS)
    )
    while len(found) < most:
        rows = np.flatnonzero(left)
        if len(rows) < 2 * least or not loss[rows].std():
            break
        best = _best(vectors[rows], prompts, loss[rows], least, rng)
        if best.z <= chance:
            break
        examples = tuple(rows[list(best.region.examples)].tolist())
        found.append(Region(best.region.cut, examples, best.region.prompt))
        left[rows[best.inside]] = False
        left[list(examples)] = False
    return found


def _best(
    vectors: Vectors,
    prompts: Vectors,
    loss: Floats,
    least: int,
    rng: np.random.Generator,
) -> _Scan:
    """The region that stands out most."""
    scans = [
        _scan(vectors @ _middle(vectors, rows), rows, -1, loss, least)
        for rows in _clusters(vectors, loss, rng)
    ]
    scans += [
        _scan(vectors @ prompt, (), at, loss, least)
        for at, prompt in enumerate(prompts)
    ]
    return max(scans, key=lambda scan: scan.z, default=_NOTHING)


def _clusters(
    vectors: Vectors, loss: Floats, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """Examples of each cluster of mistakes."""
    wrong = np.flatnonzero(loss > loss.mean())
    if len(wrong) > _MOST_ERRORS:
        wrong = np.sort(rng.choice(wrong, _MOST_ERRORS, replace=False))
    mistakes = vectors[wrong]
    found: dict[tuple[int, ...], None] = {}
    for k in _CLUSTERS:
        if len(wrong) < k * _FEWEST:
            break
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of clusters left empty
            _, code = kmeans2(mistakes, k, iter=10, minit="++", rng=rng)
        for at in range(k):
            own = rng.permutation(wrong[code == at])[:_EXAMPLES]
            if len(own) >= _FEWEST:
                found[tuple(sorted(own.tolist()))] = None
    return list(found)


def _scan(
    score: NDArray[np.float32],
    examples: Sequence[int],
    prompt: int,
    loss: Floats,
    least: int,
) -> _Scan:
    """Where along a similarity the loss above stands out most.

    Examples were chosen for their loss and do not count.
    """
    counts = np.ones(len(loss), dtype=bool)
    counts[list(examples)] = False
    rows = np.flatnonzero(counts)
    rows = rows[np.argsort(-score[rows], kind="stable")]
    cuts = np.unique(np.round(score[rows], 3).astype(float))
    n = np.searchsorted(-score[rows], -cuts, side="left")
    sums = np.concatenate([[0.0], np.cumsum(loss[rows])])[n]
    z = excess_z(n, sums, loss[rows])
    z[(n < least) | ~is_spot(n, sums, loss[rows])] = 0
    at = int(z.argmax())
    region = Region(round(float(cuts[at]), 3), tuple(examples), prompt)
    return _Scan(float(z[at]), region, score > cuts[at])


def _middle(vectors: Vectors, rows: Sequence[int]) -> NDArray[np.float32]:
    """The direction of the mean of some vectors."""
    total: NDArray[np.float32] = vectors[list(rows)].sum(axis=0)
    return total / max(float(np.linalg.norm(total)), 1e-12)
