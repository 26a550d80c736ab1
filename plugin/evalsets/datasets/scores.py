"""Similarity kept in sample fields, so that a saved view can match on it.

Each similarity term of a population (``text('windy road')``) has one field of scores,
shared by all populations that use the term. A custom run keeps what reproduces it: the
term, the query vectors, the encoder's fingerprint and how far the vectors were read.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from evalsets.datasets.columns import declare, drop, slug, write
from evalsets.datasets.locks import writing
from evalsets.datasets.runs import delete_run, load_runs, save_run
from evalsets.datasets.vectors import encoder_of, open_vectors
from evalsets.encoders.encoder import Vectors, prompt_vector
from evalsets.errors import ArgumentError, NoVectorsError, UnknownNameError, counted
from evalsets.images import open_image
from evalsets.query import Expr, Rank, Similarity, Term, to_text
from evalsets.query.syntax import Compare, Constant
from evalsets.similarity import VectorFile, ranks, unit
from evalsets.telling import tell

KIND = "scores"
OTHER_ENCODER = (
    "the dataset has been embedded with another encoder since; compose it again and "
    "check its threshold"
)

Query: TypeAlias = "tuple[Vectors, Vectors | None]"
"""The vector that scores are taken to, and the one whose scores are subtracted."""


def query_vectors(dataset: fo.Dataset, term: Term, file: VectorFile) -> Query:
    """The vectors that a term compares images with.

    Args:
        dataset: of the images
        term: a similarity or a rank
        file: the dataset's vectors

    Raises:
        NoVectorsError: the dataset has not been embedded
        EncoderError: the encoder cannot be loaded
        UnknownNameError: ``image()`` names no sample and no file
    """
    similarity = term.similarity if isinstance(term, Rank) else term
    look_up = _prompt if similarity.kind == "text" else _image
    wanted, against = (
        [look_up(dataset, one, file) for one in side]
        for side in (similarity.arguments, similarity.against)
    )
    return _mean(wanted), _mean(against) if against else None


def _mean(vectors: list[Vectors]) -> Vectors:
    """One vector as it is; of several the direction of their sum, in any order.

    On the grid of ``unit`` the sum has no rounding error.
    """
    if len(vectors) == 1:
        return vectors[0]
    return unit(unit(vectors).sum(axis=0, dtype=np.float64))


def term_values(term: Term, file: VectorFile, query: Query) -> NDArray[Any]:
    """Scores, or ranks, of every sample in the order of ``file.ids``."""
    wanted, against = query
    found = file.scores(wanted)
    if against is not None:
        found = found - file.scores(against)
    return ranks(found, file.ids) if isinstance(term, Rank) else found


def passing(
    predicate: Expr, file: VectorFile, queries: Mapping[Term, Query]
) -> NDArray[np.bool_] | None:
    """Where ``similarity > constant`` or ``RANK <= constant`` holds, as scores decide it.

    A search in float32 finds it without the exact scores of all samples.

    Returns:
        ``(n,)`` in the order of ``file.ids``; None for conditions of another form
    """
    if not isinstance(predicate, Compare):
        return None
    term, bound, operator = predicate.left, predicate.right, predicate.operator
    if isinstance(term, Constant):
        term, bound, operator = bound, term, _TURNED[operator]
    if not isinstance(bound, Constant) or type(bound.value) not in (int, float):
        return None
    cut = float(bound.value)  # type: ignore[arg-type]
    if not isinstance(term, (Similarity, Rank)) or queries[term][1] is not None:
        return None
    found = np.zeros(len(file), dtype=bool)
    if isinstance(term, Rank):
        k = math.floor(cut) if operator == "<=" else math.ceil(cut) - 1
        if operator not in ("<", "<=") or k > len(file) * _SEARCHED:
            return None
        if k >= 1:
            ids, _ = file.top_k(queries[term][0], k)
            found[file.find(ids.tolist())] = True
        return found
    if operator not in _ABOVE:
        return None
    least = cut if operator in (">", "<=") else np.nextafter(cut, -np.inf)
    found[file.above(queries[term][0], least)] = True
    return found if operator in (">", ">=") else ~found


_TURNED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ABOVE = (">", ">=", "<", "<=")
_SEARCHED = 0.1  # share of the samples above which ranking all of them is as fast


def field_of(term: Term) -> str:
    """The sample field that a term's values are kept in."""
    text = to_text(term)
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    similarity = term.similarity if isinstance(term, Rank) else term
    start = "rank" if isinstance(term, Rank) else "similar"
    return f"{start}_{slug(similarity.arguments[0])}_{digest}"


def keep_scores(dataset: fo.Dataset, asked: Collection[Term]) -> None:
    """Fills the fields of terms that have none under the dataset's present encoder.

    Only such terms are looked up, and all of them before anything is written.

    Raises:
        NoVectorsError, EncoderError, UnknownNameError: as for ``query_vectors``
    """
    if not asked:
        return
    file = open_vectors(dataset)
    kept = load_runs(dataset, KIND)
    queries = {
        term: query_vectors(dataset, term, file)
        for term in asked
        if kept.get(to_text(term), {}).get("fingerprint") != file.fingerprint
    }
    for term, query in queries.items():
        if to_text(term) in kept:
            delete_run(dataset, KIND, to_text(term))
        _start(dataset, term)
        _fill(dataset, term, file, query, 0)
        save_run(dataset, KIND, to_text(term), _recipe(term, file, query))


def kept_fields(
    dataset: fo.Dataset, asked: Iterable[Term], file: VectorFile
) -> dict[Term, str]:
    """The fields of those terms whose values are kept and up to date with a file."""
    kept = load_runs(dataset, KIND)
    return {
        term: field_of(term)
        for term in asked
        if _is_current(kept.get(to_text(term), {}), file)
    }


def _is_current(recipe: Mapping[str, Any], file: VectorFile) -> bool:
    return (recipe.get("fingerprint"), recipe.get("position"), recipe.get("made")) == (
        file.fingerprint,
        file.position,
        file.made,
    )


def refresh_scores(dataset: fo.Dataset, asked: Iterable[Term]) -> dict[Term, str]:
    """Scores what has been embedded since; returns why other terms are stale."""
    asked = list(asked)
    if not asked:
        return {}
    try:
        file = open_vectors(dataset)
    except NoVectorsError as error:
        return dict.fromkeys(asked, str(error))
    kept = load_runs(dataset, KIND)
    stale = {}
    for term in asked:
        recipe = kept.get(to_text(term), {})
        if recipe.get("fingerprint") != file.fingerprint:
            stale[term] = OTHER_ENCODER
        elif not _is_current(recipe, file):
            tell(f"Scoring {counted(len(file), 'sample')} by {to_text(term)}")
            with writing(dataset):
                _catch_up(dataset, term, file)
    return stale


def _catch_up(dataset: fo.Dataset, term: Term, file: VectorFile) -> None:
    """Scores what is new in the file, or all of it if the file was made anew."""
    recipe = load_runs(dataset, KIND).get(to_text(term), {})
    if recipe.get("fingerprint") != file.fingerprint or _is_current(recipe, file):
        return  # another writer was here since
    first, second = recipe["vectors"]
    against = None if second is None else np.asarray(second, np.float32)
    query = np.asarray(first, dtype=np.float32), against
    anew = recipe.get("made") != file.made
    if anew:
        _start(dataset, term)
    _fill(dataset, term, file, query, 0 if anew else recipe["position"])
    save_run(dataset, KIND, to_text(term), _recipe(term, file, query))


def drop_scores(dataset: fo.Dataset, keep: Iterable[Term]) -> None:
    """Removes the fields of terms that no population uses any more."""
    used = {to_text(term) for term in keep}
    for text, recipe in load_runs(dataset, KIND).items():
        if text not in used:
            drop(dataset, recipe["field"])
            delete_run(dataset, KIND, text)


def _start(dataset: fo.Dataset, term: Term) -> None:
    """Gives a term its field, without the values that other vectors left there."""
    field = field_of(term)
    if dataset.has_sample_field(field):
        dataset.clear_sample_field(field)
    kind = int if isinstance(term, Rank) else float
    declare(dataset, {field: kind}, indexed=True, info={"term": to_text(term)})


def _fill(
    dataset: fo.Dataset, term: Term, file: VectorFile, query: Query, position: int
) -> None:
    """Writes the values that changed after a position; a rank may change anywhere."""
    values = term_values(term, file, query)
    if position and not isinstance(term, Rank):
        new = np.isin(file.ids, file.since(position))
        write(dataset, field_of(term), file.ids[new].tolist(), values[new])
    else:
        write(dataset, field_of(term), file.ids.tolist(), values)


def _recipe(term: Term, file: VectorFile, query: Query) -> dict[str, Any]:
    return {
        "field": field_of(term),
        "encoder": file.encoder,
        "fingerprint": file.fingerprint,
        "vectors": [None if v is None else v.tolist() for v in query],
        "position": file.position,
        "made": file.made,
    }


def _prompt(dataset: fo.Dataset, prompt: str, file: VectorFile) -> Vectors:
    return prompt_vector(encoder_of(dataset, file), prompt)


def _image(dataset: fo.Dataset, name: str, file: VectorFile) -> Vectors:
    """The vector of a sample, by its id or by the end of its path, or of a file."""
    if name in file:
        return file.get([name])[0]
    found = [i for i in dataset.match(_path_ends(name)).values("id") if i in file]
    if len(found) == 1:
        return file.get(found)[0]
    path = _existing_file(name)
    if path is None and found:
        raise ArgumentError(
            f"image('{name}') may be any of {len(found)} samples whose paths end so; give "
            "more of the path, or the id of one"
        )
    if path is None:
        raise UnknownNameError(
            "embedded sample or image file",
            name,
            remedy="give the id or the path of one",
        )
    try:
        image = open_image(str(path))
    except (OSError, ValueError, SyntaxError) as error:
        raise ArgumentError(
            f"image('{name}') is no image that can be read ({error}); give the path "
            "of one, or the id of a sample"
        ) from error
    from evalsets.encoders.batches import collate  # torch takes seconds to import

    encoder = encoder_of(dataset, file)
    return encoder.encode_images(collate([encoder.prepare(image)]))[0]


def _path_ends(name: str) -> fo.ViewExpression:
    """Whether a sample's path ends with a name; no pattern, which a name may break."""
    ending = "/" + name.lstrip("/")
    before = {"$subtract": [{"$strLenCP": "$filepath"}, len(ending)]}
    last = {"$substrCP": ["$filepath", {"$max": [0, before]}, len(ending)]}
    return fo.ViewExpression({"$eq": [last, {"$literal": ending}]})


def _existing_file(name: str) -> Path | None:
    try:
        path = Path(name).expanduser()
        return path if path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # too long, no such user, a null byte
        return None
