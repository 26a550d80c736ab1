"""``discover``: weak spots that nobody named yet, as queries."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import fiftyone as fo
import numpy as np
from scipy.stats import false_discovery_control

from evalsets.api.checking import check_whole
from evalsets.api.comparing import without_training
from evalsets.api.conditions import conditions_of
from evalsets.api.looking import Looked, look, refuse_few, sides_of
from evalsets.api.search import search as select_by
from evalsets.datasets.connect import Source, open_both
from evalsets.datasets.ledger import last_split
from evalsets.datasets.outcomes import GROUND_TRUTH
from evalsets.datasets.populations import load_recipes, schema_of
from evalsets.datasets.predictions import prediction_set
from evalsets.datasets.reports import save_look
from evalsets.datasets.vectors import encoder_of
from evalsets.discovery import (
    PROMPTS,
    Bools,
    Candidate,
    Condition,
    Proposal,
    Region,
    Searchable,
    Vectors,
    Words,
    describe,
    distinct,
    search,
    weigh,
)
from evalsets.encoders.encoder import prompt_vector
from evalsets.errors import ArgumentError, EncoderError
from evalsets.query import PromptWarning, to_text
from evalsets.query.syntax import Compare, Constant, Similarity

logger = logging.getLogger(__name__)

_SIDES = ("train", "val")
_TYPICAL = 3
_MEASURES = {
    "classification": "accuracy",
    "multilabel": "F1 of an image",
    "detection": "F1 of an image",
    "segmentation": "share of right pixels",
    "regression": "negated error",
    "scores": "score",
}


def discover(
    dataset: Source,
    model: str,
    *,
    split: str | Sequence[str] | None = _SIDES,
    truth: str = GROUND_TRUTH,
    prompts: Sequence[str] = PROMPTS,
    n: int = 10,
    min_size: int = 20,
    alpha: float = 0.05,
    groups: str | None = None,
    seed: int = 0,
) -> list[Candidate]:
    """Finds where a model is worse than elsewhere, and says it as queries.

    One half of the samples, chosen by a fixed lot of each sample or group, is searched:
    first conjunctions of up to three conditions on tags, then regions of the embedding
    space around clusters of mistakes and around prompts. The other half decides which
    candidates are confirmed, and gives all their figures.

    Test samples are left alone unless asked for, since a population that was found among
    them would be judged by what it was found with; ``split="test"`` or ``None`` counts
    as a look at them. Samples without a prediction or without a true label, and those
    that the model was trained on, are left out; an image without a box in COCO results
    that have some on its side is one in which nothing was found.

    Args:
        dataset: or its name, or a view to look at
        model: name of an uploaded prediction set
        split: the side or sides to look at; None or "all" for all samples. Of a dataset
            that was never split, all samples are looked at
        truth: field of the true labels
        prompts: words for regions of the embedding space
        n: candidates, at most
        min_size: samples that a candidate must have
        alpha: share of false ones to expect among those that are confirmed
        groups: field whose equal values mark dependent samples, so that they stay in
            one half; by default the one the split went by
        seed: of the halves

    Returns:
        the confirmed first, then the surest; empty where nothing stands out

    Raises:
        UnknownNameError: no such model, split or field
        ArgumentError: too few samples to look at, with the reason
    """
    _check(n, min_size, alpha)
    prompts = _worded(prompts)
    opened, view = open_both(dataset)
    stored = prediction_set(opened, model)
    sides, view = sides_of(view, split, _SIDES)
    view, _ = without_training(opened, view, model, None)
    grouping = groups or last_split(opened).get("groups")
    looked = look(opened, view, truth, stored, grouping, seed)
    refuse_few(looked, model, sides, min_size)
    schema = schema_of(opened, load_recipes(opened))
    least = -(-min_size // 2)
    conditions = conditions_of(view, looked.ids, schema, (), least)
    space = _space(opened, looked, prompts)
    samples = Searchable(
        looked.loss, looked.searched, conditions, looked.vectors, space.prompts
    )
    found = search(samples, least, n, seed)
    proposals = [_proposal(one, looked.ids, space.words) for one in found]
    save_look(opened, model, sides, len(looked.ids))
    if not proposals:
        logger.info("Nothing stands out among %d samples", len(looked.ids))
        return []
    members = _members(view, looked, proposals)
    taken = [*load_recipes(opened), *opened.list_saved_views()]
    titles = _titles(proposals, members, conditions, space.words, taken)
    judged = _judged(looked, proposals, members, titles, stored.task, alpha, seed)
    judged.sort(key=lambda c: (not c.confirmed, c.p_adjusted, -c.drop))
    confirmed = sum(c.confirmed for c in judged)
    logger.info("%d of %d candidates are confirmed", confirmed, len(judged))
    return judged[:n]


@dataclass(frozen=True)
class _Proposal:
    """A query, with the words that it is made of, if any."""

    query: str
    words: str = ""


@dataclass(frozen=True)
class _Space:
    """Prompts beside the vectors of samples.

    Args:
        words: the prompts, and how well each fits each sample
        prompts: ``(p, d)`` their vectors; None where there are none
    """

    words: Words
    prompts: Vectors | None


def _check(n: Any, min_size: Any, alpha: Any) -> None:
    check_whole(n=n)
    check_whole(4, min_size=min_size)
    if not isinstance(alpha, Real) or not 0 < float(alpha) < 1:
        raise ArgumentError(f"alpha is {alpha!r}; give a probability such as 0.05")


def _worded(prompts: str | Sequence[str]) -> list[str]:
    given = [prompts] if isinstance(prompts, str) else list(prompts)
    for prompt in given:
        if not isinstance(prompt, str) or not prompt.strip():
            raise ArgumentError(
                f"A prompt is {prompt!r}; give words for what an image may show"
            )
    return given


def _space(dataset: fo.Dataset, looked: Looked, prompts: Sequence[str]) -> _Space:
    """The prompts in the space of the samples; none where the encoder knows no text."""
    nothing = _Space(Words(), None)
    if looked.vectors is None or not prompts:
        return nothing
    try:
        encoder = encoder_of(dataset)
        vectors = np.array([prompt_vector(encoder, prompt) for prompt in prompts])
    except EncoderError as error:
        logger.warning("Regions are described by tags only: %s", error)
        return nothing
    fit = (vectors @ looked.vectors.T).astype(np.float64)
    fit[:, ~looked.vectors.any(axis=1)] = np.nan
    return _Space(Words(tuple(prompts), fit), vectors)


def _proposal(found: Proposal, ids: Sequence[str], words: Words) -> _Proposal:
    """What was found, in the query language."""
    if not isinstance(found, Region):
        text = " AND ".join(part.text for part in found)
        return _Proposal(text, ", ".join(part.words for part in found))
    if found.prompt >= 0:
        prompt = words.prompts[found.prompt]
        term = Similarity("text", (prompt,))
    else:
        prompt = ""
        term = Similarity("image", tuple(ids[at] for at in found.examples))
    return _Proposal(to_text(Compare(">", term, Constant(found.cut))), prompt)


def _members(
    view: fo.DatasetView, looked: Looked, proposals: Sequence[_Proposal]
) -> Bools:
    """``(k, n)`` whom each query selects, asked of the database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptWarning)  # the cut was found, not guessed
        found = [
            looked.inside(select_by(view, p.query).values("id")) for p in proposals
        ]
    return np.array(found, dtype=bool).reshape(len(proposals), len(looked.ids))


def _titles(
    proposals: Sequence[_Proposal],
    members: Bools,
    conditions: Sequence[Condition],
    words: Words,
    taken: Sequence[str],
) -> list[tuple[str, str]]:
    """Name and description of each proposal; tags describe themselves."""
    said = [
        (p.words, "") if p.words else describe(inside, conditions, words)
        for p, inside in zip(proposals, members, strict=True)
    ]
    names = distinct([name for name, _ in said], taken)
    return [(name, text) for name, (_, text) in zip(names, said, strict=True)]


def _judged(
    looked: Looked,
    proposals: Sequence[_Proposal],
    members: Bools,
    titles: Sequence[tuple[str, str]],
    task: str,
    alpha: float,
    seed: int,
) -> list[Candidate]:
    """What the half that was not searched says of the proposals."""
    rest = ~looked.searched
    groups = None if looked.groups is None else looked.groups[rest]
    weighed = weigh(members[:, rest], looked.loss[rest], groups, seed)
    adjusted = false_discovery_control([e.p for e in weighed]).tolist()
    return [
        Candidate(
            query=proposal.query,
            name=name,
            n=int(inside.sum()),
            drop=e.inside - e.outside,
            drop_low=e.low,
            drop_high=e.high,
            value=looked.best - e.inside,
            elsewhere=looked.best - e.outside,
            n_confirming=e.n,
            p_adjusted=p,
            confirmed=p <= alpha,
            measure=_MEASURES[task],
            samples=_typical(looked, inside),
            description=about,
        )
        for proposal, (name, about), inside, e, p in zip(
            proposals, titles, members, weighed, adjusted, strict=True
        )
    ]


def _typical(looked: Looked, inside: Bools) -> tuple[str, ...]:
    """The mistakes nearest to the middle of all that a candidate holds."""
    rows = np.flatnonzero(inside & (looked.loss > looked.loss.mean()))
    if looked.vectors is not None:
        near = looked.vectors[rows] @ looked.vectors[rows].sum(axis=0)
        rows = rows[np.argsort(-near, kind="stable")]
    return tuple(looked.ids[at] for at in rows[:_TYPICAL])
