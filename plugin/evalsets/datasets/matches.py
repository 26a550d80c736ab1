"""Matched detections, kept so that no evaluation matches the same boxes again."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import fiftyone as fo
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from evalsets.datasets.locks import writing
from evalsets.datasets.runs import delete_run, load_results, load_runs, save_run
from evalsets.metrics import Detection

KIND = "matches"


@dataclass(frozen=True)
class Kept:
    """What was matched.

    Args:
        ids: ``(n,)`` of the images
        prints: ``(n,)`` change with any true or predicted box of an image
        outcomes: of the same images
    """

    ids: list[str]
    prints: NDArray[np.uint64]
    outcomes: Detection


def save_matches(dataset: fo.Dataset, truth: str, field: str, kept: Kept) -> None:
    """Keeps matches, in place of earlier ones of the same fields."""
    found = kept.outcomes
    objects = found.objects.tocoo()
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        ids=np.array(kept.ids),
        prints=kept.prints,
        image=found.image.astype(np.int32),
        label=found.label.astype(np.int32),
        score=found.score,
        found=np.packbits(found.found, axis=0),
        ignored=np.packbits(found.ignored, axis=0),
        row=objects.coords[0].astype(np.int32),
        column=objects.coords[1].astype(np.int32),
        count=objects.data,
        classes=np.array(found.classes, str),
    )
    packed = base64.b64encode(stream.getvalue()).decode()
    fields = {"truth": truth, "field": field}
    with writing(dataset):
        save_run(dataset, KIND, f"{truth} {field}", fields, {"packed": packed})


def load_matches(dataset: fo.Dataset, truth: str, field: str) -> Kept | None:
    """The matches of two fields; None where there are none."""
    name = f"{truth} {field}"
    if name not in load_runs(dataset, KIND):
        return None
    packed = load_results(dataset, KIND, name, "packed")
    if packed is None:
        return None
    with np.load(io.BytesIO(base64.b64decode(packed)), allow_pickle=False) as held:
        n_overlaps, classes = 10, tuple(held["classes"].tolist())
        found, ignored = (
            np.unpackbits(held[name], axis=0)[:n_overlaps] > 0
            for name in ("found", "ignored")
        )
        objects = sp.csr_array(
            (held["count"], (held["row"], held["column"])),
            shape=(len(held["ids"]), len(classes)),
        )
        outcomes = Detection(
            image=held["image"].astype(np.intp),
            label=held["label"].astype(np.intp),
            score=held["score"],
            found=found,
            ignored=ignored,
            objects=objects,
            classes=classes,
        )
        return Kept(held["ids"].tolist(), held["prints"], outcomes)


def drop_matches(dataset: fo.Dataset) -> None:
    """Removes the matches of fields that are gone."""
    schema = dataset.get_field_schema()
    for name, fields in load_runs(dataset, KIND).items():
        if not {fields["truth"], fields["field"]} <= schema.keys():
            delete_run(dataset, KIND, name)
