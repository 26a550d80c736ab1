import fiftyone as fo
import numpy as np
import pytest

import evalsets as es

pytestmark = pytest.mark.db


@pytest.fixture
def partly(dataset):
    """Half is labelled; a model that is right on 88 % by day, on 40 % at night."""
    rng = np.random.default_rng(0)
    n = 600
    time = rng.choice(["day", "night"], n, p=[0.8, 0.2])
    labelled = rng.random(n) < 0.5
    wrong = rng.random(n) < np.where(time == "night", 0.6, 0.12)
    dataset.add_samples(
        fo.Sample(
            f"/photos/{i:04d}.jpg",
            time=str(time[i]),
            place=str(rng.choice(["city", "field"])),
            ground_truth=fo.Classification(label="cat") if labelled[i] else None,
        )
        for i in range(n)
    )
    guesses = ["dog" if w else "cat" for w in wrong]
    es.upload_predictions(dataset, "resnet", guesses, key="id")
    return dataset


def test_an_open_requirement_gets_samples_of_its_population(partly):
    good = es.Requirement("accuracy", at_least=0.75)
    es.compose(partly, es.Population("city", "place = 'city'", require=[good]))
    row = es.evaluate(partly, "resnet", split=None).frame.query("requirement != ''")
    assert row["verdict"].item() == "inconclusive"
    view = es.label_next(partly, "resnet", n=30, split=None)
    assert len(view) == 30
    assert view.count("ground_truth") == 0
    assert set(view.values("place")) == {"city"}
    assert all("settles 'city'" in reason for reason in view.values("label_next"))


def test_a_failed_requirement_gets_samples_to_train_on(partly):
    good = es.Requirement("accuracy", at_least=0.8)
    es.compose(partly, es.Population("night", "\"time\" = 'night'", require=[good]))
    es.compose(partly, es.Population("any", "place <> ''", holdout=0.4))
    es.split(partly, val=0.1)
    view = es.label_next(partly, "resnet", n=20)
    assert len(view) == 20
    assert set(view.values("split")) == {"train"}
    assert set(view.values("time")) == {"night"}
    assert view.count("ground_truth") == 0
    assert all("mends 'night'" in reason for reason in view.values("label_next"))
