import fiftyone as fo
import numpy as np
import pytest

import evalsets as es
from evalsets.errors import ArgumentError, UnknownNameError

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


def test_where_nothing_is_weak_nothing_is_confirmed(dataset):
    upload(tagged(dataset))
    assert not [c for c in es.discover(dataset, "resnet") if c.confirmed]


def test_the_same_call_gives_the_same_candidates(dataset):
    upload(tagged(dataset), "weather = 'rain'")
    assert es.discover(dataset, "resnet") == es.discover(dataset, "resnet")


def test_a_candidate_becomes_a_population(dataset):
    planted = upload(tagged(dataset), "blurry = TRUE")
    first = es.discover(dataset, "resnet")[0]
    good = es.Requirement("accuracy", at_least=0.8)
    es.compose(dataset, first.population(holdout=0.2, require=(good,)))
    assert es.populations(dataset)[first.name].query == first.query
    assert es.membership(dataset)[first.name].sum() == len(planted) == first.n
    assert es.discover(dataset, "resnet")[0].name != first.name  # that one is taken


def test_test_samples_are_left_alone_unless_asked_for(dataset):
    upload(tagged(dataset), "blurry = TRUE")
    es.compose(dataset, es.Population("all", "num_people >= 0", holdout=0.5))
    es.split(dataset)
    spot = next(c for c in es.discover(dataset, "resnet") if c.confirmed)
    seen = es.search(dataset.match(fo.ViewField("split") != "test"), spot.query)
    assert spot.n == len(seen) < len(es.search(dataset, spot.query))
    assert es.evaluate(dataset, "resnet").provenance["looks"] == 1
    es.discover(dataset, "resnet", split="test")
    assert es.evaluate(dataset, "resnet").provenance["looks"] == 3


def test_samples_that_the_model_was_trained_on_are_left_out(dataset):
    upload(tagged(dataset), "blurry = TRUE")
    es.compose(dataset, es.Population("all", "num_people >= 0", holdout=0.5))
    es.split(dataset, val=0.5)
    es.release(dataset)
    ids, truth = dataset.values(["id", "ground_truth.label"])
    guesses = dict(zip(ids, truth, strict=True))
    es.upload_predictions(
        dataset, "resnet", guesses, key="id", overwrite=True, trained_on=1
    )
    with pytest.raises(ArgumentError, match="0 labelled samples of split train"):
        es.discover(dataset, "resnet", split="train")


def cars(boxes, **more):
    return fo.Detections(
        detections=[fo.Detection(label="car", bounding_box=b, **more) for b in boxes]
    )


def test_a_detector_that_misses_small_objects_is_found_out(dataset):
    rng = np.random.default_rng(0)
    truth, guesses = [], []
    for _ in range(400):
        small = rng.random() < 0.2
        side = 0.05 if small else 0.3
        boxes = [[float(x), float(y), side, side] for x, y in rng.random((3, 2)) * 0.6]
        found = [box for box in boxes if rng.random() < (0.3 if small else 0.9)]
        truth.append(cars(boxes))
        guesses.append(cars(found, confidence=0.9))
    dataset.add_samples(fo.Sample(f"/{i:03d}.jpg") for i in range(400))
    dataset.set_values("ground_truth", truth)
    dataset.set_values("found", guesses)
    es.upload_predictions(dataset, "detector", "found")
    first = es.discover(dataset, "detector")[0]
    assert first.confirmed
    assert first.measure == "F1 of an image"
    assert first.query.startswith("MIN(ground_truth, area) <")
    assert first.n == len(es.search(dataset, first.query))
    assert first.drop > 0.2


def test_a_detector_that_finds_nothing_somewhere_is_found_out(dataset):
    """Images without a result are its worst, but on a side without any they are none."""
    box = {"image_id": 0, "category_id": 1, "bbox": [8, 8, 40, 40], "score": 0.9}
    held = fo.Detection(label="cat", bounding_box=[0.08, 0.08, 0.4, 0.4])
    tagged(dataset, 900)
    dataset.set_values("objects", [fo.Detections(detections=[held.copy()])] * 900)
    dataset.set_values("metadata", [fo.ImageMetadata(width=100, height=100)] * 900)
    dataset.set_values("at", list(range(900)))
    dataset.set_values("split", ["train" if at < 300 else "val" for at in range(900)])
    times = dataset.values("time")
    seen = [at for at in range(300, 900) if times[at] != "night"]
    results = [{**box, "image_id": at} for at in seen]
    es.upload_predictions(dataset, "net", results, key="at", classes={1: "cat"})
    first = es.discover(dataset, "net", truth="objects")[0]
    assert (first.query, first.confirmed) == ("\"time\" = 'night'", True)
    assert (first.value, first.elsewhere) == (0, 1)


def test_a_region_selects_exactly_its_samples(drawn, labels, encoder):
    es.embed(drawn, encoder)
    night = dict(zip(labels["filepath"], labels["time"] == "night", strict=True))
    drawn.delete_sample_fields(["time", "num_people", "ground_truth"])
    rng = np.random.default_rng(0)
    paths = drawn.values("filepath")
    inside = [bool(night.get(p, night.get(p.rpartition("/")[2]))) for p in paths]
    drawn.set_values("truth", ["a"] * len(paths))
    wrong = rng.random(len(paths)) < np.where(inside, 0.9, 0.02)
    es.upload_predictions(drawn, "blind", ["b" if w else "a" for w in wrong])
    found = es.discover(drawn, "blind", truth="truth", min_size=8)
    assert found[0].confirmed
    assert any(start in found[0].query for start in ("image(", "text("))
    ids = drawn.values("id")
    weak = {i for i, one in zip(ids, inside, strict=True) if one}
    selected = set(es.search(drawn, found[0].query).values("id"))
    assert found[0].n == len(selected)
    assert len(selected & weak) > 0.5 * len(selected | weak)
    assert found[0].name


def test_groups_stay_in_one_half(dataset):
    upload(tagged(dataset), "blurry = TRUE")
    first = es.discover(dataset, "resnet", groups="scene")[0]
    assert first.query == "blurry = TRUE"
    assert first.confirmed


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"model": "resent"}, UnknownNameError, "did you mean 'resnet'"),
        ({"truth": "groundtruth"}, UnknownNameError, "did you mean 'ground_truth'"),
        ({"split": "test"}, ArgumentError, "has not been split yet"),
        ({"split": "tset"}, UnknownNameError, "did you mean 'test'"),
        ({"groups": "scenes"}, UnknownNameError, "did you mean 'scene'"),
        ({"n": 0}, ArgumentError, "n is 0"),
        ({"prompts": [""]}, ArgumentError, "A prompt is ''; give words"),
        ({"prompts": [5]}, ArgumentError, "A prompt is 5; give words"),
        ({"min_size": 2.5}, ArgumentError, "min_size is 2.5"),
        ({"min_size": 1000}, ArgumentError, "at least 4,000 are needed"),
        ({"alpha": 1}, ArgumentError, "alpha is 1"),
    ],
)
def test_a_bad_argument_is_named(dataset, options, error, says):
    upload(tagged(dataset, n=100))
    with pytest.raises(error, match=says):
        es.discover(dataset, options.pop("model", "resnet"), **options)


def test_what_is_said_of_a_model_is_no_tag(dataset):
    upload(tagged(dataset), "blurry = TRUE")
    upload(dataset, "blurry = TRUE", name="twin")  # errs on the same samples
    es.evaluate(dataset, "resnet", split=None, eval_key="verdict")
    ids, right = dataset.values(["id", "verdict"])
    loss = {i: float(not r) for i, r in zip(ids, right, strict=True)}
    es.upload_scores(dataset, "resnet", loss, metric="loss", key="id")
    assert es.discover(dataset, "resnet")[0].query == "blurry = TRUE"
