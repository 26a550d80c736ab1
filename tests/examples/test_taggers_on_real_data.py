"""Short versions of benchmarks/taggers.py: taggers beside the truth of real data."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import evalsets as es

pytestmark = [pytest.mark.db, pytest.mark.shared]

EXAMPLES = Path(__file__).parents[2] / "examples"
ROAD = 3  # in CamVid's masks
PROMPTS = {
    "church": "a church",
    "parachute": "a parachute",
    "golf ball": "a golf ball",
    "French horn": "a French horn",
}


@pytest.fixture(autouse=True)
def examples(monkeypatch):
    """Lets the models of the examples be imported."""
    monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])


def name(path):
    return Path(path).name


def test_people_are_counted_as_far_off_as_the_detector_is(dataset, shared):
    from yolox import Yolox

    folder = shared / "data/coco128-train2017"
    truth = pd.read_csv(folder / "people_count.csv", index_col="file")["people"]
    paths = sorted((folder / "images").iterdir())[:48]
    es.sync([str(path) for path in paths], dataset)
    model = {"model": "yolox", "confidence": 0.35}
    es.tag(
        dataset,
        [
            {"count": {**model, "fields": {"num_people": "person"}}},
            {"presence": {**model, "fields": {"has_people": "person"}}},
        ],
        models={"yolox": Yolox(shared / "models/yolox_nano.onnx")},
    )
    paths, found, there = dataset.values(["filepath", "num_people", "has_people"])
    real = truth.loc[[name(path) for path in paths]].to_numpy()
    assert np.mean(np.array(found) == real) > 0.6
    assert np.mean(np.array(there) == (real > 0)) > 0.85
    assert there == [n > 0 for n in found]


def test_the_share_of_road_is_that_of_the_masks(dataset, shared):
    from deeplab import DeepLab

    models, folder = shared / "models", shared / "data/camvid"
    net = DeepLab(
        models / "deeplab_mobilenet_edgetpu_slim_cityscapes_quant.tflite",
        models / "cityscapes_segmentation_labels.txt",
    )
    paths = sorted((folder / "train").iterdir())[::12]
    es.sync([str(path) for path in paths], dataset)
    area = {"model": "deeplab", "fields": {"road_pct": "road"}}
    es.tag(dataset, [{"area": area}], models={"deeplab": net})
    for path, found in zip(*dataset.values(["filepath", "road_pct"]), strict=True):
        with Image.open(folder / "trainannot" / f"{Path(path).stem}.png") as mask:
            assert found == pytest.approx((np.asarray(mask) == ROAD).mean(), abs=0.1)


def test_photographs_are_told_apart_by_prompts(dataset, shared):
    folder = shared / "data/imagenette160"
    labels = pd.read_csv(folder / "labels.csv", index_col="file")["label"]
    chosen = [n for label in PROMPTS for n in labels.index[labels == label][:10]]
    es.sync([str(folder / "images" / n) for n in chosen], dataset)
    attribute = {"zero_shot": {"field": "scene", "classes": PROMPTS}}
    encoder = shared / "models/tinyclip_lit_mnv2"
    done = es.embed(dataset, str(encoder), taggers=[attribute])
    paths, found = dataset.values(["filepath", "scene.label"])
    real = labels.loc[[name(path) for path in paths]]
    assert done.done == len(chosen)
    assert np.mean(np.array(found) == real) > 0.75  # chance is 0.25
