"""An index over the vectors that populations are defined by."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import fiftyone as fo
import fiftyone.brain as fob
import numpy as np
import pytest
from fiftyone.brain.similarity import _DEFAULT_MODEL
from fiftyone.core.models import EmbeddingsMixin, Model

import evalsets as es
from evalsets.brain.similarity import FaissSimilarityConfig
from evalsets.datasets.vectors import home, open_vectors
from evalsets.errors import ArgumentError, EncoderError
from tests.brain.conftest import ENCODER

pytestmark = pytest.mark.db

PROMPT = "a dimly lit factory floor"


class Colours(EmbeddingsMixin, Model):
    """Embeds an image as its mean colour; knows no texts."""

    media_type = "image"
    transforms = None
    preprocess = False
    ragged_batches = True
    has_embeddings = True

    def embed(self, image):
        return np.asarray(image).reshape(-1, 3).mean(axis=0)


@pytest.fixture
def indexed(embedded):
    """An embedded dataset and its index ``sim``."""
    return embedded, compute(embedded, brain_key="sim")


def compute(dataset, **options):
    return fob.compute_similarity(
        dataset, **{"embeddings": False, **options}, backend="faiss"
    )


def by_rank(dataset, similarity):
    """Ids in the order of our query language."""
    query = f"SELECT * FROM dataset ORDER BY {similarity} DESC"
    return es.search(dataset, query).values("id")


def test_it_is_the_same_file(indexed):
    dataset, index = indexed
    file = open_vectors(dataset)
    assert not index.is_external
    assert index.sample_ids.tolist() == file.ids.tolist()
    assert np.array_equal(index.get_embeddings()[0], file.matrix)
    assert not (home() / "brain" / str(dataset._doc.id)).exists()
    config = dataset.get_brain_info("sim").config
    assert (config.folder, config.encoder) == (None, ENCODER)
    assert config.supports_prompts


def test_fiftyones_order_is_that_of_text(indexed):
    dataset, index = indexed
    expected = by_rank(dataset, f"text('{PROMPT}')")
    assert dataset.sort_by_similarity(PROMPT).values("id") == expected
    assert dataset.sort_by_similarity(PROMPT, k=7).values("id") == expected[:7]
    backwards = dataset.sort_by_similarity(PROMPT, k=7, reverse=True)
    assert backwards.values("id") == expected[::-1][:7]
    top = es.search(dataset, f"RANK(text('{PROMPT}')) <= 7")
    assert set(top.values("id")) == set(expected[:7])
    image = expected[20]
    assert index.sort_by_similarity(image).values("id") == by_rank(
        dataset, f"image('{image}')"
    )


def test_several_prompts_are_those_of_text(indexed):
    dataset, _ = indexed
    found = dataset.sort_by_similarity([PROMPT, "night"]).values("id")
    assert found == by_rank(dataset, f"text('{PROMPT}', 'night')")


def test_a_fresh_process_loads_the_encoder_by_its_name(indexed):
    dataset, _ = indexed
    script = f"""
import sys
import fiftyone as fo
dataset = fo.load_dataset({dataset.name!r})
print(*dataset.sort_by_similarity({PROMPT!r}, k=7).values("id"))
print("evalsets.api" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    ids, api = done.stdout.splitlines()[-2:]
    assert ids.split() == by_rank(dataset, f"text('{PROMPT}')")[:7]
    assert api == "False"


def test_what_is_embedded_later_is_found(photographs, dataset, tmp_path):
    paths = sorted(photographs.glob("*.jpg"))
    for path in paths[:10]:
        shutil.copy(path, tmp_path)
    es.sync(tmp_path, dataset)
    es.embed(dataset, ENCODER)
    index = compute(dataset, brain_key="sim")
    assert index.total_index_size == 10
    shutil.copy(paths[10], tmp_path)
    es.sync(tmp_path, dataset)
    es.embed(dataset, ENCODER)
    new = dataset.last().id
    assert dataset.sort_by_similarity(open_vectors(dataset).get([new])[0], k=1).values(
        "id"
    ) == [new]
    dataset.delete_samples([new])
    index.reload()
    assert index.total_index_size == 10


def test_another_encoder_takes_over(indexed):
    dataset, index = indexed
    es.embed(dataset, Colours(), overwrite=True)
    index.reload()
    assert index.get_embeddings()[0].shape == (len(dataset), 3)
    index = compute(dataset, brain_key="colours")
    assert not index.supports_prompts
    with pytest.raises(ValueError, match="does not support prompts"):
        index.sort_by_similarity(PROMPT)


def test_fiftyones_default_model_gives_way_to_the_datasets_vectors(embedded):
    # compute_similarity passes this name where neither model nor vectors are named
    config = FaissSimilarityConfig(model=_DEFAULT_MODEL)
    index = config.build().initialize(embedded, None)
    assert not index.is_external
    assert index.total_index_size == len(embedded)
    assert index.sort_by_similarity(PROMPT, k=1).values("id") == [
        by_rank(embedded, f"text('{PROMPT}')")[0]
    ]


@pytest.mark.parametrize("given", ["vectors", "model", "patches"])
def test_vectors_of_its_own_are_kept_apart(embedded, given):
    before = open_vectors(embedded).matrix.copy()
    count = len(embedded)
    if given == "vectors":
        index = compute(embedded, embeddings=np.eye(count), brain_key="own")
    elif given == "model":
        index = compute(embedded, embeddings=None, model=Colours(), brain_key="own")
    else:
        box = fo.Detection(label="x", bounding_box=[0.2, 0.2, 0.5, 0.5])
        embedded.set_values(
            "gt", [fo.Detections(detections=[box.copy()]) for _ in range(count)]
        )
        index = compute(
            embedded,
            embeddings=None,
            model=Colours(),
            patches_field="gt",
            brain_key="own",
        )
    assert index.is_external
    assert index.total_index_size == count
    index.remove_from_index(sample_ids=index.sample_ids[:3].tolist())
    assert np.array_equal(open_vectors(embedded).matrix, before)


def test_vectors_of_another_model_are_refused(indexed):
    dataset, index = indexed
    ids, dim = dataset.values("id"), open_vectors(dataset).dim
    before = open_vectors(dataset).matrix.copy()
    foreign = np.random.default_rng(0).normal(size=(len(ids), dim))
    with pytest.raises(EncoderError, match="is not what"):
        index.add_to_index(foreign, ids)
    shuffled = index.get_embeddings(ids)[0][::-1]
    with pytest.raises(EncoderError, match="is not what"):
        index.add_to_index(shuffled, ids)
    with pytest.raises(ArgumentError, match="give"):
        index.add_to_index(foreign[:, 1:], ids)
    assert np.array_equal(open_vectors(dataset).matrix, before)


def test_vectors_of_its_encoder_are_taken(indexed):
    dataset, index = indexed
    some = dataset.limit(5)
    index.remove_from_index(sample_ids=some.values("id"))
    assert index.total_index_size == len(dataset) - 5
    vectors, ids, labels = index.compute_embeddings(dataset, skip_existing=True)
    assert sorted(ids) == sorted(some.values("id"))
    assert labels is None
    index.add_to_index(vectors, ids)
    assert index.total_index_size == len(open_vectors(dataset)) == len(dataset)


def test_an_image_that_is_gone_cannot_vouch_for_its_vector(indexed, tmp_path):
    dataset, index = indexed
    sample = dataset.first()
    vector = index.get_embeddings(sample.id)[0]
    sample.filepath = str(tmp_path / "gone.jpg")
    sample.save()
    with pytest.raises(EncoderError, match="cannot be read"):
        index.add_to_index(vector, [sample.id])
    with pytest.raises(EncoderError, match="cannot be read"):
        index.compute_embeddings(dataset, skip_failures=False)
    assert len(index.compute_embeddings(dataset)[0]) == len(dataset) - 1


def test_what_is_removed_leaves_its_populations_until_it_is_embedded_again(indexed):
    dataset, index = indexed
    view = es.compose(dataset, es.Population("dim", f"text('{PROMPT}') > 0.3"))
    members = es.membership(dataset)["dim"]
    before = members[members].index.tolist()
    assert len(before) > 3
    index.remove_from_index(sample_ids=before[:2])
    assert set(es.membership(dataset)["dim"].pipe(lambda it: it[it]).index) == set(
        before[2:]
    )
    es.refresh(dataset)
    assert len(dataset.load_saved_view("dim")) == len(before) - 2, view
    es.embed(dataset, ENCODER)
    assert set(dataset.load_saved_view("dim").values("id")) == set(before)


def test_deleting_the_run_leaves_the_vectors(indexed):
    dataset, index = indexed
    index.cleanup()
    dataset.delete_brain_run("sim")
    assert len(open_vectors(dataset)) == len(dataset)
    assert len(es.search(dataset, f"text('{PROMPT}') > -1")) == len(dataset)


def test_a_clone_shows_the_vectors_and_does_not_change_them(indexed):
    dataset, _ = indexed
    clone = dataset.clone()
    expected = dataset.sort_by_similarity(PROMPT, k=5).values("id")
    assert clone.sort_by_similarity(PROMPT, k=5).values("id") == expected
    index = clone.load_brain_results("sim")
    with pytest.raises(ArgumentError, match="clone"):
        index.remove_from_index(sample_ids=expected)
    with pytest.raises(ArgumentError, match="clone"):
        index.add_to_index(*index.get_embeddings(expected)[:2])
    clone.delete()


def test_a_model_of_the_index_embeds_as_text_does(indexed):
    _, index = indexed
    model = index.get_model()
    with model:
        prompts = model.embed_prompts([PROMPT, "night"])
        image = model.embed(np.full((64, 64, 3), 200, np.uint8))
    assert prompts.shape == (2, image.size)
    assert np.linalg.norm(image) == pytest.approx(1, abs=1e-5)


def test_the_stored_run_names_no_vector(indexed):
    dataset, _ = indexed
    document = dataset._doc.brain_methods["sim"]
    document.results.seek(0)
    assert len(document.results.read()) < 300
    assert Path(ENCODER).is_dir()
