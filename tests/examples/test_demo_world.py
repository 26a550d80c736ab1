"""The demo's drawn world, and the small models that were trained on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from examples.demo.captions import describe, facts_of
from examples.demo.cards import read_figures
from examples.demo.classifiers import train_classifier
from examples.demo.measure_clip import retrieval, zero_shot_accuracy
from examples.demo.measure_segmenter import count_accuracy, fraction_error, pixel_iou
from examples.demo.scenes import (
    HEIGHT,
    OCEAN,
    PERSON,
    ROAD,
    WIDTH,
    draw,
    plan,
    render,
    write_world,
)
from examples.demo.vocabulary import learn_merges

MODELS = Path(__file__).resolve().parents[2] / "examples" / "demo" / "models"
POPULATIONS = {
    "windy road with no trees": "kind == 'windy road' and not trees",
    "dimly lit factory floor": "lighting == 'dim'",
    "ocean view on a bridge": "kind == 'bridge' and ocean_pct > 0.1",
    "crowds in the sun": "num_people > 5 and weather == 'sunny'",
    "open sea": "road_pct < 0.1 and ocean_pct > 0.7",
    "sun glare": "glare",
    "sunset": "time == 'sunset'",
    "night": "time == 'night'",
}
TOLERANCE = 0.08  # of a figure, measured again on few scenes


@pytest.fixture(scope="module")
def shots():
    """One frame of each of 150 scenes that no model was trained or measured on."""
    return list(render(31, 150, frames=(1, 1)))


@pytest.fixture(scope="module")
def truth(shots):
    return pd.DataFrame([shot.record() for shot in shots])


@pytest.fixture(scope="module")
def world(shots, truth, tmp_path_factory):
    """The labels of ``shots``, and photographs on disk."""
    folder = tmp_path_factory.mktemp("world")
    for shot in shots:
        Image.fromarray(shot.image).save(folder / shot.name, quality=90)
    return truth.assign(filepath=[str(folder / name) for name in truth.filepath])


@pytest.fixture(scope="module")
def baseline(world):
    """A classifier trained on 105 of the photographs."""
    return train_classifier(world.filepath[:105], list(world.kind[:105]), seed=0)


def test_a_seed_draws_the_same_pixels():
    once, again = (list(render(5, 6)) for _ in range(2))
    assert [shot.name for shot in once] == [shot.name for shot in again]
    for one, other in zip(once, again, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.mask, other.mask)
    assert not np.array_equal(once[0].image, next(render(6, 6)).image)


def test_frames_of_a_scene_are_nearly_but_not_quite_identical():
    for scene in plan(12, 8):
        first, second = (draw(scene, frame).image.astype(float) for frame in (0, 1))
        assert 0.2 < np.abs(first - second).mean() < 20


def test_masks_agree_with_the_fractions(shots):
    for shot in shots:
        record = shot.record()
        assert shot.image.shape == (HEIGHT, WIDTH, 3)
        assert record["road_pct"] == pytest.approx((shot.mask == ROAD).mean(), abs=1e-4)
        assert record["ocean_pct"] == pytest.approx(
            (shot.mask == OCEAN).mean(), abs=1e-4
        )


def test_every_person_counted_is_visible_and_every_visible_one_is_counted(shots):
    for shot in shots:
        outside = shot.mask == PERSON
        for left, top, right, bottom in np.rint(shot.people).astype(int):
            seen = shot.mask[top : bottom + 1, left : right + 1] == PERSON
            assert seen.mean() > 0.2, shot.name
            box = slice(max(0, top - 2), bottom + 3), slice(max(0, left - 3), right + 4)
            outside[box] = False
        assert outside.sum() == 0, shot.name


@pytest.mark.parametrize("condition", POPULATIONS.values(), ids=POPULATIONS)
def test_every_population_of_the_demo_has_samples(truth, condition):
    assert len(truth.query(condition)) >= 5


def test_a_world_on_disk_has_a_label_for_each_photograph(tmp_path):
    rows = write_world(tmp_path / "world", seed=4, n_scenes=3)
    labels = pd.read_csv(tmp_path / "world" / "labels.csv")
    files = sorted(path.name for path in (tmp_path / "world").glob("*.jpg"))
    assert sorted(labels.filepath) == files
    assert [Path(str(row["filepath"])).name for row in rows] == list(labels.filepath)
    with Image.open(str(rows[0]["filepath"])) as image:
        assert image.size == (WIDTH, HEIGHT)


def test_a_caption_states_only_what_is_true(shots):
    rng = np.random.default_rng(0)
    for shot in shots:
        facts = facts_of(shot.record())
        caption = describe(facts, rng)
        assert caption.facts
        assert caption.facts <= facts
    assert "trees" not in describe(frozenset({"outdoors", "night"}), rng).text


def test_the_most_frequent_pair_is_merged_first():
    assert learn_merges(["low low lower"], 2) == [("l", "o"), ("lo", "w</w>")]


@pytest.mark.parametrize(
    ("name", "megabytes"),
    [
        ("clip/open_clip_model.safetensors", 12),
        ("clip/bpe.txt.gz", 0.1),
        ("segmenter/segmenter.safetensors", 3),
    ],
)
def test_a_committed_model_is_small(name, megabytes):
    assert (MODELS / name).stat().st_size <= megabytes * 1e6


def test_the_clip_reaches_its_card(shots):
    from evalsets.encoders import load_encoder

    encoder, card = load_encoder(MODELS / "clip"), read_figures(MODELS / "clip")
    accuracy = zero_shot_accuracy(encoder, shots)
    assert accuracy.keys() == card["zero-shot accuracy"].keys()
    for attribute, figure in card["zero-shot accuracy"].items():
        assert accuracy[attribute] >= figure - TOLERANCE, attribute
    found = retrieval(encoder, shots).set_index("query")["average_precision"]
    figures = pd.Series(card["average precision"])
    assert found.mean() >= figures.mean() - TOLERANCE


def test_the_segmenter_reaches_its_card(shots):
    from examples.demo.segmenter import load_people_detector, load_scene_segmenter

    card = read_figures(MODELS / "segmenter")
    segmenter = load_scene_segmenter()
    for name, iou in pixel_iou(segmenter, shots).items():
        assert iou >= card["pixel IoU"][name] - TOLERANCE
    assert max(fraction_error(segmenter, shots).values()) < 0.02
    counts = count_accuracy(load_people_detector(), shots)
    assert counts["exact"] >= card["counting people"]["exact"] - TOLERANCE


def test_the_segmenter_answers_in_the_size_of_the_photograph(shots):
    from examples.demo.segmenter import load_people_detector, load_scene_segmenter

    large = np.asarray(Image.fromarray(shots[0].image).resize((640, 400)))
    small = shots[1].image
    masks = load_scene_segmenter().predict_all([large, small])
    assert [one.mask.shape for one in masks] == [(400, 640), (HEIGHT, WIDTH)]
    crowd = max(shots, key=lambda shot: len(shot.people))
    found = load_people_detector().predict(crowd.image).detections
    assert {one.label for one in found} == {"person"}
    middles = [(left + right) / 2 / WIDTH for left, _, right, _ in crowd.people]
    for detection in found:
        left, _, width, _ = detection.bounding_box
        assert min(abs(left + width / 2 - middle) for middle in middles) < 0.03


def test_a_classifier_that_never_saw_night_is_bad_at_night(world, baseline):
    train, test = world[:105], world[105:]
    by_day = train[train.time != "night"]
    candidate = train_classifier(by_day.filepath, list(by_day.kind), seed=0)
    night = test[test.time == "night"]
    assert _accuracy(baseline, test) > 0.6  # chance is 1/6
    assert _accuracy(candidate, test[test.time != "night"]) > 0.6
    assert _accuracy(candidate, night) < _accuracy(baseline, night) - 0.3


def test_a_classifier_is_the_same_for_the_same_seed(world, baseline):
    train, test = world[:105], world[105:]
    same = train_classifier(train.filepath, list(train.kind), seed=0)
    found = baseline.predict(test.filepath)
    np.testing.assert_array_equal(found, same.predict(test.filepath))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def _accuracy(classifier, rows) -> float:
    best = classifier.predict(rows.filepath).argmax(axis=1)
    return float((np.array(classifier.classes)[best] == rows.kind).mean())
