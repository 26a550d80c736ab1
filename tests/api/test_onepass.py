"""Embedding and tagging in one pass over pixels."""

import logging
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.core.models import EmbeddingsMixin, Model
from PIL import Image

import evalsets as es
from evalsets.datasets.locks import passing
from evalsets.datasets.vectors import open_vectors
from evalsets.encoders import batches
from evalsets.encoders.batches import Job, Reader, image_batches, portions
from evalsets.encoders.weights import weights_of
from evalsets.errors import (
    ArgumentError,
    DatabaseError,
    LockedError,
    NameTakenError,
)
from evalsets.taggers import PixelTagger

pytestmark = pytest.mark.db

ROOT = Path(__file__).parents[2]
LIGHT = {"field": "light", "classes": {"dark": "at night", "bright": "daylight"}}


class Things(Model):
    """Sees a thing in every image, and counts the images it has seen."""

    media_type = "image"
    transforms = None
    preprocess = False
    ragged_batches = False

    def __init__(self, fingerprint="first"):
        self.fingerprint = fingerprint
        self.seen = []

    def predict(self, image):
        return self.predict_all([image])[0]

    def predict_all(self, images):
        self.seen.append(len(images))
        box = fo.Detection(label="thing", bounding_box=[0, 0, 1, 1], confidence=0.5)
        return [fo.Detections(detections=[box]) for _ in images]


class Means(EmbeddingsMixin, Model):
    """Embeds an image as its mean colour; black has no direction."""

    media_type = "image"
    transforms = None
    preprocess = False
    ragged_batches = True
    has_embeddings = True

    def embed(self, image):
        return np.asarray(image).reshape(-1, 3).mean(axis=0)


def count(model="m", **options):
    return {"count": {"model": model, "fields": {"n": "thing"}, **options}}


def test_one_pass_gives_what_two_give(drawn, encoder):
    taggers = [{"statistics": {}}, {"zero_shot": LIGHT}, {"facts": {}}]
    fields = ("brightness", "light.label", "light.confidence", "file_bytes", "camera")
    both = es.embed(drawn, encoder, taggers=taggers, batch_size=7)
    assert (both.done, both.kept, both.skipped) == (len(drawn), 0, {})
    together = drawn.values([*fields])
    vectors = open_vectors(drawn).get(drawn.values("id"))
    for field in drawn.get_field_schema():
        if field in {"light", "has_exif", "brightness"}:
            drawn.clear_sample_field(field)
    apart = es.tag(drawn, taggers)
    assert apart.done == len(drawn)
    for one, other in zip(together, drawn.values([*fields]), strict=True):
        assert one == pytest.approx(other) if type(one[0]) is float else one == other
    assert np.array_equal(vectors, open_vectors(drawn).get(drawn.values("id")))
    again = es.embed(drawn, encoder, taggers=taggers)
    assert (again.done, again.kept) == (0, len(drawn))


def test_every_image_is_decoded_once(drawn, encoder, monkeypatch):
    opened = []
    real = batches.open_image
    monkeypatch.setattr(batches, "open_image", lambda p: opened.append(p) or real(p))
    model = Things()
    presence = {"presence": {"model": "m", "fields": {"has_thing": "thing"}}}
    es.embed(
        drawn,
        encoder,
        taggers=[{"statistics": {}}, count(), presence, {"zero_shot": LIGHT}],
        models={"m": model},
    )
    assert sorted(opened) == sorted(drawn.values("filepath"))
    assert sum(model.seen) == len(drawn)
    assert set(drawn.values("has_thing")) == {True}


def test_facts_need_no_pixels(drawn, monkeypatch):
    monkeypatch.setattr(batches, "open_image", lambda path: 1 / 0)
    assert es.tag(drawn, [{"facts": {}}]).done == len(drawn)
    assert set(drawn.values("file_format")) == {"JPEG"}


def test_only_the_tagger_that_lacks_something_sees_an_image(drawn):
    model = Things()
    es.tag(drawn, [{"statistics": {}}], batch_size=4)
    es.tag(drawn.limit(3), [count()], models={"m": model})
    es.tag(drawn, [{"statistics": {}}, count()], models={"m": model})
    assert sum(model.seen) == len(drawn)


def test_a_field_more_leaves_those_of_other_classes_as_they_are(drawn):
    es.tag(drawn, [count()], models={"m": Things()})
    date = drawn.get_field("n").info["evalsets"]["date"]
    model = Things()
    more = {"count": {"model": "m", "fields": {"n": "thing", "k": "other"}}}
    es.tag(drawn.limit(4), [more], models={"m": model})
    assert sum(model.seen) == 4
    assert set(drawn.values("n")) == {1}
    assert drawn.get_field("n").info["evalsets"]["date"] == date
    made_by = drawn.get_field("k").info["evalsets"]
    assert {key: made_by[key] for key in made_by if key != "date"} == {
        "tagger": "count",
        "confidence": 0.0,
        "model": "m",
        "weights": "first",
        "class": "other",
    }


def test_other_weights_make_the_tags_stale(drawn):
    es.tag(drawn, [count()], models={"m": Things()})
    other = Things("second")
    assert es.tag(drawn, [count()], models={"m": other}).done == len(drawn)
    assert sum(other.seen) == len(drawn)


def test_a_changed_tagger_is_refused_where_it_would_leave_stale_values(drawn):
    es.tag(drawn, [count()], models={"m": Things()})
    changed = count(confidence=0.9)
    with pytest.raises(ArgumentError, match=f"{len(drawn) - 5} samples outside"):
        es.tag(drawn.limit(5), [changed], models={"m": Things()})
    assert set(drawn.values("n")) == {1}
    drawn.clear_sample_field("n")
    es.tag(drawn.limit(5), [changed], models={"m": Things()})
    assert drawn.values("n") == [0] * 5 + [None] * (len(drawn) - 5)


def test_a_sample_without_a_direction_is_skipped_and_the_others_are_not(
    dataset, tmp_path
):
    for shade in (0, 100, 200):
        Image.new("RGB", (9, 9), (shade,) * 3).save(tmp_path / f"{shade:03}.png")
    es.sync(tmp_path, dataset)
    done = es.embed(dataset, Means(), taggers=[{"statistics": {}}])
    assert done.skipped == {
        str(tmp_path / "000.png"): "its vector is zero or not finite"
    }
    assert len(open_vectors(dataset)) == 2
    assert None not in dataset.values("brightness")


def test_a_tagger_that_fails_on_an_image_does_not_end_the_run(drawn):
    class Picky(PixelTagger):
        kind = "picky"
        fields = {"shade": float}  # noqa: RUF012

        def prepare(self, image):
            shade = np.asarray(image).mean()
            if shade < 60:
                raise ZeroDivisionError("too dark")
            return {"shade": shade}

    done = es.tag(drawn, [Picky()])
    assert done.done
    assert set(done.skipped.values()) == {"ZeroDivisionError: too dark"}
    assert done.done + len(done.skipped) == len(drawn)


class Chokes(Things):
    """Cannot take images of one shade."""

    def __init__(self, shades):
        super().__init__()
        self.shades = shades

    def predict_all(self, images):
        if {int(image[0, 0, 0]) for image in images} & self.shades:
            raise RuntimeError("the model chokes")
        return super().predict_all(images)


@pytest.fixture
def greys(dataset, tmp_path):
    """Six images, each of one shade."""
    for number in range(6):
        shade = (40 * number,) * 3
        Image.new("RGB", (9, 9), shade).save(tmp_path / f"{number}.png")
    es.sync(tmp_path, dataset)
    return dataset


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_model_that_fails_on_an_image_does_not_end_the_run(greys, batch_size):
    models, paths = {"m": Chokes({0, 160})}, greys.values("filepath")
    done = es.tag(greys, [count()], models=models, batch_size=batch_size)
    why = "RuntimeError: the model chokes"
    assert done.skipped == {paths[0]: why, paths[4]: why}
    assert greys.values("n") == [None, 1, 1, 1, None, 1]
    again = es.tag(greys, [count()], models=models)
    assert (again.done, again.kept, len(again.skipped)) == (0, 4, 2)


def test_a_model_that_fails_on_every_image_is_an_error(greys):
    with pytest.raises(RuntimeError, match="the model chokes"):
        es.tag(greys, [count()], models={"m": Chokes({0, 40, 80, 120, 160, 200})})


def test_samples_whose_files_have_vanished_are_not_tried_again(greys, caplog):
    Path(greys.first().filepath).unlink()
    es.sync(Path(greys.first().filepath).parent, greys)
    caplog.clear()
    done = es.embed(greys, Means(), taggers=[{"facts": {}}])
    assert (done.done, done.kept, done.skipped) == (5, 0, {})
    assert not [told for told in caplog.records if told.levelno >= logging.WARNING]


def test_tags_by_the_vectors_of_an_encoder_go_with_them(drawn, encoder, caplog):
    es.embed(drawn, encoder, taggers=[{"zero_shot": LIGHT}, {"statistics": {}}])
    es.embed(drawn, Means(), overwrite=True)
    drawn.reload()
    assert set(drawn.values("light.label")) == {None}
    assert None not in drawn.values("brightness")
    assert "dropped from 'light'" in caplog.text


def test_another_pass_over_the_same_dataset_is_refused_and_named(drawn, encoder):
    refused = []

    def other():
        try:
            es.embed(drawn, encoder)
        except LockedError as error:
            refused.append(str(error))

    with passing(drawn):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    (said,) = refused
    assert "is being embedded or tagged by process" in said
    assert es.embed(drawn, encoder).done == len(drawn)


def test_patches_are_no_samples(drawn, encoder):
    boxes = [fo.Detection(label="a", bounding_box=[0, 0, 1, 1]) for _ in drawn]
    drawn.set_values("boxes", [fo.Detections(detections=[box]) for box in boxes])
    with pytest.raises(ArgumentError, match="patches"):
        es.embed(drawn.to_patches("boxes"), encoder)


def test_taggers_that_cannot_fill_their_fields_embed_nothing(drawn, encoder):
    drawn.add_sample_field("brightness", fo.FloatField)
    with pytest.raises(NameTakenError):
        es.embed(drawn, encoder, taggers=[{"statistics": {}}])
    assert not drawn.list_runs(method="evalsets/vectors")


def test_batches_that_keep_whole_images_are_bounded_by_their_pixels():
    sizes = [10, 30, 70, 5, 5, 5, 5]
    jobs = [Job(str(n), (0,), size * 1_000_000) for n, size in enumerate(sizes)]
    read = [Reader(of_path=lambda path: path)]

    def parts(**options):
        found = image_batches(jobs, read, portions(jobs, 3, **options))
        return [batch.read[0][0] for batch in found]

    assert parts() == [[0, 1, 2], [3, 4, 5], [6]]
    assert parts(whole=True) == [[0, 1], [2], [3, 4, 5], [6]]


def test_weights_are_told_apart_by_their_values():
    import torch

    class Held(Model):
        def __init__(self, layer):
            self._model = layer

    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    before = weights_of(Held(layer))
    assert before == weights_of(layer) != ""
    with torch.no_grad():
        layer.bias += 1
    assert weights_of(layer) != before
    assert weights_of(Model()) == ""
    assert weights_of(Things("mine")) == "mine"


def test_a_database_whose_disk_is_full_is_named_and_nothing_is_lost(drawn):
    admin = fo.core.odm.get_db_client().admin
    fails = {"failCommands": ["update"], "errorCode": 14031}
    admin.command("configureFailPoint", "failCommand", mode={"skip": 1}, data=fails)
    try:
        with pytest.raises(DatabaseError, match="make room where it keeps its data"):
            es.tag(drawn, [{"facts": {}}], batch_size=8)
    finally:
        admin.command("configureFailPoint", "failCommand", mode="off")
    done = es.tag(drawn, [{"facts": {}}])
    assert done.done + done.kept == len(drawn)
    assert None not in drawn.values("file_bytes")


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_a_disk_that_fills_is_named_and_nothing_is_lost(drawn, encoder):
    """The vectors outgrow the largest file the process may write."""
    script = f"""
        import resource, signal, sys
        import evalsets as es
        from evalsets.api import background
        from evalsets.encoders import load_encoder
        background.EVERY_S = 0
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        encoder = load_encoder({encoder!r})
        resource.setrlimit(resource.RLIMIT_FSIZE, (20 * encoder.dim * 4,) * 2)
        try:
            es.embed({drawn.name!r}, encoder, batch_size=4)
        except es.EvalsetsError as error:
            print("said:", error)
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert "said: What was computed cannot be written" in ran.stdout, ran.stderr
    assert "make room" in ran.stdout
    drawn.reload()
    assert len(open_vectors(drawn)) == 20
    rest = es.embed(drawn, encoder)
    assert (rest.done, rest.kept) == (len(drawn) - 20, 20)
    assert not open_vectors(drawn).damaged()
