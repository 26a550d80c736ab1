"""New samples that come to the split before they are embedded and tagged."""

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

import evalsets as es

pytestmark = pytest.mark.db


def _photos(folder, name, n):
    for i in range(n):
        Image.fromarray(np.full((8, 8, 3), 8 * i, np.uint8)).save(
            folder / f"{name}{i:02d}.png"
        )
    return folder


@pytest.fixture
def dark(tmp_path):
    """Twenty photographs with their statistics, half of them held out as dark."""
    dataset = es.sync(_photos(tmp_path, "a", 20), f"dark {tmp_path.name}")
    es.tag(dataset, [{"statistics": {}}, {"facts": {}}])
    es.compose(dataset, es.Population("dark", "brightness < 0.3", holdout=0.5))
    es.split(dataset)
    yield dataset
    dataset.delete()


def _sync(dataset, folder, name="b", n=5):
    return es.sync(_photos(folder, name, n), dataset)


def test_new_samples_that_were_not_tagged_are_told(dark, tmp_path, caplog, run):
    _sync(dark, tmp_path)
    said = (
        "5 new samples have no 'brightness', which 'dark' asks for, and are divided as "
        "not in it; tag new samples before they are split"
    )
    assert said in run("split", dark.name).stdout
    assert said in caplog.messages
    assert not es.split(dark).notes  # they have a side now


def test_what_is_tagged_in_time_is_not_told(dark, tmp_path):
    _sync(dark, tmp_path)
    es.tag(dark, [{"statistics": {}}])
    assert not es.split(dark).notes


def test_what_the_rest_of_a_query_decides_is_not_told(dark, tmp_path):
    dark.add_sample_field("city", fo.StringField)
    dark.set_values("city", ["Rome"] * len(dark))
    bright = "brightness > 0.5 AND city = 'Rome'"
    es.compose(dark, es.Population("bright", bright, holdout=0.2))
    es.compose(dark, es.Population("dark", "brightness < 0.3"))
    _sync(dark, tmp_path)
    new = dark.match(~fo.ViewField("split").exists())
    new.set_values("city", ["Rome"] + ["Oslo"] * 4)
    assert es.split(dark).notes[0].startswith("1 new sample has no 'brightness', which")


def test_what_may_be_missing_for_good_is_not_told(dark, tmp_path):
    es.compose(dark, es.Population("fast", "iso > 800", holdout=0.2))
    dark.add_sample_field("city", fo.StringField)
    es.compose(dark, es.Population("rome", "city = 'Rome'", holdout=0.2))
    es.compose(dark, es.Population("dark", "brightness < 0.3"))
    _sync(dark, tmp_path)
    es.tag(dark, [{"facts": {}}])
    assert not [note for note in es.split(dark).notes if "before" in note]
    _sync(dark, tmp_path, "c")
    assert "5 new samples have no 'iso', which 'fast' asks" in str(es.split(dark))


def test_a_disagreement_is_told_only_where_the_others_have_it(dark, tmp_path):
    labels = [fo.Classification(label="x")] * len(dark)
    for name in ("one", "two"):
        dark.set_values(name, labels)
    doubt = [{"disagreement": {"field": "doubt", "between": ["one", "two"]}}]
    es.tag(dark, doubt)
    es.compose(dark, es.Population("doubtful", "doubt > 0", holdout=0.2))
    es.compose(dark, es.Population("dark", "brightness < 0.3"))
    _sync(dark, tmp_path)
    assert "no 'doubt', which 'doubtful' asks" in str(es.split(dark))
    _sync(dark, tmp_path, "c")
    assert "no 'doubt'" not in " ".join(es.split(dark).notes)


def test_new_samples_without_a_vector_are_told(dark, tmp_path, encoder):
    es.embed(dark, encoder)
    es.compose(
        dark,
        [
            es.Population("road", "text('a road') > 0.2", holdout=0.2),
            es.Population("like", "RANK(text('a road')) <= 3", holdout=0.2),
        ],
    )
    _sync(dark, tmp_path)
    es.tag(dark, [{"statistics": {}}])
    told = "5 new samples have no vector, which 'road' and 1 other ask for"
    assert told in " ".join(es.split(dark).notes)
