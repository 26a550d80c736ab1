"""A view that holds its query, as a browser gets it."""

import json

import fiftyone as fo
import numpy as np
import pytest

import evalsets as es
from evalsets.api.found import Match, find
from evalsets.datasets.vectors import create_vectors

pytestmark = pytest.mark.db


class Drawn:
    """What ``create_vectors`` asks of an encoder; the vectors are given."""

    name, fingerprint, dim, templates = "drawn", "d" * 32, 2, ("{}",)


def test_a_view_of_a_likeness_holds_the_query_and_finds_what_comes_later(dataset):
    dataset.add_samples(fo.Sample(f"/nowhere/{i}.png", n=i) for i in range(40))
    ids = dataset.values("id")
    angle = np.linspace(0, np.pi, 40)
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    file = create_vectors(dataset, Drawn())
    file.add(ids[:39], vectors[:39])
    query = f"n > 3 AND image('{ids[0]}') < 0.5"
    view = find(dataset, query)
    sent = json.dumps(view._serialize())
    assert query in sent
    assert [i for i in ids if i in sent] == [ids[0]]  # the one that the query names
    read = fo.DatasetView._build(dataset, json.loads(sent))
    meant = es.search(dataset, query).values("id")
    assert read.values("id") == meant
    assert 0 < len(meant) < 36
    file.add(ids[39:], vectors[39:])
    assert read.values("id") == [*meant, ids[39]]
    assert read.match(fo.ViewField("n") < 39).values("id") == meant


def test_a_stage_whose_filter_was_edited_by_hand_filters_by_it(dataset):
    dataset.add_samples(fo.Sample(f"/nowhere/{n}.png", shade=n) for n in range(9))
    stage = Match({"shade": {"$lt": 3}})
    assert len(dataset.view().add_stage(stage)) == 3
