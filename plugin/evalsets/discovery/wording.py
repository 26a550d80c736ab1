"""Names and descriptions of candidates."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import rankdata

from evalsets.discovery.conjunctions import Condition
from evalsets.discovery.evidence import Bools, Floats

_CLEAR = 0.8
"""Chance that a prompt fits a sample inside better than one outside, to be named."""
_SHARE = 0.5
"""Of the samples inside for which a condition holds, to be named."""
_LIFT = 1.5
_LENGTH = 80


@dataclass(frozen=True)
class Words:
    """What can be said of samples beside their tags.

    Args:
        prompts: ``(p,)``
        fit: ``(p, n)`` similarity of each sample to each prompt; NaN where unknown
    """

    prompts: tuple[str, ...] = ()
    fit: Floats = field(default_factory=lambda: np.empty((0, 0)))


def describe(
    inside: Bools, conditions: Sequence[Condition], words: Words
) -> tuple[str, str]:
    """A short name and a sentence for samples that a query does not put in words.

    Args:
        inside: ``(n,)``
        conditions: whose members are among the same samples
        words: of the same samples

    Returns:
        the prompt or the condition that separates them best, and both with figures
    """
    said = []
    prompt, clear = _best_prompt(inside, words)
    if clear >= _CLEAR:
        said.append((prompt, f"'{prompt}' fits better in {clear:.0%} of pairs"))
    shares = [
        (float(c.members[inside].mean()), float(c.members[~inside].mean()), c)
        for c in conditions
    ]
    telling = [s for s in shares if s[0] >= _SHARE and s[0] >= _LIFT * s[1]]
    if telling:
        own, others, best = max(telling, key=lambda s: s[0] - s[1])
        text = f"{best.text} for {own:.0%} ({others:.0%} elsewhere)"
        said.insert(0 if own >= _CLEAR else len(said), (best.words, text))
    if not said:
        return "a region", "no prompt or tag sets it apart"
    return said[0][0], "; ".join(text for _, text in said)


def _best_prompt(inside: Bools, words: Words) -> tuple[str, float]:
    """The prompt that fits the samples inside best, and how often it does."""
    best = "", 0.0
    for prompt, fit in zip(words.prompts, words.fit, strict=True):
        known = np.isfinite(fit)
        ours = inside[known]
        m, others = int(ours.sum()), int((~ours).sum())
        if not m or not others:
            continue
        rank = float(rankdata(fit[known])[ours].sum())
        clear = (rank - m * (m + 1) / 2) / (m * others)
        best = max(best, (prompt, clear), key=lambda found: found[1])
    return best


def distinct(names: Sequence[str], taken: Collection[str]) -> list[str]:
    """The names, shortened and numbered where one with the same letters is taken."""
    used = {_letters(name) for name in taken}
    found = []
    for name in names:
        short = name[:_LENGTH].strip() or "weak spot"
        free, number = short, 1
        while _letters(free) in used or not _letters(free):
            number += 1
            free = f"{short} {number}"
        used.add(_letters(free))
        found.append(free)
    return found


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
