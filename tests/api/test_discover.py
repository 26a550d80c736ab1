import fiftyone as fo
import numpy as np
import pytest

import evalsets as es

pytestmark = pytest.mark.db

TIMES = ("day", "dusk", "night")
WEATHER = ("sunny", "rain", "fog", "snow")


def tagged(dataset, n=1200, seed=0):
    """Samples without images: a class, and tags that a camera or a tagger gives."""
    rng = np.random.default_rng(seed)
    dataset.add_samples(
        fo.Sample(
            f"/photos/{i:04d}.jpg",
            ground_truth=fo.Classification(label=str(rng.choice(["cat", "dog", "ox"]))),
            time=str(rng.choice(TIMES, p=[0.5, 0.2, 0.3])),
            weather=fo.Classification(label=str(rng.choice(WEATHER))),
            num_people=int(rng.poisson(2)),
            brightness=float(rng.random()),
            blurry=bool(rng.random() < 0.1),
            scene=f"scene-{i // 4}",
        )
        for i in range(n)
    )
    return dataset


def upload(dataset, weak=(), rate=0.6, other=0.08, seed=1, name="resnet"):
    """A model that errs at a rate on the samples of a query, elsewhere at another."""
    rng = np.random.default_rng(seed)
    inside = set(es.search(dataset, weak).values("id")) if weak else set()
    ids, truth = dataset.values(["id", "ground_truth.label"])
    wrong = rng.random(len(ids)) < np.where([i in inside for i in ids], rate, other)
    guesses = {i: "elk" if w else t for i, t, w in zip(ids, truth, wrong, strict=True)}
    es.upload_predictions(dataset, name, guesses, key="id", overwrite=True)
    return inside


@pytest.mark.parametrize(
    "weak",
    [
        "weather = 'rain' AND \"time\" = 'night'",
        "num_people >= 4",
        "blurry = TRUE",
        "ground_truth = 'cat' AND brightness < 0.2",
    ],
)
def test_a_planted_weakness_is_found_as_the_query_that_selects_it(dataset, weak):
    planted = upload(tagged(dataset), weak)
    first = es.discover(dataset, "resnet")[0]
    found = set(es.search(dataset, first.query).values("id"))
    assert len(found & planted) >= 0.7 * len(found | planted)
    assert first.confirmed
    assert first.p_adjusted < 0.01
    assert first.n == len(found)
    assert first.drop_low < first.drop < first.drop_high
    assert first.drop > 0.3
    assert len(first.samples) == 3
    assert set(first.samples) <= found
