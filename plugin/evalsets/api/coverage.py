"""``coverage``: how populations divide over the sides of a split."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Callable, Mapping

import fiftyone as fo
import pandas as pd

from evalsets.api.conditions import conditions_of
from evalsets.api.populations import current_queries, meanings
from evalsets.api.split import refuse_strayed
from evalsets.api.standing import sides_of
from evalsets.datasets.columns import provenance
from evalsets.datasets.connect import Source, open_dataset, open_view
from evalsets.datasets.files import OWNER
from evalsets.datasets.ledger import last_split
from evalsets.datasets.populations import load_recipes, members
from evalsets.datasets.releases import list_releases
from evalsets.datasets.schema import read_schema
from evalsets.errors import ArgumentError, QueryError
from evalsets.metrics.estimates import PairedProportion, Proportion
from evalsets.query import Query, check, parse
from evalsets.splits import Coverage, Facts
from evalsets.splits import coverage as cover
from evalsets.suites import Population, Requirement

logger = logging.getLogger(__name__)

ALPHA = 0.05
"""Level of a verdict, as in ``evaluate``."""
_PROPORTIONS = ("accuracy", "top5")
_MOST = 1_000_000
_SHOWN = 8
_LEAST_SHARE = 0.01
_LABELLED = "\0labelled"


def coverage(dataset: Source, *, truth: str = "ground_truth") -> Coverage:
    """How each population divides over train, val, test and quarantine.

    Args:
        dataset: or its name, or a view
        truth: field of the true labels; where there is none, nothing is said of labels

    Raises:
        ArgumentError: the dataset has no populations
        EvalsetsError: the field has samples elsewhere that the ledger tells to be in test
    """
    view = open_view(dataset)
    opened = open_dataset(dataset)
    refuse_strayed(opened)
    recipes = load_recipes(opened)
    known = {n: r.population for n, r in recipes.items()}
    if not known:
        raise ArgumentError(
            f"Dataset '{opened.name}' has no populations yet; compose some first"
        )
    queries, stale = current_queries(opened, recipes)
    for name, reason in stale.items():
        logger.warning("Population '%s' is stale: %s", name, reason)
    asked = {n: q for n, q in queries.items() if n not in stale}
    is_labelled = _is_labelled(opened, truth)
    if is_labelled is not None:
        asked[_LABELLED] = is_labelled
    frame = members(view, asked)
    labelled = frame.pop(_LABELLED).to_numpy() if _LABELLED in frame else None
    frame = frame.reindex(columns=list(known), fill_value=False)
    untested = frame.index[~frame.any(axis=1)]
    facts = Facts(
        labelled,
        _fewest(known),
        _before(opened, known),
        last_split(opened).get("background") or 0,
        _even(known),
        ALPHA,
    )
    return cover(
        frame,
        sides_of(view, frame.index),
        {n: p.holdout for n, p in known.items()},
        facts,
        lambda: _tags(view, untested, frame.index),
    )


def _before(dataset: fo.Dataset, known: dict[str, Population]) -> dict[str, int] | None:
    """Samples at the last release of the populations that mean the same now."""
    releases = list(list_releases(dataset).values())
    if not releases:
        return None
    last = releases[-1]
    n = {last.meaning[name]: last.n[name] for name in last.meaning}
    now = meanings(dataset, known)
    return {name: n[query] for name, query in now.items() if query in n}


def _is_labelled(dataset: fo.Dataset, truth: str) -> Query | None:
    if not dataset.has_sample_field(truth):
        return None
    name = truth.replace('"', '""')
    try:
        return check(parse(f'"{name}" IS NOT NULL'), read_schema(dataset))
    except QueryError:  # such as a mask, which no query can ask for
        return None


def _fewest(known: Mapping[str, Population]) -> dict[str, dict[str, int]]:
    """By population and requirement, the samples below which no model can pass."""
    return {
        name: {str(r): max(_fewest_for(r), p.min_size) for r in p.require}
        for name, p in known.items()
    }


def _even(known: Mapping[str, Population]) -> dict[str, dict[str, int]]:
    """By population and drop, the samples below which a draw with the baseline is open."""
    return {
        name: {
            str(r): _fewest_even(r.max_drop)
            for r in p.require
            if r.metric in _PROPORTIONS and r.max_drop
        }
        for name, p in known.items()
    }


def _fewest_for(requirement: Requirement) -> int:
    """The fewest samples on which some model can pass; 1 where nothing is known of it.

    It has all samples right, and the baseline none.
    """
    bound, drop = requirement.at_least, requirement.max_drop
    if requirement.metric not in _PROPORTIONS:
        return 1
    if drop is not None:
        return _first(lambda n: PairedProportion(n, 0, n, n).p_above(-drop))
    if bound is None or bound >= 1:
        return 1  # no number of samples would do
    return _first(lambda n: Proportion(n, n, n).p_above(bound))


def _fewest_even(drop: float) -> int:
    """The fewest samples on which a model passes that is right where its baseline is."""
    return _first(lambda n: PairedProportion(0, 0, n, n).p_above(-drop))


def _first(p_value: Callable[[int], float]) -> int:
    """The least n whose p-value allows a pass; it falls with n."""
    most = 1
    while most < _MOST and p_value(most) > ALPHA:
        most *= 2
    return 1 + bisect_left(range(1, most), True, key=lambda n: p_value(n) <= ALPHA)


def _tags(view: fo.DatasetView, untested: pd.Index, everyone: pd.Index) -> pd.DataFrame:
    """The commonest tags of untested samples, as queries."""
    schema = read_schema(view)
    fields = view.get_field_schema()
    plain = ("text", "boolean", "list")
    left_out = {
        path
        for path, kind in schema.fields.items()
        if kind.kind not in plain or (path in fields and _is_file(fields[path]))
    }
    inside = everyone.isin(untested)
    least = max(2, inside.sum() * _LEAST_SHARE)  # below are names, not properties
    rows = []
    for tag in conditions_of(view, list(everyone), schema, left_out, 1):
        n = int(tag.members[inside].sum())
        if n >= least and not tag.absent:
            rows.append((tag.text, n, n / inside.sum(), tag.members.mean()))
    found = pd.DataFrame(rows, columns=["tag", "n", "share", "share_of_all"])
    return found.sort_values(["n", "tag"], ascending=[False, True])[
        :_SHOWN
    ].reset_index(drop=True)


def _is_file(field: fo.Field) -> bool:
    return OWNER in provenance(field)
