"""A fixed lot for every sample: what chance decides, it decides once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Lots = NDArray[np.uint64]


def priorities(keys: Sequence[str], seed: int | str = 0) -> Lots:
    """Keyed hash of every key, uniform over 64 bits; the smallest goes first.

    It depends on the key and the seed only, so that neither order nor other samples
    change it.
    """
    secret = hashlib.blake2b(str(seed).encode(), digest_size=32).digest()
    lots = b"".join(
        hashlib.blake2b(key.encode(), digest_size=8, key=secret).digest()
        for key in keys
    )
    return np.frombuffer(lots, "<u8").astype(np.uint64)


def redrawn(lots: Lots) -> Lots:
    """Another uniform lot from each lot, one to one.

    The smallest lot of a large group is small; redrawn, it is as good as any.

    Sources:
        Steele, Lea, Flood 2014, *Fast splittable pseudorandom number generators*
        (the finaliser of SplitMix64)
    """
    mixed = lots + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
