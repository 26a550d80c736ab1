"""Detection metrics agree with pycocotools to the last digit, weighted or not."""

import contextlib
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from evalsets.metrics import Boxes, Detection
from tests.metrics.boxes import C, N, random_boxes


def coco_precision(truth, predicted, images):
    """(map, map50) by pycocotools on copies of ``images``, in that order."""
    sides = []
    for boxes in (truth, predicted):
        side = COCO()
        rows = []
        for copy, image in enumerate(images):
            for at in np.flatnonzero(boxes.image == image):
                rows.append(
                    {
                        "id": len(rows) + 1,
                        "image_id": copy,
                        "category_id": int(boxes.label[at]),
                        "bbox": boxes.box[at].tolist(),
                        "area": float(boxes.box[at, 2:].prod()),
                        "iscrowd": int(boxes.crowd[at])
                        if boxes.crowd is not None
                        else 0,
                        "score": 1 if boxes.score is None else float(boxes.score[at]),
                    }
                )
        side.dataset = {
            "images": [{"id": i} for i in range(len(images))],
            "categories": [{"id": c} for c in range(C)],
            "annotations": rows,
        }
        side.createIndex()
        sides.append(side)
    with contextlib.redirect_stdout(io.StringIO()):
        ours = COCOeval(*sides, "bbox")
        ours.evaluate()
        ours.accumulate()
    precision = ours.eval["precision"][:, :, :, 0, -1]
    found = [precision[precision > -1], precision[0][precision[0] > -1]]
    return [p.mean() if p.size else np.nan for p in found]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_average_precision_agrees_with_pycocotools(seed):
    with contextlib.redirect_stdout(io.StringIO()):
        truth, predicted = random_boxes(seed)
        outcomes = Detection.of(truth, predicted, N, "abc")
        expected = coco_precision(truth, predicted, range(N))
    ones = np.ones((1, N))
    found = [outcomes.measure(m, ones)[0] for m in ("map", "map50")]
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_weighted_image_is_as_good_as_its_copies(seed):
    truth, predicted = random_boxes(seed)
    outcomes = Detection.of(truth, predicted, N, "abc")
    weights = np.random.default_rng(seed).integers(0, 4, (3, N))
    found = [outcomes.measure(m, weights.astype(float)) for m in ("map", "map50")]
    for row, ours in zip(weights, np.transpose(found), strict=True):
        with contextlib.redirect_stdout(io.StringIO()):
            expected = coco_precision(truth, predicted, np.repeat(np.arange(N), row))
        assert ours == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
@example(seed=559)  # which takes none
def test_taking_images_is_weighing_the_others_zero(seed):
    outcomes = Detection.of(*random_boxes(seed), N, "abc")
    chosen = np.flatnonzero(np.random.default_rng(seed).random(N) < 0.6)
    weights = np.zeros((1, N))
    weights[0, chosen] = 1
    for metric in outcomes.metrics:
        part = outcomes.take(chosen).measure(metric, np.ones((1, len(chosen))))
        assert part == pytest.approx(outcomes.measure(metric, weights), nan_ok=True)


@pytest.mark.parametrize("seed", range(5))
def test_images_in_another_order_are_as_if_matched_in_that_order(seed):
    """Ties in score go by image, whatever was matched when."""
    truth, predicted = random_boxes(seed)
    tied = replace(predicted, score=np.ceil(predicted.score * 2) / 2)
    order = np.random.default_rng(seed).permutation(N)
    place = np.argsort(order)
    turned = [replace(boxes, image=place[boxes.image]) for boxes in (truth, tied)]
    whole = Detection.of(truth, tied, N, "abc")
    parts = [order[order % 2 == 0], order[order % 2 == 1]]
    joined = Detection.joined([whole.take(part) for part in parts])
    again = joined.take(np.argsort(np.concatenate(parts))[order])
    expected = Detection.of(*turned, N, "abc").measure("map", np.ones((1, N)))
    for outcomes in (whole.take(order), again):
        assert outcomes.measure("map", np.ones((1, N))) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("metric", ["map", "map75", "map:b"])
def test_replicates_of_blocks_are_those_of_their_images(metric, seed):
    outcomes = Detection.of(*random_boxes(seed), N, "abc")
    unit = np.array([0, 1, 1, 2, 0, 2])
    weights = np.random.default_rng(seed).integers(0, 4, (300, 3)).astype(float)
    weights[0] = 1
    found = outcomes.measure_units(metric, weights, unit)
    expected = outcomes.measure(metric, weights[:, unit])
    assert found[0] == pytest.approx(expected[0], abs=1e-12, nan_ok=True)
    assert found == pytest.approx(expected, abs=0.011, nan_ok=True)  # one recall of 101
    assert np.nanmean(found - expected) == pytest.approx(0, abs=1e-3, nan_ok=True)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_among_replicates_the_data_itself_is_measured_exactly(seed):
    """A recall of .29 reaches .29 or not as COCO says, which single precision does not."""
    n = 50
    outcomes = Detection.of(*random_boxes(seed, n), n, ["a", "b", "c"])
    weights = np.random.default_rng(seed).multinomial(n, [1 / n] * n, 3)
    weights[0] = 1
    drawn = outcomes.measure_units("map", weights.astype(np.float32), np.arange(n))
    expected = outcomes.measure("map", np.ones((1, n)))[0]
    assert drawn[0] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_counts_by_hand():
    truth = Boxes(
        np.array([0, 0, 1]),
        np.array([0, 1, 0]),
        np.array([[0, 0, 10, 10], [20, 20, 10, 10], [0, 0, 10, 10]], float),
    )
    predicted = Boxes(
        np.array([0, 0, 1, 1]),
        np.array([0, 0, 0, 0]),
        np.array(
            [[0, 0, 10, 9], [50, 50, 5, 5], [0, 0, 10, 10], [0, 0, 10, 10]], float
        ),
        np.array([0.9, 0.6, 0.8, 0.3]),
    )
    outcomes = Detection.of(truth, predicted, 2, ["a", "b"])
    ones = np.ones((1, 2))
    found = {m: outcomes.measure(m, ones)[0] for m in outcomes.metrics}
    assert found["precision"] == pytest.approx(2 / 3)  # the box below 0.5 is left out
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx(2 / 3)
    assert found["map50"] == pytest.approx(0.5)  # class a perfect, class b never found


def test_what_lies_in_a_crowd_counts_neither_way():
    crowd = Boxes(
        np.array([0, 0]),
        np.array([0, 0]),
        np.array([[0, 0, 100, 100], [200, 200, 10, 10]], float),
        crowd=np.array([True, False]),
    )
    guesses = Boxes(
        np.zeros(3, int),
        np.zeros(3, int),
        np.array([[10, 10, 5, 5], [50, 50, 5, 5], [200, 200, 10, 10]], float),
        np.array([0.9, 0.8, 0.7]),
    )
    outcomes = Detection.of(crowd, guesses, 1, ["a"])
    for metric in outcomes.metrics:
        assert outcomes.measure(metric, np.ones((1, 1)))[0] == pytest.approx(1)


def test_no_boxes_at_all_is_undefined_and_no_error():
    none = Boxes(np.array([], int), np.array([], int), np.zeros((0, 4)))
    guesses = Boxes(none.image, none.label, none.box, np.array([]))
    outcomes = Detection.of(none, guesses, 3, ["a"])
    assert np.isnan(outcomes.measure("map", np.ones((2, 3)))).all()


@pytest.mark.shared
@pytest.mark.parametrize("name", ["yolox", "fastestdet"])
def test_real_detectors_have_the_precision_pycocotools_gives(shared, name):
    folder = shared / "data" / "coco128-train2017"
    held = json.loads((folder / "annotations_coco.json").read_text())
    rows = json.loads((folder / f"detections_{name}.json").read_text())
    image = {i["id"]: at for at, i in enumerate(held["images"])}
    label = {c["id"]: at for at, c in enumerate(held["categories"])}

    def boxes(rows, **more):
        return Boxes(
            np.array([image[r["image_id"]] for r in rows]),
            np.array([label[r["category_id"]] for r in rows]),
            np.array([r["bbox"] for r in rows], float),
            **more,
        )

    outcomes = Detection.of(
        boxes(held["annotations"]),
        boxes(rows, score=np.array([r["score"] for r in rows])),
        len(image),
        [c["name"] for c in held["categories"]],
    )
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "annotations_coco.json"))
        theirs = COCOeval(truth, truth.loadRes(rows), "bbox")
        theirs.evaluate()
        theirs.accumulate()
        theirs.summarize()
    ones = np.ones((1, len(image)))
    assert outcomes.measure("map", ones)[0] == pytest.approx(theirs.stats[0], abs=1e-12)
    assert outcomes.measure("map50", ones)[0] == pytest.approx(
        theirs.stats[1], abs=1e-12
    )
