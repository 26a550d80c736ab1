"""What a query finds is looked at while it is written."""

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest

import evalsets as es
from evalsets.api.preview import preview, with_cut_at, with_similarity
from evalsets.api.vocabulary import vocabulary

pytestmark = pytest.mark.db

ENCODER = Path(__file__).parents[2] / "examples" / "demo" / "models" / "clip"
TERM = "text('a windy road')"


@pytest.fixture
def scenes(dataset, tmp_path):
    from examples.demo.scenes import write_world

    write_world(tmp_path, n_scenes=12, seed=3)
    es.embed(es.sync(tmp_path, dataset), str(ENCODER))
    dataset.set_values("half", [i % 2 for i in range(len(dataset))])
    return dataset


def scores(dataset):
    ordered = f"SELECT * FROM dataset ORDER BY {TERM} DESC"
    return es.search(dataset, ordered).values("id")


@pytest.mark.parametrize("query", [f"{TERM} > 0.2", f"half = 1 AND {TERM} > 0.2"])
def test_a_preview_counts_what_a_search_finds(scenes, query):
    found = preview(scenes, query)
    ids = set(es.search(scenes, query).values("id"))
    assert found.n == len(ids) > 0
    assert set(found.first + found.inside) <= ids
    assert not set(found.outside) & ids


def test_both_sides_of_the_cut_are_shown_nearest_to_it(scenes):
    order = scores(scenes)
    found = preview(scenes, f"{TERM} > 0.2", shown=2)
    assert found.first == tuple(order[:2])
    assert found.inside == tuple(order[found.n - 2 : found.n])
    assert found.outside == tuple(order[found.n : found.n + 2])
    assert sum(found.histogram.counts) == len(scenes)


def test_a_cut_that_nothing_passes_shows_the_nearest_below_it(scenes):
    found = preview(scenes, f"{TERM} > 0.99")
    assert (found.n, found.first, found.inside) == (0, (), ())
    assert found.outside == tuple(scores(scenes)[:6])


def test_the_kept_side_of_a_cut_follows_the_query(scenes):
    below = preview(scenes, f"{TERM} < 0.2")
    assert not below.above
    assert below.n == len(es.search(scenes, f"{TERM} < 0.2"))
    assert below.first[0] == scores(scenes)[-1]


def test_one_of_several_cuts_is_looked_at(scenes):
    query = f"{TERM} > 0.1 AND text('fog') > 0"
    assert preview(scenes, query).term == TERM
    chosen = preview(scenes, query, term="text('fog')")
    assert (chosen.term, chosen.cut) == ("text('fog')", 0)
    assert chosen.terms == (TERM, "text('fog')")
    assert chosen.n == len(es.search(scenes, query))


def test_a_moved_cut_leaves_the_rest_as_typed():
    query = f"half=1  AND {TERM}>-0.25"
    assert with_cut_at(query, TERM, 0.125) == f"half=1  AND {TERM}>0.125"
    turned = f"0.2 < {TERM}"
    assert with_cut_at(turned, TERM, -0.5) == f"-0.5 < {TERM}"


def test_more_like_some_samples_keeps_the_nearest(scenes):
    wanted = scenes.values("id")[:2]
    more = with_similarity(scenes, "half = 1", "image", wanted)
    assert more.startswith(f"half = 1 AND image('{wanted[0]}', '{wanted[1]}') > ")
    less = with_similarity(scenes, "", "image", wanted, less=True)
    kept = es.search(scenes, less).values("id")
    assert not set(wanted) & set(kept)
    assert len(kept) > 0.9 * len(scenes)


def test_the_vocabulary_lists_all_values_of_fields_that_have_few(dataset):
    dataset.add_samples(
        fo.Sample(f"/nowhere/{i:04}.png", weather="fog" if i == 2500 else "sun")
        for i in range(2501)
    )
    dataset.add_sample_field("odd name", fo.StringField)
    es.compose(dataset, es.Population("foggy", "weather = 'fog'"))
    words = vocabulary(dataset)
    fields = {word.path: word for word in words.fields}
    assert sorted(fields["weather"].values) == ["fog", "sun"]
    assert fields["filepath"].values == ()
    assert fields["odd name"].name == '"odd name"'
    assert words.populations == ("foggy",)


def test_every_word_that_is_proposed_can_be_asked(dataset):
    dataset.add_samples([fo.Sample("/nowhere/1.png", n=np.pi, tags=["a"])])
    for word in vocabulary(dataset).fields:
        es.search(dataset, f"{word.name} IS NULL")
