import numpy as np
import pytest
from scipy.stats import false_discovery_control

from evalsets.discovery import Condition, Region, Searchable, search, weigh


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(
        np.float32
    )


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def cloud(rng):
    """Eight blobs of a hundred samples each, on a sphere."""
    blob = np.repeat(np.arange(8), 100)
    centres = rng.normal(size=(8, 24))
    return blob, unit(centres[blob] + 0.35 * rng.normal(size=(800, 24))), unit(centres)


def jaccard(one, other):
    return (one & other).sum() / (one | other).sum()


def test_a_region_that_no_tag_tells_is_found(rng, cloud):
    blob, vectors, _ = cloud
    loss = (rng.random(800) < np.where(blob == 3, 0.6, 0.08)).astype(float)
    searched = rng.random(800) < 0.5
    (found,) = search(Searchable(loss, searched, (), vectors), 10, 10)
    assert isinstance(found, Region)
    assert jaccard(found.inside(vectors, vectors[:0]), blob == 3) > 0.9
    assert searched[list(found.examples)].all()


def test_a_prompt_that_points_there_stands_for_it(rng, cloud):
    blob, vectors, centres = cloud
    loss = (rng.random(800) < np.where(blob == 3, 0.6, 0.08)).astype(float)
    samples = Searchable(loss, rng.random(800) < 0.5, (), vectors, centres[2:5])
    (found,) = search(samples, 10, 10)
    assert isinstance(found, Region)
    assert found.prompt in (1, -1)
    assert jaccard(found.inside(vectors, centres[2:5]), blob == 3) > 0.9


def test_a_region_that_a_tag_tells_is_not_said_twice(rng, cloud):
    blob, vectors, _ = cloud
    loss = (rng.random(800) < np.where(blob == 3, 0.6, 0.08)).astype(float)
    tag = Condition("kind", "kind = 'x'", "x", blob == 3)
    samples = Searchable(loss, rng.random(800) < 0.5, [tag], vectors)
    assert len(search(samples, 10, 10)) == 1


def test_only_one_half_is_read(rng, cloud):
    blob, vectors, centres = cloud
    loss = (rng.random(800) < np.where(blob == 3, 0.6, 0.08)).astype(float)
    searched = rng.random(800) < 0.5
    tags = [Condition(f"t{at}", f"t{at}", "", rng.random(800) < 0.3) for at in range(9)]
    before = search(Searchable(loss, searched, tags, vectors, centres), 10, 10)
    loss[~searched] = rng.random(400 + 400)[~searched]
    again = search(Searchable(loss, searched, tags, vectors, centres), 10, 10)
    assert [p if isinstance(p, Region) else [c.text for c in p] for p in before] == [
        p if isinstance(p, Region) else [c.text for c in p] for p in again
    ]


def test_where_nothing_is_weak_little_is_confirmed(cloud):
    """At most the level of 5 %, but for chance over 30 runs."""
    _, vectors, centres = cloud
    false = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        loss, searched = (rng.random(800) < 0.2).astype(float), rng.random(800) < 0.5
        tags = [
            Condition(f"t{at}", f"t{at}", "", rng.random(800) < rng.uniform(0.1, 0.5))
            for at in range(30)
        ]
        found = search(Searchable(loss, searched, tags, vectors, centres), 10, 10)
        if found:
            members = [
                p.inside(vectors, centres)
                if isinstance(p, Region)
                else np.all([c.members for c in p], axis=0)
                for p in found
            ]
            weighed = weigh(np.array(members)[:, ~searched], loss[~searched])
            p = false_discovery_control([e.p for e in weighed])
            false += bool((p <= 0.05).any())
    assert false <= 4


def test_samples_without_a_vector_are_left_out_of_regions(rng, cloud):
    blob, vectors, _ = cloud
    vectors = vectors.copy()
    vectors[blob == 5] = 0
    loss = (rng.random(800) < np.where(blob == 3, 0.6, 0.08)).astype(float)
    (found,) = search(Searchable(loss, rng.random(800) < 0.5, (), vectors), 10, 10)
    assert not found.inside(vectors, vectors[:0])[blob == 5].any()
