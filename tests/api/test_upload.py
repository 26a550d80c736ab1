import pytest

import evalsets as es
from evalsets.errors import ArgumentError

pytestmark = pytest.mark.db


def test_relative_boxes_need_no_size_in_pixels(drawn):
    drawn.clear_sample_field("metadata")
    box = {"label": "person", "confidence": 0.9}
    paths = drawn.values("filepath")
    relative = {path: [{**box, "bounding_box": [0.1, 0.1, 0.5, 0.5]}] for path in paths}
    assert es.upload_predictions(drawn, "relative", relative).matched == len(drawn)
    pixels = {path: [{**box, "bbox": [10, 10, 50, 50]}] for path in paths}
    with pytest.raises(ArgumentError, match="compute their metadata"):
        es.upload_predictions(drawn, "pixels", pixels)
