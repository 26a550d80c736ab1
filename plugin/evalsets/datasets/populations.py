"""Populations in a dataset: a recipe in a custom run, a saved view made from it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou
import numpy as np
import pandas as pd
from bson import json_util
from fiftyone.core.odm import SavedViewDocument

from evalsets.calibration import Calibration
from evalsets.datasets.columns import gather
from evalsets.datasets.compile import apply, compile_query
from evalsets.datasets.locks import check_held, schema_lock
from evalsets.datasets.predictions import prediction_sets
from evalsets.datasets.runs import delete_run, load_runs, save_run
from evalsets.datasets.schema import read_schema, refuse_hidden
from evalsets.datasets.scores import OTHER_ENCODER, field_of
from evalsets.datasets.vectors import fingerprint_of
from evalsets.errors import (
    ArgumentError,
    EvalsetsError,
    NameTakenError,
    QueryError,
)
from evalsets.query import (
    Query,
    Schema,
    Term,
    check,
    coded,
    column_of,
    evaluate,
    inline,
    is_quick,
    parse,
    references,
    terms,
)
from evalsets.query.arrays import Coded
from evalsets.query.infer import type_of
from evalsets.query.syntax import Expr, Field, Rank, Similarity, walk
from evalsets.suites import Population

KIND = "population"
_BITS = 52
"""Memberships read as one number, a double; whole numbers take far longer to read."""
_FEW = 5_000
"""Texts that are decided one by one sooner than MongoDB decides a field of them."""


@dataclass(frozen=True)
class Measured:
    """A calibration, and what it holds for.

    Args:
        calibration: precision and recall of the population's cut
        query: the population's query, with those it refers to written out
        fingerprint: of the encoder
    """

    calibration: Calibration
    query: str
    fingerprint: str


@dataclass(frozen=True)
class Recipe:
    """A population as a dataset keeps it.

    Args:
        population: the newest definition
        version: grows by one with each change of the query
        measured: what calibration found of its cut; None where nobody calibrated it
        since: when this version was composed, in UTC as ISO 8601
        earlier: the versions before, oldest first: ``version, query, since``
        encoder: fingerprint of the one whose similarities its query was made for;
            empty where it asks for none
    """

    population: Population
    version: int = 1
    measured: Measured | None = None
    since: str = ""
    earlier: tuple[dict[str, Any], ...] = ()
    encoder: str = ""

    def changed(
        self, population: Population, measured: Measured | None, encoder: str
    ) -> Recipe:
        """The recipe after its population was composed again.

        Args:
            population: the new definition, maybe under a new name
            measured: what was found of its cut; by default what is known stays, as
                long as the query does
            encoder: fingerprint of the dataset's
        """
        encoder = encoder if terms(parse(population.query)) else ""
        if population.query == self.population.query:
            kept = measured or self.measured
            return replace(self, population=population, measured=kept, encoder=encoder)
        past = {
            "version": self.version,
            "query": self.population.query,
            "since": self.since,
        }
        earlier = (*self.earlier, past)
        return Recipe(population, self.version + 1, measured, _now(), earlier, encoder)


def load_recipes(dataset: fo.Dataset) -> dict[str, Recipe]:
    """All recipes of a dataset, by name, oldest first."""
    return {
        name: Recipe(
            Population.from_dict(content["population"]),
            content["version"],
            _measured(content.get("measured")),
            content.get("since", ""),
            tuple(content.get("earlier", ())),
            content.get("encoder", ""),
        )
        for name, content in load_runs(dataset, KIND).items()
    }


def _measured(content: Mapping[str, Any] | None) -> Measured | None:
    if content is None:
        return None
    calibration = Calibration.from_dict(content["calibration"])
    return Measured(calibration, content["query"], content["fingerprint"])


def save_recipe(dataset: fo.Dataset, recipe: Recipe) -> None:
    """Writes one recipe; an earlier one of its name is replaced."""
    content = {
        "population": recipe.population.to_dict(),
        "version": recipe.version,
        "measured": None if recipe.measured is None else asdict(recipe.measured),
        "since": recipe.since or _now(),
        "earlier": list(recipe.earlier),
        "encoder": recipe.encoder,
    }
    save_run(dataset, KIND, recipe.population.name, content)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def delete_recipe(dataset: fo.Dataset, name: str) -> None:
    """Removes a recipe and, first, its saved view, which would block the name."""
    check_held(dataset)
    with schema_lock:
        if dataset.has_saved_view(name):
            dataset.delete_saved_view(name)
    delete_run(dataset, KIND, name)


def resolve(
    dataset: fo.Dataset, populations: Mapping[str, Population]
) -> tuple[dict[str, Query], dict[str, QueryError]]:
    """Queries by population, free of ``population()`` and checked.

    Returns:
        the queries, and why others do not fit the dataset's fields (any more)
    """
    schema = schema_of(dataset, populations)
    parsed = {name: parse(p.query) for name, p in populations.items()}
    queries: dict[str, Query] = {}
    failed: dict[str, QueryError] = {}
    for name, query in parsed.items():
        try:
            queries[name] = check(inline(query, parsed), schema)
        except QueryError as error:
            failed[name] = error
    return queries, failed


def read_query(dataset: fo.Dataset, text: str) -> tuple[Query, Query, Schema]:
    """A query as it is written and as it is meant, and the schema that it fits.

    Raises:
        QueryError: it cannot be read, or does not fit the dataset's fields
    """
    parsed = parse(text)
    recipes = load_recipes(dataset) if references(parsed) else {}
    known = {name: parse(r.population.query) for name, r in recipes.items()}
    schema = schema_of(dataset, recipes)
    return parsed, check(inline(parsed, known), schema), schema


def refuse_stale(dataset: fo.Dataset, query: Query) -> None:
    """Refuses a query that names populations whose cut was for another encoder.

    Raises:
        EvalsetsError: which one, and what to do
    """
    recipes = load_recipes(dataset) if references(query) else {}
    encoder = fingerprint_of(dataset) if recipes else ""
    asked = sorted(references(query))
    for name in asked:  # which grows
        if recipes[name].encoder not in ("", encoder):
            raise EvalsetsError(f"Population '{name}': {OTHER_ENCODER}")
        used = references(parse(recipes[name].population.query))
        asked.extend(sorted(used - set(asked)))


def used_terms(populations: Mapping[str, Population]) -> set[Term]:
    """The similarity terms that any of the populations uses."""
    return {t for p in populations.values() for t in terms(parse(p.query))}


def schema_of(dataset: fo.Dataset, names: Mapping[str, object]) -> Schema:
    """The dataset's fields, with the populations and models a query may name."""
    models = {model: stored.field for model, stored in prediction_sets(dataset).items()}
    return read_schema(dataset, models, list(names))


def view_of(dataset: fo.Dataset, query: Query) -> fo.DatasetView:
    """The view of a checked query; it matches on the fields that keep similarities."""
    return apply(dataset.view(), query, {term: field_of(term) for term in terms(query)})


def save_population_views(
    dataset: fo.Dataset, views: Iterable[tuple[Population, fo.DatasetView]]
) -> None:
    """Saves views under the names of populations, the list of them once for all.

    ``Dataset.save_view`` reads and writes that list for each, and drops what it replaces.
    """
    check_held(dataset)
    with schema_lock:
        dataset._doc.reload("saved_views")
        known = {doc.name: doc for doc in dataset._doc.get_saved_views()}
        now = datetime.now(timezone.utc).replace(tzinfo=None)  # as FiftyOne keeps it
        for population, view in views:
            name = population.name
            doc = known.get(name) or SavedViewDocument(
                dataset_id=dataset._doc.id, name=name, created_at=now
            )
            doc.slug = fou.to_slug(name)
            doc.description = population.description or population.query
            doc.view_stages = _stages(view)
            doc.last_modified_at = now
            doc.save(upsert=True)
            if name not in known:
                dataset._doc.saved_views.append(doc)
            view._set_name(name)
        dataset._doc.last_modified_at = now
        dataset._doc.save(virtual=True)


def _stages(view: fo.DatasetView) -> list[str]:
    return [json_util.dumps(s) for s in view._serialize(include_uuids=False)]


def is_saved(name: str, view: fo.DatasetView) -> bool:
    """Whether the saved view of that name is this one."""
    dataset = view._root_dataset
    if not dataset.has_saved_view(name):
        return False
    stored = dataset._get_saved_view_doc(name).view_stages
    return [json_util.loads(s) for s in stored] == [
        json_util.loads(s) for s in _stages(view)
    ]


def check_names(
    dataset: fo.Dataset,
    recipes: Container[str],
    names: Iterable[str],
    freed: Container[str] = (),
) -> None:
    """Refuses names that FiftyOne cannot give to a saved view of ours.

    Args:
        dataset: whose saved views
        recipes: the populations that it has
        names: of populations to be
        freed: names of saved views that are about to go

    Raises:
        ArgumentError: a name without letters or digits
        NameTakenError: a saved view, or another of the names, has that name or one
            with the same letters and digits
    """
    views = [view for view in dataset.list_saved_views() if view not in freed]
    taken = {fou.to_slug(view): view for view in views}
    for name in names:
        try:
            short = fou.to_slug(name)
        except ValueError as error:
            raise ArgumentError(
                f"'{name}' cannot name a population: {error}"
            ) from error
        owner = taken.setdefault(short, name)
        if owner != name or (dataset.has_saved_view(name) and name not in recipes):
            raise NameTakenError(
                f"'{name}' cannot name a population: '{owner}' is a saved view already "
                "and FiftyOne would not tell them apart; choose another name"
            )


def members(view: fo.DatasetView, queries: Mapping[str, Query]) -> pd.DataFrame:
    """Which samples are in which population.

    Conditions on numbers and on texts are worked out here, from columns that many of
    them share, in one round trip; MongoDB works out the others, and those on fields of
    very many texts, as bits of a few numbers.

    Returns:
        bool frame, sample id × population, by rising id

    Raises:
        QueryError: the view leaves out a field that a query reads
    """
    for query in queries.values():
        refuse_hidden(view, query, map(field_of, terms(query)))
    conditions = {name: query.where for name, query in queries.items()}
    return _members(
        view,
        queries,
        {n: e for n, e in conditions.items() if e is not None and is_quick(e)},
    )


def _members(
    view: fo.DatasetView, queries: Mapping[str, Query], here: Mapping[str, Expr]
) -> pd.DataFrame:
    """The frame of :func:`members`, with the conditions to work out here."""
    read = _read_by(here.values())
    stored = {key: stored for key, (stored, _) in read.items()}
    there = [name for name in queries if name not in here]
    ids, columns = gather(view, {**stored, **_bits(queries[n] for n in there)})
    table = {
        key: coded(values) if is_text else column_of(values)
        for (key, (_, is_text)), values in zip(read.items(), columns, strict=False)
    }
    many = {
        k for k, c in table.items() if isinstance(c, Coded) and len(c.values) > _FEW
    }
    if many:
        few = {n: e for n, e in here.items() if many.isdisjoint(_read_by([e]))}
        return _members(view, queries, few)
    inside = {
        name: evaluate(expr, {k: table[k] for k in _read_by([expr])})[0]
        for name, expr in here.items()
    }
    packed = [np.array(column).astype(np.int64) for column in columns[len(read) :]]
    for at, name in enumerate(there):
        inside[name] = packed[at // _BITS] >> at % _BITS & 1 > 0
    return pd.DataFrame(
        inside,
        index=pd.Index(ids.tolist(), name="id", dtype=object),
        columns=list(queries),
        dtype=bool,
    )


def _read_by(conditions: Iterable[Expr]) -> dict[Term | str, tuple[str, bool]]:
    """Where MongoDB holds what conditions read, and whether it is text."""
    read: dict[Term | str, tuple[str, bool]] = {}
    for node in (node for expr in conditions for node in walk(expr)):
        if isinstance(node, Field):
            kind = type_of(node)
            read[node.path] = f"${kind.path or node.path}", kind.kind == "text"
        elif isinstance(node, (Similarity, Rank)):
            read[node] = f"${field_of(node)}", False
    return read


def _bits(queries: Iterable[Query]) -> dict[str, Any]:
    """Whether each query is true, as bits of a few numbers."""
    conditions = [
        compile_query(query, {t: field_of(t) for t in terms(query)}).to_mongo()
        for query in queries
    ]
    parts = [conditions[i : i + _BITS] for i in range(0, len(conditions), _BITS)]
    return {
        str(number): {
            "$add": [{"$cond": [c, 2.0**at, 0.0]} for at, c in enumerate(part)]
        }
        for number, part in enumerate(parts)
    }
