"""Image statistics against formulas written down independently."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import color, filters

from evalsets.taggers import ImageStatistics


def statistics(pixels):
    return ImageStatistics().prepare(Image.fromarray(np.asarray(pixels, np.uint8)))


def colourfulness(pixels):
    """M3 as Hasler & Süsstrunk 2003 print it."""
    red, green, blue = np.moveaxis(np.asarray(pixels, float), 2, 0)
    rg, yb = red - green, 0.5 * (red + green) - blue
    spread = np.sqrt(rg.std() ** 2 + yb.std() ** 2)
    return spread + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 90), st.integers(3, 90))
def test_statistics_are_those_of_an_independent_reference(seed, width, height):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    found = statistics(pixels)
    luma = pixels @ [0.299, 0.587, 0.114] / 255
    assert found["brightness"] == pytest.approx(luma.mean(), abs=0.002)
    assert found["contrast"] == pytest.approx(min(1, 2 * luma.std()), abs=0.004)
    assert found["colourfulness"] == pytest.approx(colourfulness(pixels), rel=1e-4)
    # skimage's ksize=3 kernel is ours with the other sign, and mirrors as OpenCV does
    edges = filters.laplace(luma, ksize=3)[1:-1, 1:-1]
    if min(width, height) > 20:
        inner = edges.var()
        assert found["sharpness"] == pytest.approx(inner / (inner + 0.01), rel=0.1)
    assert found["aspect"] == width / height
    assert found["resolution"] == pytest.approx(width * height / 1e6)


def test_plain_images_by_hand():
    white, grey = np.full((40, 60, 3), 255), np.full((40, 60, 3), 128)
    assert statistics(white) == {
        "brightness": 1.0,
        "contrast": 0.0,
        "sharpness": 0.0,
        "glare": 1.0,
        "colourfulness": 0.0,
        "aspect": 1.5,
        "resolution": 0.0024,
    }
    assert statistics(grey)["glare"] == 0
    half = np.hstack([np.zeros((40, 30, 3)), np.full((40, 30, 3), 255)])
    assert statistics(half)["contrast"] == pytest.approx(1)
    assert statistics(half)["glare"] == pytest.approx(0.5)


def test_the_size_is_that_of_the_whole_image_and_the_rest_of_a_small_one():
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (256, 512, 3), np.uint8)
    large = small.repeat(3, axis=0).repeat(3, axis=1)
    ours, same = statistics(large), statistics(small)
    assert (ours.pop("resolution"), same.pop("resolution")) == (1.179648, 0.131072)
    assert ours == pytest.approx(same)


def test_blur_lowers_sharpness_and_only_that(shared):
    path = next((shared / "data/flickr8k-part/images").glob("*.jpg"))
    with Image.open(path) as image:
        sharp = np.asarray(image.convert("RGB"))
    blurred = filters.gaussian(sharp, 2, channel_axis=2, preserve_range=True)
    before, after = statistics(sharp), statistics(blurred)
    assert after["sharpness"] < before["sharpness"] / 2
    assert after["brightness"] == pytest.approx(before["brightness"], abs=0.01)


def test_colourfulness_ranks_a_photograph_above_its_faded_copies(shared):
    path = next((shared / "data/flickr8k-part/images").glob("*.jpg"))
    with Image.open(path) as image:
        hsv = color.rgb2hsv(np.asarray(image.convert("RGB")))
    found = [
        statistics(color.hsv2rgb(hsv * [1, share, 1]) * 255)["colourfulness"]
        for share in (1, 0.6, 0.3, 0)
    ]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 1
