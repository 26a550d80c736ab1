"""A byte-pair vocabulary in the format of open_clip's ``SimpleTokenizer``."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

N_BASE = 2 * 256 + 2  # bytes, bytes that end a word, start and end of text


def learn_merges(texts: Iterable[str], n_merges: int) -> list[tuple[str, str]]:
    """The most frequent pairs, merged one after the other (Sennrich et al., 2016)."""
    counts = Counter(word for text in texts for word in re.findall("[a-z]+", text))
    words = {word: [*word[:-1], f"{word[-1]}</w>"] for word in counts}
    merges: list[tuple[str, str]] = []
    while len(merges) < n_merges:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, parts in words.items():
            for pair in pairwise(parts):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        words = {word: _merged(parts, best) for word, parts in words.items()}
    return merges


def _merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
    merged: list[str] = []
    for part in parts:
        if merged and (merged[-1], part) == pair:
            merged[-1] += part
        else:
            merged.append(part)
    return merged


def write_merges(path: Path, merges: list[tuple[str, str]]) -> None:
    """Writes the file that ``tokenizer_kwargs.bpe_path`` names."""
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
