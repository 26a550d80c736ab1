"""What a release takes: bytes and seconds to pack and to check, beside parquet.

    python benchmarks/releases.py [--samples 1000000] [--populations 200] [--rounds 1]

Both keep the same ids, sides and memberships: ours as ``release`` does, checksum included;
parquet as pandas writes the frame, with its default compression and with gzip.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from bench import turns

import evalsets as es
from evalsets.suites.release import Frozen, Release, checksum, pack, unpack

SHARE = 0.05  # of the samples that are in a population
SIDES = ("train", "val", "test")


def main() -> None:
    """Prints a row for each form."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--populations", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    frozen = _drawn(asked.samples, asked.populations)
    release = _release(frozen)
    kept: dict[str, Any] = {}
    read: dict[str, Callable[[], object]] = {
        "evalsets": lambda: unpack(*kept["evalsets"]),
        "parquet": lambda: pd.read_parquet(io.BytesIO(kept["parquet"])),
        "parquet, gzip": lambda: pd.read_parquet(io.BytesIO(kept["parquet, gzip"])),
    }
    written = turns(
        {
            "evalsets": lambda: kept.update(evalsets=_sealed(release, frozen)),
            "parquet": lambda: kept.update(parquet=_parquet(frozen, "snappy")),
            "parquet, gzip": lambda: kept.update(
                {"parquet, gzip": _parquet(frozen, "gzip")}
            ),
        },
        asked.rounds,
    )
    checked = turns(read, asked.rounds)
    sizes = {way: len(held) for way, held in kept.items() if way != "evalsets"}
    sizes["evalsets"] = sum(map(len, kept["evalsets"][1].values()))
    print(
        f"{asked.samples:,} samples, {asked.populations} populations of {SHARE:.0%} each\n"
        f"\n{'':20}{'MB':>8}{'write s':>10}{'read s':>10}{'of ours: MB':>14}"
        f"{'write':>8}{'read':>8}"
    )
    for way in read:
        figures = sizes[way] / 1e6, written[way], checked[way]
        ours = sizes["evalsets"] / 1e6, written["evalsets"], checked["evalsets"]
        ratios = [one / other for one, other in zip(figures, ours, strict=True)]
        print(
            f"{way:20}{figures[0]:8.1f}{figures[1]:10.1f}{figures[2]:10.1f}"
            f"{ratios[0]:14.2f}{ratios[1]:8.2f}{ratios[2]:8.2f}"
        )


def _drawn(samples: int, populations: int) -> Frozen:
    rng = np.random.default_rng(0)
    stamp = 0x65F0C0FF << 64  # ids as MongoDB counts them up within one process
    ids = pd.Index([f"{stamp + at:024x}" for at in range(samples)], name="id")
    inside = rng.random((samples, populations), dtype=np.float32) < SHARE
    names = [f"p{at:03d}" for at in range(populations)]
    sides = rng.choice(SIDES, samples, p=(0.7, 0.1, 0.2))
    frame = pd.DataFrame(inside, index=ids, columns=names)
    return Frozen.of(frame, pd.Series(sides, index=ids, dtype=object))


def _release(frozen: Frozen) -> Release:
    names = [str(name) for name in frozen.membership.columns]
    return Release(
        number=1,
        note="",
        created="2026-01-31T12:00:00+00:00",
        populations=tuple(es.Population(name, "n > 0") for name in names),
        versions=dict.fromkeys(names, 1),
        meaning=dict.fromkeys(names, "n > 0"),
        n=dict.fromkeys(names, 0),
        sizes={},
        settings={},
    )


def _sealed(release: Release, frozen: Frozen) -> tuple[Release, dict[str, str]]:
    packed = pack(frozen)
    return replace(release, checksum=checksum(release, packed)), packed


def _parquet(frozen: Frozen, compression: str) -> bytes:
    buffer = io.BytesIO()
    table = frozen.membership.assign(split=frozen.side)
    table.to_parquet(buffer, compression=compression)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
