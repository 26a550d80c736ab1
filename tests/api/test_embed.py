import shutil
from pathlib import Path

import fiftyone as fo
import numpy as np
import open_clip
import pytest
import torch
from fiftyone.core.models import EmbeddingsMixin, Model
from PIL import Image

import evalsets as es
from evalsets.datasets.connect import open_dataset
from evalsets.datasets.vectors import open_vectors
from evalsets.errors import ArgumentError, EncoderError, UnknownNameError

pytestmark = pytest.mark.db


class Colours(EmbeddingsMixin, Model):
    """Embeds an image as its mean colour."""

    media_type = "image"
    transforms = None
    preprocess = False
    ragged_batches = True
    has_embeddings = True

    def embed(self, image):
        return np.asarray(image).reshape(-1, 3).mean(axis=0)


def _vectors(dataset):
    return open_vectors(open_dataset(dataset))


def test_vectors_are_those_of_open_clip(drawn, encoder, tmp_path):
    es.embed(drawn, encoder, batch_size=7)
    model, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{encoder}")
    model.eval()
    file = _vectors(drawn)
    assert sorted(file.ids) == sorted(drawn.values("id"))
    for sample in drawn.take(5, seed=0):
        with Image.open(sample.filepath) as image, torch.inference_mode():
            expected = model.encode_image(prepare(image)[None], normalize=True)[0]
        assert file.get([sample.id])[0] @ expected.numpy() == pytest.approx(1, abs=1e-5)


def test_embedding_again_does_only_what_is_new(drawn, encoder):
    first = es.embed(drawn.limit(10), encoder)
    assert (first.done, first.kept) == (10, 0)
    second = es.embed(drawn, encoder)
    assert (second.done, second.kept) == (len(drawn) - 10, 10)
    assert es.embed(drawn, encoder).done == 0


def test_a_file_that_broke_since_is_skipped_and_named(
    world, dataset, encoder, tmp_path
):
    for path in sorted(world.glob("*.jpg"))[:4]:
        shutil.copy(path, tmp_path)
    es.sync(tmp_path, dataset)
    broken = dataset.values("filepath")[1]
    with Path(broken).open("r+b") as file:
        file.truncate(2000)
    done = es.embed(dataset, encoder)
    assert list(done.skipped) == [broken]
    assert done.done == len(_vectors(dataset)) == 3
    assert broken in str(done)


def test_a_fiftyone_model_that_takes_one_size_sees_images_of_all_sizes(
    dataset, tmp_path, monkeypatch
):
    for width in (20, 30):
        Image.new("RGB", (width, 20), "red").save(tmp_path / f"{width}.png")
    monkeypatch.setattr(Colours, "embed_all", lambda _, images: np.stack(images))
    done = es.embed(es.sync(tmp_path, dataset), Colours())
    assert done.done == 2
    assert _vectors(dataset).get(dataset.values("id")).tolist() == [[1, 0, 0]] * 2


def test_a_fiftyone_model_is_an_encoder_too(drawn):
    done = es.embed(drawn.limit(6), Colours())
    assert done.done == 6
    file = _vectors(drawn)
    assert np.linalg.norm(file.matrix, axis=1) == pytest.approx(1, abs=1e-6)
    with pytest.raises(EncoderError, match="images only"):
        es.search(drawn, "text('a bridge') > 0")
    assert len(es.search(drawn, f"image('{file.ids[0]}') > 0.99")) >= 1


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("no-such-model", EncoderError, "no such path"),
        ("open_clip:ViT-B-32", ValueError, "laion2b_s34b_b79k"),
        ("open_clip:ViT-B-32:laion2b_s34b", UnknownNameError, "laion2b_s34b_b79k"),
    ],
)
def test_an_encoder_that_does_not_exist_is_refused(drawn, name, error, said):
    with pytest.raises(error, match=said):
        es.embed(drawn, name)


def test_a_zoo_model_that_cannot_be_fetched_says_what_to_do(
    drawn, tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    monkeypatch.setattr(fo.config, "model_zoo_dir", str(tmp_path / "file" / "zoo"))
    with pytest.raises(EncoderError, match="connect"):
        es.embed(drawn, "resnet18-imagenet-torch")
    count = {"count": {"model": "resnet18-imagenet-torch", "fields": {"n": "x"}}}
    with pytest.raises(ArgumentError, match="connect"):
        es.tag(drawn, [count])


def test_a_folder_without_a_model_is_refused(drawn, tmp_path):
    with pytest.raises(EncoderError, match=r"open_clip_config\.json"):
        es.embed(drawn, tmp_path)


def test_a_file_that_is_no_model_of_open_clip_is_named_itself(drawn, tmp_path):
    (tmp_path / "yolox.onnx").write_bytes(b"x")
    with pytest.raises(
        EncoderError, match=r"yolox.onnx' is a file without open_clip_c"
    ):
        es.embed(drawn, tmp_path / "yolox.onnx")


def test_weights_that_are_a_pickle_of_code_are_not_loaded(drawn, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(EncoderError, match="weights_only"):
        es.embed(drawn, f"open_clip:RN50:{tmp_path / 'evil.pt'}")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"batch_size": 1.5}, "batch_size is 1.5; give a whole number"),
        ({"batch_size": 0}, "batch_size is 0; give a whole number"),
        ({"overwrite": "no"}, "overwrite is 'no'; give True or False"),
        ({"workers": 1.5, "engine": "ray"}, "workers is 1.5; give a whole number"),
    ],
    ids=str,
)
def test_options_of_a_wrong_kind_are_refused(drawn, encoder, given, said):
    with pytest.raises(ArgumentError, match=said):
        es.embed(drawn, encoder, **given)
