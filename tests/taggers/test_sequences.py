"""Tags that only the order of images tells, and tags of two fields."""

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

import evalsets as es
from evalsets.errors import ArgumentError, NoVectorsError, UnknownNameError

ENCODER = Path(__file__).parents[2] / "examples" / "demo" / "models" / "clip"

pytestmark = pytest.mark.db


def detections(*lefts, label="car", confidence=0.9):
    return fo.Detections(
        detections=[
            fo.Detection(
                label=label, bounding_box=[left, 0.1, 0.1, 0.1], confidence=confidence
            )
            for left in lefts
        ]
    )


@pytest.fixture
def film(dataset, tmp_path):
    """Two sequences in two folders; the file names of one are not in alphabetical order."""
    frames = {
        "a": {"frame 8.png": 10, "frame 9.png": 20, "frame 10.png": 250},
        "b": {"1.png": 100, "2.png": 90},
    }
    for folder, shades in frames.items():
        (tmp_path / folder).mkdir()
        for name, shade in shades.items():
            Image.new("RGB", (8, 8), (shade,) * 3).save(tmp_path / folder / name)
    return es.sync(tmp_path, dataset)


def by_name(dataset, field):
    paths, values = dataset.values(["filepath", field])
    names = ["/".join(path.split("/")[-2:]) for path in paths]
    return dict(zip(names, values, strict=True))


def test_a_box_that_vanishes_and_returns_flickers(film):
    there = {"8": (0.1, 0.5), "9": (0.1,), "10": (0.1, 0.5)}
    film.add_sample_field(
        "boxes", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
    )
    for sample in film:
        number = sample.filepath.rpartition(" ")[2].removesuffix(".png")
        sample["boxes"] = detections(*there[number]) if number in there else None
        sample.save()
    es.tag(film, [{"flicker": {"field": "flicker", "boxes": "boxes"}}])
    assert by_name(film, "flicker") == {
        "a/frame 8.png": 0,
        "a/frame 9.png": 1,
        "a/frame 10.png": 0,
        "b/1.png": None,
        "b/2.png": None,
    }
    (missed,) = es.search(film, "flicker > 0")
    assert missed.filepath.endswith("frame 9.png")


def test_jumps_follow_the_order_of_numbers_in_file_names(film):
    jump = {"field": "jump", "of": "brightness"}
    es.tag(film, [{"statistics": {}}, {"jump": jump}])
    assert by_name(film, "jump") == {
        "a/frame 8.png": None,
        "a/frame 9.png": pytest.approx(10 / 255, abs=0.01),
        "a/frame 10.png": pytest.approx(230 / 255, abs=0.01),
        "b/1.png": None,
        "b/2.png": pytest.approx(10 / 255, abs=0.01),
    }


def test_fields_may_tell_sequence_and_order(film):
    names = by_name(film, "id")
    film.set_values("clip", dict.fromkeys(names.values(), 1), key_field="id")
    order = {sample: n for n, sample in enumerate(reversed(list(names.values())))}
    film.set_values("place", order, key_field="id")
    film.set_values("shade", {i: 10 * n for i, n in order.items()}, key_field="id")
    jump = {"field": "jump", "of": "shade", "group": "clip", "order": "place"}
    es.tag(film, [{"jump": jump}])
    assert sorted(film.values("jump"), key=str) == [10, 10, 10, 10, None]


def test_vectors_jump_where_the_scene_changes(film):
    jump = {"jump": {"field": "cut", "of": "vectors"}}
    with pytest.raises(NoVectorsError, match="embed it first"):
        es.tag(film, [jump])
    es.embed(film, ENCODER)
    es.tag(film, [jump])
    cuts = by_name(film, "cut")
    assert 0 <= cuts["a/frame 9.png"] < cuts["a/frame 10.png"] <= 2


def test_sequences_are_tagged_anew_and_only_changes_are_written(film):
    taggers = [{"statistics": {}}, {"jump": {"field": "jump", "of": "brightness"}}]
    assert es.tag(film, taggers).done == 5
    assert (es.tag(film, taggers).done, es.tag(film, taggers).kept) == (0, 5)
    nine = by_name(film, "id")["a/frame 9.png"]
    film.set_values("brightness", {nine: 0.9}, key_field="id")
    assert es.tag(film, taggers).done == 2
    assert by_name(film, "jump")["a/frame 9.png"] == pytest.approx(0.86, abs=0.01)


def test_a_view_is_tagged_within_whole_sequences(film):
    film.set_values("shade", list(range(5)))
    nine = film.select(by_name(film, "id")["a/frame 9.png"])
    es.tag(nine, [{"jump": {"field": "jump", "of": "shade"}}])
    assert len(film.exists("jump")) == 1


def test_labels_disagree_as_far_as_they_differ(film):
    ids = film.values("id")
    film.set_values("a", [fo.Classification(label=x) for x in "xyzxy"])
    film.set_values("b", [*(fo.Classification(label="x") for _ in range(4)), None])
    film.set_values("u", [detections(0.1, 0.5)] * 2 + [detections()] * 2 + [None])
    others = ((0.1, 0.5), (0.12,), (), (0.1,), ())
    film.set_values("v", [detections(*lefts) for lefts in others])
    film.set_values("s", [fo.Classifications(classifications=[])] * 5)
    both = [fo.Classification(label="x"), fo.Classification(label="y")]
    film.set_values(
        "t", [fo.Classifications(classifications=both[:n]) for n in (0, 1, 2, 0, 0)]
    )
    film.set_values("p", [fo.Regression(value=v) for v in (1, 2, 3, 4, 5)])
    film.set_values("q", [fo.Regression(value=v) for v in (1, 0, 5, 4, 5)])
    masks = [np.zeros((2, 4), np.uint8) for _ in range(5)]
    film.set_values("m", [fo.Segmentation(mask=mask) for mask in masks])
    masks[1][0, 0] = 1
    film.set_values("n", [fo.Segmentation(mask=mask) for mask in masks])
    pairs = {"ab": "ab", "uv": "uv", "st": "st", "pq": "pq", "mn": "mn"}
    es.tag(
        film,
        [{"disagreement": {"field": f, "between": list(b)}} for f, b in pairs.items()],
    )
    assert film.values("id") == ids
    assert film.values("ab") == [0, 1, 1, 0, None]
    assert film.values("uv") == pytest.approx([0, 1 / 3, 0, 1, None])
    assert film.values("st") == [0, 1, 1, 0, 0]
    assert film.values("pq") == [0, 2, 2, 0, 0]
    assert film.values("mn") == [0, 1 / 8, 0, 0, 0]


def test_boxes_a_model_is_not_sure_of_do_not_disagree(film):
    film.set_values("u", [detections(0.1)] * 5)
    film.set_values("v", [detections(0.1)] * 4 + [detections(0.7, confidence=0.2)])
    doubt = {"field": "doubt", "between": ["u", "v"], "confidence": 0.5}
    es.tag(film, [{"disagreement": doubt}])
    assert film.values("doubt") == [0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("entry", "error", "said"),
    [
        ({"flicker": {"field": "f", "boxes": "boxen"}}, UnknownNameError, "boxes"),
        ({"flicker": {"field": "f", "boxes": "shade"}}, ArgumentError, "Detections"),
        (
            {"flicker": {"field": "f", "boxes": "boxes", "longest": 0}},
            ArgumentError,
            "1",
        ),
        ({"jump": {"field": "f", "of": "boxes"}}, ArgumentError, "no numbers"),
        (
            {"jump": {"field": "f", "of": "shade", "group": "gruop"}},
            UnknownNameError,
            "gruop",
        ),
        ({"disagreement": {"field": "f", "between": "ab"}}, ArgumentError, "two"),
        (
            {"disagreement": {"field": "f", "between": ["boxes", "a"]}},
            ArgumentError,
            "one type",
        ),
        (
            {"disagreement": {"field": "f", "between": ["boxes", "b"]}},
            UnknownNameError,
            "'b'",
        ),
    ],
)
def test_fields_that_cannot_be_read_are_named(film, entry, error, said):
    film.set_values("boxes", [detections(0.1)] * 5)
    film.set_values("shade", [1] * 5)
    film.set_values("a", [fo.Classification(label="x")] * 5)
    with pytest.raises(error, match=said):
        es.tag(film, [entry])
