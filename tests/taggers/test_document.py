"""Text of documents, read by RapidOCR."""

import json
import re

import pytest
from PIL import Image, ImageDraw, ImageFont

from evalsets.errors import ArgumentError
from evalsets.taggers import DocumentText, document, read_taggers

LINES = ("Total amount due", "Invoice number 4711", "Thank you for your visit")


@pytest.fixture(scope="module")
def tagger():
    return DocumentText()


def page(turned=0.0):
    """A page with three lines, turned clockwise by some degrees."""
    image = Image.new("RGB", (700, 420), "white")
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(LINES):
        at = (110, 110 + 70 * row)
        draw.text(at, line, "black", font=ImageFont.load_default(34))
    return image.rotate(-turned, Image.Resampling.BICUBIC, fillcolor="white")


def read(tagger, *images):
    return tagger.tag([tagger.prepare(image) for image in images])


def test_the_text_of_a_page_is_read_and_its_words_are_counted(tagger):
    tags = read(tagger, page())
    assert tags["ocr_text"] == ["\n".join(LINES)]
    assert tags["n_words"] == [11]
    assert tags["skew"][0] == pytest.approx(0, abs=0.5)


def test_skew_is_the_angle_by_which_a_page_is_turned(tagger):
    turned = (-8.0, 5.0)
    tags = read(tagger, *map(page, turned))
    assert tags["skew"] == pytest.approx(turned, abs=1)


def test_a_page_without_text_has_no_words_and_no_skew(tagger):
    tags = read(tagger, Image.new("RGB", (300, 200), "white"))
    assert tags == {"ocr_text": [""], "n_words": [0], "skew": [None]}


def test_the_fields_record_the_weights_of_the_wheel(tagger):
    made_by = tagger.provenance("ocr_text")
    assert made_by["model"].startswith("rapidocr ")
    assert re.fullmatch("[0-9a-f]{32}", made_by["weights"])
    assert made_by["confidence"] == 0.5


def test_without_rapidocr_the_tagger_says_what_to_install(monkeypatch):
    monkeypatch.setattr(document, "find_spec", lambda name: None)
    with pytest.raises(ArgumentError, match=r"pip install 'evalsets\[ocr\]'"):
        read_taggers([{"document": {}}])


def test_a_share_beyond_one_is_no_confidence():
    with pytest.raises(ArgumentError, match=r"\[0, 1\]"):
        read_taggers([{"document": {"confidence": 50}}])


def test_totals_of_real_receipts_are_read(tagger, shared):
    """Of two receipts a total is found; benchmarks/taggers.py reads all 60."""
    folder, found = shared / "data/sroie", []
    paths = sorted((folder / "images").iterdir())
    for path in sorted(paths, key=lambda path: path.stat().st_size)[:2]:
        key = json.loads((folder / "key" / f"{path.stem}.json").read_text())
        with Image.open(path) as image:
            (text,) = read(tagger, image.convert("RGB"))["ocr_text"]
        found.append(key["total"] in text)
    assert len(found) == 2
    assert any(found)
