import pickle
import threading
from typing import ClassVar

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.core.models import Model
from PIL import Image

import evalsets as es
from evalsets.api.steps import tagging_steps
from evalsets.datasets.vectors import fingerprint_of
from evalsets.errors import (
    ArgumentError,
    NameTakenError,
    NoVectorsError,
    UnknownNameError,
)
from evalsets.taggers import ObjectCount, SampleTagger

pytestmark = pytest.mark.db


class Halves(Model):
    """Sees one thing in the left half of an image, two in the brighter ones."""

    media_type = "image"
    transforms = None
    preprocess = False
    ragged_batches = True

    def __init__(self):
        self.mask_targets = {1: "left"}
        self.seen = 0

    def predict(self, image):
        self.seen += 1
        n = 1 + (image.mean() > 128)
        boxes = [[0, 0, 0.5, 1]] * n
        return fo.Detections(
            detections=[
                fo.Detection(label="thing", bounding_box=box, confidence=0.5)
                for box in boxes
            ]
        )


class OneSize(Halves):
    """As torchvision's detectors in the zoo: one image a call, unless all are alike."""

    def predict_all(self, images):
        np.stack(images)
        return super().predict_all(images)


class LeftHalf(Halves):
    def predict(self, image):
        self.seen += 1
        mask = np.zeros(image.shape[:2], dtype=np.uint8)
        mask[:, : mask.shape[1] // 2] = 1
        return fo.Segmentation(mask=mask)


def test_statistics_are_those_of_the_pixels(drawn):
    es.tag(drawn, [{"statistics": {}}])
    sample = drawn.first()
    with Image.open(sample.filepath) as image:
        luma = np.asarray(image.convert("L"), dtype=float) / 255
    assert sample.brightness == pytest.approx(luma.mean(), abs=0.01)
    assert sample.contrast == pytest.approx(2 * luma.std(), abs=0.02)
    night, day = (
        drawn.match(fo.ViewField("time") == time).mean("brightness")
        for time in ("night", "day")
    )
    assert night < day


def test_counts_and_areas_come_from_fiftyone_models(drawn):
    es.tag(
        drawn,
        [
            {"count": {"model": "halves", "fields": {"n_things": "thing"}}},
            {
                "count": {
                    "model": "halves",
                    "field": "n_sure",
                    "label": "thing",
                    "confidence": 0.6,
                }
            },
            {"area": {"model": "left", "fields": {"left_pct": "left"}}},
        ],
        models={"halves": Halves(), "left": LeftHalf()},
    )
    assert set(drawn.values("n_things")) == {1, 2}
    assert set(drawn.values("n_sure")) == {0}
    assert drawn.values("left_pct") == [0.5] * len(drawn)
    assert len(es.search(drawn, "n_things > 1 AND left_pct = 0.5")) == drawn.values(
        "n_things"
    ).count(2)


def test_loader_workers_are_not_given_the_model():
    model = Halves()
    model.lock = threading.Lock()  # as of a session that cannot be pickled
    (step,) = tagging_steps([(ObjectCount(model, {"n": "x"}), {"a"})])
    reader = pickle.loads(pickle.dumps(step.reader))
    assert reader.of_image(Image.new("RGB", (4, 3))).shape == (3, 4, 3)


def test_tagging_again_does_only_what_is_new_or_changed(drawn):
    model = Halves()
    entry = {"count": {"model": "m", "fields": {"n": "thing"}}}
    es.tag(drawn.limit(5), [entry], models={"m": model})
    assert es.tag(drawn, [entry], models={"m": model}).kept == 5
    assert model.seen == len(drawn)
    es.tag(drawn, [entry], models={"m": model})
    assert model.seen == len(drawn)
    entry["count"]["confidence"] = 0.9
    es.tag(drawn, [entry], models={"m": model})
    assert model.seen == 2 * len(drawn)
    assert set(drawn.values("n")) == {0}


def test_an_interrupted_change_of_tagger_leaves_no_value_of_the_old_one(drawn):
    class Interrupted(Halves):
        def predict(self, image):
            if self.seen == len(drawn) // 2:
                raise KeyboardInterrupt
            return super().predict(image)

    entry = {"count": {"model": "m", "fields": {"n": "thing"}}}
    es.tag(drawn, [entry], models={"m": Halves()})
    entry["count"]["confidence"] = 0.9
    with pytest.raises(KeyboardInterrupt):
        es.tag(drawn, [entry], models={"m": Interrupted()})
    assert set(drawn.values("n")) <= {None, 0}
    es.tag(drawn, [entry], models={"m": Halves()})
    assert set(drawn.values("n")) == {0}


def test_other_mask_values_of_a_class_are_measured_again(drawn):
    entry = {"area": {"model": "m", "fields": {"pct": "left"}, "targets": {1: "left"}}}
    es.tag(drawn, [entry], models={"m": LeftHalf()})
    entry["area"]["targets"] = {2: "left"}
    es.tag(drawn, [entry], models={"m": LeftHalf()})
    assert set(drawn.values("pct")) == {0.0}


def test_attributes_belong_to_the_encoder_that_found_them(drawn, encoder):
    attribute = {"field": "light", "classes": {"dark": "at night", "bright": "day"}}
    es.embed(drawn.limit(5), encoder)
    found = es.tag(drawn, [{"zero_shot": attribute}])
    assert (found.done, len(found.skipped)) == (5, len(drawn) - 5)
    assert set(found.skipped.values()) == {"it has not been embedded"}
    made_by = drawn.get_field("light").info["evalsets"]
    assert made_by["encoder"] == fingerprint_of(drawn)


def test_a_field_tells_what_filled_it(drawn):
    es.tag(drawn, [{"statistics": {}}])
    assert drawn.get_field("glare").info["evalsets"]["tagger"] == "statistics"
    assert "brightness" in drawn.get_index_information()


def test_attributes_come_from_the_prompt_that_fits_best(drawn, encoder):
    es.embed(drawn, encoder)
    es.tag(
        drawn,
        [
            {
                "zero_shot": {
                    "field": "light",
                    "classes": {"dark": "at night", "bright": "daylight"},
                }
            }
        ],
    )
    outdoors = drawn.match(fo.ViewField("time").is_in(["night", "day"]))
    light = outdoors.values("light.label")
    expected = ["dark" if t == "night" else "bright" for t in outdoors.values("time")]
    right = np.mean([a == b for a, b in zip(light, expected, strict=True)])
    assert right > 0.9
    assert all(0.5 <= c <= 1 for c in drawn.values("light.confidence"))


def test_zero_shot_before_embedding_says_what_to_do(drawn):
    with pytest.raises(NoVectorsError, match="embed it first"):
        es.tag(drawn, [{"zero_shot": {"field": "a", "classes": {"b": "b", "c": "c"}}}])


@pytest.mark.parametrize(
    ("entry", "error", "said"),
    [
        ({"statistic": {}}, UnknownNameError, "did you mean 'statistics'"),
        ({"zero_shot": {"field": "a", "classes": {"b": "b"}}}, ArgumentError, "two"),
        ({"zero_shot": {"feild": "a"}}, ArgumentError, "feild"),
        ({"count": {"model": "nobody", "fields": {"n": "x"}}}, UnknownNameError, "zoo"),
        (
            {"area": {"model": "left", "fields": {"n": "right"}}},
            UnknownNameError,
            "right",
        ),
        ("statistics", ArgumentError, "one kind"),
        ({"flicker": {"field": "n", "boxes": "nope"}}, UnknownNameError, "nope"),
        (
            {"disagreement": {"field": "n", "between": ["nope", "time"]}},
            UnknownNameError,
            "nope",
        ),
    ],
)
def test_a_tagger_declared_wrongly_writes_nothing(drawn, entry, error, said):
    before = set(drawn.get_field_schema())
    with pytest.raises(error, match=said):
        es.tag(drawn, [entry], models={"halves": Halves(), "left": LeftHalf()})
    assert set(drawn.get_field_schema()) == before


def test_what_is_wrong_with_a_tagger_of_a_file_is_told_with_its_line(drawn, tmp_path):
    file = tmp_path / "t.yml"
    doubt = "disagreement: {field: doubt, between: [a, b]}"
    file.write_text(f"taggers:\n  - statistics: {{}}\n  - {doubt}\n")
    with pytest.raises(UnknownNameError, match=r"t.yml:3: No field '[ab]'") as told:
        es.tag(drawn, file)
    assert "doubt" not in str(told.value)
    assert not drawn.has_field("doubt")
    file.write_text("taggers:\n  - jump: {field: split, of: vectors}\n")
    with pytest.raises(ArgumentError, match=r"t.yml:2: No field can be filled under"):
        es.tag(drawn, file)


class Disturbed(SampleTagger):
    """Finds fault when another writer has just added a field."""

    kind = "disturbed"
    fields: ClassVar = {"n": int}
    fault: ClassVar = ArgumentError

    def tag_samples(self, view):
        other = fo.Dataset._make_instance(view._dataset.name, _create=False)
        other.add_sample_field("theirs", fo.IntField)
        other.set_values("theirs", [7] * len(other))
        raise self.fault("no such boxes")


@pytest.mark.parametrize("fault", [ArgumentError, ZeroDivisionError, KeyboardInterrupt])
def test_a_tagger_that_finds_fault_takes_nothing_of_another_writer_with_it(
    drawn, fault, monkeypatch
):
    monkeypatch.setattr(Disturbed, "fault", fault)
    with pytest.raises(fault, match="no such boxes"):
        es.tag(drawn, [Disturbed()])
    drawn.reload()
    assert drawn.values("theirs") == [7] * len(drawn)
    assert not drawn.has_field("n")


class Choosy(SampleTagger):
    """Gives one number, or raises what it is told to."""

    kind = "choosy"

    def __init__(self, fields, raises=None):
        self.fields = dict.fromkeys(fields, int)
        self.raises = raises

    def provenance(self, field):
        return {"tagger": self.kind, "raises": repr(self.raises)}

    def tag_samples(self, view):
        if self.raises is not None:
            raise self.raises
        return {name: [7] * len(view) for name in self.fields}


@pytest.mark.parametrize("error", [ArgumentError("no"), ValueError("no")], ids=repr)
def test_a_tagger_that_finds_fault_leaves_what_it_would_have_replaced(drawn, error):
    es.tag(drawn, [Choosy(["n"])])
    with pytest.raises(type(error), match="no"):
        es.tag(drawn, [Choosy(["n", "new"], error)])
    assert drawn.values("n") == [7] * len(drawn)
    assert not drawn.has_field("new")
    assert es.tag(drawn, [Choosy(["n"])]).done == 0


def test_a_model_of_the_wrong_kind_is_found_out_at_its_first_images(drawn):
    area = {"area": {"model": "halves", "fields": {"n": "left"}}}
    with pytest.raises(ArgumentError, match="masks"):
        es.tag(drawn, [area], models={"halves": Halves()})
    assert not any(drawn.values("n"))


def test_a_field_of_another_type_is_not_taken(drawn):
    with pytest.raises(NameTakenError, match="'time'"):
        es.tag(
            drawn,
            [{"count": {"model": "m", "fields": {"time": "thing"}}}],
            models={"m": Halves()},
        )


def test_a_field_that_someone_else_filled_is_kept(drawn, encoder):
    drawn.add_sample_field("brightness", fo.FloatField)
    drawn.set_values("brightness", [7.0] * len(drawn))
    with pytest.raises(NameTakenError, match="'brightness'"):
        es.tag(drawn, [{"statistics": {}}])
    assert set(drawn.values("brightness")) == {7.0}
    assert not drawn.has_field("contrast")
    es.embed(drawn, encoder)
    truth = drawn.values("ground_truth.label")
    attribute = {"field": "ground_truth", "classes": {"a": "a", "b": "b"}}
    with pytest.raises(NameTakenError, match="'ground_truth'"):
        es.tag(drawn, [{"zero_shot": attribute}])
    assert drawn.values("ground_truth.label") == truth


def test_a_model_that_takes_one_size_sees_images_of_all_sizes(dataset, tmp_path):
    for width in (20, 30):
        Image.new("RGB", (width, 20), "white").save(tmp_path / f"{width}.png")
    mixed = es.sync(tmp_path, dataset)
    count = {"model": "m", "field": "n_things", "label": "thing"}
    es.tag(mixed, [{"count": count}], models={"m": OneSize()})
    assert mixed.values("n_things") == [2, 2]


@pytest.mark.parametrize("field", ["split", "pred_a", "_a"])
def test_a_tag_of_a_reserved_name_is_refused(drawn, field):
    with pytest.raises(ArgumentError, match=f"'{field}'"):
        es.tag(
            drawn,
            [{"count": {"model": "m", "field": field, "label": "thing"}}],
            models={"m": Halves()},
        )


def test_taggers_are_read_from_yaml(drawn, tmp_path):
    path = tmp_path / "tags.yml"
    path.write_text("taggers:\n  - statistics: {}\n")
    es.tag(drawn.limit(2), path)
    assert drawn.count("sharpness") == 2
    path.write_text("taggers: [")
    with pytest.raises(ArgumentError, match="cannot be read"):
        es.tag(drawn, path)
