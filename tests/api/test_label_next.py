import fiftyone as fo
import numpy as np
import pytest

import evalsets as es
from evalsets.errors import ArgumentError, NameTakenError, UnknownNameError

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


def test_labels_that_are_asked_for_settle_the_requirement(partly):
    good = es.Requirement("accuracy", at_least=0.6)
    es.compose(partly, es.Population("night", "\"time\" = 'night'", require=[good]))
    ask = {"model": "resnet", "split": None}
    assert es.evaluate(partly, **ask).verdict in ("inconclusive", "fail")
    while len(view := es.label_next(partly, n=20, **ask)):
        view.set_values("ground_truth", [fo.Classification(label="cat")] * len(view))
        if es.evaluate(partly, **ask).verdict != "inconclusive":
            break
    assert es.evaluate(partly, **ask).verdict == "fail"


def test_both_kinds_share_what_was_asked(partly):
    poor = es.Requirement("accuracy", at_least=0.8)
    close = es.Requirement("accuracy", at_least=0.75)
    es.compose(
        partly,
        [
            es.Population("night", "\"time\" = 'night'", require=[poor]),
            es.Population("city", "place = 'city'", require=[close]),
        ],
    )
    view = es.label_next(partly, "resnet", n=21, split=None)
    reasons = view.values("label_next")
    assert len(view) == len(set(view.values("id"))) == 21
    assert sum(reason.startswith("settles") for reason in reasons) == 11
    assert sum(reason.startswith("mends") for reason in reasons) == 10


def test_without_any_label_each_requirement_gets_its_share(partly):
    partly.clear_sample_field("ground_truth")
    good = es.Requirement("accuracy", at_least=0.8)
    es.compose(
        partly,
        [
            es.Population("night", "\"time\" = 'night'", require=[good]),
            es.Population("day", "\"time\" = 'day'", require=[good]),
        ],
    )
    view = es.label_next(partly, "resnet", n=30, split=None)
    assert sorted(view.values("time")) == ["day"] * 15 + ["night"] * 15


def test_where_all_passes_there_is_nothing_to_label(partly):
    fair = es.Requirement("accuracy", at_least=0.3)
    es.compose(partly, es.Population("day", "\"time\" = 'day'", require=[fair]))
    assert len(es.label_next(partly, "resnet", split=None)) == 0


def test_reasons_of_the_last_call_go(partly):
    good = es.Requirement("accuracy", at_least=0.75)
    es.compose(partly, es.Population("city", "place = 'city'", require=[good]))
    es.label_next(partly, "resnet", n=30, split=None)
    es.label_next(partly, "resnet", n=5, split=None)
    assert partly.count("label_next") == 5


def test_what_looks_like_a_mistake_is_chosen_to_train_on(drawn, labels, encoder):
    es.embed(drawn, encoder)
    paths = drawn.values("filepath")
    time = dict(zip(labels["filepath"], labels["time"], strict=True))
    time = [time.get(p) or time[p.rpartition("/")[2]] for p in paths]
    kinds = drawn.values("ground_truth.label")
    guesses = ["?" if t == "night" else k for t, k in zip(time, kinds, strict=True)]
    es.upload_predictions(drawn, "blind", guesses)
    hidden = [fo.Classification(label=k) for k in kinds]
    hidden[::2] = [None] * len(hidden[::2])
    drawn.set_values("ground_truth", hidden)
    drawn.delete_sample_field("time")
    good = es.Requirement("accuracy", at_least=0.99)
    es.compose(drawn, es.Population("all", "num_people >= 0", require=[good]))
    view = es.label_next(drawn, "blind", n=8, split=None)
    dark = dict(zip(paths, time, strict=True))
    chosen = [dark[path] == "night" for path in view.values("filepath")]
    assert np.mean(chosen) > 2 * np.mean([t == "night" for t in time])
    assert all("like the mistake" in reason for reason in view.values("label_next"))


def test_images_in_which_nothing_was_found_are_drawn_like_others(dataset):
    """To leave them out would show a detector at its best."""
    n = 200
    box = fo.Detection(label="cat", bounding_box=[0, 0, 0.5, 0.5])
    dataset.add_samples(
        fo.Sample(
            f"/photos/{at}.jpg",
            at=at,
            metadata=fo.ImageMetadata(width=8, height=8),
            ground_truth=fo.Detections(detections=[box]) if at < 40 else None,
        )
        for at in range(n)
    )
    results = [
        {"image_id": at, "category_id": 1, "bbox": [0, 0, 4, 4], "score": 0.9}
        for at in range(0, n, 2)
    ]
    es.upload_predictions(dataset, "net", results, key="at", classes={1: "cat"})
    half = es.Requirement("recall", at_least=0.55)
    es.compose(dataset, es.Population("all", "at >= 0", require=half))
    view = es.label_next(dataset, "net", n=80, split=None)
    assert 20 < sum(at % 2 for at in view.values("at")) < 60


def test_nothing_required_is_an_error(partly):
    with pytest.raises(ArgumentError, match="No population requires anything"):
        es.label_next(partly, "resnet", split=None)


def test_nothing_unlabelled_is_an_error(partly):
    partly.set_values("ground_truth", [fo.Classification(label="cat")] * len(partly))
    with pytest.raises(ArgumentError, match="Every sample has a label"):
        es.label_next(partly, "resnet", split=None)


def test_a_field_of_the_users_own_is_not_overwritten(partly):
    partly.set_values("label_next", ["mine"] * len(partly))
    good = es.Requirement("accuracy", at_least=0.75)
    es.compose(partly, es.Population("city", "place = 'city'", require=[good]))
    with pytest.raises(NameTakenError, match="label_next"):
        es.label_next(partly, "resnet", split=None)


def test_a_bad_number_or_name_is_named(partly):
    with pytest.raises(ArgumentError, match="n is 0"):
        es.label_next(partly, "resnet", n=0)
    with pytest.raises(UnknownNameError, match="did you mean 'resnet'"):
        es.label_next(partly, "resent")
    with pytest.raises(UnknownNameError, match="did you mean 'ground_truth'"):
        es.label_next(partly, "resnet", truth="groundtruth")
