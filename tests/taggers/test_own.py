"""Kinds of taggers that other packages add."""

import importlib
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

import evalsets as es
from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.taggers import PixelTagger, checked, declared, read_taggers

EXAMPLE = Path(__file__).parents[2] / "examples" / "noise_tagger"


class Plain(PixelTagger):
    """Says the same of every image, and takes no options."""

    kind = "plain"
    fields: ClassVar = {"plain": int}

    def prepare(self, image):
        return {"plain": 1}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The example package, installed as pip does, for the tests of this file."""
    folder = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    pip = [sys.executable, "-m", "pip", "install", *options, "--target", folder]
    subprocess.run([*pip, EXAMPLE], check=True, capture_output=True)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    yield folder
    sys.path.remove(str(folder))
    importlib.invalidate_caches()


def test_a_kind_of_another_package_is_known_once_it_is_installed(installed):
    (tagger,) = read_taggers([{"noise": {"field": "grain"}}])
    assert tagger.fields == {"grain": float}
    assert tagger.provenance("grain") == {"tagger": "noise", "version": 1}
    with pytest.raises(UnknownNameError, match="did you mean 'noise'"):
        read_taggers([{"noize": {}}])
    with pytest.raises(ArgumentError, match="feild"):
        read_taggers([{"noise": {"feild": "grain"}}])


def test_its_noise_is_that_of_the_image(installed):
    (tagger,) = read_taggers([{"noise": {}}])
    rng = np.random.default_rng(0)
    grey = 128 + rng.normal(0, 10, (200, 300))
    image = Image.fromarray(grey.round().astype(np.uint8)).convert("RGB")
    assert tagger.prepare(image)["noise"] == pytest.approx(10, rel=0.02)
    assert tagger.prepare(Image.new("RGB", (20, 20)))["noise"] == 0


@pytest.mark.db
def test_its_tags_are_queried_like_any_other(installed, dataset, tmp_path):
    rng = np.random.default_rng(0)
    for spread in (0, 20):
        grey = 128 + rng.normal(0, spread, (40, 40))
        Image.fromarray(grey.clip(0, 255).astype(np.uint8)).save(
            tmp_path / f"{spread}.png"
        )
    es.sync(tmp_path, dataset)
    es.tag(dataset, [{"noise": {}}])
    (noisy,) = es.search(dataset, "noise > 10")
    assert noisy.filepath.endswith("20.png")


class Broken(PixelTagger):
    kind = "broken"
    fields: ClassVar = {"n": int, "note": str}
    optional = frozenset({"note"})

    def prepare(self, image):
        return {}


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"n": [1, 2]}, "0 values of 'note' for 2 samples"),
        ({"n": [1], "note": [None, None]}, "1 value of 'n' for 2 samples"),
        ({"n": [1, None], "note": [None, None]}, "no value of 'n'"),
        ({"n": [1, 2.5], "note": [None, None]}, "float for 'n', which holds int"),
        ({"n": [1, np.nan], "note": [None, None]}, "no value of 'n'"),
    ],
)
def test_tags_that_would_leave_a_sample_half_tagged_are_refused(tags, said):
    with pytest.raises(ArgumentError, match=said):
        checked(Broken(), tags, 2)


def test_numbers_of_numpy_become_plain_ones():
    tags = {"n": np.arange(2), "note": [None, "x"]}
    plain = checked(Broken(), tags, 2)
    assert plain == {"n": [0, 1], "note": [None, "x"]}
    assert {type(value) for value in plain["n"]} == {int}


class Open(Broken):
    kind = "open"

    def __init__(self, **options):
        self.parameters = options


def test_a_tagger_may_take_options_of_any_name(monkeypatch):
    monkeypatch.setattr(declared, "_PLAIN", {**declared._PLAIN, "open": Open})
    (tagger,) = read_taggers([{"open": {"depth": 3}}])
    assert tagger.parameters == {"depth": 3}


def test_a_kind_of_another_package_may_be_a_partial_call(monkeypatch):
    made = partial(Plain)
    monkeypatch.setitem(declared._PLAIN, "plain", made)
    (tagger,) = read_taggers([{"plain": {}}])
    assert isinstance(tagger, Plain)
    with pytest.raises(ArgumentError, match="has no option 'feild'; it takes none"):
        read_taggers([{"plain": {"feild": "grain"}}])


def test_merged_taggers_are_refused_with_the_files_name(tmp_path):
    merged = "base: &b {taggers: [{statistics: {}}]}\n<<: *b\n"
    (tmp_path / "tags.yml").write_text(merged)
    with pytest.raises(ArgumentError, match="merges its key 'taggers'"):
        read_taggers(tmp_path / "tags.yml")
